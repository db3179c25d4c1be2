package index

import (
	"context"
	"slices"
	"strings"

	"sira/dicom/index/jsonmodel"
)

// studyPart is what a study adds to the rows of a page.
type studyPart struct {
	brief, more string
	fill        jsonmodel.Fill
}

type seriesPart struct {
	brief, more string
	instances   int
}

// complete reads what the rows share.
func (p *Page) complete(ctx context.Context) error {
	if p.q.Parents == StudyLevel {
		if err := p.readStudies(ctx); err != nil {
			return err
		}
		p.rows = slices.DeleteFunc(p.rows, func(r found) bool { return p.studies[r.Study] == nil })
	}
	if p.q.Level == InstanceLevel && p.q.Parents <= SeriesLevel {
		return p.readSeries(ctx)
	}
	return nil
}

func distinct(rows []found, of func(found) string) []string {
	var out []string
	for _, r := range rows {
		out = append(out, of(r))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func marks(n int) string { return "?" + strings.Repeat(", ?", n-1) }

func arguments(first []any, values []string) []any {
	for _, v := range values {
		first = append(first, v)
	}
	return first
}

func (p *Page) readStudies(ctx context.Context) error {
	p.studies = map[string]*studyPart{}
	for chunk := range slices.Chunk(distinct(p.rows, func(r found) string { return r.Study }), 500) {
		rows, err := p.x.db.Query(ctx, `SELECT t.uid, j.brief, j.more, t.modalities, t.series, t.instances
			FROM dicom_study t JOIN dicom_study_json j ON j.study = t.uid WHERE t.uid IN (`+marks(len(chunk))+`)`, arguments(nil, chunk)...)
		if err != nil {
			return err
		}
		for rows.Next() {
			var uid, stored string
			s := &studyPart{}
			if err := rows.Scan(&uid, &s.brief, &s.more, &stored, &s.fill.Series, &s.fill.Instances); err != nil {
				rows.Close()
				return err
			}
			s.fill.Modalities = modalities(stored)
			p.studies[uid] = s
		}
		if err := rows.Err(); err != nil {
			rows.Close()
			return err
		}
		rows.Close()
		if err := p.limitStudies(ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

// limitStudies counts only what the user may see, and takes studies out whose
// visible series have none of the modalities asked for.
func (p *Page) limitStudies(ctx context.Context, uids []string) error {
	uids = slices.DeleteFunc(slices.Clone(uids), func(uid string) bool { return p.q.Visible.partial(uid) == nil || p.studies[uid] == nil })
	if len(uids) == 0 {
		return nil
	}
	for _, uid := range uids {
		p.studies[uid].fill = jsonmodel.Fill{}
	}
	rows, err := p.x.db.Query(ctx, `SELECT study, uid, modality, instances FROM dicom_series WHERE study IN (`+marks(len(uids))+`)`, arguments(nil, uids)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var study, series, modality string
		var instances int
		if err := rows.Scan(&study, &series, &modality, &instances); err != nil {
			return err
		}
		if n := p.q.Visible.partial(study).count(series, instances); n > 0 {
			fill := &p.studies[study].fill
			fill.Series++
			fill.Instances += n
			fill.Modalities = modalities(withModality(strings.Join(fill.Modalities, `\`), modality))
		}
	}
	for _, uid := range uids {
		if !p.wanted(p.studies[uid].fill.Modalities) {
			delete(p.studies, uid)
		}
	}
	return rows.Err()
}

// wanted reports whether modalities of a partly visible study still match.
func (p *Page) wanted(has []string) bool {
	for _, c := range p.q.Match {
		if c.Tag == tagModalities && !slices.ContainsFunc(has, func(m string) bool {
			return slices.ContainsFunc(c.Values, func(pattern string) bool { return Wild(pattern, m) })
		}) {
			return false
		}
	}
	return true
}

// Wild matches s with a pattern of * and ?.
func Wild(pattern, s string) bool {
	p, t := []rune(pattern), []rune(s)
	i, j, star, mark := 0, 0, -1, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

func (p *Page) readSeries(ctx context.Context) error {
	p.series = map[[2]string]*seriesPart{}
	for _, study := range distinct(p.rows, func(r found) string { return r.Study }) {
		var own []found
		for _, r := range p.rows {
			if r.Study == study {
				own = append(own, r)
			}
		}
		for chunk := range slices.Chunk(distinct(own, func(r found) string { return r.Series }), 500) {
			if err := p.readSeriesOf(ctx, study, chunk); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Page) readSeriesOf(ctx context.Context, study string, uids []string) error {
	rows, err := p.x.db.Query(ctx, `SELECT e.uid, j.brief, j.more, e.instances FROM dicom_series e
		JOIN dicom_series_json j ON j.study = e.study AND j.series = e.uid
		WHERE e.study = ? AND e.uid IN (`+marks(len(uids))+`)`, arguments([]any{study}, uids)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var uid string
		s := &seriesPart{}
		if err := rows.Scan(&uid, &s.brief, &s.more, &s.instances); err != nil {
			return err
		}
		p.series[[2]string{study, uid}] = s
	}
	return rows.Err()
}

// Append writes row i as DICOM JSON; base is the address of the service, such
// as https://sira.example/dicomweb.
func (p *Page) Append(ctx context.Context, dst []byte, i int, base string) ([]byte, error) {
	r := &p.rows[i]
	fill := jsonmodel.Fill{Base: base}
	if study := p.studies[r.Study]; study != nil {
		fill = study.fill
		fill.Base = base
		if p.q.Level == StudyLevel && p.q.More == nil {
			return fill.Append(dst, study.brief), nil
		}
		if p.q.Level == StudyLevel {
			return jsonmodel.Merge(dst, nil, append(p.members(study.brief, &fill), p.extra(study.more, &fill)...)...), nil
		}
	}
	return p.appendBelow(ctx, dst, r, base, fill)
}
