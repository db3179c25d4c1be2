// Package document makes DICOM objects of what people add to a study: an
// expert's opinion as a structured report, photographs, a selection of key
// images, PDF documents (PS3.3 annexes A.8, A.32, A.35 and A.45, PS3.16 TID
// 2000 and 2010). It owns their modules and templates; the encoding is that of
// package write. It must not know cases, users or where objects are stored.
package document

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"sira/dicom"
	"sira/dicom/write"
)

// What callers may want to tell apart. All are wrapped.
var (
	ErrIncomplete = errors.New("something that the standard requires is missing")
	ErrImage      = errors.New("picture cannot be put into a DICOM object")
	ErrPDF        = errors.New("no PDF document")
)

// SOP classes of the objects made here.
const (
	BasicTextSR      = "1.2.840.10008.5.1.4.1.1.88.11"
	ComprehensiveSR  = "1.2.840.10008.5.1.4.1.1.88.33"
	KeyObject        = "1.2.840.10008.5.1.4.1.1.88.59"
	SecondaryCapture = "1.2.840.10008.5.1.4.1.1.7"
	VLPhotographic   = "1.2.840.10008.5.1.4.1.1.77.1.4"
	EncapsulatedPDF  = "1.2.840.10008.5.1.4.1.1.104.1"
	jpegBaseline     = "1.2.840.10008.1.2.4.50"
)

// Context is the patient and study an object belongs to. Text is UTF-8, names
// in DICOM form (TRAORE^Awa), dates YYYYMMDD, times HHMMSS.
type Context struct {
	PatientName, PatientID, PatientIDIssuer, PatientBirthDate, PatientSex string
	StudyUID, StudyID, StudyDate, StudyTime, StudyDescription             string
	Accession, Referrer, Institution                                      string
}

// ContextOf is the context of an object of the same study.
func ContextOf(f *dicom.File) Context {
	return Context{
		PatientName: f.String(0x00100010), PatientID: f.String(0x00100020), PatientIDIssuer: f.String(0x00100021),
		PatientBirthDate: f.String(0x00100030), PatientSex: f.String(0x00100040),
		StudyUID: f.String(0x0020000D), StudyID: f.String(0x00200010), StudyDate: f.String(0x00080020), StudyTime: f.String(0x00080030),
		StudyDescription: f.String(0x00081030), Accession: f.String(0x00080050), Referrer: f.String(0x00080090), Institution: f.String(0x00080080),
	}
}

// Identity places an object in the study. Empty UIDs are made anew.
type Identity struct {
	SeriesUID, SOPUID        string
	SeriesNumber, Number     int // of the series, of the instance
	SeriesDescription, Maker string
	At                       time.Time // of the content; written as local time with its offset
}

// Reference names an instance of the study or of another.
type Reference struct {
	StudyUID, SeriesUID, SOPClass, SOPUID string
	Frames                                []int // from 1; none for all
}

// NewUID makes a random UID under 2.25 (PS3.5 section B.2).
func NewUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	b[6] = b[6]&0x0F | 0x40
	b[8] = b[8]&0x3F | 0x80
	return "2.25." + new(big.Int).SetBytes(b[:]).String()
}

// begin starts an object with the modules that all share: SOP Common, Patient,
// General Study, a series, General Equipment.
func begin(class, syntax, modality string, c Context, id Identity) (*write.Object, error) {
	if c.StudyUID == "" || id.At.IsZero() {
		return nil, fmt.Errorf("study UID and time: %w", ErrIncomplete)
	}
	o := write.New(syntax)
	s := o.Set
	s.Text(0x00080005, "CS", "ISO_IR 192")
	s.Text(0x00080012, "DA", id.At.Format("20060102"))
	s.Text(0x00080013, "TM", id.At.Format("150405"))
	s.Text(0x00080016, "UI", class)
	s.Text(0x00080018, "UI", orNew(id.SOPUID))
	s.Text(0x00080020, "DA", c.StudyDate)
	s.Text(0x00080030, "TM", c.StudyTime)
	s.Text(0x00080050, "SH", short(c.Accession, 16))
	s.Text(0x00080060, "CS", modality)
	maker := id.Maker
	if maker == "" {
		maker = "Sira"
	}
	s.Text(0x00080070, "LO", short(maker, 64))
	optional(s, 0x00080080, "LO", short(c.Institution, 64))
	s.Text(0x00080090, "PN", c.Referrer)
	s.Text(0x00080201, "SH", id.At.Format("-0700"))
	optional(s, 0x00081030, "LO", short(c.StudyDescription, 64))
	optional(s, 0x0008103E, "LO", short(id.SeriesDescription, 64))
	s.Text(0x00100010, "PN", c.PatientName)
	s.Text(0x00100020, "LO", short(c.PatientID, 64))
	optional(s, 0x00100021, "LO", short(c.PatientIDIssuer, 64))
	s.Text(0x00100030, "DA", c.PatientBirthDate)
	s.Text(0x00100040, "CS", sex(c.PatientSex))
	s.Text(0x0020000D, "UI", c.StudyUID)
	s.Text(0x0020000E, "UI", orNew(id.SeriesUID))
	s.Text(0x00200010, "SH", short(c.StudyID, 16))
	s.Integer(0x00200011, max(id.SeriesNumber, 1))
	s.Integer(0x00200013, max(id.Number, 1))
	return o, nil
}

func orNew(uid string) string {
	if uid == "" {
		return NewUID()
	}
	return uid
}

func optional(s *write.Set, t dicom.Tag, vr, value string) {
	if value != "" {
		s.Text(t, vr, value)
	}
}

// short cuts text to the characters its VR may have, and takes out what would
// read as a delimiter or a control character.
func short(text string, most int) string {
	r := []rune(strings.Map(func(r rune) rune {
		if r == '\\' || r < 0x20 || r == 0x7F {
			return ' '
		}
		return r
	}, text))
	return strings.TrimSpace(string(r[:min(len(r), most)]))
}

// long is free text (UT): lines end as DICOM wants, other controls go.
func long(text string) string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	text = strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' && r != '\t' || r == 0x7F {
			return -1
		}
		return r
	}, text)
	return strings.ReplaceAll(strings.TrimSpace(text), "\n", "\r\n")
}

// sex is M, F, O or unknown, which is empty (PS3.3 section C.7.1.1).
func sex(s string) string {
	switch s {
	case "M", "F", "O":
		return s
	}
	return ""
}
