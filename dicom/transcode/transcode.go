// Package transcode brings DICOM objects from the transfer syntax they are
// stored in to another one: the uncompressed ones, RLE, JPEG lossless, JPEG-LS
// lossless, JPEG 2000 and HTJ2K lossless. No target loses anything, so the samples after
// are the samples before, which PixelSum proves. Frames pass one at a time. It
// owns what changes with the syntax (PS3.5 sections 8.2 and A.4, PS3.3
// C.7.6.1.1.5 and C.7.6.3) and must not know who asked nor where bytes are kept.
package transcode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"sira/dicom"
	"sira/dicom/jpeg2000"
	"sira/dicom/pixel"
	"sira/dicom/write"
)

// The transfer syntaxes that Transcode writes (PS3.6 Table A-1).
const (
	ImplicitLE       = write.ImplicitLE
	ExplicitLE       = write.ExplicitLE
	DeflatedLE       = write.DeflatedLE
	RLE              = "1.2.840.10008.1.2.5"
	JPEGLossless     = "1.2.840.10008.1.2.4.57" // written with predictor 1, as the next
	JPEGLosslessSV1  = "1.2.840.10008.1.2.4.70"
	JPEGLSLossless   = "1.2.840.10008.1.2.4.80"
	JPEG2000Lossless = "1.2.840.10008.1.2.4.90"
	HTJ2KLossless    = "1.2.840.10008.1.2.4.201" // written in RPCL order, as the next
	HTJ2KRPCL        = "1.2.840.10008.1.2.4.202"
)

// What callers may want to tell apart. All are wrapped; so are the errors of
// package pixel, when the source cannot be decoded.
var (
	ErrSyntax = errors.New("transfer syntax cannot be written")
	ErrImage  = errors.New("image does not fit the transfer syntax")
)

// Targets are the transfer syntaxes that Transcode writes.
func Targets() []string {
	return []string{ImplicitLE, ExplicitLE, DeflatedLE, RLE, JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, HTJ2KLossless, HTJ2KRPCL}
}

func native(syntax string) bool {
	return syntax == ImplicitLE || syntax == ExplicitLE || syntax == DeflatedLE
}

// Transcode writes f, whose bytes r holds, to w in transfer syntax to. The SOP
// instance stays the same one, for nothing of it is lost. What cannot be done
// is refused before the first byte is written; compressed frames are collected
// in a temporary file for that, and for the offset table. An object that is in
// syntax to already is copied, whatever the syntax. Errors: ErrSyntax, ErrImage,
// those of packages pixel and write, of ctx, r and w.
func Transcode(ctx context.Context, f *dicom.File, r io.ReaderAt, to string, w io.Writer) error {
	o := write.Load(f, r, write.Keep)
	if to == f.TransferSyntax {
		return o.Write(ctx, w)
	}
	encode, ok := encoders[to]
	if !ok && !native(to) {
		return fmt.Errorf("to %.64q: %w", to, ErrSyntax)
	}
	uncompressed := f.Pixel == nil || f.Pixel.Native != nil
	if err := nested(o.Set); err != nil {
		return err
	}
	o.Syntax = to
	if native(to) && uncompressed {
		return o.Write(ctx, w)
	}
	j, err := newJob(ctx, f, r, o.Set, to)
	if err != nil {
		return err
	}
	if native(to) {
		if err := j.native(ctx); err != nil {
			return err
		}
		return o.Write(ctx, w)
	}
	s := &spool{}
	defer s.close()
	if err := j.encapsulated(ctx, s, encode); err != nil {
		return err
	}
	return o.Write(ctx, w)
}

func open(f *dicom.File, r io.ReaderAt) (*pixel.Source, error) {
	src, err := pixel.Open(f, r)
	if err == nil && !src.Decodable() {
		err = fmt.Errorf("%.64q: %w", f.TransferSyntax, pixel.ErrUnsupportedSyntax)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the image: %w", err)
	}
	return src, nil
}

// job is one transcoding of an image.
type job struct {
	src *pixel.Source
	img pixel.Image
	set *write.Set
	to  string

	levels []jpeg2000.Level                          // of the frame encoded last, JPEG 2000 and HTJ2K only
	before func(n int) error                         // may be nil, as the next
	after  func(p *pixel.Pixels, l []jpeg2000.Level) // with what was encoded
}

// native puts decoded frames into the set, made as they are written.
func (j *job) native(ctx context.Context) error {
	img := &j.img
	size := int64(img.Rows) * int64(img.Cols) * int64(img.Samples) * int64(max(img.BitsAllocated, 8)/8)
	vr := "OW"
	if img.BitsAllocated <= 8 && j.to != ImplicitLE {
		vr = "OB"
	}
	if img.BitsAllocated == 1 {
		if int64(img.Rows)*int64(img.Cols)%8 != 0 && img.Frames > 1 {
			return fmt.Errorf("frames of single bits that do not end at a byte: %w", ErrImage)
		}
		size = (size + 7) / 8
	}
	if size > (math.MaxUint32-1)/int64(img.Frames) {
		return fmt.Errorf("%d frames of %d bytes: %w", img.Frames, size, ErrImage)
	}
	frame := func(ctx context.Context, n int) ([]byte, error) {
		p, err := j.src.Stored(ctx, n)
		if err != nil {
			return nil, err
		}
		if img.BitsAllocated == 1 {
			return packBits(p.Data), nil
		}
		return p.Data, nil
	}
	// Most of what can go wrong does so in the first frame.
	if _, err := frame(ctx, 1); err != nil {
		return err
	}
	j.set.Put(write.Element{Tag: tagPixelData, VR: vr, Body: write.Native(img.Frames, size, frame)})
	return nil
}

// packBits makes bits of samples 0 and 1, the least significant first (PS3.5
// section 8.1.1).
func packBits(samples []byte) []byte {
	out := make([]byte, (len(samples)+7)/8)
	for k, v := range samples {
		out[k/8] |= v << (k % 8)
	}
	return out
}
