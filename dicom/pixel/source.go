package pixel

import (
	"context"
	"io"

	"sira/dicom"
)

// Source gives the frames of one object. It is safe for concurrent use when
// its reader is.
type Source struct {
	info Image
}

// Open checks the description of the pixels of f, whose bytes r holds, and
// locates the frames. It reads no pixel data beyond what finding the frames
// needs. Errors: ErrNoPixels, ErrUnsupportedLayout, ErrTruncated.
func Open(f *dicom.File, r io.ReaderAt) (*Source, error) { return nil, ErrNoPixels }

// Info describes the object: what its frames share, and otherwise the first.
func (s *Source) Info() Image { return s.info }

// FrameInfo describes frame n (from 1), which in enhanced multi-frame objects
// may have its own window, rescale, spacing and position.
func (s *Source) FrameInfo(n int) (Image, error) { return s.info, nil }

// Decodable reports whether Frame can decode the object's transfer syntax.
func (s *Source) Decodable() bool { return false }

// Encoded returns frame n (from 1) as stored when it is a JPEG that any
// browser shows with the right colours; ok is false when it is not.
func (s *Source) Encoded(ctx context.Context, n int) (data []byte, mediaType string, ok bool, err error) {
	return nil, "", false, nil
}

// Frame decodes frame n (from 1): grey as the exact stored values, sign
// extended and freed of bits that are no part of them; colour as RGB8.
func (s *Source) Frame(ctx context.Context, n int) (*Pixels, error) { return nil, ErrNoPixels }

// Stored decodes frame n (from 1) and leaves all bits, palette indices and
// colour space as they are, only interleaved by pixel and little endian.
func (s *Source) Stored(ctx context.Context, n int) (*Pixels, error) { return nil, ErrNoPixels }

// DefaultWindow is the first window of the object or, when it has none, one
// that spans the 1st to the 99th percentile of its middle frame.
func (s *Source) DefaultWindow(ctx context.Context) (Window, error) { return Window{}, ErrNoPixels }
