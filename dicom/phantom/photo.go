package phantom

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
)

const photoWidth, photoHeight = 1280, 960

// Photo returns a JPEG photograph of an ulcerated skin lesion with a paper
// ruler beside it, as a clinician takes it with a phone.
func Photo(seed uint64) []byte {
	r := newRand(seed, 5)
	fine, pores, slow := newTile(r, 512, 1.2), newTile(r, 512, 3.5), newTile(r, 256, 26)
	ragged := newTile(r, 256, 9)
	size := 150 + 60*r.Float64()
	cx, cy := 600+80*r.Float64(), 430+60*r.Float64()
	warm := 0.9 + 0.2*r.Float64()
	m := image.NewRGBA(image.Rect(0, 0, photoWidth, photoHeight))
	for y := range photoHeight {
		for x := range photoWidth {
			fx, fy := float64(x), float64(y)
			crease := math.Max(0, pores.at(fx*0.8, fy*0.55)-0.9)
			tone := 1 + 0.05*slow.at(fx/5, fy/5) + 0.035*fine.cell(x, y) - 0.10*crease
			c := [3]float64{128 * warm, 84, 60}
			dx, dy := fx-cx, (fy-cy)*1.18
			edge := math.Hypot(dx, dy) + 22*ragged.at(fx/3, fy/3) + 7*pores.at(fx/2+40, fy/2)
			c = lesion(c, edge, size, ragged.at(fx*0.22, fy*0.22+99)+0.45*pores.at(fx, fy+99), fine.cell(x+200, y))
			light := 1.16 - 0.5*math.Hypot((fx-560)/photoWidth, (fy-380)/photoHeight)
			shade := tone * light
			if edge < size*0.8 && fine.at(fx/2, fy/2) > 2.1 {
				shade *= 1.7 // wet glints
			}
			at := y*m.Stride + x*4
			for k := range 3 {
				m.Pix[at+k] = uint8(min(max(c[k]*shade, 0), 255))
			}
			m.Pix[at+3] = 255
		}
	}
	ruler(m)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 84}); err != nil {
		return nil // a buffer never fails
	}
	return b.Bytes()
}

// lesion colours the skin by the distance to the middle: a raised dark rim, a
// red floor with yellow slough, inflamed skin around.
func lesion(skin [3]float64, edge, size, slough, grain float64) [3]float64 {
	mix := func(c *[3]float64, to [3]float64, t float64) {
		for k := range 3 {
			c[k] = blend(c[k], to[k], t)
		}
	}
	mix(&skin, [3]float64{134, 62, 52}, 0.75*step(size+110, size+10, edge))
	mix(&skin, [3]float64{78, 44, 36}, step(size+26, size+6, edge))
	mix(&skin, [3]float64{152, 96, 78}, 0.6*step(size+4, size-8, edge)*step(size-26, size-10, edge))
	mix(&skin, [3]float64{150 + 8*grain, 38, 40}, step(size-12, size-24, edge))
	mix(&skin, [3]float64{196, 164, 98}, 0.85*step(0.35, 1.1, slough)*step(size-28, size-44, edge))
	return skin
}

// ruler lays a white paper scale along the lower border: 58 pixels a cm.
func ruler(m *image.RGBA) {
	const top, height, left, right, perCm = 850, 66, 180, 1110, 58
	ink := color.RGBA{20, 20, 24, 255}
	for y := top; y < top+height; y++ {
		for x := left; x < right; x++ {
			grey := uint8(232 - (x-left)/30 - (y-top)/8)
			m.SetRGBA(x, y, color.RGBA{grey, grey, grey - 6, 255})
		}
	}
	for mm := 0; mm <= 150; mm++ {
		x, length := left+20+mm*perCm/10, 12
		if mm%5 == 0 {
			length = 18
		}
		if mm%10 == 0 {
			length = 26
			write(m, x-4, top+46, ink, string(rune('0'+mm/10%10)))
		}
		for y := range length {
			m.SetRGBA(x, top+y, ink)
		}
	}
	write(m, right-40, top+60, ink, "cm")
}
