package pixel

import (
	"context"
	"encoding/binary"
	"testing"
	"time"

	"sira/dicom/jpeg"
	"sira/dicom/jpegls"
)

var byteOrderLE = binary.LittleEndian

// FuzzFrames opens any bytes as an object and decodes, encodes and renders the
// first and last frame.
func FuzzFrames(f *testing.F) {
	f.Add(newObject(littleEndian).shape(2, 2, 1, 8, 8, 7, 0, "MONOCHROME2", 1).put(0x7FE00010, "OB", []byte{1, 2, 3, 255}).bytes())
	f.Add(newObject(bigEndian).shape(1, 3, 1, 8, 8, 7, 1, "MONOCHROME1", 2).put(0x7FE00010, "OW", []byte{2, 1, 4, 3, 6, 5}).bytes())
	f.Add(newObject(littleEndian).shape(1, 2, 3, 8, 8, 7, 0, "YBR_FULL_422", 1).put(0x7FE00010, "OB", []byte{100, 200, 128, 128}).bytes())
	f.Add(newObject(littleEndian).shape(1, 5, 1, 1, 1, 0, 0, "MONOCHROME2", 2).put(0x7FE00010, "OB", []byte{0b11100001, 0b10}).bytes())
	f.Add(newObject(rleLossless).shape(8, 8, 1, 8, 8, 7, 0, "MONOCHROME2", 1).encapsulated(nil, rleFrame([][]byte{packRLE(make([]byte, 64))}, []int{0})).bytes())
	f.Add(newObject(jpegBaseline).shape(16, 16, 3, 8, 8, 7, 0, "YBR_FULL_422", 1).encapsulated([]uint32{0}, redJPEG(f)).bytes())
	f.Add(newObject(jpegBaseline).shape(16, 16, 1, 8, 8, 7, 0, "MONOCHROME2", 2).encapsulated(nil, greyJPEG(f, 9), greyJPEG(f, 90)).bytes())
	for _, s := range shots()[:3] {
		s.rows, s.data = 9, s.data[:9*s.cols*s.samples*s.allocated()/8]
		ls, err := jpegls.Encode(context.Background(), &jpegls.Image{Width: s.cols, Height: s.rows, Components: s.samples, Bits: s.stored, Data: s.data}, jpegls.EncodeOptions{Interleave: jpegls.InterleaveSample})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(s.object(jpegLSLossless).encapsulated(nil, ls).bytes())
		lossless, err := jpeg.Encode(context.Background(), &jpeg.Image{Width: s.cols, Height: s.rows, Components: s.samples, Bits: s.stored, Data: s.data}, jpeg.EncodeOptions{Predictor: 7})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(s.object(jpegLossless).encapsulated(nil, lossless).bytes())
	}
	palette := newObject(littleEndian).shape(1, 3, 1, 8, 8, 7, 0, "PALETTE COLOR", 1)
	for tag := uint32(0x00281101); tag <= 0x00281103; tag++ {
		palette.us(tag, 2, 10, 16)
	}
	for tag := uint32(0x00281221); tag <= 0x00281223; tag++ {
		palette.put(tag, "OW", palette.words(0, 1, 5, 1, 4, 600))
	}
	f.Add(palette.put(0x7FE00010, "OB", []byte{0, 11, 200}).bytes())

	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := openBytes(b)
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		for _, n := range []int{1, s.Info().Frames} {
			if _, _, _, err := s.Encoded(ctx, n); err != nil {
				continue
			}
			img, err := s.FrameInfo(n)
			if err != nil || img.pixels() > 1<<20 {
				continue // correct, but slow under the fuzzer
			}
			p, err := s.Frame(ctx, n)
			if err != nil {
				continue
			}
			if p.Rows != img.Rows || p.Cols != img.Cols || p.Bits != img.SampleBits() || len(p.Data) != p.Rows*p.Cols*p.Samples*p.Bits/8 {
				t.Fatalf("frame %d×%d×%d of %d bits has %d bytes", p.Rows, p.Cols, p.Samples, p.Bits, len(p.Data))
			}
			Render(Reduce(p, 1), img, Window{})
		}
	})
}
