package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"github.com/suyashkumar/dicom/pkg/tag"

	"sira/dicom"
)

const (
	dumpRunes  = 64 // of a value that are shown
	dumpValues = 16 // of numbers
)

// dicomDump writes the data elements of a file.
func dicomDump(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	files, err := dicomFlags("dump", args, 1, 1, stderr, nil)
	if err != nil {
		return err
	}
	return withDICOM(ctx, files[0], func(f *dicom.File, _ io.ReaderAt) error {
		return dump(ctx, stdout, f)
	})
}

// dump writes f: tag, VR, value, length, number of values, keyword. All of it
// is UTF-8 without control characters, whatever the file holds.
func dump(ctx context.Context, w io.Writer, f *dicom.File) error {
	d := dumper{ctx: ctx, w: w}
	if len(f.Meta.Elements()) > 0 {
		d.printf("# File meta information\n")
		d.set(f.Meta, 0)
		d.printf("\n")
	}
	d.printf("# Data set, transfer syntax %s\n", printable(f.TransferSyntax))
	d.set(f.DataSet, 0)
	for _, warning := range f.Warnings {
		d.printf("# Warning: %s\n", printable(warning))
	}
	return d.err
}

type dumper struct {
	ctx context.Context
	w   io.Writer
	err error
}

func (d *dumper) printf(format string, args ...any) {
	if d.err == nil {
		_, d.err = fmt.Fprintf(d.w, format, args...)
	}
}

func (d *dumper) set(s *dicom.DataSet, depth int) {
	for _, e := range s.Elements() {
		if d.err == nil {
			d.err = d.ctx.Err()
		}
		if d.err != nil {
			return
		}
		d.element(s, e, depth)
	}
}

func (d *dumper) element(s *dicom.DataSet, e *dicom.Element, depth int) {
	indent := strings.Repeat("  ", depth)
	value, count := shown(s, e)
	tag := fmt.Sprintf("(%04x,%04x)", uint32(e.Tag)>>16, uint32(e.Tag)&0xFFFF)
	d.printf("%s%s %s %-40s # %d, %d %s\n", indent, tag, printable(e.VR), value, e.Section.Length, count, keyword(e.Tag))
	if e.Fragments != nil {
		for i, s := range e.Fragments {
			if i == dumpValues && len(e.Fragments) > dumpValues+1 {
				d.printf("%s  ... %d more\n", indent, len(e.Fragments)-i)
				break
			}
			what := "fragment " + strconv.Itoa(i)
			if i == 0 {
				what = "offset table"
			}
			d.printf("%s  (fffe,e000) pi %-38s # %d\n", indent, "("+what+" at "+strconv.FormatInt(s.Offset, 10)+")", s.Length)
		}
	}
	for i, item := range e.Items {
		d.printf("%s  (fffe,e000) na %-38s # item %d\n", indent, "("+plural(len(item.Elements()), "element")+")", i+1)
		d.set(item, depth+2)
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// shown is a value as it is written, and how many values it is.
func shown(s *dicom.DataSet, e *dicom.Element) (string, int) {
	switch {
	case e.VR == "SQ":
		return "(Sequence with " + plural(len(e.Items), "item") + ")", len(e.Items)
	case e.Fragments != nil:
		return "(PixelSequence with " + plural(len(e.Fragments), "item") + ")", 1
	case e.Section.Length == 0:
		return "(no value)", 0
	case e.Bytes() == nil:
		return "(not loaded, at " + strconv.FormatInt(e.Section.Offset, 10) + ")", 1
	}
	switch e.VR {
	case "OB", "OD", "OF", "OL", "OV", "OW", "UN":
		return hexBytes(e.Bytes()), 1
	}
	// Of two elements of one tag the first has the accessors' answer.
	if s.Element(e.Tag) != e {
		return "(second element of this tag)", 1
	}
	values := s.Strings(e.Tag)
	switch e.VR {
	case "US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "AT":
		text := strings.Join(values[:min(len(values), dumpValues)], `\`)
		if len(values) > dumpValues {
			text += `\...`
		}
		return printable(text), len(values)
	}
	text := short(printable(strings.Join(values, `\`)), dumpRunes)
	if e.VR == "UI" {
		if name := uidNames[strings.TrimSpace(text)]; name != "" {
			return "=" + name, len(values)
		}
	}
	return "[" + text + "]", len(values)
}

// uidNames names the UIDs that say how a file is encoded; others stay numbers.
var uidNames = map[string]string{
	"1.2.840.10008.1.2":       "LittleEndianImplicit",
	"1.2.840.10008.1.2.1":     "LittleEndianExplicit",
	"1.2.840.10008.1.2.1.99":  "DeflatedLittleEndianExplicit",
	"1.2.840.10008.1.2.2":     "BigEndianExplicit",
	"1.2.840.10008.1.2.5":     "RLELossless",
	"1.2.840.10008.1.2.4.50":  "JPEGBaseline",
	"1.2.840.10008.1.2.4.51":  "JPEGExtended",
	"1.2.840.10008.1.2.4.57":  "JPEGLossless",
	"1.2.840.10008.1.2.4.70":  "JPEGLosslessSV1",
	"1.2.840.10008.1.2.4.80":  "JPEGLSLossless",
	"1.2.840.10008.1.2.4.81":  "JPEGLSNearLossless",
	"1.2.840.10008.1.2.4.90":  "JPEG2000Lossless",
	"1.2.840.10008.1.2.4.91":  "JPEG2000",
	"1.2.840.10008.1.2.4.201": "HTJ2KLossless",
	"1.2.840.10008.1.2.4.202": "HTJ2KLosslessRPCL",
	"1.2.840.10008.1.2.4.203": "HTJ2K",
}

func hexBytes(b []byte) string {
	var out strings.Builder
	for i, v := range b[:min(len(b), dumpValues)] {
		if i > 0 {
			out.WriteByte('\\')
		}
		fmt.Fprintf(&out, "%02x", v)
	}
	if len(b) > dumpValues {
		out.WriteString(`\...`)
	}
	return out.String()
}

// keyword is the dictionary's name of an element (PS3.6).
func keyword(t dicom.Tag) string {
	group, element := uint16(uint32(t)>>16), uint16(t)
	switch {
	case group%2 == 1 && element >= 0x10 && element <= 0xFF:
		return "PrivateCreator"
	case group%2 == 1:
		return "PrivateElement"
	case element == 0:
		return "GenericGroupLength"
	case group&0xFF00 == 0x6000 || group&0xFF00 == 0x5000:
		group &= 0xFF00 // repeating groups: overlays, curves
	}
	info, err := tag.Find(tag.Tag{Group: group, Element: element})
	if err != nil || info.Keyword == "" {
		return "UnknownElement"
	}
	return info.Keyword
}

// printable is s as UTF-8 without anything that a terminal would obey.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\r', r == '\t', unicode.Is(unicode.Zs, r):
			return ' '
		case r == unicode.ReplacementChar, !unicode.IsPrint(r):
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// short cuts s to n characters.
func short(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i] + "..."
		}
		n--
	}
	return s
}
