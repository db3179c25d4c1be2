package transcode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"sira/dicom"
	"sira/dicom/jpeg2000"
	"sira/dicom/jpegls"
	"sira/dicom/pixel"
	"sira/dicom/write"
)

const (
	tagPhotometric = dicom.Tag(0x00280004)
	tagPlanar      = dicom.Tag(0x00280006)
	tagFrames      = dicom.Tag(0x00280008)
	tagLossy       = dicom.Tag(0x00282110)
	tagLossyRatio  = dicom.Tag(0x00282112)
	tagLossyMethod = dicom.Tag(0x00282114)
	tagIcons       = dicom.Tag(0x00880200)
	tagOffsets     = dicom.Tag(0x7FE00001)
	tagLengths     = dicom.Tag(0x7FE00002)
	tagPixelData   = dicom.Tag(0x7FE00010)
)

// nested takes icons out that are compressed in the old syntax, to which
// nothing would refer any more; they may be left out anywhere (PS3.3 C.7.6.1.1.6).
func nested(s *write.Set) error {
	s.Filter(func(e *write.Element) bool {
		if e.Tag != tagIcons {
			return true
		}
		for _, item := range e.Items {
			if p := item.Get(tagPixelData); p != nil && p.Body != nil && p.Body.Encapsulated() {
				return false
			}
		}
		return true
	})
	var err error
	for _, e := range s.Elements() {
		for _, item := range e.Items {
			item.Walk(func(e *write.Element) {
				if e.Body != nil && e.Body.Encapsulated() {
					err = fmt.Errorf("compressed image within a sequence: %w", ErrImage)
				}
			})
		}
	}
	return err
}

// describe brings the attributes of the image in line with what its frames
// will be (PS3.5 section 8.2, PS3.3 C.7.6.3).
func (j *job) describe(ctx context.Context, f *dicom.File, r io.ReaderAt) error {
	s, img := j.set, &j.img
	if f.Pixel.Native == nil {
		if err := j.lossy(ctx, f, r); err != nil {
			return err
		}
	}
	if img.Samples == 3 {
		colours, err := j.colours(ctx, f)
		if err != nil {
			return err
		}
		img.Photometric = colours
		if j.transformed() {
			colours = "YBR_RCT"
		}
		s.Text(tagPhotometric, "CS", colours)
		planar := uint16(0)
		if j.to == RLE {
			planar = 1 // its segments are planes
		}
		s.US(tagPlanar, planar)
	}
	if img.Frames > 1 || s.Has(tagFrames) {
		s.Integer(tagFrames, img.Frames)
	}
	s.Remove(tagOffsets, tagLengths)
	return nil
}

// transformed reports whether frames go through the reversible component
// transform, which the photometric interpretation then tells (PS3.5 8.2.4).
func (j *job) transformed() bool {
	return (j.to == JPEG2000Lossless || j.to == HTJ2KLossless || j.to == HTJ2KRPCL) && j.img.Samples == 3 && j.img.Photometric == "RGB"
}

// colours is the photometric interpretation of what Source.Stored gives.
func (j *job) colours(ctx context.Context, f *dicom.File) (string, error) {
	switch j.img.Photometric {
	case "YBR_FULL_422": // chroma is there for each pixel now
		return "YBR_FULL", nil
	case "YBR_PARTIAL_422", "YBR_PARTIAL_420":
		return "", fmt.Errorf("colours as %s: %w", j.img.Photometric, ErrImage)
	case "YBR_RCT", "YBR_ICT": // undone by the codec
		return "RGB", nil
	case "RGB":
		if f.Pixel.Native != nil || j.img.BitsAllocated != 8 {
			return "RGB", nil
		}
		// Streams exist that hold YBR whatever the data set says; the reader of
		// colours knows them.
		stored, err := j.src.Stored(ctx, 1)
		if err != nil {
			return "", err
		}
		before := append([]byte(nil), stored.Data...)
		shown, err := j.src.Frame(ctx, 1)
		if err != nil {
			return "", err
		}
		if j.img.HighBit == 7 && !bytes.Equal(before, shown.Data) {
			return "YBR_FULL", nil
		}
	}
	return j.img.Photometric, nil
}

// lossy sees to it that an image which lost something says so (PS3.3
// C.7.6.1.1.5); one that says so keeps what it says.
func (j *job) lossy(ctx context.Context, f *dicom.File, r io.ReaderAt) error {
	if j.set.String(tagLossy) == "01" {
		return nil
	}
	method, frame, err := lost(ctx, j.src, f, r)
	if err != nil {
		return err
	}
	if method == "" {
		return nil
	}
	img := &j.img
	ratio := float64(img.Rows*img.Cols*img.Samples*max(img.BitsAllocated, 8)/8) / float64(max(len(frame), 1))
	j.set.Text(tagLossy, "CS", "01")
	j.set.Text(tagLossyRatio, "DS", strconv.FormatFloat(ratio, 'f', 2, 64))
	j.set.Text(tagLossyMethod, "CS", method)
	return nil
}

// Lossy tells how the pixel data of f, as it is stored, lost something
// (0028,2114: "ISO_10918_1" …); "" when the stored form is a lossless one,
// whatever happened to the image before.
func Lossy(ctx context.Context, f *dicom.File, r io.ReaderAt) (method string, err error) {
	src, err := open(f, r)
	if err != nil {
		return "", err
	}
	method, _, err = lost(ctx, src, f, r)
	return method, err
}

// lost is the method, and the first frame as stored.
func lost(ctx context.Context, src *pixel.Source, f *dicom.File, r io.ReaderAt) (method string, frame []byte, err error) {
	if f.Pixel.Native != nil {
		return "", nil, nil
	}
	if frame, err = encoded(ctx, src, f.Data(r)); err != nil {
		return "", nil, err
	}
	return lossyMethod(f.TransferSyntax, frame), frame, nil
}

// lossyMethod is how a stream lost something, "" when it did not.
func lossyMethod(syntax string, stream []byte) string {
	switch syntax {
	case "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55":
		return "ISO_10918_1"
	case "1.2.840.10008.1.2.4.81":
		if h, err := jpegls.DecodeHeader(stream); err == nil && h.Near > 0 {
			return "ISO_14495_1"
		}
	case "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.93", "1.2.840.10008.1.2.4.203":
		c, err := jpeg2000.DecodeConfig(stream)
		switch {
		case err != nil || c.Reversible:
		case c.HighThroughput:
			return "ISO_15444_15"
		default:
			return "ISO_15444_1"
		}
	}
	return ""
}

// encoded is the first frame as stored.
func encoded(ctx context.Context, src *pixel.Source, data io.ReaderAt) ([]byte, error) {
	sections, err := src.Sections(1)
	if err != nil {
		return nil, err
	}
	var out []byte
	for _, s := range sections {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if s.Length > pixel.MaxFrameBytes-int64(len(out)) {
			return nil, fmt.Errorf("encoded frame: %w", pixel.ErrTooLarge)
		}
		part := make([]byte, s.Length)
		if n, err := data.ReadAt(part, s.Offset); n < len(part) {
			return nil, fmt.Errorf("reading pixel data: %w", errors.Join(pixel.ErrTruncated, err))
		}
		out = append(out, part...)
	}
	return out, nil
}
