package phantom

import (
	"encoding/binary"
	"math"
	"runtime"
	"sync"
)

const (
	dxClass = "1.2.840.10008.5.1.4.1.1.1.1" // for presentation
	dxRows  = 2048
	dxCols  = 2000
	dxPixel = 0.175 // mm at the detector
	dxMax   = 4095
)

// DX returns a postero-anterior chest radiograph, 2000×2048, 12 bits.
func DX(s Study, o ChestOptions) []byte {
	d, sop := common(s, series{
		class: dxClass, modality: "DX", number: 1, description: "Thorax face",
		protocol: "Thorax PA", studyDefault: "Radiographie du thorax", bodyPart: "CHEST",
		manufacturer: "Sira", model: "Phantom DX",
	}, 1)
	photometric, shape, sign := "MONOCHROME2", "IDENTITY", int16(-1)
	if o.Monochrome1 {
		photometric, shape, sign = "MONOCHROME1", "INVERSE", 1
	}
	d.text(0x00080008, "CS", "ORIGINAL", "PRIMARY", "")
	d.text(0x00080068, "CS", "FOR PRESENTATION")
	d.sequence(0x00082218, code("816094009", "SCT", "Chest"))
	d.decimal(0x00180060, 120)
	d.decimal(0x00181110, 1800)
	d.integer(0x00181150, 8)
	d.integer(0x00181152, 3)
	d.text(0x00181164, "DS", "0.175", "0.175")
	d.text(0x00181508, "CS", "NONE")
	d.text(0x00185101, "CS", "PA")
	d.text(0x00187004, "CS", "DIRECT")
	d.text(0x00200020, "CS", "L", "F")
	d.text(0x00200062, "CS", "U")
	greyPixel(d, dxRows, dxCols, 16, 12, false, photometric)
	d.text(0x00280301, "CS", "YES")
	d.text(0x00281040, "CS", "LOG")
	d.put(0x00281041, "SS", binary.LittleEndian.AppendUint16(nil, uint16(sign)), 0)
	d.decimal(0x00281050, 2048)
	d.decimal(0x00281051, 4096)
	d.decimal(0x00281052, 0)
	d.decimal(0x00281053, 1)
	d.text(0x00281054, "LO", "US")
	d.text(0x00281055, "LO", "STANDARD")
	d.text(0x00282110, "CS", "00")
	d.sequence(0x00400555)
	view := code("272479007", "SCT", "Postero-anterior")
	view.sequence(0x00540222)
	d.sequence(0x00540220, view)
	d.text(0x20500020, "CS", shape)
	d.put(0x7FE00010, "OW", newChest(s.Seed, o.Pneumonia).stored(s.Seed, o.Monochrome1), 0)
	return part10(d, dxClass, sop, explicitLE)
}

const curveSteps = 2000 // entries a unit of absorption

// filmCurve maps absorption to stored values.
func filmCurve() []float64 {
	curve := make([]float64, 6*curveSteps)
	for i := range curve {
		curve[i] = 120 + 3500*math.Pow(float64(i)/curveSteps/4.4, 1.4)
	}
	return curve
}

// stored expands the absorption map, adds detector noise and the side marker.
func (c *chest) stored(seed uint64, inverse bool) []byte {
	grain := newTile(newRand(seed, 6), 1024, 0.7)
	curve := filmCurve()
	out := make([]byte, 2*dxRows*dxCols)
	var group sync.WaitGroup
	bands := runtime.GOMAXPROCS(0)
	for band := range bands {
		group.Add(1)
		go func() {
			defer group.Done()
			for row := band; row < dxRows; row += bands {
				for col := range dxCols {
					a := c.at(float64(col)/2, float64(row)/2)
					value := curve[min(int(a*curveSteps+0.5), len(curve)-1)]
					value += (10 + 6*a) * grain.cell(col, row)
					if c.marker(col, row) {
						value = 3950
					}
					v := uint16(min(max(value, 0), dxMax))
					if inverse {
						v = dxMax - v
					}
					binary.LittleEndian.PutUint16(out[2*(row*dxCols+col):], v)
				}
			}
		}()
	}
	group.Wait()
	return out
}
