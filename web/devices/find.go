package devices

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sira/dicom"
	"sira/dicom/dimse"
	"sira/dicom/dimse/identifier"
	"sira/dicom/index"
)

// pageSize is how many rows of the index are read at once.
const pageSize = 500

// Find answers queries of patients, studies, series and images (PS3.4 annex C)
// of those who may read.
func (p *Port) Find(ctx context.Context, req dimse.FindRequest, answer func(*identifier.Set) error) error {
	if !p.mayRead(req.Association) {
		return errNotAuthorized
	}
	level := levels[req.Level]
	keys, conditions := split(req.Keys, level, req.Options)
	given := map[[2]string]bool{} // patients
	return p.each(ctx, index.Query{Level: level, Match: conditions, Parents: index.StudyLevel}, func(s *identifier.Set) error {
		if !identifier.Match(keys, s, req.Options) {
			return nil
		}
		if req.Level == dimse.LevelPatient {
			who := [2]string{s.String(identifier.PatientID), s.String(identifier.PatientName)}
			if given[who] {
				return nil
			}
			given[who] = true
		}
		return answer(s)
	})
}

// levels of the index; patients are found by their studies.
var levels = map[dimse.Level]index.Level{dimse.LevelPatient: index.StudyLevel, dimse.LevelStudy: index.StudyLevel,
	dimse.LevelSeries: index.SeriesLevel, dimse.LevelImage: index.InstanceLevel}

// each goes through the rows of a search as data sets.
func (p *Port) each(ctx context.Context, q index.Query, fn func(*identifier.Set) error) error {
	q.More = func(string) bool { return true }
	for q.Limit, q.Offset = pageSize, 0; ; q.Offset += pageSize {
		page, err := p.cfg.Index.Find(ctx, q)
		if err != nil {
			return err
		}
		for i := range page.Len() {
			raw, err := page.Append(ctx, nil, i, "")
			if err != nil {
				return err
			}
			s, err := fromJSON(raw)
			if err != nil {
				return err
			}
			if err := fn(s); err != nil {
				return err
			}
		}
		if !page.Further {
			return nil
		}
	}
}

// split gives the keys that are matched, and what of them the index can look
// up; it may find too much, never too little. Keys that the index does not know
// match anything (PS3.4 section C.2.2.1.3).
func split(all *identifier.Set, level index.Level, o identifier.Options) (*identifier.Set, []index.Condition) {
	keys := all.Clone()
	var out []index.Condition
	for e := range all.All() {
		how, ok := index.MatchingOf(e.Tag, level)
		if !ok {
			keys.Delete(e.Tag)
			continue
		}
		c := identifier.ConditionOf(e)
		exact := c.Kind == identifier.Single && len(c.Values) == 1
		switch {
		case how == index.UID && (c.Kind == identifier.Single || c.Kind == identifier.List):
			out = append(out, index.Condition{Tag: e.Tag, Values: c.Values})
		case how == index.Modality && exact,
			how == index.Text && exact && c.VR != "PN":
			out = append(out, index.Condition{Tag: e.Tag, Values: c.Values})
		case how == index.Date && (c.Kind == identifier.Range || exact) && !o.DateTime && (c.From != "" || c.To != ""):
			out = append(out, index.Condition{Tag: e.Tag, From: day(c.From), To: day(c.To)})
		case e.Tag == identifier.PatientName && o.Fuzzy && len(e.Values) == 1 && !strings.ContainsAny(e.Values[0], "*?="):
			out = append(out, index.Condition{Tag: e.Tag, Values: e.Values, Fuzzy: true})
		}
	}
	return keys, out
}

func day(bound string) string { return bound[:min(len(bound), 8)] }

// fromJSON reads the DICOM JSON model (PS3.18 annex F), bulk left out.
func fromJSON(raw []byte) (*identifier.Set, error) {
	var object map[string]struct {
		VR    string            `json:"vr"`
		Value []json.RawMessage `json:"Value"`
	}
	if err := json.Unmarshal(raw, &object); err != nil {
		return nil, fmt.Errorf("reading a row of the index: %w", err)
	}
	s := &identifier.Set{}
	for name, attribute := range object {
		t, err := strconv.ParseUint(name, 16, 32)
		if err != nil {
			return nil, fmt.Errorf("reading a row of the index: attribute %q", name)
		}
		e := identifier.Element{Tag: dicom.Tag(t), VR: attribute.VR}
		for _, v := range attribute.Value {
			if attribute.VR == "SQ" {
				item, err := fromJSON(v)
				if err != nil {
					return nil, err
				}
				e.Items = append(e.Items, item)
				continue
			}
			text, err := valueText(v)
			if err != nil {
				return nil, err
			}
			e.Values = append(e.Values, text)
		}
		s.PutElement(e)
	}
	return s, nil
}

// valueText is one value as text: strings, numbers, and the groups of names.
func valueText(raw json.RawMessage) (string, error) {
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return "", nil
	case raw[0] == '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err
	case raw[0] == '{':
		var name struct{ Alphabetic, Ideographic, Phonetic string }
		if err := json.Unmarshal(raw, &name); err != nil {
			return "", fmt.Errorf("reading a name of the index: %w", err)
		}
		return strings.TrimRight(strings.Join([]string{name.Alphabetic, name.Ideographic, name.Phonetic}, "="), "="), nil
	}
	return string(raw), nil
}

// studiesOf lists the studies of a patient.
func (p *Port) studiesOf(ctx context.Context, patientID string) ([]string, error) {
	var out []string
	if strings.ContainsAny(patientID, "*?") || patientID == "" {
		return nil, nil
	}
	err := p.each(ctx, index.Query{Level: index.StudyLevel, Match: []index.Condition{{Tag: identifier.PatientID, Values: []string{patientID}}}},
		func(s *identifier.Set) error {
			if s.String(identifier.PatientID) == patientID {
				out = append(out, s.String(identifier.StudyInstanceUID))
			}
			return nil
		})
	slices.Sort(out)
	return slices.Compact(out), err
}
