package dicom

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// String returns the first value as UTF-8 text without padding, "" when
// absent. Numbers are formatted; sequences and bulk give "".
func (d *DataSet) String(t Tag) string {
	s, _ := d.Text(t)
	return s
}

// Text is String that also says whether the characters are sure: false when
// the character set was missing, unknown or wrong, and had to be guessed.
func (d *DataSet) Text(t Tag) (string, bool) {
	values, sure := d.texts(t)
	if len(values) == 0 {
		return "", sure
	}
	return values[0], sure
}

// Strings returns all values as UTF-8 text without padding.
func (d *DataSet) Strings(t Tag) []string {
	values, _ := d.texts(t)
	return values
}

func (d *DataSet) texts(t Tag) ([]string, bool) {
	e := d.Element(t)
	if e == nil || len(e.raw) == 0 {
		return nil, true
	}
	switch {
	case e.VR == "AT":
		return formatTags(e), true
	case bulkVR(e.VR) || e.VR == "SQ":
		return nil, true
	case binaryVR(e.VR):
		return formatNumbers(e), true
	}
	text, sure := d.text.decode(e.raw, e.VR)
	if e.VR == "ST" || e.VR == "LT" || e.VR == "UT" || e.VR == "UR" {
		return []string{trimValue(text, e.VR)}, sure
	}
	values := strings.Split(text, `\`)
	for i, v := range values {
		values[i] = trimValue(v, e.VR)
	}
	return values, sure
}

// trimValue removes padding (PS3.5 section 6.2); leading spaces count only in
// ST, LT, UT and UR.
func trimValue(s, vr string) string {
	s = strings.TrimRight(s, " \x00\t\r\n")
	switch vr {
	case "ST", "LT", "UT", "UR":
		return s
	}
	return strings.TrimLeft(s, " \x00\t\r\n")
}

func formatTags(e *Element) []string {
	var out []string
	for b := e.raw; len(b) >= 4; b = b[4:] {
		out = append(out, fmt.Sprintf("%04X%04X", e.order().Uint16(b), e.order().Uint16(b[2:])))
	}
	return out
}

func formatNumbers(e *Element) []string {
	if e.VR == "FL" || e.VR == "FD" {
		var out []string
		for _, v := range floats(e) {
			out = append(out, strconv.FormatFloat(v, 'g', -1, map[bool]int{true: 64, false: 32}[e.VR == "FD"]))
		}
		return out
	}
	var out []string
	for _, v := range integers(e) {
		out = append(out, strconv.Itoa(v))
	}
	return out
}

// Int returns the first value as an integer. Decimal strings count when whole.
func (d *DataSet) Int(t Tag) (int, bool) {
	if e := d.Element(t); e != nil && !binaryVR(e.VR) {
		return parseInt(d.String(t))
	}
	v := d.Ints(t)
	if len(v) == 0 {
		return 0, false
	}
	return v[0], true
}

// Ints returns all values that are integers; words of OB and OW included.
func (d *DataSet) Ints(t Tag) []int {
	e := d.Element(t)
	if e == nil {
		return nil
	}
	if binaryVR(e.VR) {
		return integers(e)
	}
	var out []int
	for _, s := range d.Strings(t) {
		if v, ok := parseInt(s); ok {
			out = append(out, v)
		}
	}
	return out
}

func parseInt(s string) (int, bool) {
	s = strings.TrimSpace(s)
	if v, err := strconv.ParseInt(s, 10, 64); err == nil {
		return int(v), int64(int(v)) == v
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int(f), int64(int(f)) == int64(f)
}

// Float returns the first value as a number.
func (d *DataSet) Float(t Tag) (float64, bool) {
	v := d.Floats(t)
	if len(v) == 0 {
		return 0, false
	}
	return v[0], true
}

// Floats returns all values that are finite numbers. For decimal strings one
// value that is no number makes the whole nil, so that indices stay true.
func (d *DataSet) Floats(t Tag) []float64 {
	e := d.Element(t)
	if e == nil || len(e.raw) == 0 {
		return nil
	}
	switch e.VR {
	case "FL", "FD", "OF", "OD":
		return floats(e)
	}
	if binaryVR(e.VR) {
		var out []float64
		for _, v := range integers(e) {
			out = append(out, float64(v))
		}
		return out
	}
	var out []float64
	for _, s := range d.Strings(t) {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		out = append(out, v)
	}
	return out
}

func floats(e *Element) []float64 {
	var out []float64
	wide := e.VR == "FD" || e.VR == "OD"
	for b := e.raw; ; {
		var v float64
		switch {
		case wide && len(b) >= 8:
			v, b = math.Float64frombits(e.order().Uint64(b)), b[8:]
		case !wide && len(b) >= 4:
			v, b = float64(math.Float32frombits(e.order().Uint32(b))), b[4:]
		default:
			return out
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		out = append(out, v)
	}
}

func integers(e *Element) []int {
	width, read := wordReader(e.VR)
	if width == 0 {
		return nil
	}
	out := make([]int, 0, len(e.raw)/width)
	for b := e.raw; len(b) >= width; b = b[width:] {
		out = append(out, read(e.order(), b))
	}
	return out
}

func wordReader(vr string) (width int, read func(binary.ByteOrder, []byte) int) {
	switch vr {
	case "OB":
		return 1, func(_ binary.ByteOrder, b []byte) int { return int(b[0]) }
	case "US", "OW":
		return 2, func(o binary.ByteOrder, b []byte) int { return int(o.Uint16(b)) }
	case "SS":
		return 2, func(o binary.ByteOrder, b []byte) int { return int(int16(o.Uint16(b))) }
	case "UL", "OL":
		return 4, func(o binary.ByteOrder, b []byte) int { return int(o.Uint32(b)) }
	case "SL":
		return 4, func(o binary.ByteOrder, b []byte) int { return int(int32(o.Uint32(b))) }
	case "UV", "SV", "OV":
		return 8, func(o binary.ByteOrder, b []byte) int { return int(o.Uint64(b)) }
	}
	return 0, nil
}
