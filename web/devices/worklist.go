package devices

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"sira/cases"
	"sira/cases/audit"
	"sira/dicom"
	"sira/dicom/dimse"
	"sira/dicom/dimse/identifier"
	"sira/dicom/index"
)

func isNotFound(err error) bool { return errors.Is(err, index.ErrNotFound) }

// Attributes of a worklist entry that package identifier does not name.
const (
	tagRequestingPhysician dicom.Tag = 0x00321032
	tagPriority            dicom.Tag = 0x00401003
	tagStepStatus          dicom.Tag = 0x00400020
)

// Worklist answers the procedures that wait for the device that asks (PS3.4
// annex K): those asked of it by its AE title, and those asked of any device in
// a case of its facility. Devices that may read everything get all.
func (p *Port) Worklist(ctx context.Context, req dimse.FindRequest, answer func(*identifier.Set) error) error {
	if !p.maySend(req.Association) && !p.mayRead(req.Association) {
		return errNotAuthorized
	}
	list, err := p.cfg.Cases.Worklist(ctx)
	if err != nil {
		return err
	}
	for _, e := range list {
		if !p.mayDo(req, e) {
			continue
		}
		entry, err := p.entry(ctx, e, req.CallingAET)
		if err != nil {
			return err
		}
		if !req.Matches(entry) {
			continue
		}
		if err := p.journalEntry(ctx, req, e); err != nil {
			return err
		}
		if err := answer(entry); err != nil {
			return err
		}
	}
	return nil
}

func (p *Port) mayDo(req dimse.FindRequest, e cases.WorklistEntry) bool {
	switch e.Procedure.Device {
	case req.CallingAET:
		return true
	case "":
		if f := p.cfg.Facilities[req.CallingAET]; f != "" && f == e.Facility {
			return true
		}
	}
	return p.mayRead(req.Association)
}

// tellAgain is after how long the same entry given to the same device is
// journalled again: devices ask every minute.
const tellAgain = time.Hour

// journalEntry notes that a device saw a patient, before it does.
func (p *Port) journalEntry(ctx context.Context, req dimse.FindRequest, e cases.WorklistEntry) error {
	key, now := req.CallingAET+"|"+e.Procedure.ID, time.Now()
	p.mu.Lock()
	known := now.Sub(p.told[key]) < tellAgain
	if len(p.told) > 10_000 {
		clear(p.told)
	}
	p.told[key] = now
	p.mu.Unlock()
	if known {
		return nil
	}
	err := p.cfg.Audit.Record(ctx, audit.Entry{Actor: cases.DeviceActor(req.CallingAET), Action: "worklist", Case: e.Case,
		Outcome: "ok", Surface: "dicom", Remote: req.Association.Remote.String()})
	if err != nil {
		p.mu.Lock()
		delete(p.told, key)
		p.mu.Unlock()
	}
	return err
}

// WorklistAttributes lists the attributes of an entry and those of its scheduled
// procedure step. Each can be matched.
func WorklistAttributes() (entry, step []dicom.Tag) {
	s := item(cases.WorklistEntry{}, "", "")
	for e := range s.All() {
		entry = append(entry, e.Tag)
	}
	for e := range s.Item(identifier.ScheduledProcedureStepSequence).All() {
		step = append(step, e.Tag)
	}
	return entry, step
}

var priorities = map[string]string{"U0": "STAT", "U1": "HIGH", "U2": "MEDIUM", "U3": "LOW"}

// entry is a procedure as a device reads it (PS3.4 table K.6-1). aet is put
// where no device was named.
func (p *Port) entry(ctx context.Context, e cases.WorklistEntry, aet string) (*identifier.Set, error) {
	people, err := p.cfg.Directory.Persons(ctx, []string{e.Clinician})
	if err != nil {
		return nil, fmt.Errorf("naming who asks for a procedure: %w", err)
	}
	return item(e, aet, PersonName(people[e.Clinician].Name)), nil
}

func item(e cases.WorklistEntry, aet, asker string) *identifier.Set {
	x := e.Procedure
	if x.Device != "" {
		aet = x.Device
	}
	sex := e.Patient.Sex
	if sex == "U" {
		sex = ""
	}
	at := x.At.In(time.Local)
	step := identifier.Of(map[dicom.Tag]string{
		identifier.ScheduledStationAETitle:           aet,
		identifier.ScheduledStartDate:                at.Format("20060102"),
		identifier.ScheduledStartTime:                at.Format("150405"),
		identifier.Modality:                          x.Modality,
		identifier.ScheduledPerformingPhysicianName:  "",
		identifier.ScheduledProcedureStepDescription: x.Description,
		identifier.ScheduledProcedureStepID:          x.Code(),
		identifier.ScheduledStationName:              "",
		tagStepStatus:                                "SCHEDULED",
	})
	s := identifier.Of(map[dicom.Tag]string{
		identifier.AccessionNumber:               e.Number,
		identifier.ReferringPhysicianName:        asker,
		tagRequestingPhysician:                   asker,
		identifier.PatientName:                   PersonName(e.Patient.Name),
		identifier.PatientID:                     patientID(e),
		identifier.PatientBirthDate:              fullDate(e.Patient.BirthDate),
		identifier.PatientSex:                    sex,
		identifier.StudyInstanceUID:              x.StudyUID(),
		identifier.RequestedProcedureID:          x.Code(),
		identifier.RequestedProcedureDescription: x.Description,
		tagPriority:                              priorities[e.Urgency],
	})
	s.PutItems(identifier.ScheduledProcedureStepSequence, step)
	return s
}

// patientID is the first number of the patient in some register, else that of
// the case: devices want one.
func patientID(e cases.WorklistEntry) string {
	for _, id := range e.Patient.Identifiers {
		if v := plain(id.Value); v != "" && len([]rune(v)) <= 64 {
			return v
		}
	}
	return e.Number
}

// fullDate is YYYYMMDD; a date without its day or month is none for a device.
func fullDate(iso string) string {
	if len(iso) != len("2006-01-02") {
		return ""
	}
	return strings.ReplaceAll(iso, "-", "")
}

// plain takes out what separates values and components in DICOM.
func plain(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return r == '\\' || r == '^' || r == '=' || unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
}

// PersonName writes a name as people write it in DICOM's form (PS3.5 section
// 6.2.1), family name first. It is the words in capitals when there are some
// and not all are, else the last word.
func PersonName(name string) string {
	words := strings.Fields(plain(name))
	var family, given []string
	for _, w := range words {
		if strings.ToUpper(w) == w && len([]rune(w)) > 1 {
			family = append(family, w)
		} else {
			given = append(given, w)
		}
	}
	if len(words) > 0 && (len(family) == 0 || len(given) == 0) {
		family, given = words[len(words)-1:], words[:len(words)-1]
	}
	out := strings.Join(family, " ")
	if len(given) > 0 {
		out += "^" + strings.Join(given, " ")
	}
	if runes := []rune(out); len(runes) > 64 {
		out = strings.TrimSpace(string(runes[:64]))
	}
	return out
}
