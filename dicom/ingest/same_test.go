package ingest_test

import (
	"bytes"
	"errors"
	"sync"
	"testing"

	"sira/dicom/index"
	"sira/dicom/ingest"
	"sira/storage/storagetest"
)

// rewrapped is object as another program would write it: another preamble and
// more file meta information around the same data set.
func rewrapped(data []byte) []byte {
	out := bytes.Repeat([]byte{7}, 128)
	out = append(out, data[128:132]...)
	const meta = 8 + 20 // (0002,0010), padded
	out = append(out, data[132:132+meta]...)
	out = append(out, 2, 0, 0x13, 0, 'S', 'H', 4, 0, 'T', 'E', 'S', 'T')
	return append(out, data[132+meta:]...)
}

func TestSameDataSetIsTheSameInstance(t *testing.T) {
	h := open(t)
	data := object("1.2.3.1.1", "TRAORE^Awa")
	first, err := h.Stream(t.Context(), bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time with the hash kept
		res, err := h.Stream(t.Context(), bytes.NewReader(rewrapped(data)))
		if err != nil || !res.Duplicate || res.Info != first.Info || res.Instance.Hash != first.Instance.Hash {
			t.Fatalf("%+v, %v", res, err)
		}
	}
	if kept, err := h.index.DataSetHash(t.Context(), "1.2.3.1.1"); err != nil || len(kept) != 64 || kept == first.Instance.Hash {
		t.Errorf("hash of the data set %q, %v", kept, err)
	}
	if n := h.count(t); n != 1 {
		t.Errorf("%d blobs of one instance", n)
	}
	// The same bytes said to be in another syntax are another instance.
	other := bytes.Replace(rewrapped(data), []byte("1.2.840.10008.1.2.1\x00"), []byte("1.2.840.10008.1.2.99"), 1)
	if _, err := h.Stream(t.Context(), bytes.NewReader(other)); !errors.Is(err, ingest.ErrConflict) {
		t.Errorf("another transfer syntax: %v", err)
	}
}

func TestQuarantine(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	data, other := object("1.2.3.1.1", "TRAORE^Awa"), object("1.2.3.1.1", "KONE^Moussa")
	if _, err := h.Stream(ctx, bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	cart := ingest.From(ctx, ingest.Source{Device: "CART1", Remote: "10.0.0.7"})
	person := ingest.From(ctx, ingest.Source{User: "u1", Case: "c1"})
	for _, from := range []ingest.Source{{Device: "CART1"}, {Device: "CART1"}} {
		if _, err := h.Stream(ingest.From(ctx, from), bytes.NewReader(other)); !errors.Is(err, ingest.ErrConflict) {
			t.Fatal(err)
		}
	}
	if _, err := h.Stream(cart, bytes.NewReader(rewrapped(other))); !errors.Is(err, ingest.ErrConflict) {
		t.Fatal(err)
	}
	third := object("1.2.3.1.1", "DIALLO^Awa")
	if _, err := h.Stream(person, bytes.NewReader(third)); !errors.Is(err, ingest.ErrConflict) {
		t.Fatal(err)
	}
	list, err := h.index.InQuarantine(ctx)
	if err != nil || len(list) != 3 {
		t.Fatalf("%d in quarantine, %v", len(list), err)
	}
	byHash := map[string]index.Quarantined{}
	for _, q := range list {
		byHash[q.Instance.Hash] = q
		if q.Known.PatientName != "TRAORE^Awa" {
			t.Errorf("known as %q", q.Known.PatientName)
		}
	}
	q := byHash[string(storagetest.HashOf(other))]
	if q.Times != 2 || q.Device != "CART1" || q.Instance.PatientName != "KONE^Moussa" || q.First.After(q.Last) {
		t.Errorf("%+v", q)
	}
	if p := byHash[string(storagetest.HashOf(third))]; p.Sender != "u1" || p.Case != "c1" || p.Device != "" {
		t.Errorf("%+v", p)
	}
	if n := h.count(t); n != 4 {
		t.Errorf("%d blobs", n)
	}
	if err := h.Discard(ctx, q.ID); err != nil {
		t.Fatal(err)
	}
	if err := h.Discard(ctx, q.ID); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("discarded twice: %v", err)
	}
	if n := h.count(t); n != 3 {
		t.Errorf("%d blobs after discarding", n)
	}
	if in, err := h.index.Instance(ctx, "1.2.3.1.1"); err != nil || in.PatientName != "TRAORE^Awa" {
		t.Errorf("the first instance: %+v, %v", in, err)
	}
}

// TestSameAtOnce: an upload and a device bring the same instance together.
func TestSameAtOnce(t *testing.T) {
	h := open(t)
	data := object("1.2.3.1.1", "TRAORE^Awa")
	var wg sync.WaitGroup
	var mu sync.Mutex
	stored := map[string]int{}
	for i := range 8 {
		wg.Go(func() {
			body := data
			if i%2 == 1 {
				body = rewrapped(data)
			}
			res, err := h.Stream(t.Context(), bytes.NewReader(body))
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			stored[string(res.Info.Hash)]++
		})
	}
	wg.Wait()
	if len(stored) != 1 {
		t.Errorf("one instance stands under %d blobs: %v", len(stored), stored)
	}
	if list, err := h.index.InQuarantine(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("quarantined %d, %v", len(list), err)
	}
}

// TestComplete: what was indexed without its searchable part gets it.
func TestComplete(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	data := object("1.2.3.1.1", "TRAORE^Awa")
	res, err := h.Stream(ctx, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	older := res.Instance
	older.SOPUID, older.StudyUID, older.SeriesUID = "1.2.9.1.1", "1.2.9", "1.2.9.1"
	if _, err := h.index.Add(ctx, older); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{1, 0} {
		if n, err := h.Complete(ctx); err != nil || n != want {
			t.Errorf("completed %d, %v; want %d", n, err, want)
		}
	}
}
