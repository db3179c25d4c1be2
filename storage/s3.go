package storage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

const (
	// s3Retries counts the tries of one request. Between them minio-go waits up
	// to a second, so a server that refuses connections fails a call within 5 s.
	s3Retries = 4
	// tempAge is how old an object being received must be to count as abandoned.
	tempAge = 24 * time.Hour
)

// bucket keeps blobs as objects PREFIXxx/HASH of one bucket, in the layout of
// folder, so that a folder and a bucket can be copied onto each other.
type bucket struct {
	core             *minio.Core
	endpoint         string
	name, prefix     string
	region           string
	partSize         int64
	newTempName      func() string
	abandonedTempAge time.Duration
}

func openS3(ctx context.Context, u *url.URL) (*bucket, error) {
	b, err := parseS3(u)
	if err != nil {
		return nil, fmt.Errorf("reading S3 address: %w", err)
	}
	if err := b.makeBucket(ctx); err != nil {
		return nil, err
	}
	if err := b.removeAbandoned(ctx); err != nil {
		slog.Warn("abandoned temporary objects could not be removed", "bucket", b.name, "err", err)
	}
	return b, nil
}

func parseS3(u *url.URL) (*bucket, error) {
	q := u.Query()
	for key := range q {
		switch key {
		case "endpoint", "tls", "prefix", "region":
		default:
			return nil, fmt.Errorf("unknown parameter %q", key)
		}
	}
	b := &bucket{
		endpoint: q.Get("endpoint"), name: u.Host, prefix: q.Get("prefix"), region: q.Get("region"),
		partSize: s3PartSize, newTempName: randomName, abandonedTempAge: tempAge,
	}
	if b.name == "" || b.endpoint == "" || strings.Contains(b.endpoint, "/") || u.User != nil || strings.Trim(u.Path, "/") != "" {
		return nil, errors.New("want s3://BUCKET?endpoint=HOST:PORT&tls=true|false[&prefix=][&region=]")
	}
	secure := true
	if s := q.Get("tls"); s != "" {
		var err error
		if secure, err = strconv.ParseBool(s); err != nil {
			return nil, errors.New("tls must be true or false")
		}
	}
	if b.region == "" {
		b.region = "us-east-1" // what MinIO calls its only region; naming it saves a request
	}
	if b.prefix != "" && !strings.HasSuffix(b.prefix, "/") {
		b.prefix += "/"
	}
	creds, err := s3Credentials()
	if err != nil {
		return nil, err
	}
	transport, err := s3Transport(secure)
	if err != nil {
		return nil, err
	}
	b.core, err = minio.NewCore(b.endpoint, &minio.Options{
		Creds: creds, Secure: secure, Region: b.region, Transport: transport, MaxRetries: s3Retries,
	})
	return b, err
}

func s3Credentials() (*credentials.Credentials, error) {
	for _, names := range [][2]string{{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}, {"MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD"}} {
		if id, secret := os.Getenv(names[0]), os.Getenv(names[1]); id != "" && secret != "" {
			return credentials.NewStaticV4(id, secret, ""), nil
		}
	}
	return nil, errors.New("no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
}

func (b *bucket) makeBucket(ctx context.Context) error {
	exists, err := b.core.BucketExists(ctx, b.name)
	if err != nil {
		return b.wrap("opening bucket "+b.name, err)
	}
	if exists {
		return nil
	}
	err = b.core.MakeBucket(ctx, b.name, minio.MakeBucketOptions{Region: b.region})
	switch minio.ToErrorResponse(err).Code {
	case minio.BucketAlreadyOwnedByYou: // another process was faster
		return nil
	}
	if err != nil {
		return b.wrap("making bucket "+b.name, err)
	}
	return nil
}

// key is the object that a blob is. Nothing but a well-formed hash becomes one.
func (b *bucket) key(h Hash) (string, error) {
	if _, err := ParseHash(string(h)); err != nil {
		return "", fmt.Errorf("blob name: %w", err)
	}
	return b.prefix + string(h[:2]) + "/" + string(h), nil
}

func (b *bucket) Stat(ctx context.Context, h Hash) (Info, error) {
	key, err := b.key(h)
	if err != nil {
		return Info{}, err
	}
	obj, err := b.core.StatObject(ctx, b.name, key, minio.StatObjectOptions{})
	if err != nil {
		return Info{}, b.wrap("looking for blob "+string(h), err)
	}
	return Info{Hash: h, Size: obj.Size}, nil
}

func (b *bucket) Delete(ctx context.Context, h Hash) error {
	key, err := b.key(h)
	if err != nil {
		return err
	}
	if err := b.core.RemoveObject(ctx, b.name, key, minio.RemoveObjectOptions{}); err != nil {
		return b.wrap("deleting blob "+string(h), err)
	}
	return nil
}

func (b *bucket) Walk(ctx context.Context, fn func(Info) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for obj := range b.core.ListObjectsIter(ctx, b.name, minio.ListObjectsOptions{Prefix: b.prefix, Recursive: true}) {
		if obj.Err != nil {
			return b.wrap("listing blobs", obj.Err)
		}
		dir, name, _ := strings.Cut(strings.TrimPrefix(obj.Key, b.prefix), "/")
		h, err := ParseHash(name)
		if err != nil || dir != name[:2] {
			continue
		}
		if err := fn(Info{Hash: h, Size: obj.Size}); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("listing blobs: %w", err)
	}
	return nil
}

func (b *bucket) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	exists, err := b.core.BucketExists(ctx, b.name)
	switch {
	case err != nil:
		return b.wrap("checking bucket "+b.name, err)
	case !exists:
		return fmt.Errorf("checking bucket %s at %s: the bucket is gone", b.name, b.endpoint)
	}
	return nil
}

// wrap says what was being done and where, and adds the error that callers know.
func (b *bucket) wrap(doing string, err error) error {
	known := s3Known(minio.ToErrorResponse(err))
	switch {
	case known == nil:
		return fmt.Errorf("%s at %s: %w", doing, b.endpoint, err)
	case errors.Is(err, known):
		return fmt.Errorf("%s: %w", doing, err)
	}
	return fmt.Errorf("%s at %s: %w: %w", doing, b.endpoint, known, err)
}

func s3Known(r minio.ErrorResponse) error {
	switch r.Code {
	case minio.NoSuchKey:
		return ErrNotFound
	case "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "QuotaExceeded":
		return ErrNoSpace
	case minio.AccessDenied, minio.InvalidAccessKeyID, minio.SignatureDoesNotMatch:
		return ErrDenied
	}
	// A disk of MinIO's that fills up during a request is an internal error.
	if r.Code == minio.InternalError && strings.Contains(r.Message, "no space left on device") {
		return ErrNoSpace
	}
	switch r.StatusCode {
	case 507: // Insufficient Storage, RFC 4918 section 11.5
		return ErrNoSpace
	case 401, 403:
		return ErrDenied
	}
	return nil
}
