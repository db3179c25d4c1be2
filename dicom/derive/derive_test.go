package derive

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sira/dicom"
	"sira/dicom/index"
	"sira/dicom/ingest"
	"sira/dicom/jpeg2000"
	"sira/dicom/phantom"
	"sira/dicom/pixel"
	"sira/dicom/transcode"
	"sira/storage"
	"sira/storage/storagetest"
)

// house is a store with an index and a deriver that has not started.
type house struct {
	db     *storage.DB
	blobs  storage.Blobs
	index  *index.Index
	ingest *ingest.Ingest
	temp   string
}

func build(t testing.TB, db *storage.DB, blobs storage.Blobs) *house {
	t.Helper()
	idx, err := index.Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return &house{db, blobs, idx, ingest.New(blobs, idx, dicom.Limits{}), t.TempDir()}
}

func (h *house) open(t testing.TB, busy func() bool) *Deriver {
	t.Helper()
	d, err := Open(t.Context(), Config{DB: h.db, Blobs: h.blobs, Index: h.index, TempDir: h.temp, Workers: 1, Busy: busy})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func (h *house) put(t testing.TB, data []byte) string {
	t.Helper()
	res, err := h.ingest.File(t.Context(), bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return res.Instance.Hash
}

// settled waits until an object is in a state.
func settled(t *testing.T, d *Deriver, hash, want string) (reason string) {
	t.Helper()
	var state string
	for range 1200 {
		state, reason, _ = d.State(t.Context(), hash)
		if state == want {
			return reason
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%s is %q (%s), not %q", hash, state, reason, want)
	return ""
}

func file(t testing.TB, data []byte) *dicom.File {
	t.Helper()
	f, err := dicom.Read(t.Context(), bytes.NewReader(data), int64(len(data)), dicom.Limits{ModelBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func contents(t *testing.T, blobs storage.Blobs, hash string) []byte {
	t.Helper()
	r, err := blobs.Open(t.Context(), storage.Hash(hash))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestCopy: objects that were stored before the first start and after it get a
// copy that decodes, whole and by prefixes, to the samples of the original.
func TestCopy(t *testing.T) {
	storagetest.EachDB(t, func(t *testing.T, db *storage.DB) {
		h := build(t, db, storagetest.NewBlobs(t))
		slices := phantom.CT(3, phantom.Study{})
		first := h.put(t, slices[0])
		d := h.open(t, nil)
		d.Start()
		settled(t, d, first, "done")
		for _, data := range [][]byte{slices[1], compressed(t, slices[2], transcode.JPEGLosslessSV1)} {
			hash := h.put(t, data)
			d.Added(t.Context(), hash)
			settled(t, d, hash, "done")
			proves(t, h, d, hash, data)
		}
		proves(t, h, d, first, slices[0])
		if n, err := d.Counts(t.Context()); err != nil || n["done"] != 3 || len(n) != 1 {
			t.Errorf("counts %v, %v", n, err)
		}
	})
}

func compressed(t testing.TB, data []byte, to string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := transcode.Transcode(t.Context(), file(t, data), bytes.NewReader(data), to, &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func proves(t *testing.T, h *house, d *Deriver, hash string, original []byte) {
	t.Helper()
	if !bytes.Equal(contents(t, h.blobs, hash), original) {
		t.Error("the original changed")
	}
	c, blob, err := d.Open(t.Context(), hash, HTJ2K)
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	sum, err := transcode.PixelSum(t.Context(), file(t, original), bytes.NewReader(original))
	if err != nil || sum != c.Pixels {
		t.Errorf("samples %s, original %s, %v", c.Pixels, sum, err)
	}
	copied := contents(t, h.blobs, c.Blob)
	f := file(t, copied)
	if again, err := transcode.PixelSum(t.Context(), f, bytes.NewReader(copied)); err != nil || again != sum || f.TransferSyntax != transcode.HTJ2KRPCL {
		t.Errorf("the copy, %s, has samples %s, %v", f.TransferSyntax, again, err)
	}
	img, err := pixel.Open(f, bytes.NewReader(copied))
	if err != nil || len(c.Frames) != img.Info().Frames {
		t.Fatalf("%d frames, %v", len(c.Frames), err)
	}
	for _, fr := range c.Frames {
		stream := copied[fr.Offset : fr.Offset+fr.Length]
		for i, l := range fr.Levels {
			m, err := jpeg2000.Decode(t.Context(), stream[:l.Bytes], jpeg2000.Options{Discard: len(fr.Levels) - 1 - i})
			if err != nil || m.Width != l.Width || m.Height != l.Height {
				t.Fatalf("level %d of %d bytes: %v", i, l.Bytes, err)
			}
		}
	}
}

// TestSorts says what gets no copy, and why; nothing of it is tried again.
func TestSorts(t *testing.T) {
	h := build(t, storagetest.NewDB(t), storagetest.NewBlobs(t))
	ct := phantom.CT(1, phantom.Study{})[0]
	rle := compressed(t, ct, transcode.RLE)
	broken := bytes.Clone(rle)
	at := file(t, rle).Pixel.Fragments[0].Offset
	for i := range 16 { // segment offsets that point nowhere
		broken[int(at)+4+i] = 0xEE
	}
	d := h.open(t, nil)
	d.Start()
	for name, c := range map[string]struct {
		data        []byte
		state, says string
	}{
		"ECG":        {phantom.ECG12(phantom.Study{}, 0), "none", "no pixels"},
		"lossy US":   {phantom.USCine(2, phantom.Study{}), "none", "ISO_10918_1"},
		"broken RLE": {broken, "failed", "decoding frame 1"},
	} {
		t.Run(name, func(t *testing.T) {
			hash := h.put(t, c.data)
			d.Added(t.Context(), hash)
			if reason := settled(t, d, hash, c.state); !strings.Contains(reason, c.says) {
				t.Errorf("reason %q", reason)
			}
			if _, err := d.Get(t.Context(), hash); !errors.Is(err, ErrNone) {
				t.Errorf("Get: %v", err)
			}
		})
	}
	if left, err := os.ReadDir(h.temp); err != nil || len(left) > 0 {
		t.Errorf("left in the temporary folder: %v, %v", left, err)
	}
}

// TestLost: a copy whose bytes are gone, or cut short, is made again.
func TestLost(t *testing.T) {
	h := build(t, storagetest.NewDB(t), storagetest.NewBlobs(t))
	data := phantom.CT(1, phantom.Study{})[0]
	hash := h.put(t, data)
	d := h.open(t, nil)
	d.Start()
	settled(t, d, hash, "done")
	c, err := d.Get(t.Context(), hash)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.blobs.Delete(t.Context(), storage.Hash(c.Blob)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Open(t.Context(), hash, HTJ2K); !errors.Is(err, ErrNone) {
		t.Fatalf("Open of a lost copy: %v", err)
	}
	settled(t, d, hash, "done")
	proves(t, h, d, hash, data)
}

// TestGivesWay: nothing is worked on while people are served, for a while.
func TestGivesWay(t *testing.T) {
	h := build(t, storagetest.NewDB(t), storagetest.NewBlobs(t))
	hash := h.put(t, phantom.CT(1, phantom.Study{})[0])
	var busy atomic.Bool
	var asked atomic.Int32
	busy.Store(true)
	d := h.open(t, func() bool { asked.Add(1); return busy.Load() })
	d.busyFor = time.Hour
	d.Start()
	for asked.Load() < 3 {
		time.Sleep(10 * time.Millisecond)
	}
	if state, _, _ := d.State(t.Context(), hash); state != "wait" {
		t.Errorf("%s while people are served", state)
	}
	busy.Store(false)
	settled(t, d, hash, "done")
}

// TestPoison: an object whose work never came to an end is given up.
func TestPoison(t *testing.T) {
	h := build(t, storagetest.NewDB(t), storagetest.NewBlobs(t))
	hash := h.put(t, phantom.CT(1, phantom.Study{})[0])
	for i := range maxClaims + 1 {
		d := h.open(t, nil) // a new process each time
		if i == 0 {
			d.Added(t.Context(), hash)
			d.flush()
		}
		got, err := d.claim(context.Background())
		if want := map[bool]string{true: hash}[i < maxClaims]; err != nil || got != want {
			t.Fatalf("claim %d: %q, %v", i+1, got, err)
		}
	}
	d := h.open(t, nil)
	if state, reason, err := d.State(t.Context(), hash); state != "failed" || reason != gaveUp || err != nil {
		t.Errorf("%s, %s, %v", state, reason, err)
	}
}

// TestClaimsAreOwned: of two processes on one database each object is worked on
// by one.
func TestClaimsAreOwned(t *testing.T) {
	h := build(t, storagetest.NewDB(t), storagetest.NewBlobs(t))
	var hashes []string
	for _, s := range phantom.CT(4, phantom.Study{}) {
		hashes = append(hashes, h.put(t, s))
	}
	a, b := h.open(t, nil), h.open(t, nil)
	if n, err := a.queue(t.Context(), hashes); n != 4 || err != nil {
		t.Fatal(n, err)
	}
	seen := map[string]bool{}
	for i := range 5 {
		hash, err := map[bool]*Deriver{true: a, false: b}[i%2 == 0].claim(t.Context())
		if err != nil || seen[hash] || (hash == "") != (i == 4) {
			t.Errorf("claim %d: %q again %v, %v", i, hash, seen[hash], err)
		}
		seen[hash] = true
	}
}
