package pixel

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"slices"
	"testing"

	"sira/dicom/phantom"
)

// redJPEG is a 16×16 picture, all red, as YCbCr 4:2:0 without JFIF or Adobe.
func redJPEG(t testing.TB) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 16, 16))
	for k := range 256 {
		m.SetRGBA(k%16, k/16, color.RGBA{200, 20, 30, 255})
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func greyJPEG(t testing.TB, level uint8) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 16, 16))
	for k := range m.Pix {
		m.Pix[k] = level
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// insert puts a segment behind the start of a stream.
func insert(stream []byte, marker byte, body string) []byte {
	n := len(body) + 2
	segment := append([]byte{0xFF, marker, byte(n >> 8), byte(n)}, body...)
	return slices.Concat(stream[:2], segment, stream[2:])
}

func close3(p *Pixels, r, g, b int) bool {
	near := func(a byte, w int) bool { return int(a) >= w-4 && int(a) <= w+4 }
	return near(p.Data[0], r) && near(p.Data[1], g) && near(p.Data[2], b)
}

func TestJPEGColourRule(t *testing.T) {
	red := redJPEG(t)
	adobeRGB := insert(red, 0xEE, "Adobe\x00\x64\x00\x00\x00\x00\x00")
	for name, c := range map[string]struct {
		stream      []byte
		photometric string
		red         bool // else the components are taken as they are
		browser     bool
	}{
		"YBR":                             {red, "YBR_FULL_422", true, true},
		"YBR with JFIF":                   {insert(red, 0xE0, "JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x00\x00"), "YBR_FULL_422", true, true},
		"said to be RGB, yet subsampled":  {red, "RGB", true, true},
		"turned by the camera":            {insert(red, 0xE1, "Exif\x00\x00xxxxxxxx"), "YBR_FULL_422", true, false},
		"YBR, the stream says otherwise":  {adobeRGB, "YBR_FULL_422", true, false},
		"padded":                          {append(slices.Clone(red), 0, 0), "YBR_FULL_422", true, true},
		"without its end":                 {red[:len(red)-2], "YBR_FULL_422", true, true},
		"YBR_ICT is undone by its codec ": {red, "YBR_ICT", false, true},
	} {
		s := newObject(jpegBaseline).shape(16, 16, 3, 8, 8, 7, 0, c.photometric, 1).encapsulated(nil, c.stream).open(t)
		p := frame(t, s, 1)
		if close3(p, 200, 20, 30) != c.red {
			t.Errorf("%s: first pixel %v", name, p.Data[:3])
		}
		data, media, ok, err := s.Encoded(t.Context(), 1)
		if err != nil || ok != c.browser {
			t.Errorf("%s: for browsers %v, %v", name, ok, err)
		}
		if ok && (media != "image/jpeg" || !bytes.HasPrefix(data, c.stream[:8])) {
			t.Errorf("%s: %s", name, media)
		}
	}
}

func TestEncodedGrey(t *testing.T) {
	stream := greyJPEG(t, 90)
	plain := func() *object { return newObject(jpegBaseline).shape(16, 16, 1, 8, 8, 7, 0, "MONOCHROME2", 1) }
	for name, c := range map[string]struct {
		o  *object
		ok bool
	}{
		"plain":       {plain(), true},
		"full window": {plain().text(0x00281050, "DS", "127.5").text(0x00281051, "DS", "255"), true},
		"windowed":    {plain().text(0x00281050, "DS", "90").text(0x00281051, "DS", "20"), false},
		"rescaled":    {plain().text(0x00281052, "DS", "-10").text(0x00281053, "DS", "2"), false},
		"inverted":    {newObject(jpegBaseline).shape(16, 16, 1, 8, 8, 7, 0, "MONOCHROME1", 1), false},
	} {
		_, _, ok, err := c.o.encapsulated(nil, stream).open(t).Encoded(t.Context(), 1)
		if err != nil || ok != c.ok {
			t.Errorf("%s: %v %v", name, ok, err)
		}
	}
}

func TestFragmentsToFrames(t *testing.T) {
	a, b := greyJPEG(t, 40), greyJPEG(t, 200)
	if len(a)%2 == 1 {
		a = append(a, 0)
	}
	if len(b)%2 == 1 {
		b = append(b, 0)
	}
	cut := len(a) / 4 * 2
	second := uint32(len(a) + 16) // two items before it
	for name, c := range map[string]struct {
		offsets   []uint32
		fragments [][]byte
	}{
		"one each":               {nil, [][]byte{a, b}},
		"one each, offsets":      {[]uint32{0, uint32(len(a) + 8)}, [][]byte{a, b}},
		"two and one, offsets":   {[]uint32{0, second}, [][]byte{a[:cut], a[cut:], b}},
		"two and one, by starts": {nil, [][]byte{a[:cut], a[cut:], b}},
		"two and one, bad table": {[]uint32{0, 7}, [][]byte{a[:cut], a[cut:], b}},
	} {
		s := newObject(jpegBaseline).shape(16, 16, 1, 8, 8, 7, 0, "MONOCHROME2", 2).encapsulated(c.offsets, c.fragments...).open(t)
		if first, last := frame(t, s, 1).Data[0], frame(t, s, 2).Data[0]; first > 44 || last < 196 {
			t.Errorf("%s: %d %d", name, first, last)
		}
	}
}

func TestExtendedOffsets(t *testing.T) {
	a, b := greyJPEG(t, 40), greyJPEG(t, 200)
	o := newObject(jpegBaseline).shape(16, 16, 1, 8, 8, 7, 0, "MONOCHROME2", 2)
	o.encapsulated(nil, a[:100], a[100:], b)
	s := o.open(t)
	pad := len(a) + len(a)%2
	s.pixel.ExtendedOffsets = []uint64{0, uint64(pad + 16)}
	s.pixel.ExtendedLengths = []uint64{uint64(len(a)), uint64(len(b))}
	spans, err := locate(s.pixel, 2, nil, nil)
	if err != nil || len(spans) != 2 || spans[1].from != 2 || spans[0].length != int64(len(a)) {
		t.Errorf("%v %v", spans, err)
	}
}

func TestJPEGHostile(t *testing.T) {
	good := greyJPEG(t, 9)
	for name, c := range map[string]struct {
		stream []byte
		rows   int
		want   error
	}{
		"other size":      {good, 17, ErrCorrupt},
		"nothing":         {[]byte{}, 16, ErrCorrupt},
		"cut in a marker": {good[:30], 16, ErrCorrupt},
		"no scan":         {[]byte{0xFF, 0xD8, 0xFF, 0xD9}, 16, ErrCorrupt},
		"arithmetic":      {bytes.Replace(good, []byte{0xFF, 0xC0}, []byte{0xFF, 0xC9}, 1), 16, ErrUnsupportedSyntax},
	} {
		s := newObject(jpegBaseline).shape(c.rows, 16, 1, 8, 8, 7, 0, "MONOCHROME2", 1).encapsulated(nil, c.stream, []byte{0, 0}).open(t)
		if _, err := s.Frame(t.Context(), 1); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A header that promises a frame of 250 MB over 700 bytes takes no memory.
	big := slices.Clone(good)
	at := bytes.Index(big, []byte{0xFF, 0xC0})
	copy(big[at+5:], []byte{0x3E, 0x80, 0x3E, 0x80})
	s := newObject(jpegBaseline).shape(16000, 16000, 1, 8, 8, 7, 0, "MONOCHROME2", 1).encapsulated(nil, big).open(t)
	if _, err := s.Frame(t.Context(), 1); !errors.Is(err, ErrCorrupt) {
		t.Errorf("huge: %v", err)
	}
}

func TestUltrasoundPhantom(t *testing.T) {
	s, err := openBytes(phantom.USCine(3, phantom.Study{Seed: 5}))
	if err != nil {
		t.Fatal(err)
	}
	img := s.Info()
	if img.Frames != 3 || img.FrameTimeMs != 40 || img.SpacingKind != "ultrasound" || len(img.Regions) != 1 {
		t.Errorf("%+v", img)
	}
	if got := img.Spacing[0]; got < 0.380 || got > 0.382 {
		t.Errorf("spacing %g mm", got)
	}
	if _, _, ok, err := s.Encoded(t.Context(), 2); !ok || err != nil {
		t.Errorf("not for browsers: %v", err)
	}
	if p := frame(t, s, 3); len(p.Data) != 640*480*3 {
		t.Errorf("%d bytes", len(p.Data))
	}
}
