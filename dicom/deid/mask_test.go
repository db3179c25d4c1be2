package deid

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sira/dicom"
	"sira/dicom/phantom"
	"sira/dicom/pixel"
	"sira/dicom/write"
)

func image8(t testing.TB, rows, cols int) []byte {
	t.Helper()
	o := write.New(write.ExplicitLE)
	o.Set.Text(tagSOPClass, "UI", "1.2.840.10008.5.1.4.1.1.7")
	o.Set.Text(tagSOPInstance, "UI", "1.2.3.4")
	o.Set.Text(0x00080060, "CS", "OT")
	o.Set.Text(tagName, "PN", "DIARRA^Oumou")
	o.Set.US(0x00280002, 1)
	o.Set.Text(0x00280004, "CS", "MONOCHROME2")
	o.Set.Integer(0x00280008, 2)
	o.Set.US(0x00280010, uint16(rows))
	o.Set.US(0x00280011, uint16(cols))
	for i, v := range []uint16{8, 8, 7, 0} {
		o.Set.US(dicom.Tag(0x00280100+i), v)
	}
	o.Set.Put(write.Element{Tag: tagPixelData, VR: "OB", Value: bytes.Repeat([]byte{200}, 2*rows*cols)})
	var b bytes.Buffer
	if err := o.Write(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestMasks: pixels inside are black in the frames meant, all others untouched,
// in native, RLE and JPEG data, decompressed and recompressed.
func TestMasks(t *testing.T) {
	files := map[string][]byte{"us": phantom.USCine(3, study), "sc": image8(t, 9, 7)}
	for _, name := range []string{"pydicom/SC_rgb_rle_2frame.dcm", "pydicom/MR_small_RLE.dcm", "pydicom/MR_small_bigendian.dcm", "pydicom/MR_small.dcm",
		"pydicom/examples_palette.dcm", "pydicom/SC_ybr_full_422_uncompressed.dcm", "pydicom/SC_rgb_small_odd.dcm", "dcm4che/US-PAL-8-10x-echo",
		"pydicom/examples_ybr_color.dcm", "pydicom/image_dfl.dcm", "pydicom/SC_rgb_rle_16bit_2frame.dcm", "fodicom/CR-MONO1-10-chest"} {
		for _, path := range corpus(t) {
			if strings.HasSuffix(filepath.ToSlash(path), name) {
				data, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				files[name] = data
			}
		}
	}
	for name, data := range files {
		for _, quality := range []int{0, 95} {
			checkMask(t, name, data, quality)
		}
	}
}

func checkMask(t *testing.T, name string, data []byte, quality int) {
	t.Helper()
	ctx := context.Background()
	before, err := pixel.Open(read(t, data), bytes.NewReader(data))
	if err != nil {
		t.Fatal(name, err)
	}
	info := before.Info()
	all := image.Rect(1, 0, max(info.Cols/3, 2), max(info.Rows/3, 2))
	one := image.Rect(info.Cols/2, info.Rows/2, info.Cols+50, info.Rows+50)
	p := profile(t, Options{CleanPixels: true, JPEGQuality: quality})
	out, report := clean(t, p, data, &Review{Masks: []Mask{{Rect: all}, {Rect: one, Frame: 1}}})
	f := read(t, out)
	after, err := pixel.Open(f, bytes.NewReader(out))
	if err != nil {
		t.Fatal(name, err)
	}
	if got := after.Info(); got.Frames != info.Frames || len(f.Warnings) > 0 || f.String(0x00280301) != "NO" {
		t.Errorf("%s: %d frames were %d; %v", name, got.Frames, info.Frames, f.Warnings)
	}
	lossy := quality > 0 && f.TransferSyntax == jpegBaseline
	for n := 1; n <= info.Frames; n++ {
		a, err := before.Frame(ctx, n)
		if err != nil {
			t.Fatal(name, err)
		}
		b, err := after.Frame(ctx, n)
		if err != nil {
			t.Fatal(name, err)
		}
		if len(a.Data) != len(b.Data) {
			t.Fatalf("%s: frame %d of %d bytes, was of %d", name, n, len(b.Data), len(a.Data))
		}
		rects := forFrame(report.Masks, n, info)
		width := len(b.Data) / info.Rows / info.Cols
		var wrong int
		ink := b.Data[1*width : 2*width]
		for k := range info.Rows * info.Cols {
			at := image.Pt(k%info.Cols, k/info.Cols)
			covered, near := false, false
			for _, r := range rects {
				covered = covered || at.In(r)
				near = near || at.In(r.Inset(-16))
			}
			x, y := a.Data[k*width:(k+1)*width], b.Data[k*width:(k+1)*width]
			switch {
			case covered && !lossy && !bytes.Equal(y, ink), covered && lossy && y[0] > 60 && !edge(at, rects),
				!near && lossy && !close(x, y, 40), !covered && !lossy && !bytes.Equal(x, y):
				wrong++
			}
		}
		if wrong > 0 {
			t.Errorf("%s, quality %d: frame %d: %d pixels are wrong", name, quality, n, wrong)
		}
	}
}

func edge(at image.Point, rects []image.Rectangle) bool {
	for _, r := range rects {
		if at.In(r.Inset(17)) {
			return false
		}
	}
	return true
}

func close(a, b []byte, by int) bool {
	for i := range a {
		if d := int(a[i]) - int(b[i]); d > by || d < -by {
			return false
		}
	}
	return true
}

// TestOutside: masks and regions together tile the image, without overlap of
// the two, whatever the regions.
func TestOutside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := image.Rect(0, 0, rapid.IntRange(1, 30).Draw(t, "w"), rapid.IntRange(1, 30).Draw(t, "h"))
		var regions []image.Rectangle
		for range rapid.IntRange(0, 4).Draw(t, "n") {
			x, y := rapid.IntRange(-5, 30).Draw(t, "x"), rapid.IntRange(-5, 30).Draw(t, "y")
			regions = append(regions, image.Rect(x, y, x+rapid.IntRange(1, 20).Draw(t, "dx"), y+rapid.IntRange(1, 20).Draw(t, "dy")).Intersect(whole))
		}
		masks := Outside(whole, regions)
		for y := range whole.Max.Y {
			for x := range whole.Max.X {
				in, masked := false, 0
				for _, r := range regions {
					in = in || image.Pt(x, y).In(r)
				}
				for _, m := range masks {
					if image.Pt(x, y).In(m.Rect) {
						masked++
					}
				}
				if in && masked != 0 || !in && masked != 1 {
					t.Fatalf("(%d,%d) in region: %v, in %d masks %v of %v", x, y, in, masked, masks, regions)
				}
			}
		}
	})
}

