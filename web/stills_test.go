package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/uuid"

	"sira/cases"
	"sira/dicom/phantom"
	"sira/signaling"
)

// onePixel is the smallest lossless WebP.
var onePixel, _ = base64.StdEncoding.DecodeString("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")

// TestStills: who may call keeps a frozen picture in the case, once however
// often it is sent; what was drawn stands beside it.
func TestStills(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	calls := "/api/calls/" + id + "/stills/"
	jpg := []string{"Content-Type", "image/jpeg"}
	photo, aid := phantom.Photo(3), uuid.NewString()
	for user, want := range map[string]int{"": 401, "clin2": 404, "cardio2": 404, "admin": 404, "disp-derm": 404} {
		if got := w.do(user, "PUT", calls+aid, photo, jpg...).status; got != want {
			t.Errorf("%q: %d, want %d", user, got, want)
		}
	}
	var made struct {
		ID, Hash      string
		Width, Height int
	}
	sum := sha256.Sum256(photo)
	for range 2 {
		w.want(200, w.do("clin", "PUT", calls+aid, photo, jpg...)).json(t, &made)
	}
	if made.ID != aid || made.Hash != hex.EncodeToString(sum[:]) || made.Width < 1 {
		t.Errorf("made %+v", made)
	}
	w.want(200, w.do("disp", "PUT", calls+uuid.NewString(), onePixel, "Content-Type", "image/webp"))
	a := w.want(200, w.do("cardio", "GET", "/api/cases/"+id+"/attachments/"+aid+"?inline=1", nil))
	if !bytes.Equal(a.body, photo) || !strings.Contains(a.header.Get("Cache-Control"), "immutable") {
		t.Error("the still differs, or is not kept by the browser")
	}
	w.want(200, w.do("cardio", "GET", "/api/cases/"+id+"/attachments/"+aid+"/thumbnail", nil))

	big := append(bytes.Clone(photo), make([]byte, maxStillBytes)...)
	for name, tc := range map[string]struct {
		want int
		path string
		body []byte
		kind string
	}{
		"not a picture":  {422, uuid.NewString(), []byte("pas une image"), "image/jpeg"},
		"cut":            {422, uuid.NewString(), photo[:200], "image/jpeg"},
		"wrong type":     {422, uuid.NewString(), photo, "image/webp"},
		"cut WebP":       {422, uuid.NewString(), onePixel[:20], "image/webp"},
		"another kind":   {415, uuid.NewString(), photo, "image/png"},
		"no ID":          {400, "x", photo, "image/jpeg"},
		"too large":      {413, uuid.NewString(), big, "image/jpeg"},
		"no device":      {403, uuid.NewString() + "?of=" + w.users["clin"].ID, photo, "image/jpeg"},
		"other content":  {422, aid, phantom.Photo(4), "image/jpeg"},
		"an empty still": {422, uuid.NewString(), []byte{}, "image/jpeg"},
	} {
		if a := w.do("clin", "PUT", calls+tc.path, tc.body, "Content-Type", tc.kind); a.status != tc.want {
			t.Errorf("%s: %d, want %d: %.200s", name, a.status, tc.want, a.body)
		}
	}

	// What signaling hands over at the end of a call.
	w.srv.keepDrawing(id, aid, signaling.User{ID: w.users["cardio"].ID}, []signaling.Mark{{Kind: "arrow", Points: []int{1, 2, 3, 4}}})
	w.srv.keepDrawing(id, "none", signaling.User{ID: w.users["cardio"].ID}, nil) // logged, no more
	v := w.getCase("clin", id)
	if len(v.Files) != 2 || v.Files[0].Kind != "still" || v.Files[0].Still.Of != w.users["clin"].ID || v.Files[0].Still.OfName != "Dr Fatoumata Diarra" {
		t.Fatalf("files %+v", v.Files)
	}
	if d := v.Files[0].Still.Drawings; len(d) != 1 || d[0].Name != "Pr Ibrahima Konaté" || len(d[0].Marks) != 1 || d[0].Marks[0].Kind != "arrow" {
		t.Errorf("drawings %+v", d)
	}
	var log struct {
		Entries []struct{ Action, Outcome string }
	}
	w.want(200, w.do("clin", "GET", "/api/cases/"+id+"/access", nil)).json(t, &log)
	told := map[string]int{}
	for _, e := range log.Entries {
		told[e.Action+" "+e.Outcome]++
	}
	if told["call-freeze ok"] < 2 || told["call-draw ok"] != 1 || told["call-draw failed"] != 1 {
		t.Errorf("journal %v", told)
	}

	w.post("cardio", id, event(cases.OpinionGiven, cases.OpinionData{Conclusion: "Rien."}))
	w.post("clin", id, event(cases.Closed, cases.ClosedData{Outcome: "improved"}))
	if got := w.do("clin", "PUT", calls+uuid.NewString(), photo, jpg...).status; got != 422 && got != 409 {
		t.Errorf("a still of an ended case: %d", got)
	}
}
