package deid

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"strconv"

	"sira/dicom/pixel"
	"sira/dicom/write"
)

// jpeg lets o hold the frames as JPEG baseline of the profile's quality. The
// step is added to the history of lossy compression (PS3.3 C.7.6.1.1.5), its
// ratio being that of the first frame.
func (m *masker) jpeg(ctx context.Context, o *write.Object) error {
	s, img := o.Set, &m.img
	m.rgb = img.Samples == 3
	first, err := m.compressed(ctx, 1)
	if err != nil {
		return err
	}
	if m.rgb {
		s.Text(0x00280004, "CS", "YBR_FULL_422")
		s.US(0x00280006, 0)
	}
	ratio := float64(img.Rows*img.Cols*img.Samples) / float64(len(first))
	s.Text(0x00282110, "CS", "01")
	s.Text(0x00282112, "DS", appendValue(s.String(0x00282112), strconv.FormatFloat(ratio, 'f', 1, 64)))
	s.Text(0x00282114, "CS", appendValue(s.String(0x00282114), "ISO_10918_1"))
	s.Put(write.Element{Tag: tagPixelData, VR: "OB", Body: write.Encapsulated(img.Frames, m.compressed)})
	return nil
}

func (m *masker) compressed(ctx context.Context, n int) ([]byte, error) {
	p, err := m.frame(ctx, n)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture(p), &jpeg.Options{Quality: min(m.quality, 100)}); err != nil {
		return nil, fmt.Errorf("compressing frame %d: %w", n, err)
	}
	return b.Bytes(), nil
}

func appendValue(values, value string) string {
	if values == "" {
		return value
	}
	return values + `\` + value
}

// picture is 8-bit samples as they are.
func picture(p *pixel.Pixels) image.Image {
	if p.Samples == 1 {
		return &image.Gray{Pix: p.Data, Stride: p.Cols, Rect: image.Rect(0, 0, p.Cols, p.Rows)}
	}
	return pixel.Render(p, pixel.Image{Samples: 3}, pixel.Window{})
}
