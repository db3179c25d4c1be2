package dicomweb

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	sdicomtag "github.com/suyashkumar/dicom/pkg/tag"

	"sira/dicom"
	"sira/dicom/index"
	"sira/dicom/index/jsonmodel"
)

const (
	maxQuery   = 64 << 10 // bytes of a query string
	maxParams  = 200
	maxValues  = 2000 // of a list of UIDs
	maxValue   = 256  // bytes of one value
	maxStars   = 5    // wildcards * in one value
	maxLookups = 60   // keywords looked up in the whole dictionary
)

// maxRows is the most of each level that one answer lists.
var maxRows = map[index.Level]int{index.StudyLevel: 1000, index.SeriesLevel: 2000, index.InstanceLevel: 10_000}

// MaxRows is the most that one search answers at a level; the client asks on by
// offset.
func MaxRows(level index.Level) int { return maxRows[level] }

// maxWhole bounds answers that hold whole data sets.
const maxWhole = 1000

// search is a QIDO-RS request as understood.
type search struct {
	query   index.Query
	ignored []string // parameters that could not be matched, for the warning
	asked   int      // limit asked for, 0 when none was
}

// parseSearch reads the parameters of PS3.18 section 8.3.4. Attributes that
// cannot be matched are ignored, as the standard says, and named; values that
// make no sense are errors.
func parseSearch(raw string, level index.Level) (search, error) {
	s := search{query: index.Query{Level: level}}
	if len(raw) > maxQuery || strings.Count(raw, "&") >= maxParams {
		return s, badRequest(fmt.Sprintf("Au plus %d paramètres.", maxParams))
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return s, badRequest("Les paramètres ne sont pas encodés comme il faut.")
	}
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	fuzzy := false
	p := &parser{s: &s, level: level, wanted: map[string]bool{}}
	for _, name := range names {
		for _, v := range values[name] {
			if name == "fuzzymatching" {
				if fuzzy, err = strconv.ParseBool(v); err != nil {
					return s, badRequest("fuzzymatching vaut true ou false.")
				}
				continue
			}
			if err := p.parameter(name, v); err != nil {
				return s, err
			}
		}
	}
	p.finish(fuzzy)
	return s, nil
}

type parser struct {
	s       *search
	level   index.Level
	all     bool
	wanted  map[string]bool
	lookups int
}

func (p *parser) parameter(name, value string) error {
	switch name {
	case "limit", "offset":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > math.MaxInt32 {
			return badRequest(name + " est un nombre à partir de 0.")
		}
		if name == "limit" {
			p.s.asked = max(n, 1)
			if n == 0 {
				p.s.asked = -1
			}
		} else {
			p.s.query.Offset = n
		}
		return nil
	case "includefield":
		return p.include(value)
	case "accept", "charset", "orderby":
		return nil
	}
	t, ok := p.tag(name)
	if !ok {
		p.ignore(name)
		return nil
	}
	return p.match(name, t, value)
}

func (p *parser) ignore(name string) {
	if len(p.s.ignored) < 20 {
		p.s.ignored = append(p.s.ignored, name)
	}
}

// tag reads an attribute: GGGGEEEE or a keyword. Paths into sequences cannot
// be matched.
func (p *parser) tag(name string) (dicom.Tag, bool) {
	if t, err := jsonmodel.ParseTag(name); err == nil {
		return t, true
	}
	if t, ok := keywords[name]; ok {
		return t, true
	}
	if p.lookups++; p.lookups > maxLookups || len(name) > 64 {
		return 0, false
	}
	info, err := sdicomtag.FindByKeyword(name)
	if err != nil {
		return 0, false
	}
	return dicom.Tag(info.Tag.Uint32()), true
}

func (p *parser) include(value string) error {
	for _, name := range strings.Split(value, ",") {
		name, _, _ = strings.Cut(strings.TrimSpace(name), ".")
		if name == "all" {
			p.all = true
		} else if t, ok := p.tag(name); ok {
			p.wanted[fmt.Sprintf("%08X", uint32(t))] = true
		}
		if len(p.wanted) > maxParams {
			return badRequest(fmt.Sprintf("Au plus %d attributs dans includefield.", maxParams))
		}
	}
	return nil
}

