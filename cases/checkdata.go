package cases

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sira/cases/directory"
	"sira/storage"
)

func itoa(n int) string { return strconv.Itoa(n) }

func (noData) check() error { return nil }

func (d *TextData) check() error { return text("text", &d.Text, true) }

func (d *ReasonData) check() error { return text("reason", &d.Reason, true) }

func (d *AssignedData) check() error {
	if !isUserID(d.To) {
		return refuse("bad-user", "to")
	}
	return text("note", &d.Note, false)
}

func (d *OpinionData) check() error {
	return first(
		text("findings", &d.Findings, false),
		text("conclusion", &d.Conclusion, true),
		text("advice", &d.Advice, false))
}

func (d *ClosedData) check() error {
	if !slices.Contains(Outcomes, d.Outcome) {
		return refuse("bad-value", "outcome")
	}
	return text("note", &d.Note, false)
}

func (d *OpenedData) check() error {
	if err := d.Patient.check(); err != nil {
		return within("patient", err)
	}
	if !directory.IsSpecialty(d.Specialty) {
		return refuse("bad-value", "specialty")
	}
	if _, ok := urgency(d.Urgency); !ok {
		return refuse("bad-value", "urgency")
	}
	if err := first(text("question", &d.Question, true), text("history", &d.History, false)); err != nil {
		return err
	}
	if err := d.Consent.check(); err != nil {
		return within("consent", err)
	}
	if len(d.To) > maxTo {
		return refuse("too-many", "to", "max", itoa(maxTo))
	}
	for i, id := range d.To {
		if !isUserID(id) || slices.Contains(d.To[:i], id) {
			return refuse("bad-user", fmt.Sprintf("to[%d]", i))
		}
	}
	return first(line("number", &d.Number, false, maxShort), line("facility", &d.Facility, false, maxShort))
}

func (p *Patient) check() error {
	err := first(
		line("name", &p.Name, true, maxName),
		line("birthDate", &p.BirthDate, false, len("2006-01-02")),
		line("village", &p.Village, false, maxName),
		line("motherName", &p.MotherName, false, maxName),
		line("phone", &p.Phone, false, maxShort))
	if err != nil {
		return err
	}
	if !slices.Contains([]string{"F", "M", "O", "U"}, p.Sex) {
		return refuse("bad-value", "sex")
	}
	if p.BirthDate == "" && p.Age == nil {
		return refuse("required", "birthDate")
	}
	if p.BirthDate != "" {
		if _, ok := birthDate(p.BirthDate); !ok {
			return refuse("bad-date", "birthDate")
		}
	}
	if p.Age != nil && !p.Age.plausible() {
		return refuse("bad-value", "age")
	}
	if len(p.Identifiers) > maxIdentifiers {
		return refuse("too-many", "identifiers", "max", itoa(maxIdentifiers))
	}
	for i := range p.Identifiers {
		id := &p.Identifiers[i]
		if err := first(line("system", &id.System, true, maxShort), line("value", &id.Value, true, maxShort)); err != nil {
			return within(fmt.Sprintf("identifiers[%d]", i), err)
		}
	}
	return nil
}

// birthDate reads a date that may lack its day or its month, and gives its
// earliest day.
func birthDate(s string) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02", "2006-01", "2006"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, t.Year() >= 1880 && t.Year() <= 2200
		}
	}
	return time.Time{}, false
}

func (a Age) plausible() bool {
	most, ok := map[string]int{"Y": 130, "M": 300, "D": 1000}[a.Unit]
	return ok && a.Value >= 0 && a.Value <= most
}

func (c *Consent) check() error {
	emergency := c.How == "emergency"
	if !emergency && !slices.Contains([]string{"written", "oral", "fingerprint", "representative"}, c.How) {
		return refuse("consent-required", "how")
	}
	if err := line("by", &c.By, c.How == "representative", maxName); err != nil {
		return err
	}
	if !c.At.IsZero() && !storable(c.At) {
		return refuse("bad-date", "at")
	}
	c.At = stamp(c.At)
	return text("note", &c.Note, emergency)
}

