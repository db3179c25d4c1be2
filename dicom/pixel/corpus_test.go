package pixel

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sira/dicom"
)

// corpus returns the folder with real files, or skips.
func corpus(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("SIRA_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	if _, err := os.Stat(filepath.Join(dir, "MANIFEST.tsv")); err != nil {
		if _, err := os.Stat(filepath.Join("..", "..", "..", "shared")); err == nil {
			t.Fatalf("no corpus at %s", dir)
		}
		t.Skipf("NOT RUN: no corpus at %s", dir)
	}
	return dir
}

// reference is one line of the corpus's manifest.
type reference struct{ file, syntax, gdcm, dcmtk, layout string }

func references(t testing.TB, dir string) []reference {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "MANIFEST.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []reference
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if c := strings.Split(lines.Text(), "\t"); len(c) >= 10 && c[0] != "file" {
			out = append(out, reference{c[0], c[4], c[7], c[8], c[9]})
		}
	}
	return out
}

// openPath opens the pixels of a file.
func openPath(t testing.TB, path string) (*Source, error) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return openBytes(b)
}

func openBytes(b []byte) (*Source, error) {
	r := bytes.NewReader(b)
	f, err := dicom.Read(context.Background(), r, int64(len(b)), dicom.Limits{})
	if err != nil {
		return nil, err
	}
	return Open(f, r)
}

// storedBytes is all frames as an uncompressed, pixel-interleaved, little
// endian object would hold them.
func storedBytes(t testing.TB, s *Source) ([]byte, error) {
	t.Helper()
	var out []byte
	for n := 1; n <= s.Info().Frames; n++ {
		p, err := s.Stored(context.Background(), n)
		if err != nil {
			return nil, err
		}
		switch {
		case s.info.BitsAllocated == 1:
			out = append(out, packBits(p.Data)...)
		case s.pixel.Native != nil && s.packed422():
			for k := 0; k+5 < len(p.Data); k += 6 {
				out = append(out, p.Data[k], p.Data[k+3], p.Data[k+1], p.Data[k+2])
			}
		default:
			out = append(out, p.Data...)
		}
	}
	return out, nil
}

func packBits(samples []byte) []byte {
	out := make([]byte, (len(samples)+7)/8)
	for k, v := range samples {
		out[k/8] |= v << (k % 8)
	}
	return out
}

// TestCorpusPixels compares decoded pixels with those of two independent
// decoders: bit by bit where nothing is lossy.
func TestCorpusPixels(t *testing.T) {
	dir := corpus(t)
	var exact, lossy, unsupported, without int
	type count struct{ files, frames, pixels int }
	exactOf := map[string]count{}
	for _, ref := range references(t, dir) {
		if !strings.HasPrefix(ref.file, "broken/") && filepath.Ext(ref.file) != ".scp" {
			s, err := openPath(t, filepath.Join(dir, ref.file))
			var refused *dicom.Error
			switch {
			case errors.As(err, &refused), errors.Is(err, ErrNoPixels), errors.Is(err, ErrUnsupportedLayout):
				if len(ref.gdcm) == 64 || len(ref.dcmtk) == 64 {
					t.Errorf("%s: %v", ref.file, err)
				}
				without++
				continue
			case err != nil:
				t.Errorf("%s: %v", ref.file, err)
				continue
			}
			if !s.Decodable() {
				unsupported++
				continue
			}
			got, err := storedBytes(t, s)
			if err != nil {
				t.Errorf("%s: %v", ref.file, err)
				continue
			}
			sum := sha256.Sum256(got)
			if hash := hex.EncodeToString(sum[:]); hash == ref.gdcm || hash == ref.dcmtk {
				exact++
				c := exactOf[s.syntax]
				exactOf[s.syntax] = count{c.files + 1, c.frames + s.info.Frames, c.pixels + s.info.Frames*s.info.pixels()}
			} else if s.syntax == jpeg2000Lossy || s.syntax == htj2kLossy {
				lossy++ // see TestJPEG2000AgainstGDCM
			} else if len(ref.gdcm) == 64 || len(ref.dcmtk) == 64 {
				t.Errorf("%s: %s, %d bytes: %s, want %s (%s)", ref.file, s.syntax, len(got), hash[:8], ref.gdcm[:min(8, len(ref.gdcm))], ref.layout)
			} else {
				t.Logf("%s decodes; the manifest has no hash to compare", ref.file)
			}
		}
	}
	t.Logf("%d exact, %d lossy (compared elsewhere), %d in syntaxes without decoder, %d without pixels", exact, lossy, unsupported, without)
	if exact < 140 {
		t.Errorf("only %d files compared", exact)
	}
	for _, syntax := range slices.Sorted(maps.Keys(exactOf)) {
		c := exactOf[syntax]
		t.Logf("%-24s %3d files, %4d frames, %9d pixels exact", syntax, c.files, c.frames, c.pixels)
	}
	for _, syntax := range []string{
		jpegBaseline, jpegExtended, jpegSpectral, jpegProgressive, jpegLossless, jpegLosslessSV1, jpegLSLossless, jpegLSNear,
	} {
		if exactOf[syntax].files == 0 {
			t.Errorf("nothing of %s compared", syntax)
		}
	}
}

