package web

import (
	"bytes"
	"context"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sira/dicom"
	"sira/dicom/phantom"
	"sira/dicom/pixel"
	"sira/dicom/transcode"
	"sira/dicom/write"
)

// filmed is a DICOM object around a film that ffmpeg makes, in fragments of
// 1,000 bytes.
func filmed(t *testing.T, syntax, name, sop string, args ...string) (object, stream []byte) {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("NOT RUN: ffmpeg is not installed")
	}
	out := filepath.Join(t.TempDir(), name)
	args = append([]string{"-v", "error", "-f", "lavfi", "-i", "testsrc=size=192x144:rate=25:duration=1"}, append(args, out)...)
	if said, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	stream = must[[]byte](t)(os.ReadFile(out))
	o := write.New(syntax)
	for tag, v := range map[dicom.Tag]string{0x00080016: "1.2.840.10008.5.1.4.1.1.77.1.4.1", 0x00080018: sop, 0x0020000D: "1.2.3", 0x0020000E: sop + ".1"} {
		o.Set.Text(tag, "UI", v)
	}
	o.Set.Text(0x00080060, "CS", "XC")
	parts := []dicom.Section{{}}
	for at := 0; at < len(stream); at += 1000 {
		parts = append(parts, dicom.Section{Offset: int64(at), Length: int64(min(1000, len(stream)-at))})
	}
	o.Set.Put(write.Element{Tag: 0x7FE00010, VR: "OB", Body: write.Copied(bytes.NewReader(stream), parts)})
	var b bytes.Buffer
	if err := o.Write(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), stream
}

// TestFilms: MP4 as it lies, a transport stream as MP4, MPEG-2 as a download;
// each with a poster, by ranges, in case and DICOMweb.
func TestFilms(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	h264 := []string{"-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"}
	for _, c := range []struct{ syntax, name, encoding, mediaType string }{
		{"1.2.840.10008.1.2.4.102", "a.mp4", "film", "video/mp4"},
		{"1.2.840.10008.1.2.4.102", "b.ts", "film", "video/mp4"},
		{"1.2.840.10008.1.2.4.100", "c.mpg", "unsupported", "video/mpeg"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sop := "1.2.3.4." + map[string]string{"a": "1", "b": "2", "c": "3"}[c.name[:1]]
			args := h264
			if strings.HasSuffix(c.name, ".mpg") {
				args = []string{"-c:v", "mpeg2video"}
			}
			object, stream := filmed(t, c.syntax, c.name, sop, args...)
			w.send("clin", id, "film.dcm", object)
			var m manifestView
			w.want(200, w.do("cardio", "GET", "/api/cases/"+id+"/series/"+sop+".1", nil)).json(t, &m)
			if len(m.Instances) != 1 || m.Instances[0].Encoding != c.encoding {
				t.Fatalf("%+v", m.Instances)
			}
			one := "/api/cases/" + id + "/instances/" + sop
			whole := w.want(200, w.do("cardio", "GET", one+"/document", nil))
			if got := whole.header.Get("Content-Type"); got != c.mediaType {
				t.Errorf("as %s", got)
			}
			inline := strings.HasPrefix(whole.header.Get("Content-Disposition"), "inline")
			if same := bytes.HasPrefix(whole.body, stream); inline != (c.encoding == "film") || same != (c.name != "b.ts") {
				t.Errorf("inline %v, as it lies %v", inline, same)
			}
			if c.encoding == "film" && string(whole.body[4:8]) != "ftyp" {
				t.Errorf("begins with %q", whole.body[:12])
			}
			part := w.want(206, w.do("cardio", "GET", one+"/document", nil, "Range", "bytes=900-2099"))
			if !bytes.Equal(part.body, whole.body[900:2100]) {
				t.Error("another range")
			}
			thumb := w.want(200, w.do("cardio", "GET", one+"/thumbnail", nil))
			img, err := jpeg.Decode(bytes.NewReader(thumb.body))
			if err != nil || img.Bounds().Dx() != 256 && img.Bounds().Dx() != 192 {
				t.Errorf("thumbnail %v", err)
			}
			if thumb.header.Get("Cache-Control") != forEver {
				t.Error("a picture that stands for the poster")
			}
			dicomweb := pacsRoot + "/studies/1.2.3/series/" + sop + ".1/instances/" + sop
			status := map[bool]int{true: 200, false: 406}[c.encoding == "film"]
			film := w.want(status, w.do("cardio", "GET", dicomweb+"/rendered", nil, "Accept", "video/mp4"))
			if status == 200 && !bytes.Equal(film.body, whole.body) {
				t.Error("another film by DICOMweb")
			}
			still := w.want(200, w.do("cardio", "GET", dicomweb+"/thumbnail", nil, "Accept", "image/png"))
			if !bytes.HasPrefix(still.body, []byte("\x89PNG")) {
				t.Error("no PNG")
			}
			w.want(404, w.do("clin2", "GET", one+"/document", nil))
		})
	}
}

// TestReducedFrameFromTheCopy: the preview of a compressed image comes from the
// first bytes of its copy, and from the image itself while there is none.
func TestReducedFrameFromTheCopy(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	ct := phantom.CT(1, phantom.Study{Seed: 5})[0]
	f := must[*dicom.File](t)(dicom.Read(t.Context(), bytes.NewReader(ct), int64(len(ct)), dicom.DefaultLimits))
	var b bytes.Buffer
	if err := transcode.Transcode(t.Context(), f, bytes.NewReader(ct), transcode.JPEGLSLossless, &b); err != nil {
		t.Fatal(err)
	}
	w.send("clin", id, "ct.dcm", b.Bytes())
	a := w.getCase("cardio", id).Series[0]
	var m manifestView
	w.want(200, w.do("cardio", "GET", "/api/cases/"+id+"/series/"+a.SeriesUID, nil)).json(t, &m)
	frame := "/api/cases/" + id + "/instances/" + m.Instances[0].SOP + "/frames/1"
	before := w.want(200, w.do("cardio", "GET", frame+"?reduce=2", nil))
	full := w.want(200, w.do("cardio", "GET", frame, nil))
	in := must[dicom.Instance](t)(w.cfg.Index.Instance(t.Context(), m.Instances[0].SOP))
	if _, err := w.cfg.Derive.Now(t.Context(), in.Hash); err != nil {
		t.Fatal(err)
	}
	src := must[*pixel.Source](t)(pixel.Open(f, bytes.NewReader(ct)))
	want := must[*pixel.Pixels](t)(w.cfg.Derive.Reduced(t.Context(), in.Hash, 1, 2, src.Info()))
	after := w.want(200, w.do("cardio", "GET", frame+"?reduce=2", nil))
	if len(before.body) != len(after.body) || !bytes.Equal(after.body, want.Data) || after.header.Get("Sira-Columns") != "128" {
		t.Errorf("%d bytes before, %d after, as the copy: %v", len(before.body), len(after.body), bytes.Equal(after.body, want.Data))
	}
	if again := w.want(200, w.do("cardio", "GET", frame, nil)); !bytes.Equal(again.body, full.body) {
		t.Error("the whole frame changed")
	}
}
