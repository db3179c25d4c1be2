package index

import (
	"cmp"
	"slices"

	"sira/dicom"
)

// Level is what a search lists.
type Level int

// The levels of the information model (PS3.4 section C.6).
const (
	StudyLevel Level = iota
	SeriesLevel
	InstanceLevel
)

// Matching is how a key compares (PS3.4 section C.2.2.2).
type Matching int

// The ways of matching.
const (
	Text     Matching = iota + 1 // single value, wildcards * and ?
	Name                         // the same on folded text; fuzzy for the patient's name
	Date                         // single value or range, YYYYMMDD
	Time                         // single value or range, HHMMSS
	UID                          // one or several
	Number                       // single value
	Modality                     // Modalities in Study: one or several, wildcards
)

type key struct {
	level   Level
	column  string
	match   Matching
	ordered bool // the column compares by bytes in both dialects and has an index
}

const (
	tagStudyDate  = dicom.Tag(0x00080020)
	tagStudyTime  = dicom.Tag(0x00080030)
	tagModalities = dicom.Tag(0x00080061)
	tagName       = dicom.Tag(0x00100010)
	tagStudy      = dicom.Tag(0x0020000D)
	tagSeries     = dicom.Tag(0x0020000E)
	tagSOP        = dicom.Tag(0x00080018)
)

// keys are the attributes that can be matched.
var keys = map[dicom.Tag]key{
	tagStudyDate:  {StudyLevel, "s.date", Date, false},
	tagStudyTime:  {StudyLevel, "s.time", Time, false},
	0x00080050:    {StudyLevel, "s.accession", Text, true},
	tagModalities: {StudyLevel, "", Modality, false},
	0x00080090:    {StudyLevel, "s.referrer", Name, false},
	0x00081030:    {StudyLevel, "s.description", Text, false},
	tagName:       {StudyLevel, "s.name", Name, true},
	0x00100020:    {StudyLevel, "s.patient_id", Text, true},
	0x00100030:    {StudyLevel, "s.birth_date", Date, false},
	0x00100040:    {StudyLevel, "s.sex", Text, false},
	tagStudy:      {StudyLevel, "s.study", UID, false},
	0x00200010:    {StudyLevel, "s.study_id", Text, false},
	0x00080060:    {SeriesLevel, "e.modality", Text, false},
	0x0008103E:    {SeriesLevel, "e.description", Text, false},
	0x00180015:    {SeriesLevel, "ej.body", Text, false},
	tagSeries:     {SeriesLevel, "e.uid", UID, false},
	0x00200011:    {SeriesLevel, "e.number", Number, false},
	0x00400244:    {SeriesLevel, "ej.step_date", Date, false},
	0x00400245:    {SeriesLevel, "ej.step_time", Time, false},
	0x00080016:    {InstanceLevel, "i.class", UID, false},
	tagSOP:        {InstanceLevel, "i.sop", UID, false},
	0x00200013:    {InstanceLevel, "i.number", Number, false},
	0x00280008:    {InstanceLevel, "ij.frames", Number, false},
}

// MatchingOf says how an attribute is matched in a search at a level; ok is
// false when it cannot be matched there.
func MatchingOf(t dicom.Tag, level Level) (m Matching, ok bool) {
	k, ok := keys[t]
	return k.match, ok && k.level <= level
}

// Key is an attribute that can be matched from a level on.
type Key struct {
	Tag   dicom.Tag
	Level Level
	Match Matching
}

// Keys lists what can be matched, from the study down.
func Keys() []Key {
	var out []Key
	for t, k := range keys {
		out = append(out, Key{t, k.level, k.match})
	}
	slices.SortFunc(out, func(a, b Key) int { return cmp.Or(cmp.Compare(a.Level, b.Level), cmp.Compare(a.Tag, b.Tag)) })
	return out
}

// Condition is one key to match. Several are joined by "and".
type Condition struct {
	Tag      dicom.Tag
	Values   []string // one of these; may hold wildcards where the key takes them
	From, To string   // of Date and Time when there are no Values; either may be empty
	Fuzzy    bool     // of the patient's name: each word begins one of the name's
}

// Query is a search.
type Query struct {
	Level         Level
	Match         []Condition
	Visible       *Visible // nil: everything
	Limit, Offset int
	// More asks for attributes beyond those a search answers by itself; nil:
	// none. It gets the tag as GGGGEEEE.
	More func(tag string) bool
	// Parents adds the attributes of study or series to each row from this
	// level on: StudyLevel when neither is known to who asks.
	Parents Level
}
