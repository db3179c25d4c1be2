package dicomweb

import (
	"container/list"
	"context"
	"fmt"
	"strings"
	"sync"

	"sira/dicom"
	"sira/dicom/derive"
	"sira/storage"
)

// Of headers kept, so that the frames of one object cost one parse.
const (
	filesBytes = 24 << 20
	fileBytes  = 4 << 20
)

// files opens objects and remembers their headers, the latest used.
type files struct {
	blobs Store
	mu    sync.Mutex
	used  int64
	order *list.List // of *kept, the latest used first
	known map[string]*list.Element
}

type kept struct {
	hash string
	file *dicom.File
	cost int64
}

func newFiles(blobs Store) *files {
	return &files{blobs: blobs, order: list.New(), known: map[string]*list.Element{}}
}

// object is one DICOM object open for reading.
type object struct {
	*dicom.File
	blob storage.Reader

	copied []derive.Frame // of the derived copy whose bytes copy holds
	copy   storage.Reader
}

func (o object) close() { _ = o.blob.Close() }

// video reports whether the pixel data is one stream of many frames.
func (o object) video() bool {
	return o.Pixel != nil && o.Pixel.Native == nil && strings.HasPrefix(storedType(o.TransferSyntax), "video/")
}

func (c *files) open(ctx context.Context, hash string) (object, error) {
	h, err := storage.ParseHash(hash)
	if err != nil {
		return object{}, fmt.Errorf("opening a DICOM object: %w", err)
	}
	blob, err := c.blobs.Open(ctx, h)
	if err != nil {
		return object{}, fmt.Errorf("opening a DICOM object: %w", err)
	}
	if f := c.get(hash); f != nil {
		return object{File: f, blob: blob}, nil
	}
	f, err := dicom.Read(ctx, blob, blob.Size(), dicom.Limits{ModelBytes: -1})
	if err != nil {
		_ = blob.Close()
		return object{}, fmt.Errorf("reading a stored DICOM object: %w", err)
	}
	c.put(hash, f)
	return object{File: f, blob: blob}, nil
}

func (c *files) get(hash string) *dicom.File {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.known[hash]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*kept).file
}

func (c *files) put(hash string, f *dicom.File) {
	cost := headerCost(f)
	if cost > fileBytes {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known[hash] != nil {
		return
	}
	c.known[hash] = c.order.PushFront(&kept{hash, f, cost})
	for c.used += cost; c.used > filesBytes; {
		last := c.order.Back()
		old := c.order.Remove(last).(*kept)
		delete(c.known, old.hash)
		c.used -= old.cost
	}
}

// headerCost is about what a header takes in memory.
func headerCost(f *dicom.File) int64 {
	cost := setCost(f.DataSet) + 1024
	if f.Pixel != nil {
		cost += int64(16*len(f.Pixel.Fragments) + 4*len(f.Pixel.BasicOffsets) + 16*len(f.Pixel.ExtendedOffsets))
	}
	return cost
}

func setCost(d *dicom.DataSet) int64 {
	cost := int64(64)
	for _, e := range d.Elements() {
		cost += 160 + int64(len(e.Bytes())) + int64(16*len(e.Fragments))
		for _, item := range e.Items {
			cost += setCost(item)
		}
	}
	return cost
}

// Header reads the header of a stored object: what index.Backfill wants.
func (s *Service) Header(ctx context.Context, hash string) (*dicom.File, error) {
	f, err := s.files.open(ctx, hash)
	if err != nil {
		return nil, err
	}
	f.close()
	return f.File, nil
}
