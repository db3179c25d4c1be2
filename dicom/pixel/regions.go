package pixel

import (
	"math"

	"sira/dicom"
)

// readRegions reads the Sequence of Ultrasound Regions (PS3.3 C.8.5.5).
func readRegions(d *dicom.DataSet) []Region {
	var out []Region
	for _, item := range d.Sequence(0x00186011) {
		dx, _ := item.Float(0x0018602C)
		dy, _ := item.Float(0x0018602E)
		out = append(out, Region{
			X0: number(item, 0x00186018, 0), Y0: number(item, 0x0018601A, 0),
			X1: number(item, 0x0018601C, 0), Y1: number(item, 0x0018601E, 0),
			DeltaX: math.Abs(dx), DeltaY: math.Abs(dy),
			UnitX: regionUnit(number(item, 0x00186024, 0)), UnitY: regionUnit(number(item, 0x00186026, 0)),
			Format: number(item, 0x00186012, 0),
		})
	}
	return out
}

func regionUnit(code int) string {
	switch code {
	case 1:
		return "percent"
	case 2:
		return "dB"
	case 3:
		return "cm"
	case 4:
		return "s"
	case 5:
		return "hz"
	case 6:
		return "dB/s"
	case 7:
		return "cm/s"
	case 8:
		return "cm2"
	case 9:
		return "cm2/s"
	}
	return ""
}

// usSpacing gives the whole image a spacing when all its regions in cm agree
// on one; a Doppler strip beside them does not count.
func (i *Image) usSpacing() {
	var found *[2]float64
	for _, r := range i.Regions {
		if r.UnitX != "cm" || r.UnitY != "cm" || r.DeltaX == 0 || r.DeltaY == 0 {
			continue
		}
		s := [2]float64{r.DeltaY * 10, r.DeltaX * 10}
		if found != nil && (math.Abs(s[0]-found[0]) > 1e-6 || math.Abs(s[1]-found[1]) > 1e-6) {
			return
		}
		found = &s
	}
	if found != nil {
		i.Spacing, i.SpacingKind = found, "ultrasound"
	}
}
