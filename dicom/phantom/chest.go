package phantom

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
)

const (
	chestRows = dxRows / 2
	chestCols = dxCols / 2
	chestCell = dxPixel * 2 // mm
)

// chest is the absorption of a chest seen from the front, at half the size
// of the radiograph: 0 for air beside the body, about 4 for the abdomen.
type chest struct {
	absorption [][]float32
	vessels    [][]float32
	uneven     *tile
	letter     *image.Gray
	pneumonia  bool
}

func newChest(seed uint64, pneumonia bool) *chest {
	r := newRand(seed, 4)
	c := &chest{pneumonia: pneumonia, uneven: newTile(r, 256, 7)}
	c.vessels = grid()
	for range 9 {
		c.vessel(r, -30, 142, math.Pi*(0.62+0.85*r.Float64()), 4.6, 26)
		c.vessel(r, 34, 136, math.Pi*(-0.45+0.85*r.Float64()), 4.6, 26)
	}
	c.absorption = grid()
	for row := range c.absorption {
		for col := range c.absorption[row] {
			x, y := (float64(col)-chestCols/2)*chestCell, float64(row)*chestCell
			c.absorption[row][col] = float32(c.absorb(x, y, float64(c.vessels[row][col])))
		}
	}
	c.letter = image.NewGray(image.Rect(0, 0, 9, 14))
	markerText(c.letter)
	return c
}

func grid() [][]float32 {
	g := make([][]float32, chestRows)
	for i := range g {
		g[i] = make([]float32, chestCols)
	}
	return g
}

// vessel grows one pulmonary vessel with its branches, in mm.
func (c *chest) vessel(r *rand.Rand, x, y, angle, width, length float64) {
	if width < 0.7 {
		return
	}
	for walked := 0.0; walked < length; walked += 0.4 {
		c.dab(x, y, width)
		x += 0.4 * math.Cos(angle)
		y += 0.4 * math.Sin(angle)
		angle += 0.035 * r.NormFloat64()
		width *= 0.9985
	}
	spread := 0.25 + 0.25*r.Float64()
	c.vessel(r, x, y, angle+spread, width*0.74, length*0.86)
	c.vessel(r, x, y, angle-spread, width*0.68, length*0.80)
}

// dab marks the thickness in mm of a round vessel, the largest counting.
func (c *chest) dab(x, y, width float64) {
	half := width / 2
	x0, y0 := x/chestCell+chestCols/2, y/chestCell
	reach := int(half/chestCell) + 2
	for row := int(y0) - reach; row <= int(y0)+reach; row++ {
		for col := int(x0) - reach; col <= int(x0)+reach; col++ {
			if row < 0 || col < 0 || row >= chestRows || col >= chestCols {
				continue
			}
			u := math.Hypot(float64(col)-x0, float64(row)-y0) * chestCell / half
			thick := float32(width * math.Exp(-u*u*0.9))
			c.vessels[row][col] = max(c.vessels[row][col], thick)
		}
	}
}

// absorb sums what the ray meets at (x, y) mm: x to the right of the picture,
// which is the patient's left, y down.
func (c *chest) absorb(x, y, vessel float64) float64 {
	body := c.body(x, y)
	if body <= 0 {
		return 0.02
	}
	lump := c.uneven.at(x+128, y)
	lung := c.lung(x, y, lump)
	mm := body - 0.86*lung + 1.5*lump // water equivalent of soft tissue
	if lung > 0 {
		mm += vessel * 2.4 * step(0, 30, lung)
		mm += 2.2 * c.uneven.at(x*2.1, y*2.1+70) * step(0, 40, lung) // fine markings
	}
	mm -= 13 * step(9, 7, math.Abs(x-1.5)) * step(132, 118, y)                                       // trachea
	mm -= 9 * step(6, 4, math.Abs(math.Abs(x)-(y-118)*0.75)) * step(116, 120, y) * step(146, 138, y) // main bronchi
	mm -= 60 * step(-3, 3, inside(x, y, 78, 287, 24, 11))                                            // gas in the stomach
	return max(mm, 0)*0.0172 + c.bones(x, y, lump)
}

// body is the thickness of soft tissue in mm.
func (c *chest) body(x, y float64) float64 {
	half := blend(52, 178, step(18, 66, y)) - 16*step(90, 130, y)*step(400, 200, y)
	u := math.Abs(x) / half
	if u >= 1 {
		return 0
	}
	thick := blend(120, 215, step(10, 110, y))
	return thick * math.Pow(1-math.Pow(u, 2.6), 0.55)
}

// lung is the thickness of air-filled lung in mm.
func (c *chest) lung(x, y, lump float64) float64 {
	side := math.Abs(x)
	down := (y - 40) / 225
	if down <= 0 {
		return 0
	}
	dome := 256 + 0.0068*(side-62)*(side-62)
	medial := blend(20, 26, step(60, 150, y))
	if x < 0 {
		dome -= 9
	}
	width := 60 * math.Pow(min(down, 1.15), 0.36)
	u := (side - medial - width) / width
	if math.Abs(u) >= 1 {
		return 0
	}
	thick := 158 * math.Pow(min(down, 1), 0.42) * math.Sqrt(1-u*u)
	thick *= step(dome+1.2, dome-1.8, y+0.5*lump)

	// Heart, aortic arch, pulmonary trunk stand before the lung.
	tilt := 0.32 * (y - 208)
	heart := inside(x-18-tilt*0.6, y, 8, 210, 57, 56)
	arch := inside(x, y, 20, 108, 21, 17)
	trunk := inside(x, y, 24, 140, 25, 24)
	right := inside(x, y, -12, 205, 29, 50)
	front := max(heart, right, min(arch, 20), trunk)
	thick *= 1 - 0.80*step(-1.5, 2.5, front+0.5*lump)
	if c.pneumonia {
		u, v := (x+78)/36, (y-214)/30
		cloud := math.Sqrt(u*u+v*v) + 0.28*c.uneven.at(x*0.8+33, y*0.8) + 0.10*c.uneven.at(x*2.5, y*2.5)
		thick *= 1 - 0.55*step(1.35, 0.1, cloud)
	}
	return thick
}

// marker reports whether a pixel belongs to the lead letter D, the patient's
// right (droite).
func (c *chest) marker(col, row int) bool {
	x, y := (col-170)/8, (row-120)/8
	if col < 170 || row < 120 || x >= 9 || y >= 14 {
		return false
	}
	return c.letter.GrayAt(x, y).Y > 128
}

func markerText(m *image.Gray) {
	big := image.NewRGBA(m.Rect)
	write(big, 1, 12, color.White, "D")
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			m.SetGray(x, y, color.Gray{Y: big.RGBAAt(x, y).R})
		}
	}
}

// at interpolates the absorption map.
func (c *chest) at(col, row float64) float64 {
	x0, y0 := int(col), int(row)
	x1, y1 := min(x0+1, chestCols-1), min(y0+1, chestRows-1)
	u, v := col-float64(x0), row-float64(y0)
	top := blend(float64(c.absorption[y0][x0]), float64(c.absorption[y0][x1]), u)
	low := blend(float64(c.absorption[y1][x0]), float64(c.absorption[y1][x1]), u)
	return blend(top, low, v)
}
