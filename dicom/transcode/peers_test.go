package transcode

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sira/dicom/pixel"
)

// peers are the tools of others that decode what Transcode writes.
var peers = []struct {
	tool string
	args []string
	to   []string
}{
	{"dcmdrle", nil, []string{RLE}},
	{"dcmdjpeg", []string{"+cn"}, []string{JPEGLossless, JPEGLosslessSV1}},
	{"dcmdjpls", nil, []string{JPEGLSLossless}},
	{"gdcmconv", []string{"--raw"}, []string{RLE, JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless}},
	{"dcmconv", []string{"+te"}, []string{ExplicitLE, ImplicitLE, DeflatedLE}},
}

// TestPeersDecode has dcmtk and GDCM decode what was transcoded, and compares
// the samples with those of the source.
func TestPeersDecode(t *testing.T) {
	images := corpus(t)
	for _, p := range peers {
		t.Run(p.tool, func(t *testing.T) {
			if _, err := exec.LookPath(p.tool); err != nil {
				t.Skipf("NOT RUN: %s is not installed", p.tool)
			}
			same := map[string]int{}
			for k, s := range images {
				if !smallImage(t, s) || p.tool == "gdcmconv" && !s.gdcm || bitsOf(t, s.data) == 1 {
					continue // the second: GDCM cannot decode the source either
				}
				to := p.to[k%len(p.to)]
				out, err := transcoded(t, s.data, to)
				if err != nil || to == s.syntax {
					continue // TestCorpus judges that
				}
				dir := t.TempDir()
				in, decoded := filepath.Join(dir, "in.dcm"), filepath.Join(dir, "out.dcm")
				if err := os.WriteFile(in, out, 0o600); err != nil {
					t.Fatal(err)
				}
				if said, err := exec.Command(p.tool, append(p.args, in, decoded)...).CombinedOutput(); err != nil {
					t.Errorf("%s to %s: %v: %.200s", s.name, to, err, said)
					continue
				}
				theirs, err := os.ReadFile(decoded)
				if err != nil {
					t.Errorf("%s to %s: nothing was written: %v", s.name, to, err)
					continue
				}
				if !bytes.Equal(storedBits(t, theirs), storedBits(t, s.data)) {
					t.Errorf("%s (%s) to %s: %s decodes other samples", s.name, s.syntax, to, p.tool)
					continue
				}
				same[to]++
			}
			for _, to := range p.to {
				t.Logf("%s: %d decoded identically", to, same[to])
				if same[to] == 0 {
					t.Errorf("%s: nothing was compared", to)
				}
			}
		})
	}
}

// smallImage keeps the work of other processes small.
func smallImage(t *testing.T, s sourced) bool { return cost(read(t, s.data)) <= 600_000 }

func bitsOf(t *testing.T, data []byte) int {
	n, _ := read(t, data).Int(0x00280100)
	return n
}

// storedBits is the samples of all frames without the bits that are no part of
// them, which GDCM clears.
func storedBits(t *testing.T, data []byte) []byte {
	t.Helper()
	src, err := open(read(t, data), bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	img := src.Info()
	mask := (uint32(1)<<img.BitsStored - 1) << (img.HighBit + 1 - img.BitsStored)
	var out []byte
	for n := 1; n <= img.Frames; n++ {
		p, err := src.Stored(context.Background(), n)
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range p.Data {
			out = append(out, v&byte(mask>>(8*(k%(p.Bits/8)))))
		}
	}
	return out
}

// TestPeersDecodeJPEG2000 has OpenJPEG decode frames of JPEG 2000 and HTJ2K.
// Signed samples, which PNM cannot hold, are left to the tests of the codec.
func TestPeersDecodeJPEG2000(t *testing.T) {
	tool, err := exec.LookPath("opj_decompress")
	if err != nil {
		t.Skip("NOT RUN: opj_decompress (OpenJPEG 2.5 or later) is not installed")
	}
	same := map[string]int{}
	for k, s := range corpus(t) {
		if !smallImage(t, s) {
			continue
		}
		to := []string{HTJ2KRPCL, JPEG2000Lossless}[k%2]
		out, err := transcoded(t, s.data, to)
		if err != nil {
			continue
		}
		src, err := pixel.Open(read(t, out), bytes.NewReader(out))
		if err != nil {
			t.Fatal(err)
		}
		if img := src.Info(); img.Signed || img.BitsStored < 8 {
			continue
		}
		stream, err := encoded(context.Background(), src, bytes.NewReader(out))
		if err != nil {
			t.Fatal(err)
		}
		p, err := src.Stored(context.Background(), 1)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		in, decoded := filepath.Join(dir, "in.j2c"), filepath.Join(dir, "out.pgm")
		if p.Samples == 3 {
			decoded = filepath.Join(dir, "out.ppm")
		}
		if err := os.WriteFile(in, stream, 0o600); err != nil {
			t.Fatal(err)
		}
		if said, err := exec.Command(tool, "-i", in, "-o", decoded).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %.200s", s.name, err, said)
			continue
		}
		pnm, err := os.ReadFile(decoded)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(pnmSamples(pnm, len(p.Data)/(p.Bits/8), p.Bits), p.Data) {
			t.Errorf("%s (%s): OpenJPEG decodes other samples of %s", s.name, s.syntax, to)
			continue
		}
		same[to]++
	}
	t.Logf("frames decoded identically: %v", same)
	if same[HTJ2KRPCL] < 10 || same[JPEG2000Lossless] < 10 {
		t.Errorf("only %v frames were compared", same)
	}
}

// pnmSamples is the n samples of a binary PNM in bits each, little endian.
func pnmSamples(pnm []byte, n, bits int) []byte {
	wide := true
	for _, line := range strings.SplitN(string(pnm[:min(len(pnm), 64)]), "\n", 5) {
		wide = wide && strings.TrimSpace(line) != "255"
	}
	width := 1
	if wide {
		width = 2
	}
	if len(pnm) < n*width {
		return nil
	}
	raw := pnm[len(pnm)-n*width:]
	out := make([]byte, 0, n*bits/8)
	for k := range n {
		v := uint16(raw[k*width])
		if wide {
			v = binary.BigEndian.Uint16(raw[2*k:])
		}
		out = append(out, byte(v))
		if bits == 16 {
			out = append(out, byte(v>>8))
		}
	}
	return out
}
