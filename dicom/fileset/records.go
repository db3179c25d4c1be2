package fileset

import (
	"strings"

	"sira/dicom"
	"sira/dicom/write"
)

// keys names the attributes that a directory record repeats (PS3.3 section
// F.5), with the type that the standard gives them there.
type key struct {
	tag     dicom.Tag
	vr      string
	type1   bool
	missing string // written for type 1 when the object says nothing
}

const (
	noDate = "19000101" // what dcmtk writes, too, when a date must be there and none is known
	noTime = "000000"
)

var (
	patientKeys = []key{{0x00100010, "PN", false, ""}, {0x00100020, "LO", true, "INCONNU"}, {0x00100030, "DA", false, ""}, {0x00100040, "CS", false, ""}}
	studyKeys   = []key{{0x00080020, "DA", true, noDate}, {0x00080030, "TM", true, noTime}, {0x00080050, "SH", false, ""}, {0x00081030, "LO", false, ""},
		{0x0020000D, "UI", true, ""}, {0x00200010, "SH", true, "1"}}
	seriesKeys = []key{{0x00080060, "CS", true, "OT"}, {0x0008103E, "LO", false, ""}, {0x0020000E, "UI", true, ""}, {0x00200011, "IS", true, "0"}}

	number      = key{0x00200013, "IS", true, "0"}
	contentDate = key{0x00080023, "DA", true, noDate}
	contentTime = key{0x00080033, "TM", true, noTime}
	label       = key{0x00700080, "CS", true, "SANS_NOM"}
	description = key{0x00700081, "LO", false, ""}
	creator     = key{0x00700084, "PN", false, ""}
)

// leaf is a kind of record below a series.
type leaf struct {
	name string
	keys []key
	code bool // has a Concept Name Code Sequence of type 1
}

var (
	image     = leaf{"IMAGE", []key{number}, false}
	waveform  = leaf{"WAVEFORM", []key{contentDate, contentTime, number}, false}
	document  = leaf{"ENCAP DOC", []key{{0x00080023, "DA", false, ""}, {0x00080033, "TM", false, ""}, number, {0x00420010, "ST", false, ""}, {0x00420012, "LO", true, "application/octet-stream"}}, false}
	report    = leaf{"SR DOCUMENT", []key{contentDate, contentTime, number, {0x0040A491, "CS", true, "COMPLETE"}, {0x0040A493, "CS", true, "UNVERIFIED"}}, true}
	keyObject = leaf{"KEY OBJECT DOC", []key{contentDate, contentTime, number}, true}
	state     = leaf{"PRESENTATION", []key{number, label, description, creator, {0x00700082, "DA", true, noDate}, {0x00700083, "TM", true, noTime}}, false}
	raw       = leaf{"RAW DATA", []key{contentDate, contentTime, number}, false}
	spectrum  = leaf{"SPECTROSCOPY", []key{contentDate, contentTime, number}, false}
	register  = leaf{"REGISTRATION", []key{contentDate, contentTime, number, label, description, creator}, false}
	fiducial  = leaf{"FIDUCIAL", []key{contentDate, contentTime, number, label, description, creator}, false}
	valueMap  = leaf{"VALUE MAP", []key{contentDate, contentTime, number, label, description, creator}, false}
	surface   = leaf{"SURFACE", []key{contentDate, contentTime, number, label, description, creator}, false}
	measures  = leaf{"MEASUREMENT", []key{contentDate, contentTime, number}, false}
	stereo    = leaf{"STEREOMETRIC", nil, false}
	rtDose    = leaf{"RT DOSE", []key{number, {0x3004000A, "CS", true, "PLAN"}}, false}
	rtSet     = leaf{"RT STRUCTURE SET", []key{number, {0x30060002, "SH", true, "SANS_NOM"}, {0x30060008, "DA", false, ""}, {0x30060009, "TM", false, ""}}, false}
	rtPlan    = leaf{"RT PLAN", []key{number, {0x300A0002, "SH", true, "SANS_NOM"}, {0x300A0006, "DA", false, ""}, {0x300A0007, "TM", false, ""}}, false}
	rtRecord  = leaf{"RT TREAT RECORD", []key{number, {0x30080250, "DA", false, ""}, {0x30080251, "TM", false, ""}}, false}
)

// leaves tells the kind of record by the SOP class, its root left out (PS3.3
// section F.4, table F.4-1). Longer roots go first.
var leaves = []struct {
	class string
	kind  leaf
}{
	{"88.59", keyObject}, {"88.", report}, {"104.", document}, {"11.", state}, {"9.", waveform},
	{"4.2", spectrum}, {"66.1", register}, {"66.2", fiducial}, {"66.3", register}, {"66.4", image}, {"66.5", surface}, {"66", raw}, {"67", valueMap},
	{"77.1.5.3", stereo}, {"78.", measures}, {"79.", measures},
	{"481.2", rtDose}, {"481.3", rtSet}, {"481.4", rtRecord}, {"481.5", rtPlan}, {"481.6", rtRecord}, {"481.7", rtRecord}, {"481.8", rtPlan}, {"481.9", rtRecord},
}

// kind chooses the record of an object; ok is false when none fits.
func kind(f *dicom.File, class string) (leaf, bool) {
	rest, storage := strings.CutPrefix(class, "1.2.840.10008.5.1.4.1.1.")
	if storage {
		for _, l := range leaves {
			if strings.HasPrefix(rest, l.class) && (l.class == rest || strings.HasSuffix(l.class, ".") || strings.HasPrefix(rest, l.class+".")) {
				return l.kind, true
			}
		}
	}
	switch {
	case f.Pixel != nil:
		return image, true
	case f.Has(0x54000100):
		return waveform, true
	}
	return leaf{}, false
}

// fill puts keys of f into a record, as UTF-8.
func fill(s *write.Set, f *dicom.File, keys []key) {
	for _, k := range keys {
		value := strings.Join(f.Strings(k.tag), `\`)
		switch k.vr { // the forms of ACR-NEMA
		case "DA":
			value = strings.ReplaceAll(value, ".", "")
		case "TM":
			value = strings.ReplaceAll(value, ":", "")
		}
		if value == "" && k.type1 {
			value = k.missing
		}
		s.Text(k.tag, k.vr, value)
	}
}

// document fills in what depends on more than one attribute: the concept name
// of a document (PS3.3 section 8.8), and when a report was verified.
func (k leaf) document(s *write.Set, f *dicom.File) {
	if f.String(0x0040A493) == "VERIFIED" && k.name == report.name {
		at := ""
		if items := f.Sequence(0x0040A073); len(items) > 0 {
			at = items[len(items)-1].String(0x0040A030)
		}
		if at == "" {
			at = noDate + noTime
		}
		s.Text(0x0040A030, "DT", at)
	}
	if k.name == document.name {
		s.Sequence(0x0040A043) // type 2
	}
	if !k.code && !f.Has(0x0040A043) {
		return
	}
	code := write.Code("18748-4", "LN", "Diagnostic imaging report")
	if items := f.Sequence(0x0040A043); len(items) > 0 && items[0].String(0x00080100) != "" {
		code = write.Code(items[0].String(0x00080100), items[0].String(0x00080102), items[0].String(0x00080104))
	} else if !k.code {
		return
	}
	s.Sequence(0x0040A043, code)
}
