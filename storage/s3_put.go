package storage

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/minio/minio-go/v7"
)

const (
	s3PartSize = 5 << 20 // the least that S3 allows for a part, and all that Put keeps in memory
	s3MaxParts = 10_000
	// s3CopyPart bounds how long one server-side copy request takes.
	s3CopyPart = 128 << 20
	// MaxStreamed is the largest blob, in bytes, that Put takes on S3 from a
	// reader that cannot seek: 10,000 parts of 5 MiB.
	MaxStreamed = s3PartSize * s3MaxParts
)

var errChanged = errors.New("the bytes changed while they were being stored")

// Put needs the name of the object before its first byte is sent, and the name
// is known after the last. So:
//   - what fits one part is hashed in memory and sent in one request;
//   - what can seek (a received file) is read twice, first to hash, then to send,
//     and not sent at all when it is already there;
//   - the rest goes to a temporary object, which the server itself then copies.
//
// None of them needs room on the local disk, which may be a small card.
func (b *bucket) Put(ctx context.Context, r io.Reader) (Info, error) {
	info, err := b.put(ctx, r)
	if err != nil {
		return Info{}, b.wrap("storing blob", err)
	}
	return info, nil
}

func (b *bucket) put(ctx context.Context, r io.Reader) (Info, error) {
	r = contextReader{ctx, r}
	var first bytes.Buffer
	n, err := first.ReadFrom(io.LimitReader(r, b.partSize+1))
	if err != nil {
		return Info{}, fmt.Errorf("reading what to store: %w", err)
	}
	if n <= b.partSize {
		sum := sha256.Sum256(first.Bytes())
		info := Info{Hash: Hash(hex.EncodeToString(sum[:])), Size: n}
		return info, b.send(ctx, info, &first)
	}
	if seeker, ok := r.(contextReader).r.(io.Seeker); ok {
		// Pipes have a Seek too, which fails: they are streamed.
		if start, err := seeker.Seek(-n, io.SeekCurrent); err == nil {
			return b.putTwice(ctx, r, seeker, start)
		}
	}
	return b.putStream(ctx, io.MultiReader(&first, r))
}

func (b *bucket) putTwice(ctx context.Context, r io.Reader, seeker io.Seeker, start int64) (Info, error) {
	sum := sha256.New()
	size, err := io.Copy(sum, r)
	if err != nil {
		return Info{}, fmt.Errorf("reading what to store: %w", err)
	}
	info := Info{Hash: sumOf(sum), Size: size}
	if _, err := seeker.Seek(start, io.SeekStart); err != nil {
		return Info{}, fmt.Errorf("reading what to store again: %w", err)
	}
	return info, b.send(ctx, info, r)
}

// send stores bytes whose hash is known, unless they are there. It never
// completes the object when the bytes turn out to be others.
func (b *bucket) send(ctx context.Context, info Info, r io.Reader) error {
	key, err := b.key(info.Hash)
	if err != nil {
		return err
	}
	if there, err := b.Stat(ctx, info.Hash); err == nil {
		if there.Size == info.Size {
			return nil
		}
		warnReplaced(info.Hash, there.Size, info.Size)
	} else if !errors.Is(err, ErrNotFound) {
		return err
	}
	if small, ok := r.(*bytes.Buffer); ok { // one request, which can be tried again
		_, err = b.core.Client.PutObject(ctx, b.name, key, bytes.NewReader(small.Bytes()), info.Size, minio.PutObjectOptions{})
		return err
	}
	part := max(b.partSize, (info.Size+s3MaxParts-1)/s3MaxParts)
	checked := &checkedReader{r: r, want: info, sum: sha256.New()}
	_, err = b.core.Client.PutObject(ctx, b.name, key, checked, info.Size, minio.PutObjectOptions{PartSize: uint64(part)})
	return err
}

func (b *bucket) putStream(ctx context.Context, r io.Reader) (info Info, err error) {
	temp := b.prefix + tempFolder + "/" + b.newTempName()
	defer func() {
		// The caller may have gone, its leftovers must not stay.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if rerr := b.core.RemoveObject(ctx, b.name, temp, minio.RemoveObjectOptions{}); rerr != nil {
			slog.Warn("temporary object not removed", "bucket", b.name, "key", temp, "err", rerr)
		}
	}()
	sum := sha256.New()
	sent, err := b.core.Client.PutObject(ctx, b.name, temp, io.TeeReader(r, sum), -1,
		minio.PutObjectOptions{PartSize: uint64(b.partSize)})
	if err != nil {
		return Info{}, err
	}
	info = Info{Hash: sumOf(sum), Size: sent.Size}
	there, err := b.Stat(ctx, info.Hash)
	if err == nil && there.Size == info.Size {
		return info, nil
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Info{}, err
	}
	if err := b.copyObject(ctx, temp, info); err != nil {
		return Info{}, fmt.Errorf("naming blob %s: %w", info.Hash, err)
	}
	return info, nil
}

// copyObject has the server copy an object to the name of its content, in parts,
// so that neither the 5 GiB limit of one copy nor a time limit is met.
func (b *bucket) copyObject(ctx context.Context, from string, info Info) error {
	key, err := b.key(info.Hash)
	if err != nil {
		return err
	}
	_, err = b.core.ComposeObject(ctx,
		minio.CopyDestOptions{Bucket: b.name, Object: key, PartSize: s3CopyPart},
		minio.CopySrcOptions{Bucket: b.name, Object: from})
	return err
}

// removeAbandoned removes temporary objects that have been growing for a day:
// their sender is gone. Unfinished multipart uploads are not objects; MinIO
// removes them after a day, on AWS a lifecycle rule of the bucket has to.
func (b *bucket) removeAbandoned(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	opts := minio.ListObjectsOptions{Prefix: b.prefix + tempFolder + "/", Recursive: true}
	for obj := range b.core.ListObjectsIter(ctx, b.name, opts) {
		if obj.Err != nil {
			return obj.Err
		}
		if time.Since(obj.LastModified) < b.abandonedTempAge {
			continue
		}
		if err := b.core.RemoveObject(ctx, b.name, obj.Key, minio.RemoveObjectOptions{}); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func randomName() string { return tempPrefix + rand.Text() }
