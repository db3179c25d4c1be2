package jsonmodel

import (
	"strconv"
	"strings"
)

// What stands in a template for what is filled in.
const (
	markBase       = '\x01' // address of the object, or of the service
	markModalities = '\x02' // the Value member of Modalities in Study
	markSeries     = '\x03' // number of series
	markInstances  = '\x04' // number of instances
)

// Fill is what replaces the marks of a template.
type Fill struct {
	Base              string // must need no escaping
	Modalities        []string
	Series, Instances int
}

// Append writes template with its marks replaced.
func (f *Fill) Append(dst []byte, template string) []byte {
	for {
		i := 0
		for i < len(template) && template[i] >= 0x20 {
			i++
		}
		dst = append(dst, template[:i]...)
		if i == len(template) {
			return dst
		}
		switch template[i] {
		case markBase:
			dst = append(dst, f.Base...)
		case markModalities:
			dst = appendValues(dst, "CS", f.Modalities)
		case markSeries:
			dst = strconv.AppendInt(dst, int64(f.Series), 10)
		case markInstances:
			dst = strconv.AppendInt(dst, int64(f.Instances), 10)
		}
		template = template[i+1:]
	}
}

func appendValues(dst []byte, vr string, values []string) []byte {
	if len(values) == 0 {
		return dst
	}
	dst = append(dst, `,"Value":[`...)
	for i, v := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendText(dst, vr, v)
	}
	return append(dst, ']')
}

// Member is one attribute of a JSON object of ours.
type Member struct {
	Tag string // GGGGEEEE
	Raw string // its value, an object
}

// Members splits an object written by this package, template or not. It stops
// at what such an object cannot hold.
func Members(object string) []Member {
	var out []Member
	i := strings.IndexByte(object, '{') + 1
	for i > 0 && i+11 < len(object) && object[i] == '"' && object[i+9] == '"' {
		start := i + 11
		end := valueEnd(object, start)
		if end < 0 {
			break
		}
		out = append(out, Member{object[i+1 : i+9], object[start:end]})
		if end >= len(object) || object[end] != ',' {
			break
		}
		i = end + 1
	}
	return out
}

// valueEnd finds the end of the object that starts at i, -1 when there is none.
func valueEnd(s string, i int) int {
	depth := 0
	for ; i < len(s); i++ {
		switch s[i] {
		case '"':
			for i++; i < len(s) && s[i] != '"'; i++ {
				if s[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// Merge writes one object of the members of several, in order of tag. Of two
// with one tag that of the first object stays. Members that keep refuses are
// left out; nil keeps all.
func Merge(dst []byte, keep func(tag string) bool, objects ...[]Member) []byte {
	dst = append(dst, '{')
	first, at := true, make([]int, len(objects))
	for {
		best := -1
		for k, members := range objects {
			if at[k] < len(members) && (best < 0 || members[at[k]].Tag < objects[best][at[best]].Tag) {
				best = k
			}
		}
		if best < 0 {
			return append(dst, '}')
		}
		m := objects[best][at[best]]
		for k, members := range objects {
			if at[k] < len(members) && members[at[k]].Tag == m.Tag {
				at[k]++
			}
		}
		if keep != nil && !keep(m.Tag) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, '"')
		dst = append(dst, m.Tag...)
		dst = append(dst, `":`...)
		dst = append(dst, m.Raw...)
	}
}

// Build collects the members of an object of given attributes, in any order.
type Build struct{ members []Member }

// Raw adds a value object as it is.
func (b *Build) Raw(tag, raw string) { b.members = append(b.members, Member{tag, raw}) }

// Text adds text values; none makes an empty attribute.
func (b *Build) Text(tag, vr string, values ...string) {
	if len(values) == 1 && emptyText(vr, values[0]) {
		values = nil
	}
	raw := append([]byte(`{"vr":"`), vr...)
	raw = append(raw, '"')
	raw = appendValues(raw, vr, values)
	b.Raw(tag, string(append(raw, '}')))
}

// Int adds a number.
func (b *Build) Int(tag, vr string, v int) {
	b.Raw(tag, `{"vr":"`+vr+`","Value":[`+strconv.Itoa(v)+`]}`)
}

// URL adds an address below the base: a mark and path.
func (b *Build) URL(tag, path string) {
	b.Raw(tag, `{"vr":"UR","Value":["`+string(markBase)+path+`"]}`)
}

// Modalities, Series and Instances add attributes filled in later.
func (b *Build) Modalities(tag string) { b.Raw(tag, `{"vr":"CS"`+string(markModalities)+`}`) }

// Series adds the number of series, filled in later.
func (b *Build) Series(tag string) { b.Raw(tag, `{"vr":"IS","Value":[`+string(markSeries)+`]}`) }

// Instances adds the number of instances, filled in later.
func (b *Build) Instances(tag string) { b.Raw(tag, `{"vr":"IS","Value":[`+string(markInstances)+`]}`) }

// Members returns what was added, in order of tag; of two with one tag the
// first stays.
func (b *Build) Members() []Member {
	sortMembers(b.members)
	return b.members
}
