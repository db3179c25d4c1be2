package storagetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/iotest"

	"sira/storage"
)

const mib = 1 << 20

// Bytes gives n bytes that look random and depend on seed only.
func Bytes(seed uint64, n int) []byte {
	var key [32]byte
	key[0], key[1], key[2] = byte(seed), byte(seed>>8), byte(seed>>16)
	out := make([]byte, n)
	rand.NewChaCha8(key).Read(out)
	return out
}

// HashOf is the name that a blob of these bytes has.
func HashOf(data []byte) storage.Hash {
	sum := sha256.Sum256(data)
	return storage.Hash(hex.EncodeToString(sum[:]))
}

// onlyReader hides what else a reader can do.
type onlyReader struct{ io.Reader }

// Blobs is the conformance suite of storage.Blobs. open gives an empty store.
func Blobs(t *testing.T, open func(t *testing.T) storage.Blobs) {
	t.Helper()
	for name, fn := range map[string]func(*testing.T, storage.Blobs){
		"PutAndRead": testPutAndRead, "PutFromPosition": testPutFromPosition, "PutAgain": testPutAgain,
		"PutAtOnce": testPutAtOnce, "PutBrokenSource": testPutBrokenSource, "PutCancelled": testPutCancelled,
		"ReadAt": testReadAt, "Seek": testSeek, "ServeRange": testServeRange, "OpenCancelled": testOpenCancelled,
		"NotFound": testNotFound, "BadNames": testBadNames, "Delete": testDelete, "Walk": testWalk,
		"Ready": testReady, "Receive": testReceive,
	} {
		t.Run(name, func(t *testing.T) { fn(t, open(t)) })
	}
}

func put(t *testing.T, b storage.Blobs, data []byte) storage.Hash {
	t.Helper()
	info, err := b.Put(t.Context(), bytes.NewReader(data))
	if err != nil {
		t.Fatalf("storing %d bytes: %v", len(data), err)
	}
	if want := (storage.Info{Hash: HashOf(data), Size: int64(len(data))}); info != want {
		t.Fatalf("stored %+v, want %+v", info, want)
	}
	return info.Hash
}

func expect(t *testing.T, b storage.Blobs, data []byte) {
	t.Helper()
	h := HashOf(data)
	info, err := b.Stat(t.Context(), h)
	if err != nil || info != (storage.Info{Hash: h, Size: int64(len(data))}) {
		t.Fatalf("Stat: %+v, %v", info, err)
	}
	r, err := b.Open(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil || r.Size() != int64(len(data)) || !bytes.Equal(got, data) {
		t.Fatalf("read %d bytes (Size %d), %v; want the %d bytes stored", len(got), r.Size(), err, len(data))
	}
	if err := storage.Verify(t.Context(), b, h); err != nil {
		t.Error(err)
	}
}

func all(t *testing.T, b storage.Blobs) (infos []storage.Info) {
	t.Helper()
	if err := b.Walk(t.Context(), func(i storage.Info) error { infos = append(infos, i); return nil }); err != nil {
		t.Fatalf("Walk: %v", err)
	}
	return infos
}

// The sizes lie around the part size of S3 and the buffer of the folder.
func testPutAndRead(t *testing.T, b storage.Blobs) {
	for i, size := range []int{0, 1, 1000, 256 << 10, 5*mib - 1, 5 * mib, 5*mib + 1, 10 * mib, 17*mib + 3} {
		data := Bytes(uint64(i), size)
		put(t, b, data)
		expect(t, b, data)
		// From a source that cannot be read twice.
		data = Bytes(uint64(1000+i), size)
		info, err := b.Put(t.Context(), onlyReader{bytes.NewReader(data)})
		if err != nil || info != (storage.Info{Hash: HashOf(data), Size: int64(size)}) {
			t.Fatalf("storing %d streamed bytes: %+v, %v", size, info, err)
		}
		expect(t, b, data)
	}
}

func testPutFromPosition(t *testing.T, b storage.Blobs) {
	for _, size := range []int{2000, 7 * mib} {
		data := Bytes(1, size)
		r := bytes.NewReader(data)
		if _, err := r.Seek(1000, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		info, err := b.Put(t.Context(), r)
		if err != nil || info.Hash != HashOf(data[1000:]) {
			t.Fatalf("storing the rest of a reader: %+v, %v", info, err)
		}
		expect(t, b, data[1000:])
	}
}

func testPutAgain(t *testing.T, b storage.Blobs) {
	for _, size := range []int{3000, 6 * mib} {
		data := Bytes(2, size)
		for range 2 {
			put(t, b, data)
			if _, err := b.Put(t.Context(), onlyReader{bytes.NewReader(data)}); err != nil {
				t.Fatal(err)
			}
		}
		expect(t, b, data)
	}
	if got := len(all(t, b)); got != 2 {
		t.Errorf("%d blobs, want 2", got)
	}
}

func testPutAtOnce(t *testing.T, b storage.Blobs) {
	data := Bytes(3, 6*mib)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			var r io.Reader = bytes.NewReader(data)
			if i%2 == 0 {
				r = onlyReader{r}
			}
			if info, err := b.Put(t.Context(), r); err != nil || info.Hash != HashOf(data) {
				t.Errorf("storing the same bytes at once: %+v, %v", info, err)
			}
		})
	}
	wg.Wait()
	expect(t, b, data)
	if got := len(all(t, b)); got != 1 {
		t.Errorf("%d blobs, want 1", got)
	}
}

