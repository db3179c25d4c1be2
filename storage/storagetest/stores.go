package storagetest

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"sira/storage"
)

var testTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// NewBlobs gives an empty store in a folder, gone at the end of the test.
func NewBlobs(t testing.TB) storage.Blobs {
	t.Helper()
	return OpenBlobs(t, "file:"+t.TempDir()+"?reserve=0")
}

// EachBlobs runs fn once per kind of store, each time on an empty one: on a
// folder always, on the S3 server that SIRA_TEST_S3 names (http://HOST:PORT, with
// AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY) when it is set.
func EachBlobs(t *testing.T, fn func(t *testing.T, b storage.Blobs)) {
	t.Helper()
	t.Run("folder", func(t *testing.T) { fn(t, NewBlobs(t)) })
	t.Run("s3", func(t *testing.T) { fn(t, OpenBlobs(t, NewBucket(t, Need(t, "SIRA_TEST_S3", "S3")))) })
}

// OpenBlobs opens a store or fails the test.
func OpenBlobs(t testing.TB, address string) storage.Blobs {
	t.Helper()
	b, err := storage.OpenBlobs(t.Context(), address)
	if err != nil {
		t.Fatalf("opening test blobs: %v", err)
	}
	return b
}

// NewBucket names a bucket that does not exist yet on a server (http://HOST:PORT)
// and gives its address for storage.OpenBlobs. At the end of the test the bucket
// is removed with all that is in it.
func NewBucket(t testing.TB, server string) string {
	t.Helper()
	client := S3Client(t, server)
	name := "sira-test-" + strings.ToLower(rand.Text()[:16])
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if ok, err := client.BucketExists(ctx, name); err != nil || !ok {
			return
		}
		if err := client.RemoveBucketWithOptions(ctx, name, minio.RemoveBucketOptions{ForceDelete: true}); err != nil {
			t.Errorf("removing test bucket: %v", err)
		}
	})
	return BucketAddress(t, server, name)
}

// BucketAddress is the address of a bucket for storage.OpenBlobs.
func BucketAddress(t testing.TB, server, name string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil || u.Host == "" {
		t.Fatalf("S3 server %q: want http://HOST:PORT", server)
	}
	tls := "false"
	if u.Scheme == "https" {
		tls = "true"
	}
	return "s3://" + name + "?endpoint=" + u.Host + "&tls=" + tls
}

// S3Client speaks to a server (http://HOST:PORT) behind Sira's back.
func S3Client(t testing.TB, server string) *minio.Core {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("S3 server: %v", err)
	}
	client, err := minio.NewCore(u.Host, &minio.Options{
		Creds:  credentials.NewStaticV4(os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), ""),
		Secure: u.Scheme == "https", Region: "us-east-1", MaxRetries: 3,
	})
	if err != nil {
		t.Fatalf("S3 server: %v", err)
	}
	return client
}
