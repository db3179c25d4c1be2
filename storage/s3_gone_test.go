package storage_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"sira/storage"
	"sira/storage/storagetest"
)

// A server that is killed makes every call fail, none hang; when it is back,
// the same store works on, with all that was acknowledged.
func TestS3ServerGoneAndBack(t *testing.T) {
	server := storagetest.StartMinio(t)
	b := storagetest.OpenBlobs(t, storagetest.BucketAddress(t, server.URL(), "sira"))
	small, large := storagetest.Bytes(1, 1000), storagetest.Bytes(2, 12*mib)
	mustPut(t, b, small)
	h := mustPut(t, b, large)
	r, err := b.Open(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadFull(r, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}

	// Killed in the middle of a stream.
	fresh := storagetest.Bytes(3, 15*mib)
	half := true
	stream := io.MultiReader(bytes.NewReader(fresh[:8*mib]), readFunc(func([]byte) (int, error) {
		if half {
			half = false
			server.Kill()
		}
		return 0, io.EOF
	}), bytes.NewReader(fresh[8*mib:]))
	// Far above what any call may take: reached only by one that hangs.
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	_, perr := b.Put(ctx, stream)
	_, serr := b.Stat(ctx, h)
	_, oerr := b.Open(ctx, h)
	_, rerr := io.ReadAll(r)
	_, aerr := r.ReadAt(make([]byte, 10), 11*mib)
	for name, err := range map[string]error{
		"Put of a stream": perr, "Stat": serr, "Open": oerr, "Read": rerr, "ReadAt": aerr,
		"Ready": b.Ready(ctx), "Delete": b.Delete(ctx, h),
		"Walk": b.Walk(ctx, func(storage.Info) error { return nil }),
	} {
		if err == nil || errors.Is(err, storage.ErrNotFound) || errors.Is(err, storage.ErrDenied) {
			t.Errorf("%s without a server: %v", name, err)
		}
	}
	if ctx.Err() != nil {
		t.Error("a call did not end by itself")
	}

	server.Restart()
	if err := b.Ready(t.Context()); err != nil {
		t.Errorf("server is back: %v", err)
	}
	for _, data := range [][]byte{small, large} {
		if err := storage.Verify(t.Context(), b, storagetest.HashOf(data)); err != nil {
			t.Errorf("server is back: %v", err)
		}
	}
	if _, err := b.Stat(t.Context(), storagetest.HashOf(fresh)); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a blob that was refused: %v, want ErrNotFound", err)
	}
	p := make([]byte, 10)
	if _, err := r.ReadAt(p, 11*mib); err != nil || !bytes.Equal(p, large[11*mib:11*mib+10]) {
		t.Errorf("a reader from before: %v", err)
	}
	mustPut(t, b, fresh)
}
