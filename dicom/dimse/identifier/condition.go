package identifier

import (
	"slices"
	"strings"
)

// Kind is a way of matching (PS3.4 section C.2.2.2).
type Kind uint8

// The kinds of matching.
const (
	Universal Kind = iota // anything, and nothing
	Single                // one of Values exactly; usually there is one
	List                  // one of Values, which are UIDs
	Wildcard              // one of Values as patterns with * and ?
	Range                 // From to To, one of which may be empty; both inclusive
	Sequence              // an item that matches Items[0]
	Missing               // only an empty value matches: the key is `""`
)

// Condition is one key of a request, made out. It is meant for whoever turns
// keys into a database's conditions as well as for Match: both then follow the
// same rules.
//
//   - Values are normal: trailing ^ of names dropped, dates without separators.
//   - A wildcard pattern: * is any run of characters, ? is one; there is no
//     escape. Like gives it for SQL.
//   - In a Range and for a single DA, TM or DT, From and To are the bounds
//     filled up to full precision (TM "10" is 100000.000000 to
//     105959.999999); DT bounds are in UTC when they name an offset. Compare
//     them with Moment of a stored value, or, where values are stored in full
//     precision, as text.
//   - Fold asks for comparison without regard to case (and accents): VR PN.
type Condition struct {
	Kind     Kind
	VR       string
	Values   []string
	From, To string
	Fold     bool
	Items    []*Set
}

// ConditionOf makes out a key. What its VR cannot be matched by, such as a
// range of dates that are none, is taken as a single value, which then matches
// nothing; binary attributes match universally.
func ConditionOf(e Element) Condition {
	c := Condition{VR: e.VR, Fold: e.VR == "PN"}
	k := kinds[e.VR]
	switch k.form {
	case items:
		if c.Items = e.Items; len(e.Items) > 0 && e.Items[0].Len() > 0 {
			c.Kind = Sequence
		}
		return c
	case text, passage, number:
	default:
		return c
	}
	for _, v := range e.Values {
		if v = normal(v, e.VR); v != "" {
			c.Values = append(c.Values, v)
		}
	}
	switch {
	case len(c.Values) == 0 || slices.ContainsFunc(c.Values, stars) && (k.wild || e.VR == "UI"):
		return Condition{VR: e.VR, Fold: c.Fold}
	case len(c.Values) == 1 && c.Values[0] == `""`:
		c.Kind, c.Values = Missing, nil
	case e.VR == "UI":
		c.Kind = List
	case k.wild && strings.ContainsAny(strings.Join(c.Values, ""), "*?"):
		c.Kind = Wildcard
	case len(c.Values) == 1 && temporal(e.VR):
		c.span()
	default:
		c.Kind = Single
	}
	return c
}

// stars tells a pattern that matches everything.
func stars(v string) bool { return v != "" && strings.Trim(v, "*") == "" }

// normal removes what does not count in comparison.
func normal(v, vr string) string {
	switch vr {
	case "PN":
		groups := strings.Split(v, "=")
		for i, g := range groups {
			groups[i] = strings.TrimRight(strings.TrimSpace(g), "^ ")
		}
		return strings.TrimRight(strings.Join(groups, "="), "=")
	case "ST", "LT", "UT", "UR":
		return strings.TrimRight(v, " ")
	case "DA":
		// The form of ACR-NEMA, yyyy.mm.dd, still comes (PS3.5 table 6.2-1).
		return strings.ReplaceAll(strings.TrimSpace(v), ".", "")
	}
	return strings.TrimSpace(v)
}

// Like gives pattern i of a Wildcard for SQL's LIKE … ESCAPE '\'.
func (c Condition) Like(i int) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`, `*`, `%`, `?`, `_`).Replace(c.Values[i])
}

// Match tells whether an attribute with these values satisfies the condition:
// one of several values is enough.
func (c Condition) Match(values ...string) bool {
	empty := true
	for _, v := range values {
		v = normal(v, c.VR)
		empty = empty && v == ""
		if c.Kind != Missing && v != "" && c.one(v) {
			return true
		}
	}
	return c.Kind == Universal || c.Kind == Missing && empty
}

func (c Condition) one(v string) bool {
	switch c.Kind {
	case Universal:
		return true
	case Range:
		return c.within(v)
	case Sequence, Missing:
		return false
	}
	if temporal(c.VR) && c.From != "" {
		return c.within(v)
	}
	for _, key := range c.Values {
		switch {
		case c.VR == "PN" && c.name(key, v),
			c.VR != "PN" && c.Kind == Wildcard && wildcard(key, v),
			c.VR != "PN" && c.Kind != Wildcard && equal(key, v, c.VR):
			return true
		}
	}
	return false
}

// equal compares single values; numbers by value.
func equal(key, v, vr string) bool {
	if key == v {
		return true
	}
	switch vr {
	case "IS", "DS", "FL", "FD":
		return sameNumber(key, v)
	}
	return false
}

// wildcard matches a pattern in time proportional to its length times that of
// the value, whatever stars it has.
func wildcard(pattern, value string) bool {
	p, v := []rune(pattern), []rune(value)
	star, mark := -1, 0
	i, j := 0, 0
	for j < len(v) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == v[j]):
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
