package index

import (
	"fmt"
	"slices"
	"strings"

	"sira/dicom"
)

// last is above every folded letter.
const last = "\U0010FFFF"

// statement is a search being written as SQL.
type statement struct {
	sqlite bool
	q      *Query
	where  []string
	args   []any
	from   string
	order  string
	lead   string // alias that has the columns study, date and time
}

// narrow bounds the studies a user may see that are named in the query;
// beyond, rows are filtered as they come.
const narrow = 8000

func (x *Index) statement(q *Query) *statement {
	st := &statement{sqlite: x.db.Dialect() == "sqlite", q: q, lead: "s"}
	st.choose()
	for i := range q.Match {
		st.condition(&q.Match[i])
	}
	if v := q.Visible; st.narrow() {
		uids := make([]string, 0, len(v.studies))
		for uid := range v.studies {
			uids = append(uids, uid)
		}
		slices.Sort(uids)
		st.in("s.study", uids)
	}
	return st
}

func (st *statement) narrow() bool {
	v := st.q.Visible
	return v != nil && len(v.studies) <= narrow && !st.q.has(tagStudy)
}

func (st *statement) add(where string, args ...any) {
	st.where = append(st.where, where)
	st.args = append(st.args, args...)
}

func (st *statement) in(column string, values []string) {
	switch len(values) {
	case 0:
		st.add("1 = 0")
	case 1:
		st.add(column+" = ?", values[0])
	default:
		st.where = append(st.where, column+" IN (?"+strings.Repeat(", ?", len(values)-1)+")")
		for _, v := range values {
			st.args = append(st.args, v)
		}
	}
}

// choose picks the index that gives rows in the order of the answer, so that a
// page costs as much as it is long: newest first, or by name or number where
// the beginning of one is asked for.
func (st *statement) choose() {
	st.from, st.order = "dicom_study_find s", "s.date DESC, s.time DESC, s.study DESC"
	if st.narrow() {
		return
	}
	var word, modality *Condition
	for i := range st.q.Match {
		c := &st.q.Match[i]
		k := keys[c.Tag]
		switch {
		case k.match == UID:
			return
		case c.Fuzzy && c.Tag == tagName:
			word = c
		case k.ordered && len(c.Values) == 1:
			value := c.Values[0]
			if k.match == Name {
				value = foldName(value)
			}
			if prefix, wild := literal(value); prefix != "" {
				if wild {
					st.order = k.column + ", " + st.order
				}
				return
			}
		case k.match == Modality && len(c.Values) == 1 && !strings.ContainsAny(c.Values[0], "*?"):
			modality = c
		}
	}
	switch {
	case word != nil && len(queryWords(word)) > 0:
		st.leadBy("dicom_study_word", "w", "w.word, ")
	case modality != nil:
		st.leadBy("dicom_study_modality", "m", "")
		st.add("m.modality = ?", modality.Values[0])
	}
}

func (st *statement) leadBy(table, alias, first string) {
	st.lead = alias
	st.from = table + " " + alias + " CROSS JOIN dicom_study_find s"
	st.add("s.study = " + alias + ".study")
	st.order = first + strings.ReplaceAll("#.date DESC, #.time DESC, #.study DESC", "#", alias)
}

// condition writes one key.
func (st *statement) condition(c *Condition) {
	k := keys[c.Tag]
	column := k.column
	if st.lead != "s" && (c.Tag == tagStudyDate || c.Tag == tagStudyTime) {
		column = st.lead + strings.TrimPrefix(column, "s")
	}
	switch {
	case c.Fuzzy && c.Tag == tagName:
		st.words(c)
	case k.match == Modality:
		st.modality(c)
	case k.match == UID:
		st.in(column, c.Values)
	case k.match == Number:
		st.numbers(column, c)
	case (k.match == Date || k.match == Time) && len(c.Values) == 0:
		st.between(column, c, k.match)
	case k.match == Date || k.match == Time:
		st.in(column, c.Values)
	default:
		st.texts(column, c, k)
	}
}

