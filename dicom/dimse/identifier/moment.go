package identifier

import (
	"fmt"
	"strings"
	"time"
)

func temporal(vr string) bool { return vr == "DA" || vr == "TM" || vr == "DT" }

// span makes a DA, TM or DT key a Range, or leaves it Single. A single value of
// less than full precision stands for the whole period.
func (c *Condition) span() {
	key := c.Values[0]
	c.Kind = Single
	if from, to, ok := Moment(key, c.VR); ok {
		c.From, c.To = from, to
		return
	}
	at := -1
	for i := range len(key) {
		if key[i] != '-' {
			continue
		}
		_, _, okLeft := Moment(key[:i], c.VR)
		_, _, okRight := Moment(key[i+1:], c.VR)
		if (okLeft || i == 0) && (okRight || i == len(key)-1) && len(key) > 1 {
			at = i
			break
		}
	}
	if at < 0 {
		return
	}
	c.Kind = Range
	c.From, _, _ = Moment(key[:at], c.VR)
	_, c.To, _ = Moment(key[at+1:], c.VR)
}

// within tells whether the value begins in the range.
func (c Condition) within(v string) bool {
	at, _, ok := Moment(v, c.VR)
	return ok && (c.From == "" || at >= c.From) && (c.To == "" || at <= c.To)
}

// layout of each VR at full precision, and its parts' sizes.
var layouts = map[string]struct {
	full  string
	sizes []int
}{
	"DA": {"20060102", []int{8}},
	"TM": {"150405.000000", []int{2, 4, 6}},
	"DT": {"20060102150405.000000", []int{4, 6, 8, 10, 12, 14}},
}

// Moment gives the first and the last instant a DA, TM or DT value stands for,
// in full precision and thus comparable as text: DA yyyymmdd, TM
// hhmmss.ffffff, DT yyyymmddhhmmss.ffffff, in UTC when it has an offset. ok is
// false for what is no such value.
func Moment(v, vr string) (first, last string, ok bool) {
	l, known := layouts[vr]
	if !known {
		return "", "", false
	}
	v = strings.TrimSpace(v)
	switch vr {
	case "DA":
		v = normal(v, vr)
	case "TM":
		v = strings.ReplaceAll(v, ":", "") // ACR-NEMA's hh:mm:ss
	}
	v, offset, ok := cutOffset(v, vr)
	if !ok {
		return "", "", false
	}
	whole, fraction, dotted := strings.Cut(v, ".")
	if dotted && (vr == "DA" || len(whole) != l.sizes[len(l.sizes)-1] || len(fraction) < 1 || len(fraction) > 6) {
		return "", "", false
	}
	fits := false
	for _, n := range l.sizes {
		fits = fits || n == len(whole)
	}
	if !fits || !digits(whole) || !digits(fraction) {
		return "", "", false
	}
	if first, ok = instant(whole, fraction, vr, '0', offset); !ok {
		return "", "", false
	}
	last, ok = instant(whole, fraction, vr, '9', offset)
	return first, last, ok
}

// instant fills a value up to its first ('0') or last ('9') instant.
func instant(whole, fraction, vr string, fill byte, offset int) (string, bool) {
	full := layouts[vr].full
	if vr == "DA" {
		_, err := time.Parse(full, whole)
		return whole, err == nil
	}
	rest := map[byte]string{'0': "00010101000000", '9': "00011231235959"}[fill]
	start := 14 - layouts[vr].sizes[len(layouts[vr].sizes)-1]
	leap := strings.HasSuffix(whole, "60") && len(whole) == len(full)-len(".000000")
	if leap {
		whole = whole[:len(whole)-2] + "59" // time.Parse knows no leap second
	}
	if vr == "DT" && len(whole) == 6 && fill == '9' {
		month, err := time.Parse("200601", whole)
		if err != nil {
			return "", false
		}
		whole += fmt.Sprintf("%02d", month.AddDate(0, 1, -1).Day())
	}
	whole += rest[start+len(whole):]
	fraction += strings.Repeat(string(fill), 6-len(fraction))
	t, err := time.Parse(full, whole+"."+fraction)
	if err != nil {
		return "", false
	}
	return t.Add(-time.Duration(offset) * time.Minute).Format(full), true
}

// cutOffset takes the UTC offset (&ZZXX) off a DT, in minutes.
func cutOffset(v, vr string) (rest string, minutes int, ok bool) {
	if vr != "DT" || len(v) < 9 {
		return v, 0, true
	}
	sign, zone := v[len(v)-5], v[len(v)-4:]
	if sign != '+' && sign != '-' {
		return v, 0, true
	}
	if !digits(zone) {
		return v, 0, false
	}
	minutes = 60*(10*int(zone[0]-'0')+int(zone[1]-'0')) + 10*int(zone[2]-'0') + int(zone[3]-'0')
	if minutes > 14*60 || zone[2] > '5' {
		return v, 0, false // a year: this is a range
	}
	if sign == '-' {
		minutes = -minutes
	}
	return v[:len(v)-5], minutes, true
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
