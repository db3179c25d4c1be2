package phantom

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sira/dicom"
)

var testStudy = Study{
	Patient:     Patient{"TRAORÉ^Aïssata", "ML-0042", "F", "19881103"},
	Date:        time.Date(2026, 3, 9, 8, 15, 0, 0, time.UTC),
	Seed:        11,
	Accession:   "A100",
	Institution: "CSRéf de Kati",
}

// objects are one of each kind.
var objects = sync.OnceValue(func() map[string][]byte {
	return map[string][]byte{
		"ct":    CT(1, testStudy)[0],
		"us":    USCine(2, testStudy),
		"ecg":   ECG12(testStudy, Sinus),
		"stemi": ECG12(testStudy, InferiorSTEMI),
		"dx":    DX(testStudy, ChestOptions{Pneumonia: true}),
	}
})

func TestObjectsAreReadable(t *testing.T) {
	for name, b := range objects() {
		f, err := dicom.Read(context.Background(), bytes.NewReader(b), int64(len(b)), dicom.Limits{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := f.String(0x00100010); got != testStudy.Patient.Name {
			t.Errorf("%s: patient name %q", name, got)
		}
		if got := f.String(0x00101010); got != "037Y" {
			t.Errorf("%s: age %q", name, got)
		}
		if _, err := dicom.Describe(f); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestObjectsAgainstDCMTK has an independent reader go through every element.
func TestObjectsAgainstDCMTK(t *testing.T) {
	dump, err := exec.LookPath("dcmdump")
	if err != nil {
		t.Skip("NOT RUN: dcmdump (Debian package dcmtk) is not installed")
	}
	for name, b := range objects() {
		path := filepath.Join(t.TempDir(), name+".dcm")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(dump, "+P", "SOPInstanceUID", path).CombinedOutput()
		if err != nil || regexp.MustCompile(`(?m)^[WEF]:`).Match(out) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	first := objects()
	again := map[string][]byte{
		"ct":  CT(1, testStudy)[0],
		"us":  USCine(2, testStudy),
		"ecg": ECG12(testStudy, Sinus),
	}
	for name := range again {
		if !bytes.Equal(first[name], again[name]) {
			t.Errorf("%s differs from one call to the next", name)
		}
	}
	if !bytes.Equal(Photo(4), Photo(4)) || bytes.Equal(Photo(4), Photo(5)) {
		t.Error("photo does not follow its seed")
	}
	other := testStudy
	other.Seed++
	if bytes.Equal(first["ecg"], ECG12(other, Sinus)) {
		t.Error("another seed gives the same ECG")
	}
}

func TestSlicesBelongTogether(t *testing.T) {
	seen := map[string]bool{}
	var series, last string
	for i, b := range CT(3, testStudy) {
		f, err := dicom.Read(context.Background(), bytes.NewReader(b), int64(len(b)), dicom.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		seen[f.String(0x00080018)] = true
		if s := f.String(0x0020000E); series == "" {
			series = s
		} else if s != series {
			t.Errorf("slice %d is in another series", i)
		}
		if n, _ := f.Int(0x00200013); n != i+1 {
			t.Errorf("slice %d has instance number %d", i, n)
		}
		if z := f.Strings(0x00200032); len(z) != 3 || z[2] == last {
			t.Errorf("slice %d: position %v", i, z)
		} else {
			last = z[2]
		}
	}
	if len(seen) != 3 {
		t.Errorf("%d different instance UIDs among 3 slices", len(seen))
	}
}

func TestHeadHasWhatItShould(t *testing.T) {
	h := newHead(3)
	l := h.at(9)
	for _, p := range []struct {
		what     string
		x, y     float64
		from, to float64
	}{
		{"air", 0, -115, -1001, -900},
		{"bleeding", -29, 1, 55, 80},
		{"skull", 64, 2, 500, 1400},
		{"left white matter", 30, 30, 15, 45},
	} {
		if hu := l.hounsfield(p.x, p.y); hu < p.from || hu > p.to {
			t.Errorf("%s at (%g, %g): %.0f HU", p.what, p.x, p.y, hu)
		}
	}
}

func TestLeadRelations(t *testing.T) {
	for _, rhythm := range []Rhythm{Sinus, InferiorSTEMI, AtrialFibrillation} {
		rows := ecgSamples(9, rhythm)
		if len(rows) != 5000 {
			t.Fatalf("%v: %d samples", rhythm, len(rows))
		}
		for i, r := range rows {
			if r[2] != r[1]-r[0] {
				t.Fatalf("%v: sample %d: III is not II − I", rhythm, i)
			}
			if sum := int(r[3]) + int(r[4]) + int(r[5]); sum < -2 || sum > 2 {
				t.Fatalf("%v: sample %d: aVR + aVL + aVF = %d", rhythm, i, sum)
			}
		}
	}
	if st := stLevel(InferiorSTEMI); st < 150 {
		t.Errorf("ST in III is %.0f µV in an inferior infarction", st)
	}
	if st := stLevel(Sinus); st > 60 || st < -60 {
		t.Errorf("ST in III is %.0f µV in a healthy heart", st)
	}
}

// stLevel is the mean of lead III 80 ms after the R waves, in µV.
func stLevel(rhythm Rhythm) float64 {
	rows, sum, n := ecgSamples(9, rhythm), 0.0, 0.0
	r := newRand(9, 3)
	for _, b := range beatTimes(r, rhythm) {
		if i := int((b.at + 0.08) * ecgRate); i >= 0 && i < len(rows) && b.at > 0 {
			sum, n = sum+float64(rows[i][2])*ecgUnit, n+1
		}
	}
	return sum / n
}

func TestEncoder422(t *testing.T) {
	m := image.NewRGBA(image.Rect(0, 0, usWidth, usHeight))
	newHeart(1).draw(m, 3, 48)
	overlay(m, 3, 48)
	decoded, err := jpeg.Decode(bytes.NewReader(encode422(m, 92)))
	if err != nil {
		t.Fatal(err)
	}
	planes, ok := decoded.(*image.YCbCr)
	if !ok || planes.SubsampleRatio != image.YCbCrSubsampleRatio422 {
		t.Fatalf("decoded as %T", decoded)
	}
	var sum float64
	for y := range usHeight {
		for x := range usWidth {
			r, g, b, _ := m.At(x, y).RGBA()
			luma := (0.299*float64(r) + 0.587*float64(g) + 0.114*float64(b)) / 257
			d := luma - float64(planes.Y[planes.YOffset(x, y)])
			sum += d * d
		}
	}
	if mse := sum / (usWidth * usHeight); mse > 25 {
		t.Errorf("mean square error %.1f", mse)
	}
}

func TestPDFCrossReferences(t *testing.T) {
	lines := strings.Split(strings.Repeat("Œdème (léger) — 38,5 °C\n", 60), "\n")
	b := PDF("Compte rendu", lines)
	at := bytes.LastIndex(b, []byte("startxref\n"))
	start, err := strconv.Atoi(strings.Fields(string(b[at+10:]))[0])
	if err != nil || !bytes.HasPrefix(b[start:], []byte("xref\n")) {
		t.Fatalf("startxref %d: %v", start, err)
	}
	for i, m := range regexp.MustCompile(`(\d{10}) 00000 n`).FindAllSubmatch(b, -1) {
		offset, _ := strconv.Atoi(string(m[1]))
		if want := strconv.Itoa(i+1) + " 0 obj"; !bytes.HasPrefix(b[offset:], []byte(want)) {
			t.Errorf("entry %d does not point at its object", i+1)
		}
	}
	if !bytes.Contains(b, []byte("/Count 2")) || !bytes.Contains(b, []byte("\x8cd\xe8me \\(l\xe9ger\\) \x97 38,5 \xb0C")) {
		t.Error("pages or encoding are wrong")
	}
}

func TestPhotoIsAJPEG(t *testing.T) {
	m, err := jpeg.DecodeConfig(bytes.NewReader(Photo(1)))
	if err != nil || m.Width != photoWidth || m.Height != photoHeight {
		t.Errorf("%v %v", m, err)
	}
}

func TestUIDs(t *testing.T) {
	valid := regexp.MustCompile(`^2\.25\.[1-9][0-9]{0,38}$`)
	for i := range 200 {
		if u := uid(uint64(i), "x"); !valid.MatchString(u) || len(u) > 64 {
			t.Errorf("bad UID %q", u)
		}
	}
}

func TestMonochrome1IsTheNegative(t *testing.T) {
	f, err := dicom.Read(context.Background(), bytes.NewReader(objects()["dx"]), int64(len(objects()["dx"])), dicom.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	plain := objects()["dx"][f.Pixel.Native.Offset:]
	negative := newChest(testStudy.Seed, true).stored(testStudy.Seed, true)
	for _, i := range []int{0, 2 * 500_000, 2 * 2_000_000} {
		a, b := binary.LittleEndian.Uint16(plain[i:]), binary.LittleEndian.Uint16(negative[i:])
		if a+b != dxMax {
			t.Errorf("at byte %d: %d and %d", i, a, b)
		}
	}
}