// TestJPEGAgainstDCMTK compares colour and grey of JPEG frames with dcmtk's.
func TestJPEGAgainstDCMTK(t *testing.T) {
	dir := corpus(t)
	tool, err := exec.LookPath("dcmj2pnm")
	if err != nil {
		t.Skip("NOT RUN: dcmj2pnm (Debian package dcmtk) is not installed")
	}
	compared := 0
	for _, ref := range references(t, dir) {
		if ref.syntax != jpegBaseline || strings.HasPrefix(ref.file, "broken/") {
			continue
		}
		path := filepath.Join(dir, ref.file)
		s, err := openPath(t, path)
		if err != nil {
			t.Logf("%s: %v", ref.file, err)
			continue
		}
		for _, n := range []int{1, s.Info().Frames} {
			conversion := "+cn"
			if strings.HasPrefix(s.info.Photometric, "YBR") {
				conversion = "+cl" // libjpeg's arithmetic; dcmtk's own rounds down
			}
			want, err := pnm(tool, path, n, conversion)
			if err != nil {
				t.Logf("%s frame %d: dcmtk cannot: %v", ref.file, n, err)
				continue
			}
			p, err := s.Frame(context.Background(), n)
			if err != nil {
				t.Errorf("%s frame %d: %v", ref.file, n, err)
				continue
			}
			if len(want) != len(p.Data) {
				t.Errorf("%s frame %d: %d bytes, dcmtk has %d", ref.file, n, len(p.Data), len(want))
				continue
			}
			worst, sum := 0, 0
			for k := range want {
				d := int(want[k]) - int(p.Data[k])
				worst, sum = max(worst, d, -d), sum+max(d, -d)
			}
			t.Logf("%s frame %d: worst difference %d, mean %.4f", ref.file, n, worst, float64(sum)/float64(len(want)))
			if worst > 1 || float64(sum) > 0.05*float64(len(want)) {
				t.Errorf("%s frame %d: differs by %d", ref.file, n, worst)
			}
			compared++
		}
	}
	if compared < 10 {
		t.Errorf("only %d frames compared", compared)
	}
}

// pnm has dcmtk decode a frame to 8 bits without window.
func pnm(tool, path string, n int, conversion string) ([]byte, error) {
	out, err := exec.Command(tool, "--no-windowing", conversion, "--frame", strconv.Itoa(n), "--write-raw-pnm", path).Output()
	if err != nil {
		return nil, err
	}
	head := 0
	for lines := 0; lines < 3; head++ {
		if head >= len(out) {
			return nil, errors.New("no PNM")
		}
		if out[head] == '\n' {
			lines++
		}
	}
	return out[head:], nil
}

// TestBrokenFiles wants an answer, right or refused, for every broken file.
func TestBrokenFiles(t *testing.T) {
	dir := corpus(t)
	files, err := filepath.Glob(filepath.Join(dir, "broken", "*"))
	if err != nil || len(files) == 0 {
		t.Fatal("no broken files", err)
	}
	for _, path := range files {
		s, err := openPath(t, path)
		if err != nil {
			t.Logf("%s: %v", filepath.Base(path), err)
			continue
		}
		for n := 0; n <= min(s.Info().Frames, 3)+1; n++ {
			if _, err := s.Frame(context.Background(), n); err != nil {
				t.Logf("%s frame %d: %v", filepath.Base(path), n, err)
			}
		}
		if frames := s.Info().Frames; frames > 1000 {
			t.Errorf("%s claims %d frames", filepath.Base(path), frames)
		}
	}
}
