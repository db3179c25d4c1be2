package transcode

import (
	"bytes"
	"context"
	"io"
	"testing"

	"sira/dicom/phantom"
)

// BenchmarkTranscode brings a drawn CT slice of 512×512×16 to each compressed
// syntax.
func BenchmarkTranscode(b *testing.B) {
	data := phantom.CT(1, phantom.Study{Seed: 1})[0]
	f := read(b, data)
	for name, to := range map[string]string{
		"RLE": RLE, "JPEG lossless": JPEGLosslessSV1, "JPEG-LS": JPEGLSLossless, "JPEG 2000": JPEG2000Lossless, "HTJ2K": HTJ2KRPCL,
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(512 * 512 * 2)
			for b.Loop() {
				if err := Transcode(context.Background(), f, bytes.NewReader(data), to, io.Discard); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
