package dicom

import (
	"fmt"
	"math/bits"
	"strings"
)

// videoSyntax tells the MPEG syntaxes, 1.2.840.10008.1.2.4.100 to .108, which
// hold all frames in one stream (PS3.5 sections 8.2.5 to 8.2.9).
func videoSyntax(uid string) bool {
	n, ok := strings.CutPrefix(uid, "1.2.840.10008.1.2.4.10")
	return ok && n != "" && n[0] <= '8'
}

// checkPixels refuses pixel data that is shorter than the header says.
func checkPixels(f *File) error {
	p := f.Pixel
	if p == nil {
		return nil
	}
	frames := uint64(1)
	if n, ok := f.Int(tagFrames); ok && n > 1 {
		frames = uint64(n)
	}
	if p.Native == nil {
		return checkFragments(f, frames)
	}
	need, ok := nativeBytes(f, frames)
	if ok && uint64(p.Native.Length) < need {
		return &Error{Truncated, fmt.Sprintf("the image needs %d bytes of pixel data, there are %d", need, p.Native.Length), p.Native.Offset}
	}
	return nil
}

func checkFragments(f *File, frames uint64) error {
	if videoSyntax(f.TransferSyntax) {
		frames = 1
	}
	n := uint64(len(f.Pixel.Fragments))
	if n < frames {
		return &Error{Truncated, fmt.Sprintf("%d frames are announced, there are %d fragments", frames, n), f.Element(f.Pixel.Tag).Section.Offset}
	}
	for _, s := range f.Pixel.Fragments {
		if s.Length > 0 {
			return nil
		}
	}
	return &Error{Truncated, "the encapsulated pixel data is empty", f.Element(f.Pixel.Tag).Section.Offset}
}

// nativeBytes is what the Image Pixel module asks for (PS3.3 section C.7.6.3,
// PS3.5 section 8.1.1); ok is false when it does not say.
func nativeBytes(f *File, frames uint64) (n uint64, ok bool) {
	rows, okRows := f.Int(tagRows)
	cols, okCols := f.Int(tagCols)
	depth, okDepth := f.Int(tagBitsAllocated)
	if !okRows || !okCols || !okDepth || rows <= 0 || cols <= 0 || depth <= 0 {
		return 0, false
	}
	samples, ok := f.Int(tagSamples)
	if !ok || samples < 1 {
		samples = 1
	}
	perPixel := uint64(samples) * uint64(depth)
	switch f.String(tagPhotometric) {
	case "YBR_FULL_422", "YBR_PARTIAL_422":
		perPixel = 2 * uint64(depth)
	case "YBR_PARTIAL_420":
		perPixel = 3 * uint64(depth) / 2
	}
	over, n := bits.Mul64(uint64(rows)*uint64(cols)*perPixel, frames)
	if over != 0 || n > 1<<62 {
		return 1 << 62, true
	}
	return (n + 7) / 8, true
}
