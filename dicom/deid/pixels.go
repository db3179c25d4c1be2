package deid

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"

	"sira/dicom"
	"sira/dicom/pixel"
	"sira/dicom/write"
)

const (
	jpegBaseline = "1.2.840.10008.1.2.4.50"
	rleLossless  = "1.2.840.10008.1.2.5"
)

// pixels puts masked pixel data into o, made frame by frame when o is written.
// Without masks, and without overlays hidden in unused bits, the pixel data
// stays as it is, but for the comments that compressed frames may hold.
func (p *Profile) pixels(ctx context.Context, f *dicom.File, r io.ReaderAt, o *write.Object, masks []Mask) error {
	hidden := f.Pixel != nil && hiddenOverlay(f)
	if f.Pixel == nil || len(masks) == 0 && !hidden {
		return withoutComments(f, r, o)
	}
	src, err := pixel.Open(f, r)
	if err == nil && !src.Decodable() {
		err = pixel.ErrUnsupportedSyntax
	}
	if err != nil {
		return errors.Join(ErrPixels, err)
	}
	m := &masker{src: src, masks: masks, hidden: hidden, img: src.Info(), quality: p.opts.JPEGQuality}
	if _, err := m.frame(ctx, 1); err != nil { // fails now rather than half-way through
		return errors.Join(ErrPixels, err)
	}
	if f.TransferSyntax == jpegBaseline && p.opts.JPEGQuality > 0 && m.img.Palette == nil {
		if err := m.jpeg(ctx, o); err != nil {
			return errors.Join(ErrPixels, err)
		}
	} else {
		m.native(o, f.TransferSyntax)
	}
	if m.img.Frames > 1 || o.Set.Has(0x00280008) {
		o.Set.Integer(0x00280008, m.img.Frames)
	}
	o.Set.Remove(0x7FE00001, 0x7FE00002)
	return nil
}

// hiddenOverlay reports overlays kept in bits of the pixels that hold no
// sample (PS3.3 section C.9.2, retired): removing their description does not
// remove them.
func hiddenOverlay(f *dicom.File) bool {
	for group := uint32(0x6000); group <= 0x601E; group += 2 {
		at, _ := f.Int(dicom.Tag(group<<16 | 0x0102))
		if at > 0 && !f.Has(dicom.Tag(group<<16|0x3000)) {
			return true
		}
	}
	return false
}

// masker makes the frames of an object with rectangles blanked.
type masker struct {
	src     *pixel.Source
	masks   []Mask
	hidden  bool
	img     pixel.Image
	rgb     bool // frames are RGB, whatever was stored
	quality int
}

// native lets o hold the frames uncompressed, interleaved by pixel.
func (m *masker) native(o *write.Object, was string) {
	s, img := o.Set, &m.img
	encapsulated := s.Get(tagPixelData).Body != nil && s.Get(tagPixelData).Body.Encapsulated()
	if encapsulated || o.Syntax != write.ImplicitLE && o.Syntax != write.DeflatedLE {
		o.Syntax = write.ExplicitLE
	}
	m.rgb = img.Samples == 3 && encapsulated && was != rleLossless
	switch {
	case m.rgb:
		s.Text(0x00280004, "CS", "RGB")
		m.eight(s)
	case img.Samples == 3 && (img.Photometric == "YBR_FULL_422" || img.Photometric == "YBR_PARTIAL_422"):
		s.Text(0x00280004, "CS", "YBR_FULL") // chroma is repeated for each pixel
	}
	if img.Samples == 3 {
		s.US(0x00280006, 0)
	}
	width := max(img.BitsAllocated, 8)
	if m.rgb {
		width = 8
	}
	if img.BitsAllocated == 1 { // bits become bytes
		s.US(0x00280100, 8)
	}
	size := int64(img.Rows) * int64(img.Cols) * int64(img.Samples) * int64(width/8)
	s.Put(write.Element{Tag: tagPixelData, VR: "OW", Body: write.Native(img.Frames, size, func(ctx context.Context, n int) ([]byte, error) {
		p, err := m.frame(ctx, n)
		if err != nil {
			return nil, err
		}
		return p.Data, nil
	})})
	if width == 8 {
		s.Get(tagPixelData).VR = "OB"
	}
}

// eight says that samples are of 8 bits.
func (m *masker) eight(s *write.Set) {
	s.US(0x00280100, 8)
	s.US(0x00280101, 8)
	s.US(0x00280102, 7)
	s.US(0x00280103, 0)
}

// frame decodes frame n (from 1) and blanks what is masked.
func (m *masker) frame(ctx context.Context, n int) (*pixel.Pixels, error) {
	get := m.src.Stored
	if m.rgb {
		get = m.src.Frame
	}
	p, err := get(ctx, n)
	if err != nil {
		return nil, fmt.Errorf("masking frame %d: %w", n, err)
	}
	out := *p
	out.Data = append([]byte(nil), p.Data...)
	if m.hidden {
		clearUnused(&out, m.img)
	}
	ink := m.ink(&out)
	for _, r := range forFrame(m.masks, n, m.img) {
		blank(&out, r, ink)
	}
	return &out, nil
}

// blank fills r with the bytes of one pixel.
func blank(p *pixel.Pixels, r image.Rectangle, ink []byte) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := p.Data[(y*p.Cols+r.Min.X)*len(ink) : (y*p.Cols+r.Max.X)*len(ink)]
		for i := 0; i < len(row); i += len(ink) {
			copy(row[i:], ink)
		}
	}
}

// ink is one pixel of black, as stored.
func (m *masker) ink(p *pixel.Pixels) []byte {
	img := &m.img
	if p.Samples == 3 {
		out := make([]byte, 3*p.Bits/8)
		if !m.rgb && len(img.Photometric) > 3 && img.Photometric[:3] == "YBR" {
			for _, k := range []int{1, 2} { // chroma without colour
				out[(k+1)*p.Bits/8-1] = 0x80
			}
		}
		return out
	}
	bits := min(img.BitsStored, p.Bits)
	value := int64(0)
	switch {
	case img.Palette != nil:
		value = int64(img.Palette.First + darkest(img.Palette))
	case img.Signed && img.Invert:
		value = int64(1)<<(bits-1) - 1
	case img.Signed:
		value = -int64(1) << (bits - 1)
	case img.Invert:
		value = int64(1)<<bits - 1
	}
	value &= int64(1)<<bits - 1
	value <<= max(img.HighBit+1-bits, 0)
	return binary.LittleEndian.AppendUint64(nil, uint64(value))[:p.Bits/8]
}

func darkest(p *pixel.Palette) int {
	best, at := 1<<30, 0
	for i := range min(len(p.Red), len(p.Green), len(p.Blue)) {
		if sum := int(p.Red[i]) + int(p.Green[i]) + int(p.Blue[i]); sum < best {
			best, at = sum, i
		}
	}
	return at
}

// clearUnused zeroes the bits around the stored ones.
func clearUnused(p *pixel.Pixels, img pixel.Image) {
	low := max(img.HighBit+1-img.BitsStored, 0)
	mask := (uint64(1)<<img.BitsStored - 1) << low
	width := p.Bits / 8
	for i := 0; i+width <= len(p.Data); i += width {
		for k := range width {
			p.Data[i+k] &= byte(mask >> (8 * k))
		}
	}
}
