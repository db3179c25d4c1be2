package devices_test

import (
	"bytes"
	"io"
	"testing"

	"sira/dicom"
	"sira/dicom/derive"
	"sira/dicom/dimse"
	"sira/dicom/index"
	"sira/dicom/ingest"
	"sira/dicom/phantom"
	"sira/dicom/transcode"
	"sira/storage/storagetest"
	"sira/web/devices"
)

// TestSendsTheCopy: a receiver that takes HTJ2K only is sent the derived copy,
// and the same samples while there is none.
func TestSendsTheCopy(t *testing.T) {
	db, blobs := storagetest.NewDB(t), storagetest.NewBlobs(t)
	idx, err := index.Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	made, err := derive.Open(t.Context(), derive.Config{DB: db, Blobs: blobs, Index: idx, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	data := phantom.CT(1, phantom.Study{})[0]
	res, err := ingest.New(blobs, idx, dicom.Limits{}).File(t.Context(), bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	p := devices.New(devices.Config{Blobs: blobs, Index: idx, Derive: made})
	sent := func() []byte {
		t.Helper()
		in, err := p.Transcode(t.Context(), dimse.Instance{SOPUID: res.Instance.SOPUID, TransferSyntax: res.Instance.TransferSyntax}, []string{transcode.HTJ2KRPCL})
		if err != nil || in.TransferSyntax != transcode.HTJ2KRPCL {
			t.Fatalf("%s, %v", in.TransferSyntax, err)
		}
		r, err := in.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		out, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	before := sent()
	c, err := made.Now(t.Context(), res.Instance.Hash)
	if err != nil {
		t.Fatal(err)
	}
	for name, out := range map[string][]byte{"before": before, "after": sent()} {
		f, err := dicom.Read(t.Context(), bytes.NewReader(out), int64(len(out)), dicom.Limits{ModelBytes: -1})
		if err != nil {
			t.Fatal(err)
		}
		if sum, err := transcode.PixelSum(t.Context(), f, bytes.NewReader(out)); err != nil || sum != c.Pixels || f.TransferSyntax != transcode.HTJ2KRPCL {
			t.Errorf("%s it is derived: %s, other samples %v, %v", name, f.TransferSyntax, sum != c.Pixels, err)
		}
		if name == "after" && int64(len(out)) != c.Size {
			t.Errorf("%d bytes, not the copy's %d", len(out), c.Size)
		}
	}
}
