package film

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"sync"
)

// Neutral is the picture that stands for a film without poster, a JPEG: the
// sign for playing on a dark ground.
var Neutral = sync.OnceValue(func() []byte {
	m := image.NewGray(image.Rect(0, 0, 256, 192))
	for y := range 192 {
		for x := range 256 {
			v := uint8(40)
			if dy := max(y-96, 96-y); x >= 104 && x <= 164 && dy <= (164-x)*3/5 {
				v = 210
			}
			m.SetGray(x, y, color.Gray{Y: v})
		}
	}
	var b bytes.Buffer
	if jpeg.Encode(&b, m, &jpeg.Options{Quality: 80}) != nil {
		return nil // memory does not fail to be written to
	}
	return b.Bytes()
})
