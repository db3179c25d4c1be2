package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// Info is what is known of a blob without reading it. Size is in bytes.
type Info struct {
	Hash Hash
	Size int64
}

// Reader reads one blob. ReadAt may be called from several goroutines at once;
// Read and Seek share one position and may not. Reading in order costs one
// request on S3, and each ReadAt costs one.
type Reader interface {
	io.Reader
	io.ReaderAt
	io.Seeker
	io.Closer
	Size() int64
}

// Blobs stores immutable byte strings under the SHA-256 of their content. All
// methods may be called from several goroutines at once. A malformed Hash is
// never turned into a path: it is an error.
type Blobs interface {
	// Put reads r to its end and keeps it. When it returns without error the
	// bytes survive a power cut (folder) or are acknowledged (S3). Putting the
	// same bytes again is success without effect. An error of r, or the end of
	// ctx, leaves no blob. Errors: ErrNoSpace, ErrDenied.
	Put(ctx context.Context, r io.Reader) (Info, error)
	// Open gives the blob for reading. ctx bounds the whole use of the Reader.
	// Errors: ErrNotFound, ErrDenied.
	Open(ctx context.Context, h Hash) (Reader, error)
	// Stat gives the size without reading. Errors: ErrNotFound, ErrDenied.
	Stat(ctx context.Context, h Hash) (Info, error)
	// Delete forgets the blob; one that is not there is forgotten already.
	// Errors: ErrDenied.
	Delete(ctx context.Context, h Hash) error
	// Walk calls fn for every blob, in the order of their hashes, and stops at
	// the first error, which it returns.
	Walk(ctx context.Context, fn func(Info) error) error
	// Ready says whether blobs can be stored and read now.
	Ready(ctx context.Context) error
}

// OpenBlobs opens the store that rawURL names, and makes what is missing of it:
//
//	file:PATH[?reserve=BYTES]
//	s3://BUCKET?endpoint=HOST:PORT&tls=true|false[&prefix=][&region=]
//
// reserve is how much of the disk Put leaves free (default 64 MiB). S3
// credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, else from
// MINIO_ROOT_USER and MINIO_ROOT_PASSWORD.
func OpenBlobs(ctx context.Context, rawURL string) (Blobs, error) {
	scheme, rest, ok := strings.Cut(rawURL, ":")
	switch {
	case ok && scheme == "file":
		return openFolder(rest)
	case ok && scheme == "s3":
		u, err := url.Parse(rawURL)
		if err != nil {
			return nil, fmt.Errorf("reading blob store address: %w", err)
		}
		return openS3(ctx, u)
	}
	return nil, errors.New("blob store address must start with file: or s3: and say where")
}
