package web

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"
)

// TestDisplayOfAnOverlay files a real MR with markings of its scanner.
func TestDisplayOfAnOverlay(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(corpus(t), "pydicom", "examples_overlay.dcm"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	id := w.open("cardio")
	if in := w.send("clin", id, "mr.dcm", data); in.Files[0].State != "stored" {
		t.Fatalf("%+v", in.Files)
	}
	var m manifestView
	w.want(200, w.do("cardio", "GET", "/api/cases/"+id+"/series/"+w.getCase("cardio", id).Series[0].SeriesUID, nil)).json(t, &m)
	in := m.Instances[0]
	if in.Overlays != 1 || !in.Display {
		t.Fatalf("%+v", in)
	}
	url := "/api/cases/" + id + "/instances/" + in.SOP + "/frames/1/display"
	var v displayView
	a := w.want(200, w.do("cardio", "GET", url, nil))
	a.json(t, &v)
	if len(v.Overlays) != 1 || v.Overlays[0].Group != "6000" || v.Overlays[0].Description == "" || len(v.Windows) == 0 {
		t.Fatalf("%+v", v)
	}
	o := v.Overlays[0]
	bits, err := base64.StdEncoding.DecodeString(o.Bits)
	if err != nil || len(bits) != (o.Cols+7)/8*o.Rows || o.X < 0 || o.Y < 0 || o.X+o.Cols > in.Cols || o.Y+o.Rows > in.Rows {
		t.Errorf("%d bytes for %d×%d at %d,%d: %v", len(bits), o.Cols, o.Rows, o.X, o.Y, err)
	}
	w.want(404, w.do("clin2", "GET", url, nil))
	w.want(404, w.do("cardio", "GET", "/api/cases/"+id+"/instances/"+in.SOP+"/frames/2/display", nil))
}
