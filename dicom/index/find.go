package index

import (
	"context"
	"fmt"
	"strings"
)

// Row is one study, series or instance found.
type Row struct{ Study, Series, SOP string }

type found struct {
	Row
	brief, more string
	instances   int
}

// Page is the answer to a search: rows in order, each ready to be written.
type Page struct {
	x       *Index
	q       *Query
	rows    []found
	studies map[string]*studyPart
	series  map[[2]string]*seriesPart
	Further bool // there may be more rows behind
}

// Find searches. A page costs about as much as it has rows (and Offset), not as
// the index has studies, except where only a pattern without a beginning is
// asked for. Order: newest study first, or by the attribute whose beginning is
// asked for; then by numbers of series and instance.
func (x *Index) Find(ctx context.Context, q Query) (*Page, error) {
	p := &Page{x: x, q: &q}
	if q.Limit <= 0 {
		return p, nil
	}
	if err := p.collect(ctx); err != nil {
		return nil, fmt.Errorf("searching DICOM index: %w", err)
	}
	if err := p.complete(ctx); err != nil {
		return nil, fmt.Errorf("searching DICOM index: %w", err)
	}
	return p, nil
}

// Rows are what was found.
func (p *Page) Rows() []Row {
	out := make([]Row, len(p.rows))
	for i, r := range p.rows {
		out[i] = r.Row
	}
	return out
}

// Len is the number of rows.
func (p *Page) Len() int { return len(p.rows) }

func (st *statement) sql(limit, offset int) string {
	join := " CROSS JOIN " // keeps the order of the tables in SQLite
	if st.q.has(tagStudy, tagSeries, tagSOP) {
		join = " JOIN "
	}
	columns, from, order := "s.study", st.from, st.order
	where := st.where
	link := func(table, on string) {
		from += join + table
		if join == " JOIN " {
			from += " ON " + on
		} else {
			where = append(where, on)
		}
	}
	if st.q.Level >= SeriesLevel {
		link("dicom_series e", "e.study = s.study")
		link("dicom_series_json ej", "ej.study = e.study AND ej.series = e.uid")
		order += ", e.number, e.uid"
		columns += ", e.uid"
	}
	switch st.q.Level {
	case SeriesLevel:
		columns += ", ej.brief, ej.more, e.instances"
	case InstanceLevel:
		link("dicom_instance i", "i.study = e.study AND i.series = e.uid")
		link("dicom_instance_json ij", "ij.sop = i.sop")
		order += ", i.number, i.place_um, i.sop"
		columns += ", i.sop, ij.brief"
	}
	text := "SELECT " + columns + " FROM " + from
	if len(where) > 0 {
		text += " WHERE " + strings.Join(where, " AND ")
	}
	return fmt.Sprintf("%s ORDER BY %s LIMIT %d OFFSET %d", text, order, limit, offset)
}

// collect reads the rows of the page. Where the user may not see all, rows are
// filtered on the way and the offset counts only what they see.
func (p *Page) collect(ctx context.Context) error {
	st := p.x.statement(p.q)
	take := func(r found) (enough bool) {
		if len(p.rows) == p.q.Limit {
			p.Further = true
			return true
		}
		p.rows = append(p.rows, r)
		return false
	}
	if p.q.Visible == nil {
		_, _, err := p.read(ctx, st, p.q.Limit+1, p.q.Offset, take)
		return err
	}
	skip, batch, offset := p.q.Offset, 2*p.q.Limit+100, 0
	for {
		n, enough, err := p.read(ctx, st, batch, offset, func(r found) bool {
			if !p.sees(r.Row) {
				return false
			}
			if skip > 0 {
				skip--
				return false
			}
			return take(r)
		})
		if err != nil || enough || n < batch {
			return err
		}
		offset, batch = offset+batch, 4*batch
	}
}

func (p *Page) sees(r Row) bool {
	switch p.q.Level {
	case StudyLevel:
		return p.q.Visible.Study(r.Study)
	case SeriesLevel:
		return p.q.Visible.Series(r.Study, r.Series)
	}
	return p.q.Visible.Instance(r.Study, r.Series, r.SOP)
}

// read gives each row to take, until it has enough; n is how many there were.
func (p *Page) read(ctx context.Context, st *statement, limit, offset int, take func(found) bool) (n int, enough bool, err error) {
	rows, err := p.x.db.Query(ctx, st.sql(limit, offset), st.args...)
	if err != nil {
		return 0, false, err
	}
	defer rows.Close()
	for rows.Next() {
		var r found
		to := []any{&r.Study, &r.Series, &r.brief, &r.more, &r.instances}
		switch p.q.Level {
		case StudyLevel:
			to = to[:1]
		case InstanceLevel:
			to = []any{&r.Study, &r.Series, &r.SOP, &r.brief}
		}
		if err := rows.Scan(to...); err != nil {
			return n, false, err
		}
		n++
		if take(r) {
			return n, true, nil
		}
	}
	return n, false, rows.Err()
}
