package write

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"sira/dicom"
)

// Unknown is the length of a Body that only writing it will tell.
const Unknown = int64(-1)

// Body is a value that is written as it comes. WriteBody may be called more
// than once and must write the same bytes each time.
type Body interface {
	// Length is the number of bytes WriteBody writes, even, or Unknown.
	Length() int64
	// Encapsulated reports whether the bytes are items and a delimiter (PS3.5
	// A.4) rather than the value itself. Only such a body may be Unknown long.
	Encapsulated() bool
	WriteBody(ctx context.Context, w io.Writer) error
}

// Section is a Body of n bytes of r from off on, padded to even length.
func Section(r io.ReaderAt, off, n int64) Body { return section{r, off, n, 1} }

type section struct {
	r      io.ReaderAt
	off, n int64
	swap   int // size of words whose bytes are to be reversed, 1 for none
}

func (s section) Length() int64      { return s.n + s.n%2 }
func (s section) Encapsulated() bool { return false }

func (s section) WriteBody(ctx context.Context, w io.Writer) error {
	buf := make([]byte, min(int64(64<<10), max(s.n, 1)))
	for done := int64(0); done < s.n; {
		if err := ctx.Err(); err != nil {
			return err
		}
		part := buf[:min(int64(len(buf)), s.n-done)]
		if n, err := s.r.ReadAt(part, s.off+done); n < len(part) {
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("copying bulk data: %w", err)
		}
		reverse(part, s.swap)
		if _, err := w.Write(part); err != nil {
			return err
		}
		done += int64(len(part))
	}
	if s.n%2 == 1 {
		_, err := w.Write([]byte{0})
		return err
	}
	return nil
}

// reverse turns each word of size bytes round. 64 KiB hold whole words.
func reverse(b []byte, size int) {
	for ; size > 1 && len(b) >= size; b = b[size:] {
		for i, j := 0, size-1; i < j; i, j = i+1, j-1 {
			b[i], b[j] = b[j], b[i]
		}
	}
}

// Copied is a Body of the fragments of an encapsulated value, the first being
// the basic offset table, in data. Fragments of odd length, which exist, are
// padded and the table moves with them.
func Copied(data io.ReaderAt, fragments []dicom.Section) Body {
	return copied{data, fragments}
}

type copied struct {
	data      io.ReaderAt
	fragments []dicom.Section
}

func (c copied) Encapsulated() bool { return true }

func (c copied) Length() int64 {
	n := int64(8)
	for _, f := range c.fragments {
		n += 8 + f.Length + f.Length%2
	}
	return n
}

func (c copied) odd() bool {
	for _, f := range c.fragments[1:] {
		if f.Length%2 == 1 {
			return true
		}
	}
	return false
}

func (c copied) WriteBody(ctx context.Context, w io.Writer) error {
	table := c.fragments[0]
	for i, f := range c.fragments {
		if err := writeItem(w, f.Length+f.Length%2); err != nil {
			return err
		}
		body := section{c.data, f.Offset, f.Length, 1}
		if i == 0 && table.Length > 0 && c.odd() {
			moved, err := c.movedTable()
			if err == nil {
				_, err = w.Write(moved)
			}
			if err != nil {
				return err
			}
			continue
		}
		if err := body.WriteBody(ctx, w); err != nil {
			return err
		}
	}
	return writeTag(w, tagSequenceEnd, 0)
}

// movedTable is the offset table after padding. An offset that points to no
// fragment stays, as wrong as it was.
func (c copied) movedTable() ([]byte, error) {
	table := c.fragments[0]
	out := make([]byte, table.Length+table.Length%2)
	if n, err := c.data.ReadAt(out[:table.Length], table.Offset); n < int(table.Length) {
		return nil, fmt.Errorf("copying offset table: %w", err)
	}
	to := map[uint32]uint32{}
	var from, at uint32
	for _, f := range c.fragments[1:] {
		to[from] = at
		from += uint32(8 + f.Length)
		at += uint32(8 + f.Length + f.Length%2)
	}
	for b := out; len(b) >= 4; b = b[4:] {
		if v, ok := to[binary.LittleEndian.Uint32(b)]; ok {
			binary.LittleEndian.PutUint32(b, v)
		}
	}
	return out, nil
}

// Native is a Body of n frames of the given size, made one at a time; frames
// count from 1. The whole is padded to even length.
func Native(n int, size int64, frame func(ctx context.Context, n int) ([]byte, error)) Body {
	return frames{n, size, frame}
}

// Encapsulated is a Body of n frames, one fragment each, behind an empty
// offset table (PS3.5 A.4), made one at a time; frames count from 1.
func Encapsulated(n int, frame func(ctx context.Context, n int) ([]byte, error)) Body {
	return frames{n, Unknown, frame}
}

type frames struct {
	n     int
	size  int64
	frame func(ctx context.Context, n int) ([]byte, error)
}

func (f frames) Encapsulated() bool { return f.size == Unknown }

func (f frames) Length() int64 {
	if f.size == Unknown {
		return Unknown
	}
	total := int64(f.n) * f.size
	return total + total%2
}

func (f frames) WriteBody(ctx context.Context, w io.Writer) error {
	if f.Encapsulated() {
		if err := writeItem(w, 0); err != nil {
			return err
		}
	}
	for n := 1; n <= f.n; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, err := f.frame(ctx, n)
		if err != nil {
			return err
		}
		if f.Encapsulated() {
			err = writeFragment(w, b)
		} else {
			if int64(len(b)) != f.size {
				return fmt.Errorf("frame %d of %d bytes, not %d: %w", n, len(b), f.size, ErrBody)
			}
			_, err = w.Write(b)
		}
		if err != nil {
			return err
		}
	}
	if f.Encapsulated() {
		return writeTag(w, tagSequenceEnd, 0)
	}
	if int64(f.n)*f.size%2 == 1 {
		_, err := w.Write([]byte{0})
		return err
	}
	return nil
}

func writeFragment(w io.Writer, b []byte) error {
	if err := writeItem(w, int64(len(b)+len(b)%2)); err != nil {
		return err
	}
	if _, err := w.Write(b); err != nil {
		return err
	}
	if len(b)%2 == 1 {
		_, err := w.Write([]byte{0})
		return err
	}
	return nil
}

func writeItem(w io.Writer, length int64) error {
	if length >= undefined {
		return fmt.Errorf("fragment of %d bytes: %w", length, ErrTooLong)
	}
	return writeTag(w, tagItem, uint32(length))
}

// writeTag writes a tag without VR, as items and delimiters are (PS3.5 7.5).
func writeTag(w io.Writer, t dicom.Tag, length uint32) error {
	_, err := w.Write(appendTag(nil, t, length))
	return err
}

func appendTag(b []byte, t dicom.Tag, length uint32) []byte {
	b = binary.LittleEndian.AppendUint16(b, uint16(t>>16))
	b = binary.LittleEndian.AppendUint16(b, uint16(t))
	return binary.LittleEndian.AppendUint32(b, length)
}