func testPutBrokenSource(t *testing.T, b storage.Blobs) {
	broken := errors.New("link down")
	for _, size := range []int{0, 100, 7 * mib} {
		r := io.MultiReader(bytes.NewReader(Bytes(4, size)), iotest.ErrReader(broken))
		if _, err := b.Put(t.Context(), r); !errors.Is(err, broken) {
			t.Errorf("source broken after %d bytes: got %v", size, err)
		}
	}
	if got := all(t, b); len(got) != 0 {
		t.Errorf("half a blob was kept: %v", got)
	}
}

func testPutCancelled(t *testing.T, b storage.Blobs) {
	for _, size := range []int{100, 7 * mib} {
		ctx, cancel := context.WithCancel(t.Context())
		stop := readFunc(func([]byte) (int, error) { cancel(); return 0, nil })
		r := io.MultiReader(bytes.NewReader(Bytes(5, size)), stop)
		if _, err := b.Put(ctx, r); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled after %d bytes: got %v", size, err)
		}
	}
	if got := all(t, b); len(got) != 0 {
		t.Errorf("a cancelled blob was kept: %v", got)
	}
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

func testReadAt(t *testing.T, b storage.Blobs) {
	data := Bytes(6, 11*mib)
	r, err := b.Open(t.Context(), put(t, b, data))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var wg sync.WaitGroup
	for _, c := range []struct{ off, n int }{{0, 1}, {132, 4}, {5*mib - 2, 4}, {mib, 6 * mib}, {11*mib - 1, 1}, {0, 11 * mib}, {77, 0}} {
		wg.Go(func() {
			p := make([]byte, c.n)
			n, err := r.ReadAt(p, int64(c.off))
			if n != c.n || (err != nil && err != io.EOF) || !bytes.Equal(p, data[c.off:c.off+c.n]) {
				t.Errorf("ReadAt %d bytes at %d: %d, %v, or other bytes", c.n, c.off, n, err)
			}
		})
	}
	wg.Wait()
	p := make([]byte, 100)
	if n, err := r.ReadAt(p, 11*mib-30); n != 30 || err != io.EOF || !bytes.Equal(p[:30], data[11*mib-30:]) {
		t.Errorf("ReadAt over the end: %d, %v; want 30, EOF", n, err)
	}
	if n, err := r.ReadAt(p, 11*mib); n != 0 || err != io.EOF {
		t.Errorf("ReadAt at the end: %d, %v; want 0, EOF", n, err)
	}
	if n, err := r.ReadAt(p, -1); n != 0 || err == nil || err == io.EOF {
		t.Errorf("ReadAt before the start: %d, %v", n, err)
	}
	// ReadAt leaves the position of Read alone.
	if n, err := io.ReadFull(r, p); n != 100 || err != nil || !bytes.Equal(p, data[:100]) {
		t.Errorf("Read after ReadAt: %d, %v, or other bytes", n, err)
	}
}

func testSeek(t *testing.T, b storage.Blobs) {
	data := Bytes(7, 300_000)
	r, err := b.Open(t.Context(), put(t, b, data))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p := make([]byte, 1000)
	for _, c := range []struct {
		offset       int64
		whence, from int
	}{{5000, io.SeekStart, 5000}, {-500, io.SeekCurrent, 5500}, {-1000, io.SeekEnd, 299_000}, {0, io.SeekStart, 0}} {
		pos, err := r.Seek(c.offset, c.whence)
		if err != nil || pos != int64(c.from) {
			t.Fatalf("Seek(%d, %d) = %d, %v; want %d", c.offset, c.whence, pos, err, c.from)
		}
		if _, err := io.ReadFull(r, p); err != nil || !bytes.Equal(p, data[c.from:c.from+1000]) {
			t.Fatalf("Read at %d: %v, or other bytes", c.from, err)
		}
	}
	if pos, err := r.Seek(10, io.SeekEnd); err != nil || pos != 300_010 {
		t.Errorf("Seek behind the end: %d, %v", pos, err)
	}
	if n, err := r.Read(p); n != 0 || err != io.EOF {
		t.Errorf("Read behind the end: %d, %v; want EOF", n, err)
	}
	if _, err := r.Seek(-1, io.SeekStart); err == nil {
		t.Error("Seek before the start was taken")
	}
}

// What web does with a blob: net/http answers a range request from it.
func testServeRange(t *testing.T, b storage.Blobs) {
	data := Bytes(8, 6*mib)
	r, err := b.Open(t.Context(), put(t, b, data))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	req := httptest.NewRequest(http.MethodGet, "/", nil)
	req.Header.Set("Range", "bytes=5242870-5242889")
	rec := httptest.NewRecorder()
	rec.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(rec, req, "", testTime, r)
	if rec.Code != http.StatusPartialContent || !bytes.Equal(rec.Body.Bytes(), data[5242870:5242890]) {
		t.Errorf("status %d, %d bytes; want 206 and the 20 bytes asked for", rec.Code, rec.Body.Len())
	}
}

