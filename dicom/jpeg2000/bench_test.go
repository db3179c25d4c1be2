//go:build unix

package jpeg2000

import (
	"image"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// cpu is the processor time of this process.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measure runs f and reports its processor time, which a busy machine distorts
// less than the time that passes.
func measure(b *testing.B, bytes int, f func() error) {
	b.SetBytes(int64(bytes))
	b.ReportAllocs()
	start := cpu(b)
	for b.Loop() {
		if err := f(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cpu(b)-start)/float64(time.Millisecond)/float64(b.N), "cpu-ms/op")
}

// BenchmarkCorpus decodes real images of 512×512×16, and codes them again.
func BenchmarkCorpus(b *testing.B) {
	dir := corpus(b)
	for _, name := range []string{"wg04/CT1_J2KR.dcm", "wg04/MR1_J2KR.dcm", "cs3d/CTImage.dcm_JPEG2000LosslessOnlyTransferSyntax_1.2.840.10008.1.2.4.90.dcm", "wg04/CT1_J2KI.dcm", "htj2k/CT1_HTRPCL.dcm", "htj2k/MR1_HTRPCL.dcm"} {
		data := codestream(b, filepath.Join(dir, name))
		b.Run("decode/"+filepath.Base(name), func(b *testing.B) {
			measure(b, 512*512*2, func() error {
				_, err := Decode(b.Context(), data, Options{})
				return err
			})
		})
		m, err := Decode(b.Context(), data, Options{})
		if err != nil {
			b.Fatal(err)
		}
		for kind, o := range map[string]EncodeOptions{"encode/": {}, "encode-part1/": {Part1: true}} {
			b.Run(kind+filepath.Base(name), func(b *testing.B) {
				measure(b, 512*512*2, func() error {
					_, err := Encode(b.Context(), m, o)
					return err
				})
			})
		}
	}
}

// BenchmarkEncode codes a drawn image.
func BenchmarkEncode(b *testing.B) {
	m := picture(512, 512, 1, 16, false, 1)
	measure(b, 512*512*2, func() error {
		_, err := Encode(b.Context(), m, EncodeOptions{})
		return err
	})
}

// BenchmarkDecode decodes it.
func BenchmarkDecode(b *testing.B) {
	e, err := Encode(b.Context(), picture(512, 512, 1, 16, false, 1), EncodeOptions{})
	if err != nil {
		b.Fatal(err)
	}
	for _, l := range e.Levels[len(e.Levels)-3:] {
		b.Run([]string{"whole", "half", "quarter"}[l.Discard], func(b *testing.B) {
			measure(b, 512*512*2, func() error {
				_, err := Decode(b.Context(), e.Data[:l.Bytes], Options{Discard: l.Discard})
				return err
			})
		})
	}
	b.Run("region", func(b *testing.B) {
		measure(b, 128*128*2, func() error {
			_, err := Decode(b.Context(), e.Data, Options{Region: image.Rect(192, 192, 320, 320)})
			return err
		})
	})
}
