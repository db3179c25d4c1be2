package pixel

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"sira/dicom/jpeg2000"
)

// TestJPEG2000AgainstGDCM compares lossy frames with those of OpenJPEG, which
// gdcm decodes with: one level is what the standard leaves open.
func TestJPEG2000AgainstGDCM(t *testing.T) {
	dir := corpus(t)
	tool, err := exec.LookPath("gdcmconv")
	if err != nil {
		t.Skip("NOT RUN: gdcmconv (Debian package libgdcm-tools) is not installed")
	}
	compared := 0
	for _, ref := range references(t, dir) {
		if ref.syntax != jpeg2000Lossy && ref.syntax != jpeg2000MultiLossy && ref.syntax != htj2kLossy {
			continue
		}
		path := filepath.Join(dir, ref.file)
		s, err := openPath(t, path)
		if err != nil {
			t.Errorf("%s: %v", ref.file, err)
			continue
		}
		raw := filepath.Join(t.TempDir(), "raw.dcm")
		if out, err := exec.Command(tool, "--raw", path, raw).CombinedOutput(); err != nil {
			t.Logf("%s: gdcm cannot: %v %s", ref.file, err, out)
			continue
		}
		want, err := openPath(t, raw)
		if err != nil {
			t.Errorf("%s as gdcm wrote it: %v", ref.file, err)
			continue
		}
		os.Remove(raw)
		got, err := s.Stored(context.Background(), 1)
		if err != nil {
			t.Errorf("%s: %v", ref.file, err)
			continue
		}
		other, err := want.Stored(context.Background(), 1)
		if err != nil || len(other.Data) != len(got.Data) {
			t.Errorf("%s as gdcm wrote it: %v", ref.file, err)
			continue
		}
		worst, different := 0, 0
		width := got.Bits / 8
		for k := 0; k < len(got.Data); k += width {
			d := int(got.Data[k]) - int(other.Data[k])
			if width == 2 {
				d = int(int16(byteOrderLE.Uint16(got.Data[k:]) - byteOrderLE.Uint16(other.Data[k:])))
			}
			if d != 0 {
				different++
			}
			worst = max(worst, d, -d)
		}
		t.Logf("%s: %d of %d samples differ, at most by %d", ref.file, different, len(got.Data)/width, worst)
		if worst > 1 {
			t.Errorf("%s: differs by %d", ref.file, worst)
		}
		compared++
	}
	if compared < 8 {
		t.Errorf("only %d files compared", compared)
	}
}

func TestJPEG2000Errors(t *testing.T) {
	img := Image{Rows: 2, Cols: 2, Samples: 1, BitsAllocated: 8}
	c := jpeg2000.Config{Width: 2, Height: 2, Components: []jpeg2000.Component{{Bits: 8}}}
	if err := jpeg2000Fits(c, img); err != nil {
		t.Error(err)
	}
	c.Components[0].Bits = 12
	if jpeg2000Fits(c, img) == nil {
		t.Error("12 bits fit 8")
	}
	img.BitsAllocated, img.Cols = 16, 3
	if jpeg2000Fits(c, img) == nil {
		t.Error("two columns fit three")
	}
}

// TestMultiComponentSyntaxes has frames of three components, in several
// fragments and without offset table, in the syntaxes of JPEG 2000 part 2.
func TestMultiComponentSyntaxes(t *testing.T) {
	const rows, cols = 40, 50
	var want [2][]byte
	var fragments [][]byte
	for n := range want {
		m := &jpeg2000.Image{Width: cols, Height: rows}
		for c := range 3 {
			p := jpeg2000.Component{Width: cols, Height: rows, Bits: 8, Samples: make([]int32, rows*cols)}
			for k := range p.Samples {
				p.Samples[k] = int32(k%cols*3+k/cols*2+40*c+9*n) & 255
			}
			m.Components = append(m.Components, p)
		}
		for k := range rows * cols {
			for c := range 3 {
				want[n] = append(want[n], byte(m.Components[c].Samples[k]))
			}
		}
		e, err := jpeg2000.Encode(t.Context(), m, jpeg2000.EncodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		fragments = append(fragments, e.Data[:200], e.Data[200:])
	}
	// With a transform of part 2: components exchanged, an offset for each.
	across := func(e []byte) []byte {
		cod, sot := bytes.Index(e, []byte{0xFF, 0x52, 0}), bytes.Index(e, []byte{0xFF, 0x90, 0, 10})
		e = slices.Insert(e, sot,
			0xFF, 0x78, 0, 5, 0x80, 3, 7, // CBD: three of 8 bits
			0xFF, 0x74, 0, 14, 0, 0, 2, 1, 0, 0, 0, 128, 0, 130, 0, 126, // MCT: offsets
			0xFF, 0x75, 0, 23, 0, 0, 1, 0, 0, 0, 1, 1, 0, 3, 0, 1, 2, 0, 3, 2, 0, 1, 1, 1, 0, // MCC
			0xFF, 0x77, 0, 4, 1, 1) // MCO
		e[cod+8] = 2
		return e
	}
	m := &jpeg2000.Image{Width: cols, Height: rows}
	var crossed []byte
	for c := range 3 {
		p := jpeg2000.Component{Width: cols, Height: rows, Bits: 8, Samples: make([]int32, rows*cols)}
		for k := range p.Samples {
			p.Samples[k] = int32((k%cols*3+k/cols*2+40*c)&127 + 20)
		}
		m.Components = append(m.Components, p)
	}
	for k := range rows * cols {
		crossed = append(crossed, byte(m.Components[1].Samples[k]+2), byte(m.Components[2].Samples[k]-2), byte(m.Components[0].Samples[k]))
	}
	e, err := jpeg2000.Encode(t.Context(), m, jpeg2000.EncodeOptions{NoColourTransform: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, syntax := range []string{jpeg2000MultiLossless, jpeg2000MultiLossy} {
		p, err := newObject(syntax).shape(rows, cols, 3, 8, 8, 7, 0, "RGB", 1).encapsulated(nil, across(slices.Clone(e.Data))).open(t).Stored(t.Context(), 1)
		if err != nil || !bytes.Equal(p.Data, crossed) {
			t.Errorf("%s with a transform of part 2: differs, %v", syntax, err)
		}
		s := newObject(syntax).shape(rows, cols, 3, 8, 8, 7, 0, "YBR_RCT", 2).encapsulated(nil, fragments...).open(t)
		for n := range want {
			p, err := s.Stored(t.Context(), n+1)
			if err != nil || !bytes.Equal(p.Data, want[n]) {
				t.Errorf("%s frame %d: differs, %v", syntax, n+1, err)
			}
		}
	}
}
