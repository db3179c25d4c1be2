package dimse

import (
	"bytes"
	"testing"
)

func TestCommandRoundTrip(t *testing.T) {
	b := storeRQ("1.2.3")
	if n := int(b[8]) | int(b[9])<<8; n != len(b)-12 {
		t.Errorf("group length %d of %d bytes", n, len(b)-12)
	}
	c, err := DecodeCommand(b)
	if err != nil {
		t.Fatal(err)
	}
	uid, err := c.uid(tagAffectedInstance)
	if err != nil || uid != "1.2.3" || c.field() != fieldStore || !c.hasData() {
		t.Errorf("%q, %v, %#x", uid, err, c.field())
	}
	if !bytes.Equal(c.Encode(), b) {
		t.Error("another encoding")
	}
	r := c.response(StatusDuplicateInstance, "no")
	if status, _ := r.uint16(tagStatus); status != StatusDuplicateInstance || r.field() != 0x8001 || r.hasData() {
		t.Errorf("response %#x, field %#x", status, r.field())
	}
}

func TestMalformedCommands(t *testing.T) {
	good := echoRQ()
	cases := map[string][]byte{
		"empty":            {},
		"another group":    append([]byte{8, 0, 1, 0, 0, 0, 0, 0}, good...),
		"descending":       append(bytes.Clone(good), good[12:]...),
		"length lies":      {0, 0, 0, 1, 255, 255, 255, 255, 1},
		"cut":              good[:len(good)-1],
		"no command field": {0, 0, 0x10, 1, 2, 0, 0, 0, 1, 0},
	}
	for name, b := range cases {
		if c, err := DecodeCommand(b); err == nil {
			t.Errorf("%s: %+v", name, c)
		}
	}
	wrongLength := bytes.Clone(good)
	wrongLength[8] = 1
	if _, err := DecodeCommand(wrongLength); err != nil {
		t.Errorf("wrong group length: %v", err)
	}
}

func TestStatusFailed(t *testing.T) {
	for status, want := range map[uint16]bool{
		0: false, 0xB000: false, 0xFE00: false, 0xFF00: false, 0x0107: false,
		0x0110: true, 0x0111: true, 0xA700: true, 0xA900: true, 0xC123: true, 0x0211: true,
	} {
		if StatusFailed(status) != want {
			t.Errorf("%#04x", status)
		}
	}
}

func FuzzCommand(f *testing.F) {
	f.Add(storeRQ("1.2.3"))
	f.Add(echoRQ())
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := DecodeCommand(b)
		if err != nil {
			return
		}
		_, _ = c.uid(tagAffectedClass)
		_ = c.title(tagMoveOriginator)
		_ = c.comment()
		if _, err := DecodeCommand(c.response(0xC000, c.comment()).Encode()); err != nil {
			t.Fatalf("response: %v", err)
		}
		back, err := DecodeCommand(c.Encode())
		if err != nil || !bytes.Equal(back.Encode(), c.Encode()) {
			t.Fatalf("not stable: %v", err)
		}
	})
}
