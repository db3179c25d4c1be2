package web

import (
	"sync"

	"sira/dicom"
)

// headers remembers the last few parsed objects, so that each frame of a cine
// doesn't parse the whole again.
type headers struct {
	mu    sync.Mutex
	order []string
	files map[string]*dicom.File
}

// keptHeaders is few because a header may be large.
const keptHeaders = 12

func newHeaders() *headers { return &headers{files: map[string]*dicom.File{}} }

func (c *headers) get(hash string) (*dicom.File, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, ok := c.files[hash]
	return f, ok
}

// put remembers objects of several frames; a single slice is read once.
func (c *headers) put(hash string, f *dicom.File) {
	if f.Pixel == nil || len(f.Pixel.Fragments) < 2 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.files[hash]; ok {
		return
	}
	if len(c.order) >= keptHeaders {
		delete(c.files, c.order[0])
		c.order = c.order[1:]
	}
	c.files[hash] = f
	c.order = append(c.order, hash)
}
