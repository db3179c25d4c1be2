package web

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"sync"
	"time"
)

// derived keeps what is computed from blobs (thumbnails, manifests) in a
// folder of bounded size. It may be deleted at any time.
type derived struct {
	dir   string
	limit int64
	mu    sync.Mutex
	used  int64
}

// derivedLimit bounds the folder: some 20,000 thumbnails.
const derivedLimit = 256 << 20

var derivedName = regexp.MustCompile(`^[0-9a-f]{64}\.[a-z0-9.-]{1,40}$`)

func openDerived(dir string, limit int64) (*derived, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of derived pictures: %w", err)
	}
	d := &derived{dir: dir, limit: limit}
	files, err := d.list()
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		d.used += f.size
	}
	return d, nil
}

// get gives what was kept under HASH.KIND; ok is false when there is none.
func (d *derived) get(name string) ([]byte, bool) {
	if !derivedName.MatchString(name) {
		return nil, false
	}
	raw, err := os.ReadFile(filepath.Join(d.dir, name))
	if err != nil || len(raw) == 0 {
		return nil, false
	}
	return raw, true
}

// put keeps raw. A fault of the folder only costs computing it again.
func (d *derived) put(name string, raw []byte) error {
	if !derivedName.MatchString(name) {
		return fmt.Errorf("keeping a derived picture: bad name")
	}
	tmp, err := os.CreateTemp(d.dir, "new-*")
	if err != nil {
		return fmt.Errorf("keeping a derived picture: %w", err)
	}
	_, err = tmp.Write(raw)
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), filepath.Join(d.dir, name))
	}
	if err != nil {
		os.Remove(tmp.Name())
		return fmt.Errorf("keeping a derived picture: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.used += int64(len(raw)); d.used > d.limit {
		return d.shrink()
	}
	return nil
}

type derivedFile struct {
	name string
	size int64
	at   time.Time
}

func (d *derived) list() ([]derivedFile, error) {
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return nil, fmt.Errorf("listing derived pictures: %w", err)
	}
	var out []derivedFile
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("listing derived pictures: %w", err)
		}
		out = append(out, derivedFile{e.Name(), info.Size(), info.ModTime()})
	}
	return out, nil
}

// shrink drops the oldest until four fifths of the limit are left.
func (d *derived) shrink() error {
	files, err := d.list()
	if err != nil {
		return err
	}
	sort.Slice(files, func(i, j int) bool { return files[i].at.Before(files[j].at) })
	d.used = 0
	for _, f := range files {
		d.used += f.size
	}
	for _, f := range files {
		if d.used <= d.limit/5*4 {
			break
		}
		if os.Remove(filepath.Join(d.dir, f.name)) == nil {
			d.used -= f.size
		}
	}
	return nil
}
