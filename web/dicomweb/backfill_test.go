package dicomweb_test

import (
	"bytes"
	"testing"

	"sira/dicom"
	"sira/dicom/index"
	"sira/storage/storagetest"
	"sira/web/dicomweb"
)

// TestBackfill: rows written before there was DICOM JSON are completed from
// the stored objects, and found then.
func TestBackfill(t *testing.T) {
	idx, err := index.Open(t.Context(), storagetest.NewDB(t))
	if err != nil {
		t.Fatal(err)
	}
	blobs := storagetest.NewBlobs(t)
	data := bigEndian()
	info, err := blobs.Put(t.Context(), bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	f, err := dicom.Read(t.Context(), bytes.NewReader(data), int64(len(data)), dicom.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	in, err := dicom.Describe(f)
	if err != nil {
		t.Fatal(err)
	}
	in.Hash, in.Size = string(info.Hash), info.Size
	if _, err := idx.Add(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	service := dicomweb.New(dicomweb.Config{Index: idx, Blobs: blobs})
	if n, err := idx.Backfill(t.Context(), service.Header); n != 1 || err != nil {
		t.Fatalf("%d completed, %v", n, err)
	}
	page, err := idx.Find(t.Context(), index.Query{Limit: 5})
	if err != nil || page.Len() != 1 || page.Rows()[0].Study != in.StudyUID {
		t.Errorf("%d found, %v", page.Len(), err)
	}
}
