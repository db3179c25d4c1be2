package pixel

import (
	"errors"
	"slices"
	"testing"
)

func TestNativeLayouts(t *testing.T) {
	cases := []struct {
		name string
		make func() *object
		n    int
		want []int64
	}{
		{"unsigned 8", func() *object {
			return newObject(littleEndian).shape(2, 2, 1, 8, 8, 7, 0, "MONOCHROME2", 1).put(0x7FE00010, "OB", []byte{1, 2, 3, 255})
		}, 1, []int64{1, 2, 3, 255}},
		{"signed 8 is widened", func() *object {
			return newObject(littleEndian).shape(2, 2, 1, 8, 8, 7, 1, "MONOCHROME2", 1).put(0x7FE00010, "OB", []byte{1, 0x80, 3, 255})
		}, 1, []int64{1, -128, 3, -1}},
		{"12 bits signed below an overlay bit", func() *object {
			o := newObject(littleEndian).shape(1, 3, 1, 16, 12, 11, 1, "MONOCHROME2", 1)
			return o.put(0x7FE00010, "OW", o.words(0xF7FF, 0x1800, 0x0FFF))
		}, 1, []int64{2047, -2048, -1}},
		{"12 bits at the top of the word", func() *object {
			o := newObject(littleEndian).shape(1, 2, 1, 16, 12, 15, 0, "MONOCHROME2", 1)
			return o.put(0x7FE00010, "OW", o.words(0xABC7, 0x0010))
		}, 1, []int64{0xABC, 1}},
		{"big endian words, second frame", func() *object {
			o := newObject(bigEndian).shape(1, 3, 1, 16, 16, 15, 1, "MONOCHROME2", 2)
			return o.put(0x7FE00010, "OW", o.words(1, 2, 3, 4, 0xFFFF, 256))
		}, 2, []int64{4, -1, 256}},
		{"big endian bytes in words, odd frames", func() *object {
			o := newObject(bigEndian).shape(1, 3, 1, 8, 8, 7, 0, "MONOCHROME2", 2)
			return o.put(0x7FE00010, "OW", []byte{2, 1, 4, 3, 6, 5})
		}, 2, []int64{4, 5, 6}},
		{"1 bit, second frame within a byte", func() *object {
			return newObject(littleEndian).shape(1, 5, 1, 1, 1, 0, 0, "MONOCHROME2", 2).put(0x7FE00010, "OB", []byte{0b11100001, 0b10})
		}, 2, []int64{1, 1, 1, 0, 1}},
		{"32 bits", func() *object {
			return newObject(littleEndian).shape(1, 1, 1, 32, 32, 31, 0, "MONOCHROME2", 1).put(0x7FE00010, "OW", []byte{1, 2, 3, 255})
		}, 1, []int64{0xFF030201}},
		{"planes", func() *object {
			o := newObject(littleEndian)
			o.us(0x00280002, 3).text(0x00280004, "CS", "RGB").us(0x00280006, 1).us(0x00280010, 1).us(0x00280011, 2)
			o.us(0x00280100, 8).us(0x00280101, 8).us(0x00280102, 7).us(0x00280103, 0)
			return o.put(0x7FE00010, "OB", []byte{1, 2, 3, 4, 5, 6})
		}, 1, []int64{1, 3, 5, 2, 4, 6}},
		{"16-bit colour becomes RGB8", func() *object {
			o := newObject(littleEndian).shape(1, 1, 3, 16, 16, 15, 0, "RGB", 1)
			return o.put(0x7FE00010, "OW", o.words(0xFF00, 0x8000, 0x00FF))
		}, 1, []int64{255, 128, 0}},
		{"YBR_FULL", func() *object {
			return newObject(littleEndian).shape(1, 2, 3, 8, 8, 7, 0, "YBR_FULL", 1).put(0x7FE00010, "OB", []byte{76, 85, 255, 128, 128, 128})
		}, 1, []int64{254, 0, 0, 128, 128, 128}},
		{"YBR_FULL_422", func() *object {
			return newObject(littleEndian).shape(1, 2, 3, 8, 8, 7, 0, "YBR_FULL_422", 1).put(0x7FE00010, "OB", []byte{100, 200, 128, 128})
		}, 1, []int64{100, 100, 100, 200, 200, 200}},
		{"palette", func() *object {
			o := newObject(littleEndian).shape(1, 3, 1, 8, 8, 7, 0, "PALETTE COLOR", 1)
			for tag := uint32(0x00281101); tag <= 0x00281103; tag++ {
				o.us(tag, 2, 10, 16)
			}
			o.put(0x00281201, "OW", o.words(0x1100, 0x2200))
			o.put(0x00281202, "OW", o.words(0x3300, 0x4400)).put(0x00281203, "OW", o.words(0x5500, 0x6600))
			return o.put(0x7FE00010, "OB", []byte{0, 11, 200})
		}, 1, []int64{0x11, 0x33, 0x55, 0x22, 0x44, 0x66, 0x22, 0x44, 0x66}},
	}
	for _, c := range cases {
		s := c.make().open(t)
		p := frame(t, s, c.n)
		if got := values(p); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if p.Bits != s.Info().SampleBits() {
			t.Errorf("%s: %d bits, announced %d", c.name, p.Bits, s.Info().SampleBits())
		}
	}
}

func TestFramesAreThoseTheDataHolds(t *testing.T) {
	o := newObject(littleEndian).shape(2, 2, 1, 8, 8, 7, 0, "MONOCHROME2", 3).put(0x7FE00010, "OB", make([]byte, 12))
	s := o.open(t)
	for n, want := range map[int]error{0: ErrNoFrame, 1: nil, 3: nil, 4: ErrNoFrame} {
		if _, err := s.Frame(t.Context(), n); !errors.Is(err, want) {
			t.Errorf("frame %d: %v", n, err)
		}
	}
}

func TestRefusedLayouts(t *testing.T) {
	for name, c := range map[string]struct {
		o    *object
		want error
	}{
		"no pixels":       {newObject(littleEndian), ErrNoPixels},
		"two samples":     {newObject(littleEndian).shape(1, 1, 2, 8, 8, 7, 0, "RGB", 1).encapsulated(nil, []byte{1, 2}), ErrUnsupportedLayout},
		"12 bits packed":  {newObject(jpegBaseline).shape(1, 1, 1, 12, 12, 11, 0, "MONOCHROME2", 1).encapsulated(nil, []byte{1, 2}), ErrUnsupportedLayout},
		"no rows":         {newObject(jpegBaseline).shape(0, 1, 1, 8, 8, 7, 0, "MONOCHROME2", 1).encapsulated(nil, []byte{1, 2}), ErrUnsupportedLayout},
		"a huge frame":    {newObject(rleLossless).shape(65535, 65535, 3, 16, 16, 15, 0, "RGB", 1).encapsulated(nil, make([]byte, 100)), ErrTooLarge},
		"no palette":      {newObject(rleLossless).shape(1, 1, 1, 8, 8, 7, 0, "PALETTE COLOR", 1).encapsulated(nil, make([]byte, 100)), ErrUnsupportedLayout},
		"unclear streams": {newObject(rleLossless).shape(1, 1, 1, 8, 8, 7, 0, "MONOCHROME2", 2).encapsulated(nil, make([]byte, 66), make([]byte, 66), make([]byte, 66)), ErrCorrupt},
	} {
		if _, err := openBytes(c.o.bytes()); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
