package deid

import (
	"strings"
	"unicode"

	"sira/dicom"
	"sira/dicom/write"
)

// identity is what the source says of people and places, to find it again
// where it does not belong: a name in a series description.
type identity struct {
	words         map[string]bool // single words, upper case
	phrases       []string        // longer values, upper case
	long          []string        // words of five letters and more
	own           string          // the pseudonym, which may stay
	regionOverlay map[uint16]bool // overlay groups that mark regions
}

// identifying attributes beside all of VR PN; the options may retain some.
var identifying = map[dicom.Tag]func(*Options) bool{
	tagPatientID: nil, tagBirthDate: nil, 0x00080050: nil, 0x00101000: nil, 0x00101001: nil, 0x00101005: nil,
	0x00101040: nil, 0x00101060: nil, 0x00101090: nil, 0x00102154: nil, 0x00104000: nil, 0x00380010: nil,
	0x00380400: nil, 0x00080092: nil, 0x00080094: nil, 0x00081048: nil, 0x00402016: nil, 0x00402017: nil,
	0x00080080: keepsInstitution, 0x00080081: keepsInstitution, 0x00081040: keepsInstitution,
	0x00081010: keepsDevice, 0x00181000: keepsDevice,
}

func keepsInstitution(o *Options) bool { return o.RetainInstitution }
func keepsDevice(o *Options) bool      { return o.RetainDevice }

// identify collects the words of people and places at every depth.
func (p *Profile) identify(s *write.Set) identity {
	id := identity{words: map[string]bool{}, regionOverlay: map[uint16]bool{}}
	for group := uint32(0x6000); group <= 0x601E; group += 2 {
		if s.String(dicom.Tag(group<<16|0x0040)) == "R" && s.Has(dicom.Tag(group<<16|0x3000)) {
			id.regionOverlay[uint16(group)] = true
		}
	}
	s.Walk(func(e *write.Element) {
		kept, listed := identifying[e.Tag]
		if e.VR != "PN" && !listed || kept != nil && kept(&p.opts) || len(e.Value) == 0 {
			return
		}
		value := strings.ToUpper(e.Text())
		if len(id.phrases)+len(id.words) > 4096 {
			return
		}
		words := fields(value)
		if len(words) > 1 && len(value) >= 5 && len(value) <= 256 {
			id.phrases = append(id.phrases, strings.Join(words, " "))
		}
		for _, w := range words {
			if !id.words[w] && len([]rune(w)) >= 3 && (e.VR == "PN" || digits(w) >= 4 || len(words) == 1) {
				id.words[w] = true
				if len(w) >= 5 {
					id.long = append(id.long, w)
				}
			}
		}
	})
	return id
}

// in reports whether text names someone or something identified.
func (id *identity) in(text string) bool {
	if text == "" || text == id.own {
		return false
	}
	upper := strings.ToUpper(text)
	words := fields(upper)
	for _, w := range words {
		if id.words[w] {
			return true
		}
	}
	for _, long := range id.long { // also within a word: DIARRA_CT
		if strings.Contains(upper, long) {
			return true
		}
	}
	joined := " " + strings.Join(words, " ") + " "
	for _, phrase := range id.phrases {
		if strings.Contains(joined, " "+phrase+" ") {
			return true
		}
	}
	return false
}

// fields cuts text into words of letters and digits.
func fields(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

func digits(s string) int {
	n := 0
	for _, r := range s {
		if unicode.IsDigit(r) {
			n++
		}
	}
	return n
}

// scanned are the VRs in which a name may hide; coded strings, numbers and
// dates cannot hold one.
func scanned(vr string) bool {
	switch vr {
	case "LO", "SH", "ST", "LT", "UT", "UC", "PN", "AE", "UR":
		return true
	}
	return false
}

// vocabulary keeps of text the words that are in the vocabulary and short
// numbers, and drops what is identified.
func (id *identity) vocabulary(text string) string {
	var kept []string
	for _, w := range fields(text) {
		upper := strings.ToUpper(fold(w))
		if id.in(w) {
			continue
		}
		unit := strings.TrimLeft(upper, "0123456789")
		if words[upper] || len(upper)-len(unit) <= 3 && (unit == "" || len(unit) < len(upper) && units[unit]) {
			kept = append(kept, w)
		}
	}
	if cleaned := strings.Join(kept, " "); !id.in(cleaned) {
		return cleaned
	}
	return ""
}

// fold takes the accents off the letters of French.
func fold(s string) string {
	return strings.NewReplacer("é", "e", "è", "e", "ê", "e", "ë", "e", "à", "a", "â", "a", "î", "i", "ï", "i", "ô", "o", "û", "u", "ù", "u", "ç", "c", "œ", "oe",
		"É", "E", "È", "E", "Ê", "E", "À", "A", "Â", "A", "Î", "I", "Ô", "O", "Û", "U", "Ç", "C").Replace(s)
}
