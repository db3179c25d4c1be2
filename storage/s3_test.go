package storage_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/minio/minio-go/v7"

	"sira/storage"
	"sira/storage/storagetest"
)

const mib = 1 << 20

func s3Server(t *testing.T) string { return storagetest.Need(t, "SIRA_TEST_S3", "S3") }

// watch puts a proxy before a server and notes each request: method, whether it
// goes to a temporary key, and its range.
func watch(t *testing.T, server string) (address string, requests func() []string) {
	t.Helper()
	target, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var noted []string
	proxy := httputil.NewSingleHostReverseProxy(target)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		what := r.Method
		if strings.Contains(r.URL.Path, "/tmp/") {
			what += " tmp"
		}
		if rng := r.Header.Get("Range"); rng != "" {
			what += " " + rng
		}
		mu.Lock()
		noted = append(noted, what)
		mu.Unlock()
		proxy.ServeHTTP(w, r) // keeps the Host header, which is part of the signature
	}))
	t.Cleanup(srv.Close)
	return srv.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		got := noted
		noted = nil
		return got
	}
}

func TestS3Requests(t *testing.T) {
	address, requests := watch(t, s3Server(t))
	b := storagetest.OpenBlobs(t, storagetest.NewBucket(t, address))
	data := storagetest.Bytes(1, 12*mib)
	expect := func(what string, want ...string) {
		t.Helper()
		if got := requests(); !slices.Equal(got, want) {
			t.Errorf("%s took %q, want %q", what, got, want)
		}
	}
	requests()
	mustPut(t, b, []byte("small"))
	expect("a small blob", "HEAD", "PUT")
	mustPut(t, b, []byte("small"))
	expect("a small blob that is there", "HEAD")
	h := mustPut(t, b, data)
	expect("12 MiB from a file", "HEAD", "POST", "PUT", "PUT", "PUT", "POST")
	mustPut(t, b, data)
	expect("12 MiB that are there", "HEAD")

	r, err := b.Open(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	expect("Open", "HEAD")
	if got, err := io.ReadAll(io.LimitReader(r, 11*mib)); err != nil || !bytes.Equal(got, data[:11*mib]) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	expect("reading in order", "GET bytes=0-12582911")
	p := make([]byte, 500)
	for _, off := range []int64{132, 6 * mib} {
		if _, err := r.ReadAt(p, off); err != nil {
			t.Fatal(err)
		}
	}
	expect("two ReadAt", "GET bytes=132-631", "GET bytes=6291456-6291955")
	if _, err := r.Read(p); err != nil || !bytes.Equal(p, data[11*mib:11*mib+500]) {
		t.Fatalf("going on reading: %v", err)
	}
	expect("going on reading")
	if _, err := r.Seek(100, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(r, p); err != nil || !bytes.Equal(p, data[100:600]) {
		t.Fatalf("reading after Seek: %v", err)
	}
	expect("reading after Seek", "GET bytes=100-12582911")
}

func keys(t *testing.T, server, address string) (found []string) {
	t.Helper()
	name, _, _ := strings.Cut(strings.TrimPrefix(address, "s3://"), "?")
	for obj := range storagetest.S3Client(t, server).ListObjectsIter(t.Context(), name, minio.ListObjectsOptions{Recursive: true}) {
		if obj.Err != nil {
			t.Fatal(obj.Err)
		}
		found = append(found, obj.Key)
	}
	return found
}

// Streams go through a temporary object, which must be gone in the end, whatever
// the end was.
func TestS3StreamLeavesNothing(t *testing.T) {
	server := s3Server(t)
	address := storagetest.NewBucket(t, server) + "&prefix=some/where"
	b := storagetest.OpenBlobs(t, address)
	data := storagetest.Bytes(2, 17*mib)
	stream := func() io.Reader { return struct{ io.Reader }{bytes.NewReader(data)} }
	for range 2 {
		if info, err := b.Put(t.Context(), stream()); err != nil || info.Hash != storagetest.HashOf(data) {
			t.Fatalf("%+v, %v", info, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cut := readFunc(func([]byte) (int, error) { cancel(); return 0, errors.New("link down") })
	if _, err := b.Put(ctx, io.MultiReader(stream(), cut)); err == nil {
		t.Error("a stream that broke was stored")
	}
	h := string(storagetest.HashOf(data))
	if got := keys(t, server, address); !slices.Equal(got, []string{"some/where/" + h[:2] + "/" + h}) {
		t.Errorf("the bucket has %q, want the blob alone", got)
	}
}

// What is sent must be what was hashed.
func TestS3SourceChanges(t *testing.T) {
	server := s3Server(t)
	address := storagetest.NewBucket(t, server)
	b := storagetest.OpenBlobs(t, address)
	for name, size := range map[string]int{"odd": 7*mib + 11, "whole parts": 10 * mib} {
		first, second := storagetest.Bytes(3, size), storagetest.Bytes(3, size)
		second[size-1] ^= 1
		if _, err := b.Put(t.Context(), &changing{Reader: bytes.NewReader(first), next: bytes.NewReader(second)}); err == nil {
			t.Errorf("%s: bytes that changed between two readings were stored", name)
		}
		if _, err := b.Put(t.Context(), &changing{Reader: bytes.NewReader(first), next: bytes.NewReader(first[:size-1])}); err == nil {
			t.Errorf("%s: a file that got shorter was stored", name)
		}
	}
	if got := keys(t, server, address); len(got) != 0 {
		t.Errorf("the bucket has %q", got)
	}
}

// changing gives other bytes once it has been set back to its start.
type changing struct {
	*bytes.Reader
	next *bytes.Reader
}

func (c *changing) Seek(offset int64, whence int) (int64, error) {
	if whence == io.SeekStart {
		c.Reader = c.next
	}
	return c.Reader.Seek(offset, whence)
}

// What Put keeps in memory does not grow with the blob: all along 100 MiB, what
// is alive in this process stays far below them.
func TestS3PutMemory(t *testing.T) {
	b := storagetest.OpenBlobs(t, storagetest.NewBucket(t, s3Server(t)))
	data := storagetest.Bytes(4, mib)
	alive := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := alive()
	var most uint64
	var given int64
	source := readFunc(func(p []byte) (int, error) {
		n := copy(p, data)
		if given/(20*mib) != (given+int64(n))/(20*mib) {
			most = max(most, alive())
		}
		given += int64(n)
		return n, nil
	})
	info, err := b.Put(t.Context(), io.LimitReader(source, 100*mib))
	if err != nil || info.Size != 100*mib {
		t.Fatalf("%+v, %v", info, err)
	}
	if most == 0 || most > before+30*mib {
		t.Errorf("storing 100 MiB kept %d MiB alive", (int64(most)-int64(before))/mib)
	} else {
		t.Logf("storing 100 MiB kept %d MiB alive", (int64(most)-int64(before))/mib)
	}
}

func TestS3DamagedBlob(t *testing.T) {
	server := s3Server(t)
	address := storagetest.NewBucket(t, server)
	b := storagetest.OpenBlobs(t, address)
	h := mustPut(t, b, []byte("right"))
	name, _, _ := strings.Cut(strings.TrimPrefix(address, "s3://"), "?")
	client := storagetest.S3Client(t, server)
	_, err := client.Client.PutObject(t.Context(), name, string(h[:2])+"/"+string(h), strings.NewReader("wrong!"), 6, minio.PutObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := storage.Verify(t.Context(), b, h); !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("Verify says %v, want ErrCorrupt", err)
	}
	mustPut(t, b, []byte("right"))
	if err := storage.Verify(t.Context(), b, h); err != nil {
		t.Error(err)
	}
}

func TestS3WrongCredentials(t *testing.T) {
	server := s3Server(t)
	address := storagetest.NewBucket(t, server)
	storagetest.OpenBlobs(t, address) // the bucket is there
	t.Run("secret", func(t *testing.T) {
		t.Setenv("AWS_SECRET_ACCESS_KEY", "not-the-secret")
		_, err := storage.OpenBlobs(t.Context(), address)
		if !errors.Is(err, storage.ErrDenied) || !strings.Contains(err.Error(), "check the credentials") || strings.Contains(err.Error(), "not-the-secret") {
			t.Errorf("got %v; want ErrDenied, without the secret", err)
		}
	})
	t.Run("user", func(t *testing.T) {
		t.Setenv("AWS_ACCESS_KEY_ID", "nobody")
		if _, err := storage.OpenBlobs(t.Context(), address); !errors.Is(err, storage.ErrDenied) {
			t.Errorf("got %v; want ErrDenied", err)
		}
	})
	t.Run("none", func(t *testing.T) {
		for _, name := range []string{"AWS_ACCESS_KEY_ID", "MINIO_ROOT_USER"} {
			t.Setenv(name, "")
		}
		if _, err := storage.OpenBlobs(t.Context(), address); err == nil || !strings.Contains(err.Error(), "AWS_ACCESS_KEY_ID") {
			t.Errorf("got %v; want to be told what to set", err)
		}
	})
}

func TestS3Address(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "x")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "y")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := l.Addr().String()
	l.Close()
	for _, address := range []string{
		"s3:", "s3://bucket", "s3://?endpoint=" + gone, "s3://bucket?endpoint=http://" + gone, "s3://bucket?endpoint=" + gone + "&tls=perhaps",
		"s3://bucket?endpoint=" + gone + "&tsl=false", "s3://user:pw@bucket?endpoint=" + gone, "s3://bucket/path?endpoint=" + gone,
		"s3://bucket?endpoint=" + gone + "&tls=false", // nobody there
	} {
		if _, err := storage.OpenBlobs(t.Context(), address); err == nil {
			t.Errorf("OpenBlobs(%q) succeeded", address)
		}
	}
}
