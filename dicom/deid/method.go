package deid

import (
	"sira/dicom/write"
)

// sign says in the object what was done to it (PS3.15 section E.3, PS3.3
// section C.7.1.1, context group 7050).
func (r *run) sign(s *write.Set, pixels bool) {
	o := &r.p.opts
	codes := []*write.Set{write.Code("113100", "DCM", "Basic Application Confidentiality Profile")}
	add := func(on bool, value, meaning string) {
		if on {
			codes = append(codes, write.Code(value, "DCM", meaning))
		}
	}
	add(o.CleanPixels && pixels, "113101", "Clean Pixel Data Option")
	add(o.CleanGraphics, "113103", "Clean Graphics Option")
	add(o.CleanStructure, "113104", "Clean Structured Content Option")
	add(o.CleanText, "113105", "Clean Descriptors Option")
	add(o.Dates == KeepDates, "113106", "Retain Longitudinal Temporal Information Full Dates Option")
	add(o.Dates == ShiftDates, "113107", "Retain Longitudinal Temporal Information Modified Dates Option")
	add(o.RetainPatient, "113108", "Retain Patient Characteristics Option")
	add(o.RetainDevice, "113109", "Retain Device Identity Option")
	add(o.RetainUIDs, "113110", "Retain UIDs Option")
	add(len(o.SafePrivate) > 0, "113111", "Retain Safe Private Option")
	add(o.RetainInstitution, "113112", "Retain Institution Identity Option")
	s.Text(0x00120062, "CS", "YES")
	s.Text(0x00120063, "LO", "PS3.15 Basic Application Level Confidentiality Profile")
	s.Sequence(0x00120064, codes...)
	s.Text(0x00280303, "CS", map[Dates]string{RemoveDates: "REMOVED", ShiftDates: "MODIFIED", KeepDates: "UNMODIFIED"}[o.Dates])
	if pixels && s.Has(tagPixelData) {
		s.Text(0x00280301, "CS", "NO")
	}
}
