package transcode

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sira/dicom"
	"sira/dicom/pixel"
	"sira/dicom/write"
)

// sourced is one object to start from.
type sourced struct {
	name, syntax string
	gdcm         bool // GDCM can decode it
	data         []byte
}

// corpus returns the images of the corpus in any syntax that decodes; of each
// series one counts, and large ones only when all is asked for.
func corpus(t testing.TB) []sourced {
	t.Helper()
	shared := filepath.Join("..", "..", "..", "shared")
	dir := os.Getenv("SIRA_CORPUS")
	if dir == "" {
		dir = filepath.Join(shared, "corpus")
	}
	manifest, err := os.Open(filepath.Join(dir, "MANIFEST.tsv"))
	if err != nil {
		if _, err := os.Stat(shared); err == nil {
			t.Fatalf("no corpus at %s", dir)
		}
		t.Skipf("NOT RUN: no corpus at %s", dir)
	}
	defer manifest.Close()
	series := map[string]bool{}
	var out []sourced
	for lines := bufio.NewScanner(manifest); lines.Scan(); {
		c := strings.Split(lines.Text(), "\t")
		folder := filepath.Dir(c[0])
		if len(c) < 10 || c[0] == "file" || len(c[7]) != 64 && len(c[8]) != 64 ||
			strings.HasPrefix(c[0], "broken/") || strings.HasPrefix(c[0], "series/") && series[folder] {
			continue
		}
		series[folder] = true
		data, err := os.ReadFile(filepath.Join(dir, c[0]))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, sourced{c[0], c[4], len(c[7]) == 64, data})
	}
	return out
}

func read(t testing.TB, data []byte) *dicom.File {
	t.Helper()
	f, err := dicom.Read(context.Background(), bytes.NewReader(data), int64(len(data)), dicom.Limits{ModelBytes: -1})
	if err != nil {
		t.Fatalf("reading: %v", err)
	}
	return f
}

func sum(t testing.TB, data []byte) string {
	t.Helper()
	s, err := PixelSum(context.Background(), read(t, data), bytes.NewReader(data))
	if err != nil {
		t.Fatalf("decoding: %v", err)
	}
	return s
}

func transcoded(t testing.TB, data []byte, to string) ([]byte, error) {
	t.Helper()
	var b bytes.Buffer
	err := Transcode(context.Background(), read(t, data), bytes.NewReader(data), to, &b)
	if err != nil && b.Len() > 0 {
		t.Errorf("%d bytes were written before it failed: %v", b.Len(), err)
	}
	return b.Bytes(), err
}

// TestCorpus brings every image of the corpus to every target: the samples stay
// the same ones, or it is refused because the target has no form for them.
func TestCorpus(t *testing.T) {
	done, refused := map[string]int{}, map[string]int{}
	for k, s := range corpus(t) {
		before := sum(t, s.data)
		for _, to := range chosen(t, s, k) {
			out, err := transcoded(t, s.data, to)
			if errors.Is(err, ErrImage) || errors.Is(err, write.ErrNoInstance) {
				refused[to]++
				t.Logf("%s to %s: refused: %v", s.name, to, err)
				continue
			}
			if err != nil {
				t.Errorf("%s to %s: %v", s.name, to, err)
				continue
			}
			if after := sum(t, out); after != before {
				t.Errorf("%s (%s) to %s: samples changed", s.name, s.syntax, to)
			}
			if to != s.syntax {
				wellDescribed(t, s, out, to)
			}
			done[to]++
		}
	}
	for _, to := range Targets() {
		t.Logf("%s: %d identical, %d refused", to, done[to], refused[to])
		if done[to] < 30 {
			t.Errorf("%s: only %d images", to, done[to])
		}
	}
}

// chosen are the targets of image k: all of small ones, of others two in turn,
// unless SIRA_TEST_STRICT asks for everything.
func chosen(t *testing.T, s sourced, k int) []string {
	all := Targets()
	if os.Getenv("SIRA_TEST_STRICT") == "1" {
		return all
	}
	switch cost := cost(read(t, s.data)); {
	case cost <= 300_000:
		return all
	case cost > 4_000_000:
		return []string{all[k%len(all)]}
	}
	return []string{all[k%len(all)], all[(k+4)%len(all)]}
}

// cost is the number of samples of an image.
func cost(f *dicom.File) int {
	n := 1
	for _, tag := range []dicom.Tag{0x00280010, 0x00280011, 0x00280002, tagFrames} {
		if v, ok := f.Int(tag); ok && v > 0 {
			n *= v
		}
	}
	return n
}

// wellDescribed checks the attributes against what the syntax allows.
func wellDescribed(t *testing.T, s sourced, out []byte, to string) {
	t.Helper()
	was, f := read(t, s.data), read(t, out)
	if f.TransferSyntax != to {
		t.Errorf("%s: transfer syntax %s, not %s", s.name, f.TransferSyntax, to)
	}
	if was.String(0x00080018) != f.String(0x00080018) {
		t.Errorf("%s: another SOP instance", s.name)
	}
	if native(to) != (f.Pixel.Native != nil) {
		t.Errorf("%s to %s: native pixel data: %v", s.name, to, f.Pixel.Native != nil)
	}
	if was.String(tagLossy) == "01" && f.String(tagLossy) != "01" ||
		was.String(tagLossyMethod) != "" && was.String(tagLossyMethod) != f.String(tagLossyMethod) {
		t.Errorf("%s to %s: what was lost is forgotten", s.name, to)
	}
	if strings.HasSuffix(s.syntax, ".50") && f.String(tagLossy) != "01" {
		t.Errorf("%s to %s: lossy, and not said", s.name, to)
	}
	colours := f.String(tagPhotometric)
	if !native(to) {
		planar, _ := f.Int(tagPlanar)
		if f.Has(tagPlanar) && (planar == 1) != (to == RLE) {
			t.Errorf("%s to %s: planar configuration %d", s.name, to, planar)
		}
		if strings.Contains(colours, "422") {
			t.Errorf("%s to %s: %s", s.name, to, colours)
		}
		frames, _ := f.Int(tagFrames)
		if len(f.Pixel.BasicOffsets) != max(frames, 1) {
			t.Errorf("%s to %s: offsets of %d frames, not %d", s.name, to, len(f.Pixel.BasicOffsets), max(frames, 1))
		}
	}
	transforms := to == JPEG2000Lossless || to == HTJ2KLossless || to == HTJ2KRPCL
	if (colours == "YBR_RCT") != (transforms && strings.Contains("RGB YBR_RCT YBR_ICT", was.String(tagPhotometric)) && isRGB(t, was, s.data)) && f.Has(tagPlanar) {
		t.Errorf("%s (%s) to %s: %s", s.name, was.String(tagPhotometric), to, colours)
	}
}

// isRGB reports whether an image that says so holds red, green and blue.
func isRGB(t *testing.T, f *dicom.File, data []byte) bool {
	src, err := pixel.Open(f, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	a, err := src.Stored(context.Background(), 1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := src.Frame(context.Background(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return a.Samples == 3 && (a.Bits != 8 || bytes.Equal(a.Data, b.Data))
}