func testOpenCancelled(t *testing.T, b storage.Blobs) {
	h := put(t, b, Bytes(9, 1000))
	ctx, cancel := context.WithCancel(t.Context())
	r, err := b.Open(ctx, h)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cancel()
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("Read after the end of its context: %v", err)
	}
	if _, err := r.ReadAt(make([]byte, 1), 0); !errors.Is(err, context.Canceled) {
		t.Errorf("ReadAt after the end of its context: %v", err)
	}
	if _, err := b.Open(ctx, h); !errors.Is(err, context.Canceled) {
		t.Errorf("Open after the end of its context: %v", err)
	}
}

func testNotFound(t *testing.T, b storage.Blobs) {
	h := HashOf([]byte("never stored"))
	if _, err := b.Stat(t.Context(), h); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("Stat: %v, want ErrNotFound", err)
	}
	if _, err := b.Open(t.Context(), h); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("Open: %v, want ErrNotFound", err)
	}
	if err := storage.Verify(t.Context(), b, h); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("Verify: %v, want ErrNotFound", err)
	}
	if err := b.Delete(t.Context(), h); err != nil {
		t.Errorf("Delete: %v, want success", err)
	}
}

func testBadNames(t *testing.T, b storage.Blobs) {
	good := string(put(t, b, []byte("x")))
	for _, name := range []string{"", "x", "../../etc/passwd", good[:63], good + "0", "A" + good[1:], good[:2] + "/" + good[3:], good[:60] + "/../"} {
		h := storage.Hash(name)
		if _, err := b.Stat(t.Context(), h); err == nil || errors.Is(err, storage.ErrNotFound) {
			t.Errorf("Stat(%q): %v, want a refusal", name, err)
		}
		if _, err := b.Open(t.Context(), h); err == nil || errors.Is(err, storage.ErrNotFound) {
			t.Errorf("Open(%q): %v, want a refusal", name, err)
		}
		if err := b.Delete(t.Context(), h); err == nil {
			t.Errorf("Delete(%q) was taken", name)
		}
	}
}

func testDelete(t *testing.T, b storage.Blobs) {
	keep, gone := put(t, b, []byte("keep")), put(t, b, []byte("gone"))
	if err := b.Delete(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Stat(t.Context(), gone); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a deleted blob is still there: %v", err)
	}
	if got := all(t, b); len(got) != 1 || got[0].Hash != keep {
		t.Errorf("left: %v", got)
	}
	put(t, b, []byte("gone"))
	expect(t, b, []byte("gone"))
}

func testWalk(t *testing.T, b storage.Blobs) {
	if got := all(t, b); len(got) != 0 {
		t.Fatalf("an empty store has %v", got)
	}
	var want []storage.Info
	for i := range 40 {
		data := Bytes(uint64(i), i)
		want = append(want, storage.Info{Hash: put(t, b, data), Size: int64(i)})
	}
	slices.SortFunc(want, func(x, y storage.Info) int { return bytes.Compare([]byte(x.Hash), []byte(y.Hash)) })
	if got := all(t, b); !slices.Equal(got, want) {
		t.Errorf("walked %v, want %v", got, want)
	}
	enough, n := errors.New("enough"), 0
	err := b.Walk(t.Context(), func(storage.Info) error {
		if n++; n == 3 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || n != 3 {
		t.Errorf("stopping after 3: %v after %d", err, n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Walk(ctx, func(storage.Info) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func testReady(t *testing.T, b storage.Blobs) {
	if err := b.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	if got := all(t, b); len(got) != 0 {
		t.Errorf("Ready left %v", got)
	}
}

// testReceive is for stores that are a storage.Receiver.
func testReceive(t *testing.T, b storage.Blobs) {
	store, ok := b.(storage.Receiver)
	if !ok {
		t.Skip("not a Receiver")
	}
	ctx, data := t.Context(), Bytes(31, 3*mib+7)
	receive := func(keep bool) {
		t.Helper()
		in, err := store.Receive(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer in.Discard()
		if n, err := storage.Fill(ctx, in, iotest.HalfReader(bytes.NewReader(data))); err != nil || n != int64(len(data)) {
			t.Fatalf("%d bytes, %v", n, err)
		}
		part := make([]byte, 100)
		if _, err := in.ReadAt(part, 2*mib); err != nil || !bytes.Equal(part, data[2*mib:2*mib+100]) {
			t.Errorf("what has come is not read back: %v", err)
		}
		if _, err := b.Stat(ctx, HashOf(data)); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("it is a blob before it is kept: %v", err)
		}
		if !keep {
			return
		}
		if info, err := in.Keep(ctx); err != nil || info.Hash != HashOf(data) || info.Size != int64(len(data)) {
			t.Errorf("%+v, %v", info, err)
		}
	}
	receive(false)
	if _, err := b.Stat(ctx, HashOf(data)); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("it is a blob, and was not kept: %v", err)
	}
	receive(true)
	expect(t, b, data)
}
