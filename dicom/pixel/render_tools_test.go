package pixel

import (
	"bytes"
	"context"
	"image"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"sira/dicom"
)

// TestRenderingAgainstDCMTK: every way from a stored value to grey or colour,
// as dcmtk goes it.
func TestRenderingAgainstDCMTK(t *testing.T) {
	dcm2pnm := tool(t, "dcm2pnm")
	const rows, cols = 32, 48
	ramp := func(bits int, signed bool) []byte {
		var words []uint16
		for k := range rows * cols {
			v := k << bits / (rows * cols)
			if signed {
				v -= 1 << (bits - 1)
			}
			words = append(words, uint16(v)&(1<<bits-1))
		}
		return (&object{order: byteOrderLE}).words(words...)
	}
	grey := func(bits, signed int, photometric string) *object {
		return newObject(littleEndian).shape(rows, cols, 1, 16, bits, bits-1, signed, photometric, 1).pixels(ramp(bits, signed == 1))
	}
	window := func(o *object, center, width, function string) *object {
		o.text(0x00281050, "DS", center).text(0x00281051, "DS", width)
		if function != "" {
			o.text(0x00281056, "CS", function)
		}
		return o
	}
	rescale := func(o *object, intercept, slope string) *object {
		return o.text(0x00281052, "DS", intercept).text(0x00281053, "DS", slope)
	}
	curve := func(n, top int) (v []uint16) {
		for k := range n {
			v = append(v, uint16(k*k*top/(n-1)/(n-1)))
		}
		return v
	}
	lut := func(o *object, tag uint32, first, bits int, values []uint16) *object {
		item := slices.Concat(o.element(0x00283002, "US", o.words(uint16(len(values)), uint16(first), uint16(bits))))
		if tag == 0x00283000 {
			item = append(item, o.element(0x00283004, "LO", []byte("OD"))...)
		}
		return o.put(tag, "SQ", o.sequence(append(item, o.element(0x00283006, "OW", o.words(values...))...)))
	}
	indices := make([]byte, rows*cols)
	for k := range indices {
		indices[k] = byte(k % 256)
	}
	palette := func(segmented bool) *object {
		o := newObject(littleEndian).shape(rows, cols, 1, 8, 8, 7, 0, "PALETTE COLOR", 1)
		for c := range uint32(3) {
			o.us(0x00281101+c, 256, 0, 16)
		}
		for c := range uint32(3) {
			if segmented { // a start, a line up, a line down, each colour another
				mid := uint16(100 + 50*c)
				o.put(0x00281221+c, "OW", o.words(0, 1, 0, 1, mid, 65280, 1, 255-mid, 256*uint16(20*c)))
				continue
			}
			mid, values := 100+50*int(c), make([]uint16, 256)
			for k := range values {
				if values[k] = uint16(65280 * k / mid); k > mid {
					values[k] = uint16(65280 + (5120*int(c)-65280)*(k-mid)/(255-mid))
				}
			}
			o.put(0x00281201+c, "OW", o.words(values...))
		}
		o.tail = o.element(0x7FE00010, "OB", indices)
		return o
	}
	colour := func(photometric string, planar int) *object {
		o := newObject(littleEndian)
		o.us(0x00280002, 3).text(0x00280004, "CS", photometric).us(0x00280006, uint16(planar)).us(0x00280010, rows).us(0x00280011, cols)
		o.us(0x00280100, 8).us(0x00280101, 8).us(0x00280102, 7).us(0x00280103, 0)
		data := make([]byte, 3*rows*cols)
		for k := range data {
			data[k] = byte(k * 7 / 3)
		}
		o.tail = o.element(0x7FE00010, "OB", data)
		return o
	}
	path := filepath.Join(t.TempDir(), "object.dcm")
	for name, c := range map[string]struct {
		o    *object
		args []string
	}{
		"linear":                {window(rescale(grey(12, 0, "MONOCHROME2"), "-1024", "1"), "40", "400", ""), []string{"+Wi", "1"}},
		"linear, black is high": {window(grey(12, 0, "MONOCHROME1"), "2000", "3000", ""), []string{"+Wi", "1"}},
		"signed":                {window(grey(12, 1, "MONOCHROME2"), "0", "1500", "LINEAR"), []string{"+Wi", "1"}},
		"signed, half slope":    {window(rescale(grey(16, 1, "MONOCHROME2"), "12.5", "0.5"), "100", "9000", ""), []string{"+Wi", "1"}},
		"sigmoid":               {window(grey(12, 0, "MONOCHROME2"), "2000", "1200", "SIGMOID"), []string{"+Wi", "1", "+Wfs"}},
		"modality LUT":          {window(lut(grey(12, 0, "MONOCHROME2"), 0x00283000, 500, 12, curve(3000, 4000)), "1500", "2500", ""), []string{"+Wi", "1"}},
		"VOI LUT":               {lut(grey(12, 0, "MONOCHROME2"), 0x00283010, 300, 10, curve(2500, 1023)), []string{"+Wl", "1"}},
		"VOI LUT after rescale": {lut(rescale(grey(12, 0, "MONOCHROME2"), "100", "1"), 0x00283010, 300, 8, curve(2500, 255)), []string{"+Wl", "1"}},
		"palette":               {palette(false), nil},
		"segmented palette":     {palette(false), nil}, // dcmtk reads no segments: the same table in full
		"RGB by planes":         {colour("RGB", 1), nil},
		"RGB by pixels":         {colour("RGB", 0), nil},
		"YBR by planes":         {colour("YBR_FULL", 1), nil},
	} {
		if err := os.WriteFile(path, c.o.bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		want, err := exec.Command(dcm2pnm, append(c.args, "+op", path, path+".pnm")...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", name, err, want)
		}
		if want, err = os.ReadFile(path + ".pnm"); err != nil {
			t.Fatal(err)
		}
		s := c.o.open(t)
		if name == "segmented palette" {
			s = palette(true).open(t)
		}
		var got []byte
		switch m := Render(frame(t, s, 1), s.Info(), Window{}).(type) {
		case *image.Gray:
			got = m.Pix
		case *image.RGBA:
			for k := 0; k < len(m.Pix); k += 4 {
				got = append(got, m.Pix[k:k+3]...)
			}
		}
		want = want[len(want)-len(got):]
		worst, low, high := 0, 255, 0
		for k := range got {
			d := int(got[k]) - int(want[k])
			worst, low, high = max(worst, d, -d), min(low, int(want[k])), max(high, int(want[k]))
		}
		limit := 1
		if name == "YBR by planes" {
			limit = 2 // dcmtk rounds down
		}
		if worst > limit {
			t.Errorf("%s: differs by up to %d", name, worst)
		}
		if high-low < 100 {
			t.Errorf("%s: dcmtk's picture goes from %d to %d; nothing was compared", name, low, high)
		}
	}
}

// counting says how much of a file is read.
type counting struct {
	io.ReaderAt
	bytes int64
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(p, off)
	c.bytes += int64(n)
	return n, err
}

// TestAFrameIsReadAlone: of a long film one frame is read, whichever it is.
func TestAFrameIsReadAlone(t *testing.T) {
	const rows, cols, frames = 64, 64, 200
	native := newObject(littleEndian).shape(rows, cols, 1, 16, 12, 11, 0, "MONOCHROME2", frames).
		put(0x7FE00010, "OW", make([]byte, 2*rows*cols*frames))
	var fragments [][]byte
	var offsets []uint32
	at := uint32(0)
	for range frames {
		f := make([]byte, 4000)
		fragments, offsets = append(fragments, f), append(offsets, at)
		at += 8 + uint32(len(f))
	}
	packed := newObject(rleLossless).shape(rows, cols, 1, 16, 12, 11, 0, "MONOCHROME2", frames).encapsulated(offsets, fragments...)
	for name, o := range map[string]*object{"native": native, "encapsulated": packed} {
		b := o.bytes()
		r := &counting{ReaderAt: bytes.NewReader(b)}
		f, err := dicom.Read(context.Background(), r, int64(len(b)), dicom.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		r.bytes = 0
		s, err := Open(f, r)
		if err != nil {
			t.Fatal(err)
		}
		opened := r.bytes
		_, _ = s.Frame(t.Context(), 150) // the RLE frames hold nothing: what counts is what was read
		if read := r.bytes - opened; read == 0 || read > 2*rows*cols+16 || opened > 4096 {
			t.Errorf("%s: %d bytes read to open, %d for a frame, of %d", name, opened, read, len(b))
		}
	}
}
