package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

const (
	defaultReserve = 64 << 20 // bytes of disk that Put leaves to the database and the logs
	tempFolder     = "tmp"
)

// folder keeps blobs as files xx/HASH, xx being the hash's first two
// characters, and blobs being received in tmp/. A file reaches its name by
// rename, once its bytes are on the disk: under a name there is all or nothing.
type folder struct {
	root    string
	reserve int64

	mu    sync.Mutex
	ready map[string]bool // sub-folders that are on the disk for sure
}

// openFolder reads "PATH" or "PATH?reserve=BYTES".
func openFolder(address string) (*folder, error) {
	path, query, _ := strings.Cut(address, "?")
	reserve := int64(defaultReserve)
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, fmt.Errorf("reading blob folder address: %w", err)
	}
	for key := range values {
		if key != "reserve" {
			return nil, fmt.Errorf("reading blob folder address: unknown parameter %q", key)
		}
		if reserve, err = strconv.ParseInt(values.Get(key), 10, 64); err != nil || reserve < 0 {
			return nil, errors.New("reading blob folder address: reserve must be a number of bytes")
		}
	}
	if path = strings.TrimPrefix(path, "//"); path == "" {
		return nil, errors.New("reading blob folder address: want file:PATH")
	}
	root, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("opening blob folder: %w", err)
	}
	b := &folder{root: root, reserve: reserve, ready: map[string]bool{}}
	if err := b.prepare(); err != nil {
		return nil, fmt.Errorf("opening blob folder: %w", err)
	}
	return b, nil
}

func (b *folder) prepare() error {
	st, err := os.Stat(b.root)
	if err := os.MkdirAll(filepath.Join(b.root, tempFolder), 0o700); err != nil {
		return err
	}
	switch {
	case err != nil: // it is new: see its entry to the disk
		if err := syncFolder(filepath.Dir(b.root)); err != nil {
			return err
		}
	case st.Mode().Perm()&0o077 != 0: // made by hand, for all to read
		if err := os.Chmod(b.root, 0o700); err != nil {
			slog.Warn("blob folder is open to other users and could not be closed", "path", b.root, "err", err)
		}
	}
	if err := syncFolder(b.root); err != nil {
		return err
	}
	return removeAbandoned(filepath.Join(b.root, tempFolder))
}

// path is where a blob is. Nothing but a well-formed hash becomes a path.
func (b *folder) path(h Hash) (string, error) {
	if _, err := ParseHash(string(h)); err != nil {
		return "", fmt.Errorf("blob name: %w", err)
	}
	return filepath.Join(b.root, string(h[:2]), string(h)), nil
}

func (b *folder) Open(ctx context.Context, h Hash) (Reader, error) {
	path, err := b.path(h)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("opening blob %s: %w", h, err)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fileError("opening blob", h, err)
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		f.Close()
		return nil, fileError("opening blob", h, err)
	}
	return &fileReader{ctx: ctx, f: f, size: st.Size()}, nil
}

func (b *folder) Stat(ctx context.Context, h Hash) (Info, error) {
	path, err := b.path(h)
	if err != nil {
		return Info{}, err
	}
	st, err := os.Lstat(path)
	if err != nil {
		return Info{}, fileError("looking for blob", h, err)
	}
	return Info{Hash: h, Size: st.Size()}, nil
}

func (b *folder) Delete(ctx context.Context, h Hash) error {
	path, err := b.path(h)
	if err != nil {
		return err
	}
	err = os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		return fileError("deleting blob", h, err)
	}
	return nil
}

func (b *folder) Walk(ctx context.Context, fn func(Info) error) error {
	dirs, err := os.ReadDir(b.root) // sorted
	if err != nil {
		return fmt.Errorf("listing blobs: %w", err)
	}
	for _, dir := range dirs {
		if !dir.IsDir() || len(dir.Name()) != 2 {
			continue
		}
		if err := b.walkFolder(ctx, dir.Name(), fn); err != nil {
			return err
		}
	}
	return nil
}

func (b *folder) walkFolder(ctx context.Context, dir string, fn func(Info) error) error {
	files, err := os.ReadDir(filepath.Join(b.root, dir))
	if err != nil {
		return fmt.Errorf("listing blobs: %w", err)
	}
	for _, file := range files {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("listing blobs: %w", err)
		}
		h, err := ParseHash(file.Name())
		if err != nil || file.Name()[:2] != dir || !file.Type().IsRegular() {
			continue
		}
		st, err := file.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted since
		}
		if err != nil {
			return fileError("listing blob", h, err)
		}
		if err := fn(Info{Hash: h, Size: st.Size()}); err != nil {
			return err
		}
	}
	return nil
}

// Ready makes a file and removes it, so that a disk turned read-only shows.
func (b *folder) Ready(ctx context.Context) error {
	if err := b.checkSpace(); err != nil {
		return fmt.Errorf("checking blob folder: %w", err)
	}
	temp, err := newTemp(filepath.Join(b.root, tempFolder))
	if err != nil {
		return fmt.Errorf("checking blob folder: %w", spaceError(err))
	}
	defer temp.discard()
	if _, err := temp.Write([]byte{1}); err != nil {
		return fmt.Errorf("checking blob folder: %w", spaceError(err))
	}
	return nil
}

func fileError(doing string, h Hash, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s %s: %w", doing, h, ErrNotFound)
	}
	return fmt.Errorf("%s %s: %w", doing, h, err)
}

// warnReplaced tells of a blob that was found with another size than its
// content has. Its name says all: the bytes that came now are the right ones.
func warnReplaced(h Hash, was, is int64) {
	slog.Warn("damaged blob replaced by the right bytes", "hash", string(h), "size", was, "expected", is)
}

// fileReader reads a file until its context ends.
type fileReader struct {
	ctx  context.Context
	f    *os.File
	size int64
}

func (r *fileReader) Size() int64  { return r.size }
func (r *fileReader) Close() error { return r.f.Close() }

func (r *fileReader) Seek(offset int64, whence int) (int64, error) { return r.f.Seek(offset, whence) }

func (r *fileReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.f.Read(p)
}

func (r *fileReader) ReadAt(p []byte, off int64) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.f.ReadAt(p, off)
}

var _ io.ReaderAt = (*fileReader)(nil)
