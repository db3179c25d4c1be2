// Package fileset writes a case as one ZIP stream that any DICOM viewer, and
// any person without one, can read: a file-set with its DICOMDIR (PS3.10
// section 8, PS3.3 annex F), folders for what is not DICOM, and an index as
// text and as a page. Objects stream through, one at a time; only what the
// directory says of each stays in memory. It must not know cases or storage.
package fileset

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"sira/dicom"
	"sira/dicom/write"
)

// ErrTooMany is returned for more objects than eight characters can number.
var ErrTooMany = errors.New("too many files for one file-set")

// ErrLeftOut, wrapped by Open, leaves a file out of the archive, which goes on.
var ErrLeftOut = errors.New("file is left out")

const maxFiles = 999_999

// Content is what one file holds.
type Content interface {
	io.ReaderAt
	io.Closer
}

// File is one file of the case. Name is what its owner calls it; for objects
// that are DICOM it is not used. Open is called once, when its turn comes; a
// Size of 0 is not known before, and content then has a method Size() int64.
type File struct {
	Name string
	Size int64
	Open func(ctx context.Context) (Content, error)
}

// Case is what is to be written. Text is the user's language and goes into the
// index as it is.
type Case struct {
	Title   string    // heading of the index, "Dossier ML-2026-0042"
	Notes   []string  // paragraphs under it: question, opinion
	Made    time.Time // of the files in the archive
	Objects []File    // DICOM objects
	Others  []File    // photographs, PDF, …
}

// Result tells what went in. Objects that are no readable DICOM are kept among
// the other files.
type Result struct {
	Objects, Others int
	Unlisted        int // DICOM objects of kinds that a DICOMDIR cannot name
	LeftOut         int // see ErrLeftOut
	Bytes           int64
}

// Write writes the archive. Objects keep their bytes, except those without
// Part 10 header, which get one. Errors: ErrTooMany, those of Open, w and ctx.
func Write(ctx context.Context, w io.Writer, c Case) (Result, error) {
	if len(c.Objects) > maxFiles || len(c.Others) > maxFiles {
		return Result{}, fmt.Errorf("writing file-set: %w", ErrTooMany)
	}
	count := &counter{w: w}
	a := &archive{z: zip.NewWriter(count), made: c.Made, tree: newTree(), names: map[string]bool{}}
	for i, f := range c.Objects {
		if err := a.object(ctx, f, i+1); err != nil {
			return a.result, fmt.Errorf("writing object %d of a file-set: %w", i+1, err)
		}
	}
	for i, f := range c.Others {
		if err := a.other(ctx, f); err != nil {
			return a.result, fmt.Errorf("writing file %d of a file-set: %w", i+1, err)
		}
	}
	if a.result.Objects > 0 {
		if err := a.directory(ctx); err != nil {
			return a.result, fmt.Errorf("writing DICOMDIR: %w", err)
		}
	}
	if err := a.index(c); err != nil {
		return a.result, fmt.Errorf("writing index: %w", err)
	}
	if err := a.z.Close(); err != nil {
		return a.result, fmt.Errorf("writing file-set: %w", err)
	}
	a.result.Bytes = count.n
	return a.result, nil
}

// archive is a ZIP file being written.
type archive struct {
	z      *zip.Writer
	made   time.Time
	tree   *tree
	names  map[string]bool // folder and upper-case name of other files
	others []listed
	result Result
}

type listed struct {
	path, name string
	size       int64
}

// entry starts a file; what is compressed already is stored.
func (a *archive) entry(name string, compress bool) (io.Writer, error) {
	h := &zip.FileHeader{Name: name, Method: zip.Store, Modified: a.made}
	if compress {
		h.Method = zip.Deflate
	}
	return a.z.CreateHeader(h)
}

// object adds one DICOM object.
func (a *archive) object(ctx context.Context, f File, n int) error {
	content, err := a.open(ctx, &f)
	if content == nil {
		return err
	}
	defer content.Close()
	read, err := dicom.Read(ctx, content, f.Size, dicom.Limits{ModelBytes: -1})
	var refused *dicom.Error
	if errors.As(err, &refused) {
		if f.Name == "" {
			f.Name = fmt.Sprintf("objet-%d.dcm", n)
		}
		return a.copyOther(ctx, f, content)
	}
	if err != nil {
		return err
	}
	path, unlisted, err := a.tree.add(read)
	if err != nil { // no study, no series, a UID that is none: a file like others
		if f.Name == "" {
			f.Name = fmt.Sprintf("objet-%d.dcm", n)
		}
		return a.copyOther(ctx, f, content)
	}
	compress := read.Pixel == nil || read.Pixel.Native != nil && !read.Deflated
	out, err := a.entry(strings.Join(path, "/"), compress)
	if err != nil {
		return err
	}
	a.result.Objects++
	if unlisted {
		a.result.Unlisted++
	}
	if read.Meta.Has(0x00020010) && part10(content) {
		return copyAll(ctx, out, content, f.Size)
	}
	return write.Load(read, content, write.Keep).Write(ctx, out)
}

// open opens f when its turn comes; neither content nor error when it is left
// out.
func (a *archive) open(ctx context.Context, f *File) (Content, error) {
	content, err := f.Open(ctx)
	if errors.Is(err, ErrLeftOut) {
		a.result.LeftOut++
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if s, ok := content.(interface{ Size() int64 }); ok && f.Size == 0 {
		f.Size = s.Size()
	}
	return content, nil
}

func part10(r io.ReaderAt) bool {
	head := make([]byte, 132)
	n, _ := r.ReadAt(head, 0)
	return n == 132 && string(head[128:]) == "DICM"
}

func copyAll(ctx context.Context, w io.Writer, r io.ReaderAt, size int64) error {
	buf := make([]byte, 64<<10)
	for at := int64(0); at < size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.ReadAt(buf[:min(int64(len(buf)), size-at)], at)
		if n == 0 {
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		if _, err := w.Write(buf[:n]); err != nil {
			return err
		}
		at += int64(n)
	}
	return nil
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
