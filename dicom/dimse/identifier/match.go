package identifier

import "sira/dicom"

// Options change how Match treats a request.
type Options struct {
	// Fuzzy matches names by Fuzzy.
	Fuzzy bool
	// DateTime takes a date and its time as one point in time when both keys
	// are ranges (PS3.4 section C.2.2.2.5.3): "from the 1st 10:00 to the 2nd
	// 8:00" instead of "on both days between 10:00 and 8:00". Whether it holds
	// is negotiated for queries.
	DateTime bool
}

// directives are elements of a request that are not keys of matching.
var directives = map[dicom.Tag]bool{
	SpecificCharacterSet: true, QueryRetrieveLevel: true, RetrieveAETitle: true,
	InstanceAvailability: true, TimezoneOffset: true,
}

// pairs of date and time that DateTime joins.
var pairs = map[dicom.Tag]dicom.Tag{
	StudyDate: StudyTime, 0x00080021: 0x00080031, 0x00080022: 0x00080032, 0x00080023: 0x00080033,
	PatientBirthDate: 0x00100032, ScheduledStartDate: ScheduledStartTime,
	0x00400004: 0x00400005, 0x00400244: 0x00400245, 0x00400250: 0x00400251,
}

// Match tells whether a candidate answer satisfies all keys of a request
// (PS3.4 section C.2.2.2). A key of several values, other than of UIDs, is
// satisfied by any of them. An attribute the candidate lacks counts as empty
// and satisfies universal keys only: a caller that does not support an
// optional key deletes it first. Text is compared exactly, names without
// regard to case and accents.
func Match(keys, candidate *Set, o Options) bool {
	joined := map[dicom.Tag]bool{}
	if o.DateTime {
		for date, clock := range pairs {
			if matched, both := datePair(keys, candidate, date, clock); both {
				joined[date], joined[clock] = true, true
				if !matched {
					return false
				}
			}
		}
	}
	for key := range keys.All() {
		if directives[key.Tag] || joined[key.Tag] || uint16(key.Tag) == 0 {
			continue
		}
		value, _ := candidate.Get(key.Tag)
		if !matchElement(key, value, o) {
			return false
		}
	}
	return true
}

func matchElement(key, value Element, o Options) bool {
	c := ConditionOf(key)
	switch {
	case c.Kind == Sequence:
		for _, item := range value.Items {
			if Match(c.Items[0], item, o) {
				return true
			}
		}
		// An item that asks for nothing in particular is universal matching.
		return len(value.Items) == 0 && Match(c.Items[0], nil, o)
	case o.Fuzzy && key.VR == "PN" && (c.Kind == Single || c.Kind == Wildcard):
		for _, v := range value.Values {
			for _, k := range c.Values {
				if v != "" && Fuzzy(k, v) {
					return true
				}
			}
		}
		return false
	}
	return c.Match(value.Values...)
}

// datePair matches a date and a time as one; both is false when the keys are
// not a pair of ranges.
func datePair(keys, candidate *Set, date, clock dicom.Tag) (matched, both bool) {
	d, okD := keys.Get(date)
	t, okT := keys.Get(clock)
	if !okD || !okT {
		return false, false
	}
	cd, ct := ConditionOf(d), ConditionOf(t)
	if cd.Kind != Range || ct.Kind != Range {
		return false, false
	}
	day, _, ok := Moment(candidate.String(date), "DA")
	if !ok {
		return false, true
	}
	at, _, ok := Moment(candidate.String(clock), "TM")
	if !ok {
		at = "000000.000000" // a day without a time begins at midnight
	}
	from, to := cd.From+orElse(ct.From, "000000.000000"), cd.To+orElse(ct.To, "235959.999999")
	return (cd.From == "" || day+at >= from) && (cd.To == "" || day+at <= to), true
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// Answer shapes a candidate as the answer to a request: the attributes asked
// for and no others, empty where the candidate has none; in sequences as the
// key's item asks, all attributes where it is empty.
func Answer(keys, candidate *Set) *Set {
	out := &Set{}
	for key := range keys.All() {
		if uint16(key.Tag) == 0 || key.Tag == SpecificCharacterSet {
			continue
		}
		value, ok := candidate.Get(key.Tag)
		if !ok {
			out.PutElement(Element{Tag: key.Tag, VR: key.VR})
			continue
		}
		if value.VR == "SQ" && len(key.Items) > 0 && key.Items[0].Len() > 0 {
			shaped := make([]*Set, 0, len(value.Items))
			for _, item := range value.Items {
				shaped = append(shaped, Answer(key.Items[0], item))
			}
			value.Items = shaped
		}
		out.PutElement(value)
	}
	return out
}
