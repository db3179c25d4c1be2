package storage

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const tempPrefix = "put-"

// tempFile is a file being received. Its lock tells it from one that a killed
// process left behind: the system drops locks with the process, so no age has
// to be guessed, and several processes may share the folder.
type tempFile struct {
	*os.File
	renamed bool
}

func newTemp(dir string) (*tempFile, error) {
	for range 10 {
		path := filepath.Join(dir, tempPrefix+rand.Text())
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return nil, err
		}
		// Between these two lines somebody's removeAbandoned may take it away.
		if tryLock(f) && hasName(f) {
			return &tempFile{File: f}, nil
		}
		f.Close()
		os.Remove(path)
	}
	return nil, errors.New("temporary files are taken away as soon as they are made")
}

// discard closes the file, and removes it unless it became a blob.
func (t *tempFile) discard() {
	if !t.renamed {
		os.Remove(t.Name())
	}
	t.Close()
}

// removeAbandoned removes the temporary files that no living process holds.
func removeAbandoned(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !strings.HasPrefix(e.Name(), tempPrefix) {
			continue
		}
		if err := removeIfAbandoned(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing an abandoned file: %w", err)
		}
	}
	return nil
}

func removeIfAbandoned(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if !tryLock(f) {
		return nil
	}
	return os.Remove(path)
}

func tryLock(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// hasName says whether a file is still in its folder.
func hasName(f *os.File) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(f.Name())
	return err == nil && os.SameFile(opened, named)
}