func (d *ScheduledData) check() error {
	d.Modality = strings.ToUpper(strings.TrimSpace(d.Modality))
	if !isModality(d.Modality) {
		return refuse("bad-value", "modality")
	}
	if d.Device = strings.TrimSpace(d.Device); d.Device != "" && !isAETitle(d.Device) {
		return refuse("bad-value", "device")
	}
	if !storable(d.At) {
		return refuse("bad-date", "at")
	}
	d.At = stamp(d.At)
	return line("description", &d.Description, true, maxProcedure)
}

// maxProcedure is what a Requested Procedure Description (LO) holds.
const maxProcedure = 64

func (d *UnscheduledData) check() error { return text("reason", &d.Reason, false) }

// isModality accepts a code string (PS3.5 table 6.2-1, CS).
func isModality(s string) bool {
	return s != "" && len(s) <= 16 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ ") == ""
}

// isAETitle accepts an application entity title (PS3.5 table 6.2-1, AE).
func isAETitle(s string) bool {
	return strings.TrimSpace(s) == s && s != "" && len(s) <= 16 &&
		!strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || r == '\\' })
}

var kinds = []string{"dicom", "photo", "pdf", "video", "ecg", "still", "other"}

func (d *AttachmentData) check() error {
	a := &d.Attachment
	if !isUserID(a.ID) {
		return refuse("bad-id", "attachment.id")
	}
	if aet, device := strings.CutPrefix(a.AddedBy, devicePrefix); !isUserID(a.AddedBy) && !(device && isAETitle(aet)) {
		return refuse("bad-user", "attachment.addedBy")
	}
	if !slices.Contains(kinds, a.Kind) {
		return refuse("bad-value", "attachment.kind")
	}
	if (a.Kind == "still") != (a.Still != nil) {
		return refuse("bad-value", "attachment.still")
	}
	if a.Still != nil {
		if err := a.Still.check(); err != nil {
			return err
		}
	}
	if _, err := storage.ParseHash(a.Hash); err != nil || a.Size < 0 {
		return refuse("bad-value", "attachment.hash")
	}
	if a.Device != "" && !isAETitle(a.Device) {
		return refuse("bad-value", "attachment.device")
	}
	if !storable(a.AddedAt) {
		return refuse("bad-date", "attachment.addedAt")
	}
	a.AddedAt = stamp(a.AddedAt)
	err := first(line("attachment.name", &a.Name, true, maxName),
		line("attachment.mediaType", &a.MediaType, true, maxShort))
	if err != nil || a.DICOM == nil {
		return err
	}
	r := a.DICOM
	if r.Frames < 0 {
		return refuse("bad-value", "attachment.dicom.frames")
	}
	return first(
		line("attachment.dicom.studyUID", &r.StudyUID, true, maxShort),
		line("attachment.dicom.seriesUID", &r.SeriesUID, true, maxShort),
		line("attachment.dicom.sopUID", &r.SOPUID, true, maxShort),
		line("attachment.dicom.modality", &r.Modality, false, maxShort))
}

// fileName makes a name of any file fit to be kept: one line of valid Unicode of
// at most maxName runes, its end kept for the extension.
func fileName(name string) string {
	name = strings.ToValidUTF8(name, "\uFFFD")
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '_'
		}
		return r
	}, name))
	if runes := []rune(name); len(runes) > maxName {
		name = string(runes[:maxName-20]) + "…" + string(runes[len(runes)-19:])
	}
	if strings.TrimSpace(name) == "" {
		return "sans nom"
	}
	return name
}

// stamp is a time as the log keeps it: UTC, to the millisecond. Zero stays zero.
func stamp(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Millisecond)
}

// storable says whether JSON and the database can hold t.
func storable(t time.Time) bool { return t.Year() >= 1900 && t.Year() <= 9000 }

// urgency finds a level by its code.
func urgency(code string) (Urgency, bool) {
	for _, u := range Urgencies {
		if u.Code == code {
			return u, true
		}
	}
	return Urgency{}, false
}
