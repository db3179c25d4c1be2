package pixel

import (
	"bytes"
	"errors"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// overlaid is an object of grey ramps with overlays that a test describes.
func overlaid(syntax string, frames int, photometric string, embedded func(x, y, frame int) bool) *object {
	const rows, cols = 37, 53
	o := newObject(syntax).shape(rows, cols, 1, 16, 12, 11, 0, photometric, frames)
	o.text(0x00281050, "DS", "2000").text(0x00281051, "DS", "4000")
	if embedded != nil {
		if o.us(0x60000010, rows).us(0x60000011, cols); frames > 1 {
			o.text(0x60000015, "IS", itoa(frames))
		}
		o.text(0x60000040, "CS", "G").put(0x60000050, "SS", o.words(1, 1))
		o.us(0x60000100, 16).us(0x60000102, 13)
	}
	var data []byte
	for f := range frames {
		for y := range rows {
			for x := range cols {
				v := uint16(40*x + 20*y + 500*f)
				if embedded != nil && embedded(x, y, f) {
					v |= 1 << 13
				}
				data = append(data, o.words(v)...)
			}
		}
	}
	return o.pixels(data)
}

// pixels puts pixel data last, whatever is put afterwards.
func (o *object) pixels(data []byte) *object { o.tail = o.element(0x7FE00010, "OW", data); return o }

// overlay puts a plane; frames and first are left out when 0.
func (o *object) overlay(group, rows, cols, y, x, frames, first int, set func(x, y, frame int) bool) *object {
	at := uint32(group) << 16
	o.us(at|0x10, uint16(rows)).us(at|0x11, uint16(cols))
	if frames > 0 {
		o.text(at|0x15, "IS", itoa(frames))
	}
	o.text(at|0x40, "CS", "G").put(at|0x50, "SS", o.words(uint16(y), uint16(x)))
	if first > 0 {
		o.us(at|0x51, uint16(first))
	}
	o.us(at|0x100, 1).us(at|0x102, 0).text(at|0x1500, "LO", "Mark")
	count := max(frames, 1) * rows * cols
	words := make([]uint16, (count+15)/16)
	for k := range count {
		if set(k%cols, k/cols%rows, k/cols/rows) {
			words[k/16] |= 1 << (k % 16)
		}
	}
	return o.put(at|0x3000, "OW", o.words(words...))
}

func ring(x, y, f int) bool { d := (x-9)*(x-9) + (y-7)*(y-7); return d > 20+4*f && d < 45+4*f }

// TestOverlaysAgainstDCMTK draws every kind of overlay as dcmtk does.
func TestOverlaysAgainstDCMTK(t *testing.T) {
	dcm2pnm := tool(t, "dcm2pnm")
	dir := t.TempDir()
	cases := map[string]*object{
		"plain":        overlaid(littleEndian, 1, "MONOCHROME2", nil).overlay(0x6000, 37, 53, 1, 1, 0, 0, ring),
		"black pixels": overlaid(littleEndian, 1, "MONOCHROME1", nil).overlay(0x6000, 37, 53, 1, 1, 0, 0, ring),
		"big endian":   overlaid(bigEndian, 1, "MONOCHROME2", nil).overlay(0x6000, 19, 21, 5, 4, 0, 0, ring),
		"beyond the edges": overlaid(littleEndian, 1, "MONOCHROME2", nil).overlay(0x6000, 19, 21, -4, -5, 0, 0, ring).
			overlay(0x601E, 19, 21, 30, 44, 0, 0, ring),
		"one for each frame":   overlaid(littleEndian, 3, "MONOCHROME2", nil).overlay(0x6002, 19, 21, 3, 3, 3, 1, ring),
		"of some frames":       overlaid(littleEndian, 4, "MONOCHROME2", nil).overlay(0x6002, 19, 21, 3, 3, 2, 2, ring),
		"in the pixels":        overlaid(littleEndian, 1, "MONOCHROME2", ring),
		"in pixels, by frames": overlaid(littleEndian, 3, "MONOCHROME2", ring),
	}
	for name, o := range cases {
		path := filepath.Join(dir, "object.dcm")
		if err := os.WriteFile(path, o.bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		sameOverlays(t, dcm2pnm, name, path, o.open(t))
	}
	real := filepath.Join(corpus(t), "pydicom", "examples_overlay.dcm")
	s, err := openPath(t, real)
	if err != nil {
		t.Fatal(err)
	}
	sameOverlays(t, dcm2pnm, "a real MR", real, s)
}

// sameOverlays wants dcmtk's picture of every frame, and overlays in it: white
// where dcmtk without overlays has something else.
func sameOverlays(t *testing.T, dcm2pnm, name, path string, s *Source) {
	t.Helper()
	drawn := 0
	for n := 1; n <= s.Info().Frames; n++ {
		img, err := s.FrameInfo(n)
		if err != nil {
			t.Fatal(err)
		}
		overlays, err := s.Overlays(t.Context(), n)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		m := Render(frame(t, s, n), img, Window{}).(*image.Gray)
		DrawOverlays(m, overlays, 0)
		picture := func(args ...string) []byte {
			out, err := exec.Command(dcm2pnm, append(args, "+Wi", "1", "+F", strconv.Itoa(n), "+obp", path)...).Output()
			if err != nil {
				t.Fatalf("%s: dcm2pnm: %v", name, err)
			}
			return bmpGrey(t, out)
		}
		with, without := picture(), picture("-O")
		if len(with) != len(m.Pix) {
			t.Fatalf("%s: %d pixels, dcmtk has %d", name, len(m.Pix), len(with))
		}
		differ := 0
		for k, v := range m.Pix {
			if d := int(v) - int(with[k]); d > 1 || d < -1 {
				differ++
			}
			if with[k] != without[k] {
				drawn++
			}
		}
		if differ > 0 {
			t.Errorf("%s, frame %d: %d of %d pixels are not dcmtk's", name, n, differ, len(with))
		}
	}
	if drawn < 40 {
		t.Errorf("%s: dcmtk drew %d pixels; nothing was compared", name, drawn)
	}
}

// bmpGrey reads the rows of an 8-bit BMP, top first.
func bmpGrey(t *testing.T, b []byte) []byte {
	t.Helper()
	le := byteOrderLE
	if len(b) < 54 || string(b[:2]) != "BM" || le.Uint16(b[28:]) != 8 {
		t.Fatalf("no 8-bit BMP: %d bytes", len(b))
	}
	at, cols, rows := int(le.Uint32(b[10:])), int(int32(le.Uint32(b[18:]))), int(int32(le.Uint32(b[22:])))
	palette := b[14+int(le.Uint32(b[14:])):]
	line := (cols + 3) / 4 * 4
	var out []byte
	for y := range max(rows, -rows) {
		row := y
		if rows > 0 {
			row = rows - 1 - y
		}
		for _, i := range b[at+row*line:][:cols] {
			out = append(out, palette[4*int(i)])
		}
	}
	return out
}

func TestOverlayBounds(t *testing.T) {
	o := overlaid(littleEndian, 4, "MONOCHROME2", nil).overlay(0x6000, 19, 21, 3, 3, 2, 2, ring).
		overlay(0x6002, 5, 5, 100, 100, 0, 0, func(int, int, int) bool { return true }).
		overlay(0x6004, 3, 9, 2, 5, 0, 0, func(x, y, _ int) bool { return x == 4 })
	s := o.open(t)
	for n, want := range map[int]int{1: 1, 2: 2, 3: 2, 4: 1} {
		list, err := s.Overlays(t.Context(), n)
		if err != nil || len(list) != want {
			t.Errorf("frame %d: %d overlays, %v", n, len(list), err)
			continue
		}
		if l := list[len(list)-1]; l.Group != 0x6004 || l.X != 8 || l.Y != 1 || l.Cols != 1 || l.Rows != 3 || l.Label != "Mark" || !bytes.Equal(l.Bits, []byte{1, 1, 1}) {
			t.Errorf("%+v", l)
		}
	}
	if _, err := s.Overlays(t.Context(), 5); !errors.Is(err, ErrNoFrame) {
		t.Error(err)
	}
	// Descriptions that lie are left out and break nothing.
	lies := overlaid(littleEndian, 1, "MONOCHROME2", nil)
	lies.us(0x60000010, 65535).us(0x60000011, 65535).put(0x60003000, "OW", []byte{255, 255})
	lies.us(0x60020010, 99).us(0x60020011, 99).put(0x60023000, "OW", []byte{255, 255})
	lies.us(0x60040100, 16).us(0x60040102, 3)
	if list, err := lies.open(t).Overlays(t.Context(), 1); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
}

func TestThumbnailHasOverlays(t *testing.T) {
	o := overlaid(littleEndian, 1, "MONOCHROME2", nil)
	plain, err := Thumbnail(t.Context(), o.open(t), 8)
	if err != nil {
		t.Fatal(err)
	}
	marked, err := Thumbnail(t.Context(), o.overlay(0x6000, 37, 53, 1, 1, 0, 0, func(x, _, _ int) bool { return x < 20 }).open(t), 8)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(plain, marked) {
		t.Error("no overlay in the thumbnail")
	}
}