func (st *statement) numbers(column string, c *Condition) {
	st.where = append(st.where, column+" IN (?"+strings.Repeat(", ?", len(c.Values)-1)+")")
	for _, v := range c.Values {
		var n int64
		if _, err := fmt.Sscan(v, &n); err != nil {
			n = -1 << 40 // matches nothing
		}
		st.args = append(st.args, n)
	}
}

func (st *statement) between(column string, c *Condition, m Matching) {
	from, to := c.From, c.To
	if from == "" {
		from = "0" // what has no date is in no range
	}
	st.add(column+" >= ?", from)
	if to != "" {
		if m == Time && !strings.Contains(to, ".") {
			to += ".999999"
		}
		st.add(column+" <= ?", to)
	}
}

func (st *statement) texts(column string, c *Condition, k key) {
	var any []string
	for _, v := range c.Values {
		if k.match == Name {
			v = foldName(v)
		}
		any = append(any, st.text(column, v, k))
	}
	if len(any) == 0 {
		any = []string{"1 = 0"}
	}
	st.where = append(st.where, "("+strings.Join(any, " OR ")+")")
}

// text compares with one value that may hold wildcards.
func (st *statement) text(column, value string, k key) string {
	prefix, wild := literal(value)
	if !wild {
		st.args = append(st.args, value)
		return column + " = ?"
	}
	pattern, operator := st.pattern(value)
	if k.ordered && prefix != "" {
		st.args = append(st.args, prefix, prefix+last)
		test := column + " >= ? AND " + column + " < ?"
		if value != prefix+"*" {
			st.args = append(st.args, pattern)
			test += " AND " + column + operator
		}
		return "(" + test + ")"
	}
	st.args = append(st.args, pattern)
	return column + operator
}

// literal is what stands before the first wildcard.
func literal(value string) (prefix string, wild bool) {
	if i := strings.IndexAny(value, "*?"); i >= 0 {
		return value[:i], true
	}
	return value, false
}

// pattern translates * and ? for the dialect, case-sensitively.
func (st *statement) pattern(value string) (pattern, operator string) {
	if st.sqlite {
		return strings.ReplaceAll(value, "[", "[[]"), " GLOB ?"
	}
	return strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`, "*", "%", "?", "_").Replace(value), ` LIKE ? ESCAPE '\'`
}

func (st *statement) modality(c *Condition) {
	if st.lead == "m" {
		return
	}
	outer := st.where
	st.where = nil
	st.texts("mm.modality", c, key{match: Text})
	test := st.where[0]
	st.where = append(outer, "EXISTS (SELECT 1 FROM dicom_study_modality mm WHERE mm.study = s.study AND "+test+")")
}

// queryWords are the words of a fuzzy key, the longest first.
func queryWords(c *Condition) []string {
	words := nameWords(strings.Join(c.Values, " "))
	slices.SortStableFunc(words, func(a, b string) int { return len(b) - len(a) })
	return words[:min(len(words), 6)]
}

// words asks that each word begins a word of the name. Of several words of one
// name that begin alike only the first leads to the study.
func (st *statement) words(c *Condition) {
	for i, word := range queryWords(c) {
		if i == 0 && st.lead == "w" {
			st.add("w.word >= ? AND w.word < ?", word, word+last)
			st.add("NOT EXISTS (SELECT 1 FROM dicom_study_word v WHERE v.study = w.study AND v.word >= ? AND v.word < w.word)", word)
			continue
		}
		st.add("EXISTS (SELECT 1 FROM dicom_study_word v WHERE v.study = s.study AND v.word >= ? AND v.word < ?)", word, word+last)
	}
}

// has reports whether the search names one of these attributes.
func (q *Query) has(tags ...dicom.Tag) bool {
	return slices.ContainsFunc(q.Match, func(c Condition) bool { return slices.Contains(tags, c.Tag) })
}
