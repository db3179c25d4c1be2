package jpeg_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	stdjpeg "image/jpeg"
	"math"
	"math/rand/v2"
	"testing"

	"sira/dicom/jpeg"
)

// picture has flat parts, edges and noise.
func picture(width, height int) *image.Gray {
	r := rand.New(rand.NewPCG(uint64(width), uint64(height)))
	m := image.NewGray(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			v := 128 + 90*math.Sin(float64(x)/9)*math.Cos(float64(y)/13)
			switch {
			case x < width/4:
				v = 255 * float64(x/5%2)
			case y < height/3:
				v += r.Float64() * 60
			case x > width-width/5:
				v = 3
			}
			m.Pix[y*m.Stride+x] = uint8(min(max(v, 0), 255))
		}
	}
	return m
}

// away is the mean square of what an encoding lost.
func away(t *testing.T, m *image.Gray, data []byte) float64 {
	t.Helper()
	back, err := stdjpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	got, ok := back.(*image.Gray)
	if !ok || got.Rect != m.Rect {
		t.Fatalf("%T of %v, want grey of %v", back, back.Bounds(), m.Rect)
	}
	sum := 0.0
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			d := float64(got.GrayAt(x, y).Y) - float64(m.GrayAt(x, y).Y)
			sum += d * d
		}
	}
	return sum / float64(len(m.Pix))
}

// TestEncodeGrey compares with the standard library's encoder, which has the
// same tables: as near to the picture, and no longer.
func TestEncodeGrey(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {8, 8}, {7, 9}, {64, 17}, {200, 131}, {512, 512}} {
		m := picture(size[0], size[1])
		for _, quality := range []int{1, 10, 49, 50, 75, 90, 100} {
			data, err := jpeg.EncodeGrey(m, quality)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if err := stdjpeg.Encode(&b, m, &stdjpeg.Options{Quality: quality}); err != nil {
				t.Fatal(err)
			}
			ours, theirs := away(t, m, data), away(t, m, b.Bytes())
			if ours > theirs*1.03+0.3 || len(data) > b.Len()+b.Len()/50+8 {
				t.Errorf("%v at %d: mean square %.3f in %d bytes, the library's %.3f in %d", size, quality, ours, len(data), theirs, b.Len())
			}
		}
	}
	for _, quality := range []int{0, 101} {
		if _, err := jpeg.EncodeGrey(picture(8, 8), quality); !errors.Is(err, jpeg.ErrBadImage) {
			t.Errorf("quality %d: %v", quality, err)
		}
	}
	if _, err := jpeg.EncodeGrey(image.NewGray(image.Rectangle{}), 90); !errors.Is(err, jpeg.ErrBadImage) {
		t.Errorf("nothing: %v", err)
	}
}

// TestEncodeGreyLevels: blocks of one level among others, and one level only,
// which the encoder takes another way, are what the long way makes of them. A
// row more or less than a block takes the long way.
func TestEncodeGreyLevels(t *testing.T) {
	for _, quality := range []int{20, 90, 100} {
		for v := range 256 {
			whole, rest := image.NewGray(image.Rect(0, 0, 8, 8)), image.NewGray(image.Rect(0, 0, 8, 7))
			for i := range whole.Pix {
				whole.Pix[i] = byte(v)
			}
			copy(rest.Pix, whole.Pix)
			a, err := jpeg.EncodeGrey(whole, quality)
			if err != nil {
				t.Fatal(err)
			}
			b, err := jpeg.EncodeGrey(rest, quality)
			if err != nil {
				t.Fatal(err)
			}
			at := bytes.Index(a, []byte{0xFF, 0xDA})
			if !bytes.Equal(a[at:], b[at:]) {
				t.Fatalf("level %d at %d: %x, the long way %x", v, quality, a[at:], b[at:])
			}
		}
	}
	m := picture(64, 64)
	for y := range 64 {
		for x := range 64 {
			if (x/8+y/8)%2 == 0 {
				m.SetGray(x, y, color.Gray{Y: uint8(x/8*30 + y/8)})
			}
		}
	}
	data, err := jpeg.EncodeGrey(m, 100)
	if err != nil {
		t.Fatal(err)
	}
	if d := away(t, m, data); d > 0.5 {
		t.Errorf("blocks of one level among others: mean square %.3f", d)
	}
}

func BenchmarkEncodeGrey(b *testing.B) {
	m := picture(512, 512)
	b.Run("ours", func(b *testing.B) {
		for b.Loop() {
			if _, err := jpeg.EncodeGrey(m, 90); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("library", func(b *testing.B) {
		var out bytes.Buffer
		for b.Loop() {
			out.Reset()
			if err := stdjpeg.Encode(&out, m, &stdjpeg.Options{Quality: 90}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
