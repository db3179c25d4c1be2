package jsonmodel

import (
	enc "encoding/binary"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"sira/dicom"
)

func numeric(vr string) bool {
	switch vr {
	case "FL", "FD", "SL", "SS", "SV", "UL", "US", "UV", "AT":
		return true
	}
	return false
}

// numbers writes binary numbers. What JSON cannot hold (NaN, infinities) is
// written as text (PS3.18 section F.2.3).
func (w *writer) numbers(e *dicom.Element) {
	var order enc.ByteOrder = enc.LittleEndian
	if w.o.BigEndian {
		order = enc.BigEndian
	}
	width := map[string]int{"US": 2, "SS": 2, "FD": 8, "SV": 8, "UV": 8}[e.VR]
	if width == 0 {
		width = 4
	}
	raw := e.Bytes()
	if len(raw) < width {
		return
	}
	w.out = append(w.out, `,"Value":[`...)
	for i := 0; i+width <= len(raw); i += width {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		w.out = appendNumber(w.out, e.VR, raw[i:i+width], order)
	}
	w.out = append(w.out, ']')
}

func appendNumber(dst []byte, vr string, b []byte, order enc.ByteOrder) []byte {
	switch vr {
	case "US":
		return strconv.AppendUint(dst, uint64(order.Uint16(b)), 10)
	case "SS":
		return strconv.AppendInt(dst, int64(int16(order.Uint16(b))), 10)
	case "UL":
		return strconv.AppendUint(dst, uint64(order.Uint32(b)), 10)
	case "SL":
		return strconv.AppendInt(dst, int64(int32(order.Uint32(b))), 10)
	case "UV":
		return strconv.AppendUint(dst, order.Uint64(b), 10)
	case "SV":
		return strconv.AppendInt(dst, int64(order.Uint64(b)), 10)
	case "FL":
		return appendFloat(dst, float64(math.Float32frombits(order.Uint32(b))), 32)
	case "FD":
		return appendFloat(dst, math.Float64frombits(order.Uint64(b)), 64)
	}
	dst = append(dst, '"')
	dst = appendTag(dst, dicom.Tag(uint32(order.Uint16(b))<<16|uint32(order.Uint16(b[2:]))))
	return append(dst, '"')
}

func appendFloat(dst []byte, v float64, bits int) []byte {
	switch {
	case math.IsNaN(v):
		return append(dst, `"NaN"`...)
	case math.IsInf(v, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(v, -1):
		return append(dst, `"-Infinity"`...)
	}
	return strconv.AppendFloat(dst, v, 'g', -1, bits)
}

// text writes the values of a text element; empty ones are null.
func (w *writer) text(d *dicom.DataSet, e *dicom.Element) {
	values := d.Strings(e.Tag)
	if len(values) == 0 || len(values) == 1 && emptyText(e.VR, values[0]) {
		return
	}
	w.out = append(w.out, `,"Value":[`...)
	for i, v := range values {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		w.out = AppendText(w.out, e.VR, v)
	}
	w.out = append(w.out, ']')
}

// emptyText: a name of delimiters alone is none.
func emptyText(vr, v string) bool { return v == "" || vr == "PN" && strings.Trim(v, "^= ") == "" }

// AppendText writes one value of a text VR: a string, for PN an object, for DS
// and IS a number where the text is one; null when empty.
func AppendText(dst []byte, vr, v string) []byte {
	switch {
	case emptyText(vr, v):
		return append(dst, "null"...)
	case vr == "PN":
		return appendName(dst, v)
	case (vr == "DS" || vr == "IS") && jsonNumber(v):
		return append(dst, v...)
	case vr == "IS":
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			return strconv.AppendInt(dst, n, 10)
		}
	case vr == "DS":
		if n, err := strconv.ParseFloat(v, 64); err == nil && !math.IsInf(n, 0) && !math.IsNaN(n) && !strings.ContainsAny(v, "xX_pP") {
			return strconv.AppendFloat(dst, n, 'g', -1, 64)
		}
	}
	return AppendString(dst, v)
}

// appendName writes the component groups of a person's name (PS3.18 F.2.2).
func appendName(dst []byte, v string) []byte {
	dst = append(dst, '{')
	empty := true
	for i, group := range strings.SplitN(v, "=", 3) {
		if group = strings.TrimRight(group, " ^"); group == "" {
			continue
		}
		if !empty {
			dst = append(dst, ',')
		}
		empty = false
		dst = append(dst, '"')
		dst = append(dst, [3]string{"Alphabetic", "Ideographic", "Phonetic"}[i]...)
		dst = append(dst, `":`...)
		dst = AppendString(dst, group)
	}
	return append(dst, '}')
}

// jsonNumber reports whether s is a number as JSON writes it (RFC 8259 section 6).
func jsonNumber(s string) bool {
	if len(s) > 24 {
		return false
	}
	s = strings.TrimPrefix(s, "-")
	digits := func() int {
		n := 0
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		return n
	}
	n := digits()
	if n == 0 || n > 1 && s[0] == '0' {
		return false
	}
	s = s[n:]
	if strings.HasPrefix(s, ".") {
		s = s[1:]
		if n = digits(); n == 0 {
			return false
		}
		s = s[n:]
	}
	if s != "" && (s[0] == 'e' || s[0] == 'E') {
		s = s[1:]
		if s != "" && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		n = digits()
		if n == 0 || n > 2 { // beyond lies infinity
			return false
		}
		s = s[n:]
	}
	return s == ""
}

// AppendString writes s as a JSON string; no control character stays raw.
func AppendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < 0x20 || c == 0x7F:
			dst = append(dst, `\u00`...)
			dst = append(dst, hex[c>>4], hex[c&15])
		case c < utf8.RuneSelf:
			dst = append(dst, c)
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(dst, "\uFFFD"...)
			} else {
				dst = append(dst, s[i:i+n]...)
			}
			i += n
			continue
		}
		i++
	}
	return append(dst, '"')
}