func (p *parser) match(name string, t dicom.Tag, value string) error {
	kind, ok := index.MatchingOf(t, p.level)
	if !ok {
		p.ignore(name)
		return nil
	}
	if value == "" || strings.Trim(value, "*") == "" {
		return nil // universal matching
	}
	c := index.Condition{Tag: t}
	var err error
	switch kind {
	case index.UID:
		c.Values, err = uids(name, value)
	case index.Date, index.Time:
		c.From, c.To, c.Values, err = rangeOf(name, value, kind)
	case index.Number:
		n, nerr := strconv.Atoi(strings.TrimSpace(value))
		if nerr != nil {
			err = badRequest(name + " est un nombre.")
		}
		c.Values = []string{strconv.Itoa(n)}
	case index.Modality:
		c.Values = strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == '\\' })
	default:
		c.Values = strings.Split(value, `\`)
	}
	if err != nil {
		return err
	}
	for i, v := range c.Values {
		if len(v) > maxValue || strings.Count(v, "*") > maxStars || strings.ContainsRune(v, 0) || len(c.Values) > maxValues {
			return badRequest(name + " : valeur trop longue ou trop de jokers.")
		}
		c.Values[i] = strings.ToValidUTF8(strings.TrimSpace(v), "\uFFFD")
	}
	p.s.query.Match = append(p.s.query.Match, c)
	return nil
}

func uids(name, value string) ([]string, error) {
	list := strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == '\\' })
	if len(list) == 0 || len(list) > maxValues {
		return nil, badRequest(fmt.Sprintf("%s : de 1 à %d UID.", name, maxValues))
	}
	for i, uid := range list {
		list[i] = strings.TrimSpace(uid)
		if !validUID(list[i]) {
			return nil, badRequest(name + " n’est pas un UID.")
		}
	}
	return list, nil
}

// rangeOf reads a date or time, or a range of them (PS3.4 section C.2.2.2.5).
func rangeOf(name, value string, kind index.Matching) (from, to string, single []string, err error) {
	read := func(s string, upper bool) (string, error) {
		var ok bool
		if kind == index.Date {
			s, ok = index.Day(s)
		} else {
			s, ok = index.Clock(s, upper)
		}
		if !ok {
			return "", badRequest(name + " : AAAAMMJJ, HHMMSS, ou un intervalle avec un tiret.")
		}
		return s, nil
	}
	first, second, isRange := strings.Cut(value, "-")
	if !isRange {
		v, err := read(first, false)
		return "", "", []string{v}, err
	}
	if first != "" {
		if from, err = read(first, false); err != nil {
			return "", "", nil, err
		}
	}
	if second != "" {
		to, err = read(second, true)
	}
	if first == "" && second == "" {
		err = badRequest(name + " : un intervalle a un début ou une fin.")
	}
	return from, to, nil, err
}

// finish puts together what depends on several parameters.
func (p *parser) finish(fuzzy bool) {
	q := &p.s.query
	for i := range q.Match {
		if q.Match[i].Tag == keywords["PatientName"] {
			q.Match[i].Fuzzy = fuzzy
		}
	}
	if p.all {
		q.More = func(string) bool { return true }
	} else if len(p.wanted) > 0 {
		q.More = func(tag string) bool { return p.wanted[tag] }
	}
	most := maxRows[p.level]
	if q.More != nil && p.level == index.InstanceLevel {
		most = maxWhole
	}
	q.Limit = most
	if p.s.asked > 0 {
		q.Limit = min(p.s.asked, most)
	} else if p.s.asked < 0 {
		q.Limit = 0
	}
}

// keywords are those looked for most.
var keywords = map[string]dicom.Tag{
	"SOPClassUID": 0x00080016, "SOPInstanceUID": 0x00080018, "StudyDate": 0x00080020, "StudyTime": 0x00080030,
	"AccessionNumber": 0x00080050, "InstanceAvailability": 0x00080056, "Modality": 0x00080060, "ModalitiesInStudy": 0x00080061,
	"ReferringPhysicianName": 0x00080090, "TimezoneOffsetFromUTC": 0x00080201, "StudyDescription": 0x00081030,
	"SeriesDescription": 0x0008103E, "RetrieveURL": 0x00081190, "PatientName": 0x00100010, "PatientID": 0x00100020,
	"PatientBirthDate": 0x00100030, "PatientSex": 0x00100040, "BodyPartExamined": 0x00180015, "StudyInstanceUID": 0x0020000D,
	"SeriesInstanceUID": 0x0020000E, "StudyID": 0x00200010, "SeriesNumber": 0x00200011, "InstanceNumber": 0x00200013,
	"NumberOfStudyRelatedSeries": 0x00201206, "NumberOfStudyRelatedInstances": 0x00201208,
	"NumberOfSeriesRelatedInstances": 0x00201209, "NumberOfFrames": 0x00280008, "Rows": 0x00280010, "Columns": 0x00280011,
	"PerformedProcedureStepStartDate": 0x00400244, "PerformedProcedureStepStartTime": 0x00400245,
}
