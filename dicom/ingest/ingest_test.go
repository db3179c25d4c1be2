package ingest_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sira/dicom"
	"sira/dicom/index"
	"sira/dicom/ingest"
	"sira/storage"
	"sira/storage/storagetest"
)

type house struct {
	*ingest.Ingest
	blobs storage.Blobs
	index *index.Index
}

func open(t testing.TB) house {
	t.Helper()
	blobs := storagetest.NewBlobs(t)
	idx, err := index.Open(context.Background(), storagetest.NewDB(t))
	if err != nil {
		t.Fatal(err)
	}
	h := house{ingest.New(blobs, idx, dicom.Limits{}), blobs, idx}
	h.TempDir = t.TempDir()
	return h
}

func (h house) count(t testing.TB) int {
	t.Helper()
	n := 0
	if err := h.blobs.Walk(context.Background(), func(storage.Info) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

// object is a small image in explicit little endian.
func object(sop, name string) []byte {
	b := append(make([]byte, 128), "DICM"...)
	put := func(group, element uint16, vr, value string) {
		if len(value)%2 == 1 {
			value += "\x00"
		}
		b = binary.LittleEndian.AppendUint16(b, group)
		b = binary.LittleEndian.AppendUint16(b, element)
		b = append(b, vr...)
		if vr == "OW" {
			b = append(b, 0, 0)
			b = binary.LittleEndian.AppendUint32(b, uint32(len(value)))
		} else {
			b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
		}
		b = append(b, value...)
	}
	put(0x0002, 0x0010, "UI", "1.2.840.10008.1.2.1")
	put(0x0008, 0x0016, "UI", "1.2.840.10008.5.1.4.1.1.7")
	put(0x0008, 0x0018, "UI", sop)
	put(0x0008, 0x0060, "CS", "OT")
	put(0x0010, 0x0010, "PN", name)
	put(0x0020, 0x000D, "UI", "1.2.3")
	put(0x0020, 0x000E, "UI", "1.2.3.1")
	put(0x0028, 0x0010, "US", "\x02\x00")
	put(0x0028, 0x0011, "US", "\x02\x00")
	put(0x0028, 0x0100, "US", "\x08\x00")
	put(0x7FE0, 0x0010, "OW", "abcd")
	return b
}

func TestFileAndStream(t *testing.T) {
	h := open(t)
	data := object("1.2.3.1.1", "TRAORE^Awa")
	res, err := h.File(t.Context(), bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if res.Duplicate || res.Info.Hash != storagetest.HashOf(data) || res.Instance.Hash != string(res.Info.Hash) || res.Instance.Size != int64(len(data)) {
		t.Errorf("%+v", res)
	}
	if in, err := h.index.Instance(t.Context(), "1.2.3.1.1"); err != nil || in.Hash != res.Instance.Hash {
		t.Errorf("index: %+v, %v", in, err)
	}
	r, err := h.blobs.Open(t.Context(), res.Info.Hash)
	if err != nil {
		t.Fatal(err)
	}
	back, err := io.ReadAll(r)
	if r.Close(); err != nil || !bytes.Equal(back, data) {
		t.Errorf("read back %d bytes, %v", len(back), err)
	}
	again, err := h.Stream(t.Context(), bytes.NewReader(data))
	if err != nil || !again.Duplicate || again.Info != res.Info {
		t.Errorf("again: %+v, %v", again, err)
	}
	other := object("1.2.3.1.1", "TRAORE^Ava")
	if _, err := h.Stream(t.Context(), bytes.NewReader(other)); !errors.Is(err, ingest.ErrConflict) {
		t.Errorf("other bytes: %v", err)
	}
	if _, err := h.Stream(t.Context(), bytes.NewReader(append(other, 0, 0))); !errors.Is(err, ingest.ErrConflict) {
		t.Errorf("other size: %v", err)
	}
	if n := h.count(t); n != 3 {
		t.Errorf("%d blobs, want the instance and two in quarantine", n)
	}
	empty(t, h.TempDir)
}

func empty(t testing.TB, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left in the spool: %v, %v", left, err)
	}
}

func TestStreamRefuses(t *testing.T) {
	h := open(t)
	h.MaxBytes = 1000
	var refused *dicom.Error
	if _, err := h.Stream(t.Context(), io.LimitReader(zeros{}, 1<<40)); !errors.As(err, &refused) || refused.Reason != dicom.TooLarge {
		t.Errorf("endless: %v", err)
	}
	if _, err := h.Stream(t.Context(), strings.NewReader("not at all a DICOM object, whatever its name says")); !errors.As(err, &refused) || refused.Reason != dicom.NotDICOM {
		t.Errorf("text: %v", err)
	}
	data := object("1.2.3.1.1", "A")
	if _, err := h.Stream(t.Context(), bytes.NewReader(data[:len(data)-1])); !errors.As(err, &refused) || refused.Reason != dicom.Truncated {
		t.Errorf("cut: %v", err)
	}
	if _, err := h.Stream(t.Context(), io.MultiReader(bytes.NewReader(data[:100]), failing{})); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut link: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Stream(ctx, bytes.NewReader(data)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if n := h.count(t); n != 0 {
		t.Errorf("%d blobs stored", n)
	}
	empty(t, h.TempDir)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

type noBlobs struct{ storage.Blobs }

var errFull = errors.New("full")

func (noBlobs) Put(context.Context, io.Reader) (storage.Info, error) {
	return storage.Info{}, errFull
}

// TestNothingListedThatIsNotStored: the index must not know what the store
// does not have.
func TestNothingListedThatIsNotStored(t *testing.T) {
	h := open(t)
	g := ingest.New(noBlobs{h.blobs}, h.index, dicom.Limits{})
	data := object("1.2.3.1.1", "A")
	if _, err := g.File(t.Context(), bytes.NewReader(data), int64(len(data))); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
	if _, err := h.index.Instance(t.Context(), "1.2.3.1.1"); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("listed: %v", err)
	}
}

// TestCorpus sends every real file through the door, twice.
func TestCorpus(t *testing.T) {
	root := filepath.Join("..", "..", "..", "shared")
	dir := os.Getenv("SIRA_CORPUS")
	if dir == "" {
		dir = filepath.Join(root, "corpus")
	}
	if _, err := os.Stat(filepath.Join(dir, "MANIFEST.tsv")); err != nil {
		if _, err := os.Stat(root); err == nil {
			t.Fatalf("no corpus at %s", dir)
		}
		t.Skipf("NOT RUN: no corpus at %s", dir)
	}
	log.SetOutput(io.Discard) // suyashkumar/dicom's
	defer log.SetOutput(os.Stderr)
	h := open(t)
	stored, duplicates, refused, conflicts := 0, 0, map[dicom.Reason]int{}, 0
	for range 2 {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			info, err := f.Stat()
			if err != nil {
				return err
			}
			res, err := h.File(t.Context(), f, info.Size())
			var e *dicom.Error
			switch {
			case errors.As(err, &e):
				refused[e.Reason]++
			case errors.Is(err, ingest.ErrConflict):
				conflicts++
			case err != nil:
				t.Errorf("%s: %v", path, err)
			case res.Duplicate:
				duplicates++
			default:
				stored++
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d stored, %d duplicates, %d conflicts, refused %v", stored, duplicates, conflicts, refused)
	held, err := h.index.InQuarantine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if conflicts < 2*len(held) {
		t.Errorf("%d in quarantine of %d conflicts", len(held), conflicts)
	}
	if stored < 120 || duplicates < stored || stored+len(held) != h.count(t) {
		t.Errorf("%d stored, %d duplicates, %d blobs", stored, duplicates, h.count(t))
	}
}

// FuzzIngest is the whole front door: any bytes are stored and listed, or
// refused with a reason and leave nothing behind.
func FuzzIngest(f *testing.F) {
	log.SetOutput(io.Discard)
	f.Add(object("1.2.3.1.1", "TRAORE^Awa"))
	f.Add(object("1.2.3.1.1", "TRAORE^Awa")[:250])
	f.Add(object("../1", "a\\b\x1b$B=^"))
	f.Add(object("1.2.3.1.2", "TRAORE^Awa")[132:])
	f.Add([]byte{})
	h := open(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		res, err := h.Stream(context.Background(), bytes.NewReader(data))
		empty(t, h.TempDir)
		if err != nil {
			var refused *dicom.Error
			if !errors.As(err, &refused) && !errors.Is(err, ingest.ErrConflict) {
				t.Fatal(err)
			}
			return
		}
		// A duplicate is known by its data set: preamble and meta group may be
		// another writer's, and the first one's bytes stay.
		if !res.Duplicate && res.Info.Hash != storagetest.HashOf(data) {
			t.Fatalf("stored as %s", res.Info.Hash)
		}
		in, err := h.index.Instance(context.Background(), res.Instance.SOPUID)
		if err != nil || in.Hash != string(res.Info.Hash) {
			t.Fatalf("not listed: %v", err)
		}
	})
}
