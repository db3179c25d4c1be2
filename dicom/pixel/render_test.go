package pixel

import (
	"bytes"
	"image"
	"image/jpeg"
	"math"
	"slices"
	"testing"

	"sira/dicom/phantom"
)

func TestWindowFunctions(t *testing.T) {
	for _, c := range []struct {
		w        Window
		function string
		in, want float64
	}{
		// PS3.3 C.11.2.1.2: with centre 2048 and width 4096, 0 is the least
		// and 4095 the greatest value.
		{Window{Center: 2048, Width: 4096}, "LINEAR", 0, 0},
		{Window{Center: 2048, Width: 4096}, "LINEAR", 4095, 1},
		{Window{Center: 40, Width: 80}, "LINEAR", 79, 1},
		{Window{Center: 100, Width: 1}, "LINEAR", 99, 0},
		{Window{Center: 100, Width: 1}, "LINEAR", 100, 1},
		{Window{Center: 40, Width: 80}, "LINEAR_EXACT", 80, 1},
		{Window{Center: 40, Width: 80}, "LINEAR_EXACT", 40, 0.5},
		{Window{Center: 40, Width: 80}, "SIGMOID", 40, 0.5},
		{Window{Center: 40, Width: 80}, "SIGMOID", 80, 1 / (1 + math.Exp(-2))},
	} {
		if got := windowFunction(c.w, c.function)(c.in); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%+v: %g", c, got)
		}
	}
}

func grey(rows, cols, bits int, signed bool, v ...int64) *Pixels {
	p := &Pixels{Rows: rows, Cols: cols, Samples: 1, Bits: bits, Signed: signed, Data: make([]byte, rows*cols*bits/8)}
	for k, x := range v {
		p.set(k, x)
	}
	return p
}

func TestRenderGrey(t *testing.T) {
	p := grey(1, 3, 16, true, -1000, 40, 3000)
	img := Image{Slope: 1, Intercept: 0, VOIFunction: "LINEAR_EXACT", Windows: []Window{{Center: 40, Width: 80}}}
	pix := func(img Image, w Window) []byte { return Render(p, img, w).(*image.Gray).Pix }
	if got := pix(img, Window{}); !bytes.Equal(got, []byte{0, 128, 255}) {
		t.Errorf("own window: %v", got)
	}
	if got := pix(img, Window{Center: 40, Width: 10000}); got[0] == 0 || got[2] == 255 {
		t.Errorf("given window: %v", got)
	}
	img.Invert = true
	if got := pix(img, Window{}); !bytes.Equal(got, []byte{255, 128, 0}) {
		t.Errorf("inverted: %v", got)
	}
	lut := Image{Slope: 1, VOILUTs: []LUT{{First: 40, Bits: 8, Values: []uint16{10, 20}}}}
	if got := pix(lut, Window{}); !bytes.Equal(got, []byte{10, 10, 20}) {
		t.Errorf("VOI LUT: %v", got)
	}
	none := Image{Slope: 1, Padding: &[2]int{-1000, -1000}}
	if got := pix(none, Window{}); !bytes.Equal(got, []byte{0, 0, 255}) {
		t.Errorf("percentiles without padding: %v", got)
	}
	wide := grey(1, 2, 32, false, 0, 1<<31)
	if got := Render(wide, Image{Slope: 1e-9}, Window{}).(*image.Gray).Pix; got[0] != 0 || got[1] != 255 {
		t.Errorf("32 bits: %v", got)
	}
}

