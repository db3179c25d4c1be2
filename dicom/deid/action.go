package deid

import (
	"github.com/suyashkumar/dicom/pkg/tag"

	"sira/dicom/write"
)

// action is what becomes of one element.
type action int

const (
	keep      action = iota
	remove           // X
	empty            // Z
	dummy            // D
	remap            // U
	shift            // C of dates
	cleanText        // C of text
	cleanName        // C of AE titles
	descend          // C of structure: the items are treated, the sequence stays
)

// action decides, options first, then the basic profile. Where the standard
// leaves the choice to the type of the attribute, what is valid for every type
// is taken: a dummy before an empty value before removal.
func (p *Profile) action(e *write.Element) action {
	group := uint16(e.Tag >> 16)
	if group%2 == 1 {
		return remove // safe ones were told apart before
	}
	if group&0xFF00 == 0x5000 {
		return remove
	}
	r, listed := table[e.Tag]
	if !listed {
		return p.unlisted(e)
	}
	if a, ok := p.option(e, r); ok {
		return a
	}
	switch r.basic {
	case "X":
		return remove
	case "Z", "X/Z":
		return empty
	case "U":
		return remap
	case "X/Z/U":
		return descend
	}
	return dummy
}

// option applies the options of the profile to a row; cleaning goes before
// keeping when two options differ.
func (p *Profile) option(e *write.Element, r rule) (action, bool) {
	o := &p.opts
	switch {
	case o.Dates == ShiftDates && r.shift == "C":
		return shift, true
	case o.CleanText && r.text == "C", o.RetainPatient && r.patient == "C":
		if e.VR == "SQ" {
			return descend, true
		}
		return cleanText, true
	case o.RetainDevice && r.device == "C":
		return cleanName, true
	case o.CleanStructure && r.structure == "C", o.CleanGraphics && r.graphs == "C":
		return descend, true
	}
	for _, k := range []struct {
		on   bool
		rule string
	}{
		{o.RetainUIDs, r.uids}, {o.RetainDevice, r.device}, {o.RetainInstitution, r.institution},
		{o.RetainPatient, r.patient}, {o.Dates == KeepDates, r.dates},
	} {
		if k.on && k.rule == "K" {
			return keep, true
		}
	}
	return keep, false
}

// unlisted decides on what the table does not name. By the standard it stays;
// what by its VR is a name, a date, free text or an identifier does not, nor
// what the dictionary does not know.
func (p *Profile) unlisted(e *write.Element) action {
	switch e.VR {
	case "SQ":
		if !known(e) || e.Tag == 0x04000500 { // encrypted attributes: someone's key opens them
			return remove
		}
		return keep
	case "UI":
		if classUID[e.Tag] || p.opts.RetainUIDs {
			return keep
		}
		return remap
	case "PN", "AE":
		return dummy
	case "DA", "DT":
		switch {
		case p.opts.Dates == KeepDates:
			return keep
		case p.opts.Dates == ShiftDates:
			return shift
		}
		return dummy
	case "ST", "LT", "UT", "UC":
		if p.opts.CleanText {
			return cleanText
		}
		return dummy
	case "UR":
		return remove
	}
	if !known(e) {
		return remove
	}
	return keep
}

// known reports whether PS3.6 lists the attribute.
func known(e *write.Element) bool {
	t := tag.Tag{Group: uint16(e.Tag >> 16), Element: uint16(e.Tag)}
	if t.Group&0xFF00 == 0x6000 {
		t.Group = 0x6000
	}
	_, err := tag.Find(t)
	return err == nil && e.VR != "UN"
}
