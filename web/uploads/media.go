package uploads

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/webp"
)

// Limits of pictures, in pixels.
const (
	// MaxPixels is the largest picture taken in.
	MaxPixels = 100_000_000
	// MaxDecodedPixels is the largest that is decoded here, for its check and
	// its thumbnail: a progressive JPEG needs some six bytes a pixel.
	MaxDecodedPixels = 40_000_000
)

// decoding lets one picture be decoded at a time, which bounds memory.
var decoding = make(chan struct{}, 1)

// errTooBig says that a picture has more pixels than may be decoded.
var errTooBig = errors.New("uploads: picture too large to decode")

// DecodePhoto decodes a JPEG, PNG or (of calls) WebP whose size was checked first. Errors of
// the content are errContent or errTooBig; others are r's or ctx's.
func DecodePhoto(ctx context.Context, r io.ReaderAt, size int64) (img image.Image, err error) {
	select {
	case decoding <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting to decode: %w", ctx.Err())
	}
	defer func() {
		<-decoding
		if p := recover(); p != nil {
			img, err = nil, fmt.Errorf("%w: %v", errContent, p)
		}
	}()
	cfg, decode, err := photoConfig(r, size)
	if err != nil {
		return nil, err
	}
	if cfg.Width*cfg.Height > MaxDecodedPixels {
		return nil, errTooBig
	}
	img, err = decode(io.NewSectionReader(r, 0, size))
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errContent, err)
	}
	return img, nil
}

func photoConfig(r io.ReaderAt, size int64) (image.Config, func(io.Reader) (image.Image, error), error) {
	var mark [3]byte
	if _, err := r.ReadAt(mark[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return image.Config{}, nil, fmt.Errorf("reading a picture: %w", err)
	}
	readConfig, decode := png.DecodeConfig, png.Decode
	switch mark {
	case [3]byte{0xFF, 0xD8, 0xFF}:
		readConfig, decode = jpeg.DecodeConfig, jpeg.Decode
	case [3]byte{'R', 'I', 'F'}:
		readConfig, decode = webp.DecodeConfig, webp.Decode
	}
	cfg, err := readConfig(io.NewSectionReader(r, 0, size))
	if err != nil {
		return cfg, nil, fmt.Errorf("%w: %v", errContent, err)
	}
	if cfg.Width <= 0 || cfg.Height <= 0 || cfg.Width > 1<<17 || cfg.Height > 1<<17 {
		return cfg, nil, fmt.Errorf("%w: dimensions", errContent)
	}
	return cfg, decode, nil
}

// errContent says that a file's content is broken.
var errContent = errors.New("uploads: broken content")

// checkPhoto refuses what a browser couldn't show.
func checkPhoto(ctx context.Context, r io.ReaderAt, size int64) error {
	cfg, _, err := photoConfig(r, size)
	if err != nil {
		return brokenOr(err, refusal("broken-image"))
	}
	if int64(cfg.Width)*int64(cfg.Height) > MaxPixels {
		return refusal("image-too-large")
	}
	_, err = DecodePhoto(ctx, r, size)
	if errors.Is(err, errTooBig) {
		return nil
	}
	return brokenOr(err, refusal("broken-image"))
}

func brokenOr(err error, r *Refusal) error {
	if errors.Is(err, errContent) {
		return r
	}
	return err
}

// checkPDF looks for the end mark, which a cut file lacks.
func checkPDF(r io.ReaderAt, size int64) error {
	n := min(size, 2048)
	tail := make([]byte, n)
	if _, err := r.ReadAt(tail, size-n); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading a document's end: %w", err)
	}
	if !bytes.Contains(tail, []byte("%%EOF")) {
		return refusal("truncated-pdf")
	}
	return nil
}

// checkMovie walks the top-level boxes of an MP4 (ISO/IEC 14496-12, section
// 4.2): each must end inside the file, and one must be the index "moov".
func checkMovie(r io.ReaderAt, size int64) error {
	const maxBoxes = 100_000
	moov := false
	var at int64
	for range maxBoxes {
		if at >= size {
			break
		}
		var h [16]byte
		n, err := r.ReadAt(h[:], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("reading a film's boxes: %w", err)
		}
		if n < 8 {
			return refusal("truncated-video")
		}
		length := int64(binary.BigEndian.Uint32(h[:4]))
		switch {
		case length == 0:
			length = size - at
		case length == 1 && n == 16:
			length = int64(binary.BigEndian.Uint64(h[8:16]))
		}
		if length < 8 || length > size-at {
			return refusal("truncated-video")
		}
		moov = moov || string(h[4:8]) == "moov"
		at += length
	}
	if !moov {
		return refusal("truncated-video")
	}
	return nil
}
