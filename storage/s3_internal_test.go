package storage

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
)

func TestS3Errors(t *testing.T) {
	b := &bucket{endpoint: "minio:9000"}
	for _, c := range []struct {
		err  error
		want error
	}{
		{minio.ErrorResponse{Code: "NoSuchKey", StatusCode: 404}, ErrNotFound},
		{minio.ErrorResponse{Code: "AccessDenied", StatusCode: 403}, ErrDenied},
		{minio.ErrorResponse{Code: "SignatureDoesNotMatch", StatusCode: 403}, ErrDenied},
		{minio.ErrorResponse{Code: "InvalidAccessKeyId", StatusCode: 403}, ErrDenied},
		{minio.ErrorResponse{Code: "XMinioStorageFull", StatusCode: 507}, ErrNoSpace},
		{minio.ErrorResponse{Code: "XMinioAdminBucketQuotaExceeded", StatusCode: 400}, ErrNoSpace},
		{minio.ErrorResponse{Code: "Other", StatusCode: 507}, ErrNoSpace},
		{minio.ErrorResponse{Code: "InternalError", StatusCode: 500, Message: "We encountered an internal error, please try again.: cause(no space left on device)"}, ErrNoSpace},
		{fmt.Errorf("again: %w", fmt.Errorf("once: %w: %w", ErrNoSpace, minio.ErrorResponse{Code: "XMinioStorageFull"})), ErrNoSpace},
	} {
		got := b.wrap("doing", c.err)
		for _, known := range []error{ErrNotFound, ErrDenied, ErrNoSpace} {
			if errors.Is(got, known) != (known == c.want) {
				t.Errorf("%v became %v", c.err, got)
			}
		}
	}
	for _, err := range []error{errors.New("x"), minio.ErrorResponse{Code: "NoSuchBucket", StatusCode: 404}, minio.ErrorResponse{Code: "InternalError", StatusCode: 500}} {
		got := b.wrap("doing", err)
		if errors.Is(got, ErrNotFound) || errors.Is(got, ErrDenied) || errors.Is(got, ErrNoSpace) || !strings.Contains(got.Error(), "minio:9000") {
			t.Errorf("%v became %v", err, got)
		}
	}
}

// What a dead sender left is removed once it is old, what is young stays.
func TestS3RemovesAbandoned(t *testing.T) {
	server, err := url.Parse(os.Getenv("SIRA_TEST_S3"))
	if server.Host == "" || err != nil {
		if os.Getenv("SIRA_TEST_STRICT") == "1" {
			t.Fatal("NOT RUN: SIRA_TEST_S3 is not set")
		}
		t.Skip("NOT RUN: SIRA_TEST_S3 is not set")
	}
	name := "sira-test-" + strings.ToLower(strings.TrimPrefix(randomName(), tempPrefix))[:16]
	u := &url.URL{Scheme: "s3", Host: name, RawQuery: "prefix=p&tls=false&endpoint=" + server.Host}
	b, err := openS3(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.core.RemoveBucketWithOptions(t.Context(), name, minio.RemoveBucketOptions{ForceDelete: true}); err != nil {
			t.Error(err)
		}
	}()
	temp := "p/tmp/" + randomName()
	if _, err := b.core.Client.PutObject(t.Context(), name, temp, strings.NewReader("half"), 4, minio.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	there := func() bool {
		_, err := b.core.StatObject(t.Context(), name, temp, minio.StatObjectOptions{})
		return err == nil
	}
	if err := b.removeAbandoned(t.Context()); err != nil || !there() {
		t.Errorf("a young temporary object: %v, there %v", err, there())
	}
	b.abandonedTempAge = -time.Hour // what is there now counts as old
	if err := b.removeAbandoned(t.Context()); err != nil || there() {
		t.Errorf("an old temporary object: %v, there %v", err, there())
	}
}

// A connection on which nothing moves fails; one that is written to does not.
func TestWatchedConn(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	conn := &watchedConn{Conn: near, silence: 20 * time.Millisecond}
	_, err := conn.Read(make([]byte, 1))
	if ne, ok := errors.AsType[net.Error](err); !ok || !ne.Timeout() {
		t.Errorf("reading from silence: %v, want a timeout", err)
	}
	_, err = conn.Write([]byte("x")) // nobody takes it
	if ne, ok := errors.AsType[net.Error](err); !ok || !ne.Timeout() {
		t.Errorf("writing to silence: %v, want a timeout", err)
	}
}
