package web

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"

	"sira/sfu/bulk"
)

// TestTransfersBesideACall: what a person in a call uploads and loads is held
// to what the call grants, and let go when it ends.
func TestTransfersBesideACall(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	data := make([]byte, 60_000)
	for i := range data {
		data[i] = byte(rand.Uint32())
	}
	copy(data, "%PDF-1.4\n")
	copy(data[len(data)-7:], "\n%%EOF\n")
	loc := w.want(201, w.create("clin", id, "gros.pdf", int64(len(data)))).header.Get("Location")
	const bytesASecond = 8_000
	// held runs one transfer in a call until some of it passed, then ends the
	// call and waits for the transfer.
	held := func(way bulk.Way, transfer func() answer) answer {
		t.Helper()
		call := w.cfg.Signaling.Transfers().Join(w.users["clin"].ID)
		call.Grant(way, bulk.Files, 8*bytesASecond)
		begin := time.Now()
		got := make(chan answer, 1)
		go func() { got <- transfer() }()
		passed := int64(0)
		for passed < 3_000 {
			passed += call.Used(way)
			select {
			case a := <-got:
				t.Fatalf("not held: status %d after %d bytes", a.status, passed)
			case <-time.After(10 * time.Millisecond):
			}
		}
		if most := int64(bytesASecond*time.Since(begin).Seconds()) + bytesASecond; passed > most {
			t.Errorf("%d bytes passed where %d may", passed, most)
		}
		call.Leave()
		return <-got
	}
	w.want(204, held(bulk.Up, func() answer { return w.patch("clin", loc, 0, data) }))
	in := w.done("clin", loc)
	if len(in.Files) != 1 || in.Files[0].State != "stored" {
		t.Fatalf("%+v", in)
	}
	path := "/api/cases/" + id + "/attachments/" + w.getCase("clin", id).Files[0].ID
	a := w.want(200, held(bulk.Down, func() answer { return w.do("clin", "GET", path, nil) }))
	if !bytes.Equal(a.body, data) {
		t.Errorf("%d bytes, others than were sent", len(a.body))
	}
	// Another person, and text, wait for nothing.
	call := w.cfg.Signaling.Transfers().Join(w.users["clin"].ID)
	defer call.Leave()
	call.Grant(bulk.Down, bulk.Files, 0)
	call.Grant(bulk.Up, bulk.Files, 0)
	w.want(200, w.do("cardio", "GET", path, nil))
	w.getCase("clin", id)

	// A still that all in the call wait for does not stand behind files.
	onto := "/api/calls/" + id + "/stills/" + uuid.NewString()
	w.want(200, w.do("clin", "PUT", onto, onePixel, "Content-Type", "image/webp"))
	for _, f := range w.getCase("clin", id).Files {
		if f.Kind == "still" {
			w.want(200, w.do("clin", "GET", "/api/cases/"+id+"/attachments/"+f.ID, nil))
			return
		}
	}
	t.Error("no still in the case")
}

// TestEveryLargeBodyIsBesideCalls: a route that carries files and is not held
// would fill the link under a voice.
func TestEveryLargeBodyIsBesideCalls(t *testing.T) {
	w := newWorld(t)
	held := map[string]bool{}
	for _, rt := range append(w.srv.apiRoutes(), w.srv.uploadRoutes()...) {
		held[rt.pattern] = rt.beside
		if rt.open && rt.surface != "ws" && !rt.beside {
			switch rt.pattern {
			case "GET /api/cases/{id}/export", "POST /api/cases/{id}/exports": // slow, not large
			case "POST /api/calls/{id}", "POST /api/guest/call": // an offer
			case "GET /api/guest/stills/{still}": // of a guest's call, which waits for it
			default:
				t.Errorf("%s may be large and is not held", rt.pattern)
			}
		}
	}
	if !held["GET /api/cases/{id}/instances/{sop}/frames/{frame}"] || held["GET /api/cases/{id}"] {
		t.Error("frames are to be held, text is not")
	}
}
