package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"sira/dicom/dimse"
)

// TestCutAnywhere plays an association and a STOW-RS request to the server and
// cuts them off at every few bytes: either the object is there as a whole, bytes
// and index entry, or nothing of it is.
func TestCutAnywhere(t *testing.T) {
	p := startServer(t)
	for i, session := range [][]byte{p.recorded(object("71").put(0x00102000, "LO", "x").file(dimse.ExplicitVRLittleEndian)),
		p.request(object("72").put(0x00102000, "LO", "y").file(dimse.ExplicitVRLittleEndian))} {
		before, seen := len(p.blobs()), false
		cuts := 0
		for n := 0; n <= len(session); n += 5 {
			if n+5 > len(session) {
				n = len(session)
			}
			cuts++
			p.play(session[:n], n < len(session))
			blobs, rows := p.atRest()
			if len(blobs) != rows || len(blobs) < before || len(blobs) > before+1 || seen && len(blobs) == before {
				t.Fatalf("session %d cut after %d of %d bytes: %d blobs, %d in the index", i, n, len(session), len(blobs), rows)
			}
			seen = len(blobs) > before
		}
		if !seen {
			t.Errorf("session %d played whole stores nothing", i)
		}
		t.Logf("session %d: %d bytes, cut at %d places", i, len(session), cuts)
	}
}

// atRest gives what is kept once the server has cleared up behind the cut, which
// it does after hanging up.
func (p *serverProcess) atRest() (blobs []string, rows int) {
	p.t.Helper()
	for range 500 {
		left := p.incoming()
		if blobs, rows = p.blobs(), p.rows(); len(left) == 0 && len(blobs) == rows {
			return blobs, rows
		}
		time.Sleep(20 * time.Millisecond)
	}
	p.t.Errorf("left on the way: %v", p.incoming())
	return blobs, rows
}

// recorded is what our user's side says to store a file, up to the release.
func (p *serverProcess) recorded(file []byte) []byte {
	p.t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		p.t.Fatal(err)
	}
	defer ln.Close()
	var said bytes.Buffer
	var over sync.WaitGroup
	over.Go(func() { // a provider that takes all, listened to
		s := &dimse.Server{Store: func(_ context.Context, req dimse.StoreRequest) uint16 {
			_, _ = io.Copy(io.Discard, req.Data)
			return dimse.StatusSuccess
		}}
		_ = s.Serve(context.Background(), &tapped{Listener: ln, said: &said})
	})
	c, err := dimse.Dial(p.t.Context(), ln.Addr().String(), dimse.DialOptions{AET: "CUT", CalledAET: "SIRA",
		Proposals: []dimse.Proposal{{SOPClass: "1.2.840.10008.5.1.4.1.1.7", TransferSyntaxes: []string{dimse.ExplicitVRLittleEndian}}}})
	if err != nil {
		p.t.Fatal(err)
	}
	defer c.Abort()
	if status, err := c.Store(p.t.Context(), bytes.NewReader(file)); err != nil || status != dimse.StatusSuccess {
		p.t.Fatalf("%#x, %v", status, err)
	}
	if err := c.Release(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	_ = ln.Close()
	over.Wait()
	return said.Bytes()
}

// tapped keeps what its one connection reads.
type tapped struct {
	net.Listener
	said *bytes.Buffer
}

func (l *tapped) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &tap{c, l.said}, nil
}

type tap struct {
	net.Conn
	said *bytes.Buffer
}

func (c *tap) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.said.Write(b[:n])
	return n, err
}

// request is a STOW-RS request as it goes over the wire.
func (p *serverProcess) request(file []byte) []byte {
	body := "--B\r\nContent-Type: application/dicom\r\n\r\n" + string(file) + "\r\n--B--\r\n"
	return fmt.Appendf(nil, "POST /dicomweb/studies HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nAccept: application/dicom+json\r\n"+
		"Content-Type: multipart/related; type=\"application/dicom\"; boundary=B\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", p.web, p.tokens["svc"], len(body), body)
}

// play says something to the server's port for it and waits until the server
// hangs up; cut, it hangs up itself, which net/http takes for a client that is gone.
func (p *serverProcess) play(said []byte, cut bool) {
	p.t.Helper()
	addr := p.dicom
	if bytes.HasPrefix(said, []byte("P")) { // POST; a PDU begins with 1
		addr = p.web
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		p.alive("a cut")
		p.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := conn.Write(said); err != nil {
		p.t.Fatal(err)
	}
	if cut {
		_ = conn.(*net.TCPConn).CloseWrite()
	}
	_, _ = io.Copy(io.Discard, conn)
}

func (p *serverProcess) blobs() []string {
	list, _ := filepath.Glob(filepath.Join(p.data, "blobs", "??", "*"))
	return slices.DeleteFunc(list, func(path string) bool { info, err := os.Stat(path); return err != nil || !info.Mode().IsRegular() })
}

func (p *serverProcess) rows() int {
	p.t.Helper()
	status, _, body := p.do("svc", http.MethodGet, "/dicomweb/instances", nil, "Accept", "application/dicom+json")
	if status == http.StatusNoContent {
		return 0
	}
	var rows []json.RawMessage
	if err := json.Unmarshal(body, &rows); err != nil {
		p.t.Fatalf("%d, %v", status, err)
	}
	return len(rows)
}