// TestRenderIntoUsedMemory: frames read into memory that is lent, and drawn into
// memory that held something else, are those of fresh memory.
func TestRenderIntoUsedMemory(t *testing.T) {
	slice := phantom.CT(1, phantom.Study{Seed: 3})[0]
	fresh, err := openBytes(slice)
	if err != nil {
		t.Fatal(err)
	}
	used, err := openBytes(slice)
	if err != nil {
		t.Fatal(err)
	}
	info := fresh.Info()
	stored := bytes.Repeat([]byte{0xA5}, info.Rows*info.Cols*2+2)
	drawn := bytes.Repeat([]byte{0xA5}, info.Rows*info.Cols)
	for _, w := range []Window{{}, {Center: 40, Width: 400}, {Center: -600, Width: 1500}} {
		p, err := fresh.Frame(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		used.Lend(stored)
		q, err := used.Frame(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if &q.Data[0] != &stored[0] {
			t.Error("the memory lent was not used")
		}
		want := Render(p, info, w).(*image.Gray)
		got := RenderInto(drawn, q, info, w).(*image.Gray)
		if &got.Pix[0] != &drawn[0] || !bytes.Equal(got.Pix, want.Pix) || got.Rect != want.Rect {
			t.Errorf("window %+v: another picture in used memory", w)
		}
	}
	used.Lend(make([]byte, 10))
	if p, err := used.Frame(t.Context(), 1); err != nil || len(p.Data) != info.Rows*info.Cols*2 {
		t.Errorf("too little lent: %v", err)
	}
}

func TestReduce(t *testing.T) {
	p := grey(3, 3, 16, true, -10, -20, 5, -30, -40, 7, 100, 200, -9)
	if got, want := values(Reduce(p, 1)), []int64{-25, 6, 150, -9}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if q := Reduce(p, 9); q.Rows != 1 || q.Cols != 1 || q.at(0) != 23 {
		t.Errorf("%+v", q)
	}
	if Reduce(p, 0) != p {
		t.Error("not the same")
	}
	colour := &Pixels{Rows: 1, Cols: 2, Samples: 3, Bits: 8, Data: []byte{0, 10, 20, 255, 20, 40}}
	if got := Reduce(colour, 1).Data; !bytes.Equal(got, []byte{128, 15, 30}) {
		t.Errorf("%v", got)
	}
}

func TestEnhancedMultiFrame(t *testing.T) {
	o := newObject(littleEndian).shape(1, 1, 1, 8, 8, 7, 0, "MONOCHROME2", 2)
	ds := func(tag uint32, v string) []byte {
		if len(v)%2 == 1 {
			v += " "
		}
		return o.element(tag, "DS", []byte(v))
	}
	group := func(tag uint32, elements ...[]byte) []byte {
		return o.element(tag, "SQ", o.sequence(slices.Concat(elements...)))
	}
	shared := group(0x00289110, ds(0x00280030, `0.5\0.25`))
	one := slices.Concat(group(0x00209113, ds(0x00200032, `0\0\1`)),
		group(0x00289132, ds(0x00281050, "10"), ds(0x00281051, "20")), group(0x00289145, ds(0x00281052, "-5"), ds(0x00281053, "2")))
	two := slices.Concat(group(0x00209113, ds(0x00200032, `0\0\2`)),
		group(0x00289132, ds(0x00281050, "30"), ds(0x00281051, "40")))
	o.put(0x52009229, "SQ", o.sequence(shared)).put(0x52009230, "SQ", o.sequence(one, two))
	s := o.put(0x7FE00010, "OB", []byte{1, 2}).open(t)
	first, _ := s.FrameInfo(1)
	second, _ := s.FrameInfo(2)
	if first.Windows[0].Center != 10 || first.Slope != 2 || first.Intercept != -5 || first.Position[2] != 1 {
		t.Errorf("%+v", first)
	}
	if second.Windows[0].Width != 40 || second.Slope != 1 || second.Position[2] != 2 || *second.Spacing != [2]float64{0.5, 0.25} {
		t.Errorf("%+v", second)
	}
}

func TestSegmentedPalette(t *testing.T) {
	raw := func(w ...uint16) []byte { return (&object{order: byteOrderLE}).words(w...) }
	// Two values, a line of four to 600, and the first two segments again.
	got := expandSegments(raw(0, 2, 100, 200, 1, 4, 600, 2, 2, 0, 0), 16, 12, byteOrderLE)
	if want := []uint16{100, 200, 300, 400, 500, 600, 100, 200, 300, 400, 500, 600}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	for _, hostile := range [][]byte{raw(2, 65535, 0, 0), raw(0, 65535), raw(1, 1, 1), raw(0, 1, 5, 1, 65535), raw(2, 1)} {
		if n := len(expandSegments(hostile, 16, 256, byteOrderLE)); n > 65536+256 {
			t.Errorf("%d entries", n)
		}
	}
}

func TestThumbnails(t *testing.T) {
	study := phantom.Study{Seed: 2}
	for name, b := range map[string][]byte{
		"ct": phantom.CT(1, study)[0], "us": phantom.USCine(1, study),
	} {
		s, err := openBytes(b)
		if err != nil {
			t.Fatal(err)
		}
		jpg, err := Thumbnail(t.Context(), s, 128)
		if err != nil {
			t.Fatal(err)
		}
		m, err := jpeg.Decode(bytes.NewReader(jpg))
		if err != nil || max(m.Bounds().Dx(), m.Bounds().Dy()) != 128 || len(jpg) > 12_000 {
			t.Errorf("%s: %v, %d bytes, %v", name, m.Bounds(), len(jpg), err)
		}
	}
}
