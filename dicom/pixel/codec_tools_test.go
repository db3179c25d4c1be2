package pixel

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"sira/dicom/jpeg"
	"sira/dicom/jpegls"
)

// tool finds another decoder or encoder. Those of dcmtk must be there when
// tests are strict.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if name != "gdcmconv" && os.Getenv("SIRA_TEST_STRICT") == "1" {
		t.Fatalf("%s (Debian package dcmtk) is not installed", name)
	}
	t.Skipf("NOT RUN: %s (Debian package dcmtk or libgdcm-tools) is not installed", name)
	return ""
}

// convert runs a tool over an object and opens what it wrote.
func convert(t *testing.T, object []byte, tool string, args ...string) *Source {
	t.Helper()
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from.dcm"), filepath.Join(dir, "to.dcm")
	if err := os.WriteFile(from, object, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(tool, append(args, from, to)...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v: %s", filepath.Base(tool), args, err, out)
	}
	s, err := openPath(t, to)
	if err != nil {
		t.Fatalf("what %s %q wrote: %v", filepath.Base(tool), args, err)
	}
	return s
}

// shot is an image that encoders are tried on.
type shot struct {
	name                                string
	rows, cols, samples, stored, signed int
	data                                []byte
}

func (s *shot) allocated() int {
	if s.stored > 8 {
		return 16
	}
	return 8
}

func (s *shot) object(syntax string) *object {
	photometric := "MONOCHROME2"
	if s.samples == 3 {
		photometric = "RGB"
	}
	return newObject(syntax).shape(s.rows, s.cols, s.samples, s.allocated(), s.stored, s.stored-1, s.signed, photometric, 1)
}

// native is the shot uncompressed.
func (s *shot) native() *object {
	vr := "OB"
	if s.allocated() == 16 {
		vr = "OW"
	}
	return s.object(littleEndian).put(0x7FE00010, vr, s.data)
}

// frame is what is to be seen: other decoders extend the sign in what they
// store, or do not.
func (s *shot) frame(t *testing.T) *Pixels {
	t.Helper()
	return frame(t, s.native().open(t), 1)
}

// shots are soft and noisy images of several depths, with flat parts.
func shots() []shot {
	var out []shot
	random := rand.New(rand.NewPCG(7, 7))
	for _, kind := range []string{"soft", "noise"} {
		for _, depth := range []int{8, 10, 12, 16} {
			for _, samples := range []int{1, 3} {
				if samples == 3 && depth != 8 {
					continue
				}
				s := shot{name: fmt.Sprintf("%s of %d×%d bits", kind, samples, depth), rows: 61, cols: 90, samples: samples, stored: depth}
				top := 1<<depth - 1
				for y := range s.rows {
					for x := range s.cols {
						for c := range samples {
							v := top * (3*x + 2*y + 40*c) / 480
							if kind == "noise" {
								v = random.IntN(top + 1)
							} else if y > 9 {
								v += random.IntN(5)
							}
							if x/20 == 2 {
								v = top / 5
							}
							v = min(v, top)
							if s.data = append(s.data, byte(v)); depth > 8 {
								s.data = append(s.data, byte(v>>8))
							}
						}
					}
				}
				out = append(out, s)
			}
		}
	}
	signed := out[3]
	signed.name, signed.signed = "signed "+signed.name, 1
	return append(out, signed)
}

// encodings are streams of a shot by our encoders, by transfer syntax.
func encodings(t *testing.T, s shot) map[string][][]byte {
	t.Helper()
	out := map[string][][]byte{}
	add := func(syntax string, stream []byte, err error) {
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		out[syntax] = append(out[syntax], stream)
	}
	for mode := jpegls.InterleaveNone; mode <= jpegls.InterleaveSample; mode++ {
		m := &jpegls.Image{Width: s.cols, Height: s.rows, Components: s.samples, Bits: s.stored, Data: s.data}
		b, err := jpegls.Encode(t.Context(), m, jpegls.EncodeOptions{Interleave: mode})
		add(jpegLSLossless, b, err)
	}
	m := &jpeg.Image{Width: s.cols, Height: s.rows, Components: s.samples, Bits: s.stored, Data: s.data}
	b, err := jpeg.Encode(t.Context(), m, jpeg.EncodeOptions{})
	add(jpegLosslessSV1, b, err)
	for predictor := 2; predictor <= 7; predictor++ {
		b, err = jpeg.Encode(t.Context(), m, jpeg.EncodeOptions{Predictor: predictor})
		add(jpegLossless, b, err)
	}
	b, err = jpeg.Encode(t.Context(), m, jpeg.EncodeOptions{RestartLines: 8})
	add(jpegLosslessSV1, b, err)
	return out
}

// TestEncodersAgainstDCMTK has dcmtk decode what our encoders make.
func TestEncodersAgainstDCMTK(t *testing.T) {
	tools := map[string]string{jpegLSLossless: tool(t, "dcmdjpls"), jpegLossless: tool(t, "dcmdjpeg"), jpegLosslessSV1: tool(t, "dcmdjpeg")}
	for _, s := range shots() {
		want := s.frame(t)
		for syntax, streams := range encodings(t, s) {
			for k, stream := range streams {
				got := convert(t, s.object(syntax).encapsulated(nil, stream).bytes(), tools[syntax])
				if p, err := got.Frame(t.Context(), 1); err != nil || !bytes.Equal(p.Data, want.Data) {
					t.Errorf("%s as %s, %d: differs, %v", s.name, syntax, k, err)
				}
			}
		}
	}
}

// TestEncodersAgainstGDCM has gdcm decode what our encoders make.
func TestEncodersAgainstGDCM(t *testing.T) {
	gdcm := tool(t, "gdcmconv")
	for _, s := range shots() {
		want := s.frame(t)
		for syntax, streams := range encodings(t, s) {
			for k, stream := range streams {
				got := convert(t, s.object(syntax).encapsulated(nil, stream).bytes(), gdcm, "--raw")
				if p, err := got.Frame(t.Context(), 1); err != nil || !bytes.Equal(p.Data, want.Data) {
					t.Errorf("%s as %s, %d: differs, %v", s.name, syntax, k, err)
				}
			}
		}
	}
}

// TestDecodersAgainstDCMTK decodes what dcmtk encodes, by every process it
// knows, and compares with its own decoders.
func TestDecodersAgainstDCMTK(t *testing.T) {
	ls, unls := tool(t, "dcmcjpls"), tool(t, "dcmdjpls")
	dct, undct := tool(t, "dcmcjpeg"), tool(t, "dcmdjpeg")
	type way struct {
		encoder, decoder string
		args             []string
	}
	ways := []way{
		{ls, unls, []string{"+el", "+in"}}, {ls, unls, []string{"+el", "+is"}}, {ls, unls, []string{"+el", "+il", "+pc"}},
		{ls, unls, []string{"+en", "+md", "1"}}, {ls, unls, []string{"+en", "+md", "5", "+is"}}, {ls, unls, []string{"+en", "+md", "3", "+in"}},
		{ls, unls, []string{"+el", "+t1", "5", "+t2", "9", "+t3", "90", "+rs", "31"}},
		{dct, undct, []string{"+e1"}},
		{dct, undct, []string{"+eb", "+s2"}}, {dct, undct, []string{"+ee", "+s4"}}, {dct, undct, []string{"+es", "+s2"}}, {dct, undct, []string{"+ep", "+s2"}},
		{dct, undct, []string{"+ep", "+q", "30"}}, {dct, undct, []string{"+ee", "+q", "100"}}, {dct, undct, []string{"+e1", "+pt", "2"}},
	}
	for k := 1; k <= 7; k++ {
		ways = append(ways, way{dct, undct, []string{"+el", "+sv", fmt.Sprint(k)}})
	}
	compared := 0
	for k, s := range shots() {
		if k >= 5 && k%2 == 0 { // processes are slow to start
			continue
		}
		raw := s.native()
		for _, w := range ways {
			if s.stored > 12 && w.encoder == dct && w.args[0] != "+e1" && w.args[0] != "+el" {
				continue // DCT has 12 bits at most
			}
			name := fmt.Sprintf("%s by %s %q", s.name, filepath.Base(w.encoder), w.args)
			dir := t.TempDir()
			from, to := filepath.Join(dir, "raw.dcm"), filepath.Join(dir, "coded.dcm")
			if err := os.WriteFile(from, raw.bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(w.encoder, append(w.args, from, to)...).CombinedOutput(); err != nil {
				t.Logf("%s: %v %s", name, err, out)
				continue
			}
			coded, err := os.ReadFile(to)
			if err != nil {
				t.Fatal(err)
			}
			got, err := openBytes(coded)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			a, err := got.Frame(t.Context(), 1)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			want := convert(t, coded, w.decoder, unconverted(w.decoder)...)
			b, err := want.Frame(t.Context(), 1)
			if err != nil || len(a.Data) != len(b.Data) {
				t.Errorf("%s: %d bytes, %d of dcmtk, %v", name, len(a.Data), len(b.Data), err)
				continue
			}
			if worst := worst(a, b); worst > 0 {
				t.Errorf("%s: differs by %d", name, worst)
			}
			compared++
		}
	}
	if compared < 120 {
		t.Errorf("only %d images compared", compared)
	}
}

// unconverted keeps dcmtk from changing colours.
func unconverted(tool string) []string {
	if filepath.Base(tool) == "dcmdjpeg" {
		return []string{"+cn"}
	}
	return nil
}

// worst is the largest difference of two images' samples.
func worst(a, b *Pixels) int {
	out := 0
	for k := 0; k < len(a.Data); k += a.Bits / 8 {
		d := int(a.Data[k]) - int(b.Data[k])
		if a.Bits == 16 {
			d = int(int16(binary.LittleEndian.Uint16(a.Data[k:]) - binary.LittleEndian.Uint16(b.Data[k:])))
		}
		out = max(out, d, -d)
	}
	return out
}
