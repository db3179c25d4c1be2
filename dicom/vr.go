package dicom

import (
	"github.com/suyashkumar/dicom/pkg/tag"
)

// longVR are the VRs whose explicit form has a 32-bit length (PS3.5 table 7.1-1).
var longVR = map[string]bool{
	"OB": true, "OD": true, "OF": true, "OL": true, "OV": true, "OW": true,
	"SQ": true, "SV": true, "UC": true, "UN": true, "UR": true, "UT": true, "UV": true,
}

// shortVR are those with a 16-bit length (PS3.5 table 7.1-2).
var shortVR = map[string]bool{
	"AE": true, "AS": true, "AT": true, "CS": true, "DA": true, "DS": true, "DT": true,
	"FL": true, "FD": true, "IS": true, "LO": true, "LT": true, "PN": true, "SH": true,
	"SL": true, "SS": true, "ST": true, "TM": true, "UI": true, "UL": true, "US": true,
}

// charsetVR are the VRs subject to Specific Character Set (PS3.5 section 6.1.2.3).
var charsetVR = map[string]bool{
	"SH": true, "LO": true, "ST": true, "LT": true, "UC": true, "UT": true, "PN": true,
}

func knownVR(vr string) bool { return longVR[vr] || shortVR[vr] }

// bulkVR tells binary values that may be large and then stay in the file.
func bulkVR(vr string) bool {
	switch vr {
	case "OB", "OD", "OF", "OL", "OV", "OW", "UN":
		return true
	}
	return false
}

// binaryVR tells values that are not characters.
func binaryVR(vr string) bool {
	switch vr {
	case "AT", "FL", "FD", "SL", "SS", "SV", "UL", "US", "UV", "SQ":
		return true
	}
	return bulkVR(vr)
}

func upperPair(a, b byte) bool { return a >= 'A' && a <= 'Z' && b >= 'A' && b <= 'Z' }

// dictionaryVR is the VR of an element stored without one; signed resolves
// "US or SS" by Pixel Representation (0028,0103).
func dictionaryVR(t Tag, signed bool) string {
	switch {
	case t == tagPixelData:
		return "OW"
	case t.private() && t.element() >= 0x10 && t.element() <= 0xFF:
		return "LO" // private creator, PS3.5 section 7.8.1
	case t.private():
		return "UN"
	case t.group()&0xFF00 == 0x6000 || t.group()&0xFF00 == 0x5000:
		t = Tag(uint32(t) & 0xFF00FFFF) // repeating groups: overlays, curves
	}
	info, err := tag.Find(tag.Tag{Group: t.group(), Element: t.element()})
	if err != nil || len(info.VRs) == 0 {
		return "UN"
	}
	us, ss := false, false
	for _, vr := range info.VRs {
		us, ss = us || vr == "US", ss || vr == "SS"
	}
	switch {
	case us && ss && signed:
		return "SS"
	case us:
		return "US"
	case !knownVR(info.VRs[0]):
		return "UN"
	}
	return info.VRs[0]
}
