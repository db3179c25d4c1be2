package pdu

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func request() *Associate {
	return &Associate{
		Version: 1, Called: "SIRA", Calling: "CT_SCANNER 1", ApplicationContext: ApplicationContext,
		Contexts: []Context{
			{ID: 1, AbstractSyntax: "1.2.840.10008.1.1", TransferSyntaxes: []string{"1.2.840.10008.1.2"}},
			{ID: 255, AbstractSyntax: "1.2.3", TransferSyntaxes: []string{"1.2.840.10008.1.2.1", "1.2.840.10008.1.2.5"}},
		},
		User: UserInfo{
			MaxLength: 16384, ImplementationUID: "1.2.3.4", ImplementationVersion: "TEST_1",
			Async:          &Async{Invoked: 1, Performed: 2},
			Roles:          []Role{{SOPClass: "1.2.3", SCU: true, SCP: true}},
			Extended:       []Extended{{SOPClass: "1.2.3", Info: []byte{1, 0, 2}}},
			CommonExtended: []CommonExtended{{SOPClass: "1.2.3", ServiceClass: "1.2.840.10008.4.2", Related: []string{"1.2.4", "1.2.5"}}},
			Identity:       &Identity{Type: 2, ResponseRequested: true, Primary: []byte("u"), Secondary: []byte("p")},
		},
	}
}

func answer() *Associate {
	return &Associate{
		Answer: true, Version: 1, Called: "SIRA", Calling: "CT_SCANNER 1", ApplicationContext: ApplicationContext,
		Contexts: []Context{
			{ID: 1, Result: Accepted, TransferSyntaxes: []string{"1.2.840.10008.1.2"}},
			{ID: 3, Result: TransfersNotSupported},
		},
		User: UserInfo{MaxLength: 65536, ImplementationUID: "1.2.3.4", IdentityResponse: []byte("ok")},
	}
}

func encode(t testing.TB, a *Associate) []byte {
	t.Helper()
	b, err := a.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAssociateRoundTrip(t *testing.T) {
	for _, want := range []*Associate{request(), answer()} {
		b := encode(t, want)
		h, err := ReadHeader(bytes.NewReader(b), 0)
		if err != nil || int(h.Length) != len(b)-HeaderSize || h.Type != want.Type() {
			t.Fatalf("header %+v, %v", h, err)
		}
		got, err := DecodeAssociate(h.Type, b[HeaderSize:])
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%v: %s", h.Type, d)
		}
	}
}

func TestUnknownItemsAreSkipped(t *testing.T) {
	b := encode(t, request())
	b = append(b, 0x77, 0, 0, 2, 9, 9)
	if _, err := DecodeAssociate(TypeAssociateRQ, b[HeaderSize:]); err != nil {
		t.Fatal(err)
	}
}

