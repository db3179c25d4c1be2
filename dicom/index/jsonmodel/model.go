// Package jsonmodel writes data sets in the DICOM JSON model (PS3.18 Annex F):
// members in ascending order of tag, text as UTF-8, short binary values inline,
// long ones as references. What it writes is a template: raw control
// characters, which JSON never holds, stand for addresses and counters that
// are only known when the text is sent (see Fill). It must not know HTTP or SQL.
package jsonmodel

import (
	"encoding/base64"
	"fmt"
	"strconv"

	"sira/dicom"
)

// DefaultInline is the longest binary value written inline, in bytes.
const DefaultInline = 1024

// Options of Append.
type Options struct {
	Inline    int                  // binary values above this become a BulkDataURI; DefaultInline when 0
	BigEndian bool                 // the values of the file are big endian: dicom.File.BigEndian
	Only      func(dicom.Tag) bool // which elements of the top level are written; nil: all
}

const (
	tagCharacterSet = dicom.Tag(0x00080005)
	tagPadding      = dicom.Tag(0xFFFCFFFC)
)

// File writes the data set of f: what WADO-RS calls metadata. The character
// set is UTF-8, as that of JSON is; group lengths, file meta information and
// trailing padding are left out.
func File(f *dicom.File) []byte {
	return Append(nil, f.DataSet, Options{BigEndian: f.BigEndian})
}

// Append writes d as one JSON object.
func Append(dst []byte, d *dicom.DataSet, o Options) []byte {
	if o.Inline <= 0 {
		o.Inline = DefaultInline
	}
	w := writer{out: dst, o: o}
	w.dataSet(d, "", o.Only)
	return w.out
}

type writer struct {
	out []byte
	o   Options
}

// dataSet writes d; path is where it is nested, as "TTTTTTTT/ITEM/".
func (w *writer) dataSet(d *dicom.DataSet, path string, only func(dicom.Tag) bool) {
	w.out = append(w.out, '{')
	first, last := true, dicom.Tag(0)
	for _, e := range d.Elements() {
		if e.Tag&0xFFFF == 0 || e.Tag == tagPadding || e.Tag>>16 < 8 && path == "" || only != nil && !only(e.Tag) || e.Tag == last {
			continue
		}
		if !first {
			w.out = append(w.out, ',')
		}
		first, last = false, e.Tag
		w.element(d, e, path)
	}
	w.out = append(w.out, '}')
}

func (w *writer) element(d *dicom.DataSet, e *dicom.Element, path string) {
	vr := e.VR
	if len(vr) != 2 {
		vr = "UN"
	}
	w.out = append(w.out, '"')
	w.out = appendTag(w.out, e.Tag)
	w.out = append(w.out, `":{"vr":"`...)
	w.out = append(w.out, vr...)
	w.out = append(w.out, '"')
	switch {
	case e.Tag == tagCharacterSet:
		w.out = append(w.out, `,"Value":["ISO_IR 192"]`...)
	case vr == "SQ":
		w.sequence(e, path)
	case e.Section.Length == 0 && e.Fragments == nil:
	case binary(vr):
		w.binary(e, path)
	case numeric(vr):
		w.numbers(e)
	default:
		w.text(d, e)
	}
	w.out = append(w.out, '}')
}

func (w *writer) sequence(e *dicom.Element, path string) {
	if len(e.Items) == 0 {
		return
	}
	w.out = append(w.out, `,"Value":[`...)
	for i, item := range e.Items {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		w.dataSet(item, path+string(appendTag(nil, e.Tag))+"/"+strconv.Itoa(i)+"/", nil)
	}
	w.out = append(w.out, ']')
}

func (w *writer) binary(e *dicom.Element, path string) {
	raw := e.Bytes()
	if raw == nil || len(raw) > w.o.Inline || e.Fragments != nil {
		w.out = append(w.out, `,"BulkDataURI":"`...)
		w.out = append(w.out, markBase)
		w.out = append(w.out, "/bulkdata/"...)
		w.out = append(w.out, path...)
		w.out = appendTag(w.out, e.Tag)
		w.out = append(w.out, '"')
		return
	}
	if w.o.BigEndian {
		raw = LittleEndian(e.VR, append([]byte(nil), raw...))
	}
	w.out = append(w.out, `,"InlineBinary":"`...)
	w.out = base64.StdEncoding.AppendEncode(w.out, raw)
	w.out = append(w.out, '"')
}

// LittleEndian turns a big endian binary value round, in place.
func LittleEndian(vr string, raw []byte) []byte {
	width := map[string]int{"OW": 2, "OL": 4, "OF": 4, "OD": 8, "OV": 8}[vr]
	for i := 0; width > 0 && i+width <= len(raw); i += width {
		for a, b := i, i+width-1; a < b; a, b = a+1, b-1 {
			raw[a], raw[b] = raw[b], raw[a]
		}
	}
	return raw
}

func binary(vr string) bool {
	switch vr {
	case "OB", "OD", "OF", "OL", "OV", "OW", "UN":
		return true
	}
	return false
}

// appendTag writes a tag as DICOM JSON has it, GGGGEEEE.
func appendTag(dst []byte, t dicom.Tag) []byte {
	const digits = "0123456789ABCDEF"
	for shift := 28; shift >= 0; shift -= 4 {
		dst = append(dst, digits[t>>shift&15])
	}
	return dst
}

// ParseTag reads GGGGEEEE.
func ParseTag(s string) (dicom.Tag, error) {
	v, err := strconv.ParseUint(s, 16, 32)
	if err != nil || len(s) != 8 {
		return 0, fmt.Errorf("%q is no tag", s)
	}
	return dicom.Tag(v), nil
}
