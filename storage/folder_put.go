package storage

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// spaceEvery is how many bytes are written between two looks at the free space.
const spaceEvery = 16 << 20

// Put writes to a temporary file of the same file system, hashing on the way,
// and renames. The order makes it survive a power cut at any point: bytes on
// the disk, then the name, then the folder that holds the name.
func (b *folder) Put(ctx context.Context, r io.Reader) (Info, error) {
	in, err := b.Receive(ctx)
	if err != nil {
		return Info{}, err
	}
	defer in.Discard()
	if _, err := Fill(ctx, in, r); err != nil {
		return Info{}, err
	}
	return in.Keep(ctx)
}

// Receive begins a blob in a temporary file of the same file system.
func (b *folder) Receive(ctx context.Context) (Incoming, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("storing blob: %w", err)
	}
	if err := b.checkSpace(); err != nil {
		return nil, fmt.Errorf("storing blob: %w", err)
	}
	temp, err := newTemp(filepath.Join(b.root, tempFolder))
	if err != nil {
		return nil, fmt.Errorf("storing blob: %w", spaceError(err))
	}
	return &incoming{folder: b, temp: temp, sum: sha256.New()}, nil
}

// incoming is a blob on its way into a folder.
type incoming struct {
	folder        *folder
	temp          *tempFile
	sum           hash.Hash
	size, checked int64
}

func (i *incoming) Write(p []byte) (int, error) {
	if i.size-i.checked >= spaceEvery {
		if err := i.folder.checkSpace(); err != nil {
			return 0, fmt.Errorf("storing blob: %w", err)
		}
		i.checked = i.size
	}
	n, err := i.temp.Write(p)
	i.sum.Write(p[:n])
	i.size += int64(n)
	if err != nil {
		return n, fmt.Errorf("storing blob: %w", spaceError(err))
	}
	return n, nil
}

func (i *incoming) ReadAt(p []byte, off int64) (int, error) { return i.temp.ReadAt(p, off) }

func (i *incoming) Keep(ctx context.Context) (Info, error) {
	if err := ctx.Err(); err != nil {
		return Info{}, fmt.Errorf("storing blob: %w", err)
	}
	info := Info{Hash: sumOf(i.sum), Size: i.size}
	if err := i.temp.Sync(); err != nil {
		return Info{}, fmt.Errorf("storing blob: %w", spaceError(err))
	}
	if err := i.folder.publish(i.temp, info); err != nil {
		return Info{}, fmt.Errorf("storing blob %s: %w", info.Hash, spaceError(err))
	}
	return info, nil
}

func (i *incoming) Discard() { i.temp.discard() }

// publish gives the file its name. It does so even when the name is taken: that
// mends a damaged blob, and readers of the old file keep it until they close.
func (b *folder) publish(temp *tempFile, info Info) error {
	path, err := b.path(info.Hash)
	if err != nil {
		return err
	}
	if err := b.makeFolder(filepath.Dir(path)); err != nil {
		return err
	}
	if st, err := os.Lstat(path); err == nil && st.Size() != info.Size {
		warnReplaced(info.Hash, st.Size(), info.Size)
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return err
	}
	temp.renamed = true
	return syncFolder(filepath.Dir(path))
}

// makeFolder makes a sub-folder and sees its entry to the disk. Finding it is
// not enough: the one who made it may have been cut off before that.
func (b *folder) makeFolder(dir string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ready[dir] {
		return nil
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	if err := syncFolder(b.root); err != nil {
		return err
	}
	b.ready[dir] = true
	return nil
}

// checkSpace refuses when less than the reserve is free.
func (b *folder) checkSpace() error {
	if b.reserve == 0 {
		return nil
	}
	var st syscall.Statfs_t
	if err := syscall.Statfs(b.root, &st); err != nil {
		return fmt.Errorf("asking for free space: %w", err)
	}
	if free := int64(st.Bavail) * int64(st.Bsize); free < b.reserve {
		return fmt.Errorf("%d bytes free, %d kept in reserve: %w", free, b.reserve, ErrNoSpace)
	}
	return nil
}

// spaceError adds ErrNoSpace to what the system says of a full disk or quota.
func spaceError(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	}
	return err
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
