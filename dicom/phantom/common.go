package phantom

import (
	"strings"
	"time"
)

// series is what distinguishes one generated series from the next.
type series struct {
	class, modality, description, protocol string
	studyDefault                           string
	bodyPart                               string
	manufacturer, model                    string
	number                                 int
}

// common fills Patient, General Study, General Series, General Equipment and
// SOP Common (PS3.3 C.7.1 to C.7.5, C.12.1), and returns the instance's UID.
func common(s Study, r series, instance int) (*dataset, string) {
	d := &dataset{}
	sop := uid(s.Seed, r.modality, r.number, "instance", instance)
	at := examinedAt(s)
	d.text(0x00080005, "CS", "ISO_IR 192")
	d.text(0x00080016, "UI", r.class)
	d.text(0x00080018, "UI", sop)
	for _, tag := range []uint32{0x00080012, 0x00080020, 0x00080021, 0x00080023} {
		d.text(tag, "DA", at.Format("20060102"))
	}
	for _, tag := range []uint32{0x00080013, 0x00080030, 0x00080031, 0x00080033} {
		d.text(tag, "TM", at.Format("150405"))
	}
	d.text(0x00080050, "SH", s.Accession)
	d.text(0x00080060, "CS", r.modality)
	d.text(0x00080070, "LO", r.manufacturer)
	d.text(0x00080080, "LO", s.Institution)
	d.text(0x00080090, "PN", s.Referrer)
	d.text(0x00081030, "LO", first(s.Description, r.studyDefault))
	d.text(0x0008103E, "LO", r.description)
	d.text(0x00081090, "LO", r.model)
	d.text(0x00100010, "PN", s.Patient.Name)
	d.text(0x00100020, "LO", s.Patient.ID)
	d.text(0x00100030, "DA", s.Patient.BirthDate)
	d.text(0x00100040, "CS", s.Patient.Sex)
	if age := ageAt(s.Patient.BirthDate, at); age != "" {
		d.text(0x00101010, "AS", age)
	}
	if r.bodyPart != "" {
		d.text(0x00180015, "CS", r.bodyPart)
	}
	d.text(0x00181000, "LO", "PHANTOM-1")
	d.text(0x00181020, "LO", "sira phantom 1")
	d.text(0x00181030, "LO", r.protocol)
	d.text(0x0020000D, "UI", uid(s.Seed, "study"))
	d.text(0x0020000E, "UI", uid(s.Seed, r.modality, r.number, "series"))
	d.text(0x00200010, "SH", first(strings.TrimSpace(s.Accession), "1"))
	d.integer(0x00200011, r.number)
	d.integer(0x00200013, instance)
	return d, sop
}

func examinedAt(s Study) time.Time {
	if s.Date.IsZero() {
		return time.Date(2026, 1, 15, 9, 30, 0, 0, time.UTC)
	}
	return s.Date
}

// ageAt is an AS value (PS3.5 6.2): years, or months under two years.
func ageAt(birth string, at time.Time) string {
	born, err := time.Parse("20060102", birth)
	if err != nil || at.Before(born) {
		return ""
	}
	months := (at.Year()-born.Year())*12 + int(at.Month()) - int(born.Month())
	if at.Day() < born.Day() {
		months--
	}
	if months < 24 {
		return digits(months) + "M"
	}
	return digits(months/12) + "Y"
}

func digits(n int) string {
	return string([]byte{byte('0' + n/100%10), byte('0' + n/10%10), byte('0' + n%10)})
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