// TestPreview: masks are seen, what is outside is what is sent.
func TestPreview(t *testing.T) {
	data := phantom.USCine(1, study)
	p := profile(t, Options{CleanPixels: true})
	m, masks, err := p.Preview(context.Background(), read(t, data), bytes.NewReader(data), 1, &Review{Masks: []Mask{{Rect: image.Rect(100, 200, 140, 220)}}})
	if err != nil || len(masks) < 2 {
		t.Fatal(masks, err)
	}
	red := color.RGBA{220, 0, 0, 255}
	if m.At(100, 200) != red || m.At(120, 210) != (color.RGBA{0, 0, 0, 255}) || m.At(0, 0) != red {
		t.Errorf("%v %v %v", m.At(100, 200), m.At(120, 210), m.At(0, 0))
	}
}

// TestOnly: a person's masks take the place of those that were proposed.
func TestOnly(t *testing.T) {
	p := profile(t, Options{CleanPixels: true})
	data := phantom.USCine(1, study)
	mine := Mask{Rect: image.Rect(0, 0, 30, 10)}
	for _, r := range []*Review{{Only: true}, {Only: true, Masks: []Mask{mine}}} {
		_, report := clean(t, p, data, r)
		if len(report.Masks) != len(r.Masks) {
			t.Errorf("%d masks, %d asked for", len(report.Masks), len(r.Masks))
		}
		if _, masks, err := p.Preview(context.Background(), read(t, data), bytes.NewReader(data), 1, r); err != nil || len(masks) != len(r.Masks) {
			t.Errorf("preview: %v, %v", masks, err)
		}
	}
	if _, report := clean(t, p, data, &Review{Masks: []Mask{mine}}); len(report.Masks) < 2 {
		t.Errorf("%v: the proposed ones are gone", report.Masks)
	}
}