func TestPaddedUIDsAndTitles(t *testing.T) {
	a := request()
	a.Contexts[0].AbstractSyntax += "\x00"
	b := encode(t, a)
	copy(b[HeaderSize+callingOffset:], "  PAD\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	got, err := DecodeAssociate(TypeAssociateRQ, b[HeaderSize:])
	if err != nil {
		t.Fatal(err)
	}
	if got.Contexts[0].AbstractSyntax != "1.2.840.10008.1.1" || got.Calling != "PAD" {
		t.Errorf("got %q, %q", got.Contexts[0].AbstractSyntax, got.Calling)
	}
}

func TestMalformedAssociate(t *testing.T) {
	cases := map[string]func(*Associate){
		"even context ID":    func(a *Associate) { a.Contexts[0].ID = 2 },
		"same context twice": func(a *Associate) { a.Contexts[1].ID = 1 },
		"no transfer syntax": func(a *Associate) { a.Contexts[0].TransferSyntaxes = nil },
		"UID of letters":     func(a *Associate) { a.Contexts[0].AbstractSyntax = "1.2.abc" },
		"UID too long":       func(a *Associate) { a.Contexts[0].AbstractSyntax = strings.Repeat("1", 65) },
		"empty component":    func(a *Associate) { a.Contexts[0].AbstractSyntax = "1..2" },
		"control character":  func(a *Associate) { a.Calling = "A\nB" },
		"no abstract syntax": func(a *Associate) { a.Contexts[0].AbstractSyntax = "" },
		"too many syntaxes": func(a *Associate) {
			a.Contexts[0].TransferSyntaxes = make([]string, MaxSyntaxes+1)
			for i := range a.Contexts[0].TransferSyntaxes {
				a.Contexts[0].TransferSyntaxes[i] = "1.2"
			}
		},
	}
	for name, spoil := range cases {
		a := request()
		spoil(a)
		_, err := DecodeAssociate(TypeAssociateRQ, encode(t, a)[HeaderSize:])
		var malformed *Error
		if !errors.As(err, &malformed) || malformed.Reason != AbortInvalidParameter {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Any prefix is an error, never a panic and never a half association.
func TestTruncatedAssociate(t *testing.T) {
	b := encode(t, request())[HeaderSize:]
	whole := 0
	for n := range b {
		if _, err := DecodeAssociate(TypeAssociateRQ, b[:n]); err == nil {
			whole++ // a cut between two items leaves a shorter valid request
		}
	}
	if whole > 4 {
		t.Errorf("%d prefixes accepted", whole)
	}
}

func TestHeaderLimits(t *testing.T) {
	cases := []struct {
		b      [HeaderSize]byte
		ok     bool
		reason AbortReason
	}{
		{[6]byte{4, 0, 0, 0, 64, 0}, true, 0},
		{[6]byte{4, 0, 0, 0, 64, 1}, false, AbortInvalidParameter},
		{[6]byte{4, 0, 0, 0, 0, 0}, false, AbortInvalidParameter},
		{[6]byte{4, 0, 255, 255, 255, 255}, false, AbortInvalidParameter},
		{[6]byte{1, 0, 0, 8, 0, 1}, false, AbortInvalidParameter},
		{[6]byte{7, 0, 0, 0, 0, 5}, false, AbortInvalidParameter},
		{[6]byte{0, 0, 0, 0, 0, 4}, false, AbortUnrecognizedPDU},
		{[6]byte{'G', 'E', 'T', ' ', '/', ' '}, false, AbortUnrecognizedPDU},
	}
	for _, c := range cases {
		_, err := ParseHeader(c.b, 16384)
		var malformed *Error
		if (err == nil) != c.ok || errors.As(err, &malformed) && malformed.Reason != c.reason {
			t.Errorf("% x: %v", c.b, err)
		}
	}
}

// A length that lies costs no memory: the body is read as it comes.
func TestBodyShorterThanAnnounced(t *testing.T) {
	_, err := ReadBody(strings.NewReader("ab"), Header{TypeAssociateRQ, MaxAssociate})
	if err != io.ErrUnexpectedEOF {
		t.Errorf("got %v", err)
	}
}

func TestValues(t *testing.T) {
	b := make([]byte, HeaderSize+PDVHeaderSize)
	want := PDV{Length: 10, Context: 3, Command: true, Last: true}
	PutData(b, want)
	h, err := ReadHeader(bytes.NewReader(b), 100)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParsePDV([PDVHeaderSize]byte(b[HeaderSize:]), h.Length)
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []struct {
		b    [PDVHeaderSize]byte
		left uint32
	}{
		{[6]byte{0, 0, 0, 1, 1, 0}, 6},          // shorter than its own header
		{[6]byte{0, 0, 0, 3, 1, 0}, 6},          // longer than the PDU
		{[6]byte{255, 255, 255, 255, 1, 0}, 99}, // overflow
		{[6]byte{0, 0, 0, 2, 2, 0}, 6},          // even context
		{[6]byte{0, 0, 0, 2, 1, 0}, 9},          // three bytes left over
	} {
		if v, err := ParsePDV(bad.b, bad.left); err == nil {
			t.Errorf("% x of %d: %+v", bad.b, bad.left, v)
		}
	}
}

func TestControl(t *testing.T) {
	if a, err := DecodeAbort(Abort{2, 6}.Append(nil)[HeaderSize:]); err != nil || a != (Abort{2, 6}) {
		t.Errorf("%v, %v", a, err)
	}
	if r, err := DecodeReject(RejectCalledAE.Append(nil)[HeaderSize:]); err != nil || r != RejectCalledAE {
		t.Errorf("%v, %v", r, err)
	}
}

func TestItemTooLongToEncode(t *testing.T) {
	a := request()
	a.User.Extended[0].Info = make([]byte, 1<<16)
	if b, err := a.Append([]byte("x")); err == nil || string(b) != "x" {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

func FuzzAssociate(f *testing.F) {
	f.Add(false, encode(f, request())[HeaderSize:])
	f.Add(true, encode(f, answer())[HeaderSize:])
	f.Fuzz(func(t *testing.T, ac bool, b []byte) {
		kind := TypeAssociateRQ
		if ac {
			kind = TypeAssociateAC
		}
		a, err := DecodeAssociate(kind, b)
		if err != nil {
			return
		}
		again, err := a.Append(nil)
		if err != nil {
			t.Skip("decoded from items split over more than 64 KiB")
		}
		back, err := DecodeAssociate(kind, again[HeaderSize:])
		if err != nil {
			t.Fatalf("own encoding refused: %v", err)
		}
		if d := cmp.Diff(a, back); d != "" {
			t.Fatal(d)
		}
	})
}

func FuzzValue(f *testing.F) {
	f.Add([]byte{0, 0, 0, 4, 1, 3}, uint32(8))
	f.Fuzz(func(t *testing.T, b []byte, left uint32) {
		if len(b) < PDVHeaderSize {
			return
		}
		if v, err := ParsePDV([PDVHeaderSize]byte(b), left); err == nil && uint64(v.Length)+PDVHeaderSize > uint64(left) {
			t.Fatalf("%+v within %d", v, left)
		}
	})
}
