package deid

import (
	"strings"

	"sira/dicom"
	"sira/dicom/write"
)

// run is the work on one object.
type run struct {
	p       *Profile
	id      identity
	patient string // pseudonym
	days    int
	report  *Report
}

func (p *Profile) begin(s *write.Set, report *Report) *run {
	r := &run{p: p, id: p.identify(s), report: report}
	issuer, id := s.String(tagIssuer), s.String(tagPatientID)
	if id == "" { // without a number, the name and the day of birth are all there is
		issuer, id = "name", strings.ToUpper(s.String(tagName))+"|"+s.String(tagBirthDate)
	}
	r.patient = p.PatientID(issuer, id)
	r.days = p.shiftDays(r.patient)
	r.id.own = r.patient
	return r
}

// set treats the elements of s, and gives the patient the pseudonym.
func (r *run) set(s *write.Set) {
	r.items(s)
	s.Text(tagName, "PN", r.patient)
	s.Text(tagPatientID, "LO", r.patient)
}

func (r *run) items(s *write.Set) {
	safe := r.p.safe(s, &r.id)
	s.Filter(func(e *write.Element) bool {
		if safe[e.Tag] || r.element(e) {
			return true
		}
		r.report.Removed++
		return false
	})
}

// element treats one element and reports whether it stays.
func (r *run) element(e *write.Element) bool {
	if uint32(e.Tag)>>24 == 0x60 {
		return r.overlay(e)
	}
	switch a := r.p.action(e); a {
	case remove:
		return false
	case keep, descend:
		r.inside(e, a)
		return true
	case empty:
		e.Value, e.Items, e.Body = nil, nil, nil
	case dummy:
		r.dummy(e)
	case remap:
		r.remap(e)
	case shift:
		if e.VR == "SQ" {
			r.inside(e, descend)
			break
		}
		e.Value = []byte(shiftValue(string(e.Value), e.VR, r.days))
	case cleanText:
		e.Value = []byte(r.id.vocabulary(string(e.Value)))
	case cleanName:
		if r.id.in(string(e.Value)) {
			r.dummy(e)
		}
	}
	r.report.Replaced++
	return true
}

// inside treats what a kept element holds.
func (r *run) inside(e *write.Element, a action) {
	for _, item := range e.Items {
		if e.Tag == tagGraphics && a == descend {
			item.Remove(tagTextObjects)
		}
		r.items(item)
	}
	if scanned(e.VR) && r.id.in(string(e.Value)) {
		r.dummy(e)
		r.report.Replaced++
	}
}

// overlay keeps, with CleanGraphics, planes that mark a region (type R); drawn
// or written graphics, which may be text, never stay (PS3.3 section C.9.2).
func (r *run) overlay(e *write.Element) bool {
	if !r.p.opts.CleanGraphics || !r.id.regionOverlay[uint16(e.Tag>>16)] {
		return false
	}
	switch uint16(e.Tag) {
	case 0x0022, 0x1500, 0x4000: // description, label, comments
		return false
	}
	return known(e) && e.VR != "UN"
}

func (r *run) remap(e *write.Element) {
	uids := strings.Split(e.Text(), `\`)
	for i, uid := range uids {
		uids[i] = r.p.UID(uid)
	}
	e.Value = []byte(strings.Join(uids, `\`))
}

// dummy puts in place of a value one of the same VR that says nothing.
func (r *run) dummy(e *write.Element) {
	e.Body = nil
	switch e.VR {
	case "SQ":
		for _, item := range e.Items {
			item.Filter(func(e *write.Element) bool {
				if e.Tag>>16%2 == 1 || e.VR == "UN" {
					return false
				}
				if e.VR != "CS" && !classUID[e.Tag] && len(e.Value)+len(e.Items) > 0 {
					r.dummy(e)
				}
				return true
			})
		}
	case "UI":
		if !r.p.opts.RetainUIDs {
			r.remap(e)
		}
	case "DA", "DT":
		if r.p.opts.Dates == ShiftDates {
			e.Value = []byte(shiftValue(string(e.Value), e.VR, r.days))
			return
		}
		e.Value = []byte(dummies[e.VR])
	default:
		if text, ok := dummies[e.VR]; ok {
			e.Value = []byte(text)
			return
		}
		e.Value = make([]byte, min(len(e.Value), 1<<16))
	}
}

var dummies = map[string]string{
	"AE": "ANON", "AS": "000Y", "CS": "ANON", "DA": "19000101", "DS": "0", "DT": "19000101000000",
	"IS": "0", "LO": "ANON", "LT": "ANON", "PN": "ANON", "SH": "ANON", "ST": "ANON", "TM": "000000",
	"UC": "ANON", "UR": "urn:anon", "UT": "ANON", "UN": "",
}

// safe finds the private elements of s that may stay, with their creators.
func (p *Profile) safe(s *write.Set, id *identity) map[dicom.Tag]bool {
	out := map[dicom.Tag]bool{}
	for _, known := range p.opts.SafePrivate {
		for block := uint32(0x10); block <= 0xFF; block++ {
			creator := dicom.Tag(uint32(known.Group)<<16 | block)
			if s.String(creator) != known.Creator {
				continue
			}
			t := dicom.Tag(uint32(known.Group)<<16 | block<<8 | uint32(known.Element))
			if e := s.Get(t); known.Group%2 == 1 && e != nil && e.VR != "SQ" && e.VR != "UN" && !id.in(e.Text()) {
				out[creator], out[t] = true, true
			}
		}
	}
	return out
}
