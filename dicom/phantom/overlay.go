package phantom

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

var (
	inkText  = color.RGBA{210, 210, 200, 255}
	inkTrace = color.RGBA{70, 230, 90, 255}
	inkMark  = color.RGBA{250, 210, 60, 255}
)

// write puts text with its baseline at (x, y).
func write(m *image.RGBA, x, y int, ink color.Color, text string) {
	d := font.Drawer{Dst: m, Src: image.NewUniform(ink), Face: basicfont.Face7x13, Dot: fixed.P(x, y)}
	d.DrawString(text)
}

// overlay burns in what an ultrasound machine does: settings, depth scale and
// ECG. No identity is burnt in.
func overlay(m *image.RGBA, i, frames int) {
	write(m, 10, 18, inkText, "SIRA PHANTOM US")
	write(m, 10, 34, inkText, "Coeur adulte")
	write(m, 10, 58, inkText, fmt.Sprintf("%.0f Hz", 1000/usFrameTime))
	write(m, 10, 72, inkText, fmt.Sprintf("%.1f cm", usDepth))
	write(m, 10, 94, inkText, "2D")
	write(m, 10, 108, inkText, "Gn 54  C 50")
	write(m, 530, 18, inkText, "TIs 0.6")
	write(m, 530, 34, inkText, "MI  1.1")
	for cm := 0; cm <= int(usDepth); cm++ {
		y := int(math.Round(usApexY + float64(cm)*usPerCm))
		length := 4
		if cm%5 == 0 {
			length = 9
			write(m, 618, y+4, inkText, fmt.Sprint(cm))
		}
		for x := range length {
			m.SetRGBA(612-x, y, inkText)
		}
	}
	trace(m, i, frames)
}

// trace draws the ECG of the loop with a mark at the present frame.
func trace(m *image.RGBA, i, frames int) {
	const left, right, base = 20, 600, 462
	previous := base
	for x := left; x < right; x++ {
		phase := math.Mod(2*float64(x-left)/(right-left)+0.02, 1)
		v := 3*bump(phase, 0.86, 0.025) - 3*bump(phase, 0.985, 0.006) + 24*bump(phase, 0.005, 0.008) + 24*bump(phase, 1.005, 0.008) - 5*bump(phase, 0.025, 0.007) + 6*bump(phase, 0.30, 0.045)
		y := base - int(math.Round(v))
		for k := min(y, previous); k <= max(y, previous); k++ {
			m.SetRGBA(x, k, inkTrace)
		}
		previous = y
	}
	at := left + (right-left)*i/max(frames, 1)
	for y := base - 28; y < base+8; y++ {
		m.SetRGBA(at, y, inkMark)
	}
}

// bump is a Gaussian of height 1.
func bump(x, centre, width float64) float64 {
	u := (x - centre) / width
	return math.Exp(-u * u / 2)
}
