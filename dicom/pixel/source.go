package pixel

import (
	"context"
	"errors"
	"fmt"
	"io"

	"sira/dicom"
)

// Source gives the frames of one object. It is safe for concurrent use when
// its reader is.
type Source struct {
	info    Image // of the object, without functional groups
	groups  groups
	planes  []plane // overlays
	syntax  string
	vr      string // of native pixel data
	big     bool
	data    io.ReaderAt
	pixel   *dicom.PixelData
	spans   []span
	spanErr error
	lent    []byte // see Lend
}

// Open checks the description of the pixels of f, whose bytes r holds, and
// locates the frames. It reads no pixel data beyond what finding the frames
// needs. Objects in syntaxes without a decoder open too, see Decodable.
// Errors: ErrNoPixels, ErrUnsupportedLayout, ErrTooLarge, ErrTruncated.
func Open(f *dicom.File, r io.ReaderAt) (*Source, error) {
	if f == nil || f.Pixel == nil {
		return nil, ErrNoPixels
	}
	if f.Pixel.Tag != tagPixelData {
		return nil, fmt.Errorf("float pixel data: %w", ErrUnsupportedLayout)
	}
	img, err := describe(f)
	if err != nil {
		return nil, fmt.Errorf("opening pixel data: %w", err)
	}
	s := &Source{
		info: img, groups: readGroups(f), planes: readPlanes(f, &img), syntax: f.TransferSyntax,
		vr: f.Pixel.VR, big: f.BigEndian, data: f.Data(r), pixel: f.Pixel,
	}
	if f.Pixel.Native != nil {
		if err := s.countNative(); err != nil {
			return nil, fmt.Errorf("opening pixel data: %w", err)
		}
		return s, nil
	}
	s.spans, s.spanErr = locate(f.Pixel, img.Frames, s.data, streamStart(s.syntax))
	if s.Decodable() {
		if s.spanErr != nil {
			return nil, fmt.Errorf("locating frames: %w", s.spanErr)
		}
		s.info.Frames = len(s.spans)
	}
	return s, nil
}

// streamStart is what the first fragment of a frame begins with, nil when the
// syntax has no such mark.
func streamStart(syntax string) []byte {
	switch syntax {
	case jpeg2000Lossless, jpeg2000Lossy, jpeg2000MultiLossless, jpeg2000MultiLossy,
		htj2kLossless, htj2kLosslessRPCL, htj2kLossy:
		return []byte{0xFF, 0x4F, 0xFF, 0x51}
	case jpegBaseline, jpegExtended, jpegSpectral, jpegProgressive, jpegLossless, jpegLosslessSV1,
		jpegLSLossless, jpegLSNear:
		return []byte{0xFF, 0xD8, 0xFF}
	}
	return nil
}

// Info describes the object: what its frames share, and otherwise the first.
func (s *Source) Info() Image { return s.groups.apply(s.info, 1) }

// FrameInfo describes frame n (from 1), which in enhanced multi-frame objects
// may have its own window, rescale, spacing and position.
func (s *Source) FrameInfo(n int) (Image, error) {
	if n < 1 || n > s.info.Frames {
		return Image{}, fmt.Errorf("frame %d of %d: %w", n, s.info.Frames, ErrNoFrame)
	}
	return s.groups.apply(s.info, n), nil
}

// Decodable reports whether Frame can decode the object's transfer syntax.
func (s *Source) Decodable() bool {
	if s.pixel.Native != nil {
		return true
	}
	d := decoderFor(s.syntax)
	if chooser, ok := d.(Chooser); ok {
		return chooser.Handles(s.info)
	}
	return d != nil
}

// Stored decodes frame n (from 1) and leaves all bits, palette indices and
// colour space as they are, only interleaved by pixel, little endian, 1-bit
// samples as bytes, subsampled chroma repeated or interpolated.
func (s *Source) Stored(ctx context.Context, n int) (*Pixels, error) {
	if n < 1 || n > s.info.Frames {
		return nil, fmt.Errorf("frame %d of %d: %w", n, s.info.Frames, ErrNoFrame)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p, err := s.decode(ctx, n)
	if err != nil {
		return nil, fmt.Errorf("decoding frame %d: %w", n, err)
	}
	return p, nil
}

func (s *Source) decode(ctx context.Context, n int) (*Pixels, error) {
	if s.pixel.Native != nil {
		return s.native(n)
	}
	d := decoderFor(s.syntax)
	if d == nil {
		return nil, fmt.Errorf("%s: %w", s.syntax, ErrUnsupportedSyntax)
	}
	encoded, err := s.fragments(n)
	if err != nil {
		return nil, err
	}
	return guard(ctx, d, encoded, s.info)
}

// guard runs a decoder, turns a panic into an error and checks the result.
func guard(ctx context.Context, d Decoder, encoded []byte, img Image) (p *Pixels, err error) {
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, fmt.Errorf("decoder failed: %w", ErrCorrupt)
		}
	}()
	p, err = d.Decode(ctx, encoded, img)
	if err != nil {
		return nil, err
	}
	if p.Rows != img.Rows || p.Cols != img.Cols || p.Samples != img.Samples ||
		len(p.Data) != p.Rows*p.Cols*p.Samples*p.Bits/8 {
		return nil, fmt.Errorf("decoded %d×%d×%d, %d×%d×%d announced: %w", p.Rows, p.Cols, p.Samples, img.Rows, img.Cols, img.Samples, ErrCorrupt)
	}
	return p, nil
}

// fragments reads the fragments of frame n, joined.
func (s *Source) fragments(n int) ([]byte, error) {
	if s.spanErr != nil {
		return nil, s.spanErr
	}
	if n > len(s.spans) {
		return nil, fmt.Errorf("%d of %d frames present: %w", len(s.spans), s.info.Frames, ErrTruncated)
	}
	at, total := s.spans[n-1], int64(0)
	for _, f := range s.pixel.Fragments[at.from:at.to] {
		if total += f.Length; total > MaxFrameBytes {
			return nil, fmt.Errorf("encoded frame: %w", ErrTooLarge)
		}
	}
	// The reader of the file has seen that these bytes exist.
	out := make([]byte, 0, total)
	for _, f := range s.pixel.Fragments[at.from:at.to] {
		part := out[len(out) : len(out)+int(f.Length)]
		if err := readAt(s.data, part, f.Offset); err != nil {
			return nil, err
		}
		out = out[:len(out)+len(part)]
	}
	if at.length > 0 && at.length < total {
		out = out[:at.length]
	}
	return out, nil
}

// readAt fills p, or says ErrTruncated.
func readAt(r io.ReaderAt, p []byte, offset int64) error {
	n, err := r.ReadAt(p, offset)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return fmt.Errorf("%d bytes at %d, %d read: %w", len(p), offset, n, ErrTruncated)
	}
	return fmt.Errorf("reading pixel data: %w", err)
}
