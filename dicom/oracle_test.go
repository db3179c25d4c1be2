package dicom

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	sdicom "github.com/suyashkumar/dicom"
)

// refusals are the corpus files that are not read, and why; every other file
// of the corpus is.
var refusals = map[string]Reason{
	"MANIFEST.tsv":              NotDICOM,
	"broken/deepseq_500.dcm":    TooDeep,
	"broken/empty.dcm":          NotDICOM,
	"broken/huge_frames.dcm":    Truncated,
	"broken/huge_rows_cols.dcm": Truncated,
	"broken/len_4g.dcm":         BadLength,
	"broken/len_overrun.dcm":    BadLength,
	"broken/trunc_60.dcm":       Truncated,
	"broken/xss_path.dcm":       BadUID,
	"ecg/Example.scp":           NotDICOM,
	"ecg/Example.xml":           NotDICOM,
	"ecg/wfdb/100.atr":          NotDICOM,
	"ecg/wfdb/100.dat":          NotDICOM,
	"ecg/wfdb/100.hea":          NotDICOM,
	"fodicom/DICOMDIR":          IsDICOMDIR,
	"photo/phone_VL1.jpg":       NotDICOM,
	"pydicom/no_meta.dcm":       NotDICOM, // one stray byte in front of a bare data set

	"pydicom/UN_sequence.dcm":               NoSOPInstance,
	"pydicom/empty_charset_LEI.dcm":         NoSOPInstance,
	"pydicom/meta_missing_tsyntax.dcm":      NoSOPInstance,
	"pydicom/nested_priv_SQ.dcm":            NoSOPInstance,
	"pydicom/priv_SQ.dcm":                   NoSOPInstance,
	"pydicom-data/HTJ2KLossless_08_RGB.dcm": NoSOPInstance,
	"pydicom-data/JLSL_RGB_ILV0.dcm":        NoSOPInstance,
	"pydicom-data/JLSL_RGB_ILV2.dcm":        NoSOPInstance,
	"pydicom-data/JLSN_RGB_ILV0.dcm":        NoSOPInstance,
}

// TestCorpusVerdicts: every real file is read and described, or refused for
// the reason it deserves.
func TestCorpusVerdicts(t *testing.T) {
	quiet(t)
	dir, files := corpusFiles(t)
	counts := map[Reason]int{}
	modelled := 0
	for _, name := range files {
		f, err := readPath(filepath.Join(dir, name), Limits{})
		if err == nil {
			if f.Model != nil {
				modelled++
			}
			_, err = Describe(f)
		}
		var got Reason
		switch e := err.(type) {
		case nil:
		case *Error:
			got = e.Reason
		default:
			t.Errorf("%s: %v", name, err)
		}
		counts[got]++
		if got != refusals[name] {
			t.Errorf("%s: %v, want %q", name, err, refusals[name])
		}
	}
	t.Logf("%d files, %d with a model of suyashkumar/dicom, by reason %v", len(files), modelled, counts)
}

// quiet keeps what suyashkumar/dicom logs out of the test's output.
func quiet(t *testing.T) {
	log.SetOutput(io.Discard)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
}

// TestAgainstSuyashkumar compares every value with that library's, for every
// corpus file that it reads itself.
func TestAgainstSuyashkumar(t *testing.T) {
	quiet(t)
	dir, files := corpusFiles(t)
	compared, elements := 0, 0
	for _, name := range files {
		path := filepath.Join(dir, name)
		f, err := readPath(path, Limits{})
		if err != nil {
			continue
		}
		other, ok := parseOther(path)
		if !ok {
			continue
		}
		compared++
		c := comparison{t: t, name: name}
		c.dataSet("", f.Meta, f.DataSet, other.Elements)
		elements += c.elements
	}
	t.Logf("%d files, %d elements compared", compared, elements)
	if compared < 150 {
		t.Errorf("only %d files compared", compared)
	}
}

func parseOther(path string) (ds sdicom.Dataset, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	ds, err := sdicom.ParseFile(path, nil, sdicom.SkipPixelData())
	return ds, err == nil
}

type comparison struct {
	t        *testing.T
	name     string
	elements int
}

func (c *comparison) dataSet(where string, meta, ds *DataSet, others []*sdicom.Element) {
	for _, o := range others {
		tag := Tag(o.Tag.Uint32())
		if tag.group() == 0xFFFE {
			continue // stray delimiters
		}
		in := ds
		if tag.group() == 2 && meta != nil {
			in = meta
		}
		at := where + tag.String()
		e := in.Element(tag)
		if e == nil {
			c.t.Errorf("%s %s: missing", c.name, at)
			continue
		}
		c.elements++
		c.element(at, in, e, o)
	}
}

func (c *comparison) element(at string, ds *DataSet, e *Element, o *sdicom.Element) {
	differ := func(ours, theirs any) {
		if !reflect.DeepEqual(ours, theirs) && fmt.Sprint(ours) != fmt.Sprint(theirs) {
			c.t.Errorf("%s %s (%s): %.80q, the other reads %.80q", c.name, at, e.VR, fmt.Sprint(ours), fmt.Sprint(theirs))
		}
	}
	switch o.Value.ValueType() {
	case sdicom.Sequences:
		theirs := o.Value.GetValue().([]*sdicom.SequenceItemValue)
		if len(theirs) != len(e.Items) {
			c.t.Errorf("%s %s: %d items, the other reads %d", c.name, at, len(e.Items), len(theirs))
			return
		}
		for i, item := range theirs {
			c.dataSet(fmt.Sprintf("%s[%d]", at, i), nil, e.Items[i], item.GetValue().([]*sdicom.Element))
		}
	case sdicom.Strings:
		if e.VR == "UN" || charsetVR[e.VR] && !ascii(e.raw) {
			return // the other guesses, and has no code extensions: TestCharacterSets
		}
		theirs := trimAll(o.Value.GetValue().([]string))
		ours := trimAll(strings.Split(strings.Join(ds.Strings(e.Tag), `\`), `\`))
		if e.VR == "AT" || binaryVR(e.VR) {
			return
		}
		differ(ours, theirs)
	case sdicom.Ints:
		if e.VR == "AT" {
			return
		}
		ours, theirs := ds.Ints(e.Tag), o.Value.GetValue().([]int)
		if e.VR == "SS" && o.RawValueRepresentation == "US" { // it does not know which of both
			for i, v := range theirs {
				theirs[i] = int(int16(v))
			}
		}
		differ(ours, theirs)
	case sdicom.Floats:
		ours, theirs := ds.Floats(e.Tag), o.Value.GetValue().([]float64)
		for i := range ours {
			if e.VR == "FL" && i < len(theirs) && float32(ours[i]) == float32(theirs[i]) {
				ours[i] = theirs[i] // it goes through decimals
			}
		}
		differ(ours, theirs)
	case sdicom.Bytes:
		if theirs := o.Value.GetValue().([]byte); e.raw != nil && e.VR != "SQ" && !e.big && !bytes.Equal(e.raw, theirs) {
			c.t.Errorf("%s %s (%s): other bytes", c.name, at, e.VR)
		}
	}
}

func ascii(b []byte) bool {
	for _, x := range b {
		if x >= 0x80 || x == 0x1B {
			return false
		}
	}
	return true
}

func trimAll(in []string) []string {
	var out []string
	for _, s := range in {
		out = append(out, strings.Trim(s, " \x00\r\n\t"))
	}
	if len(out) == 1 && out[0] == "" {
		return nil
	}
	return out
}
