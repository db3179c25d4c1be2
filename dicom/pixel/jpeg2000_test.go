package pixel

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
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
