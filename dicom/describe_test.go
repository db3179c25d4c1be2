package dicom

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestDescribe(t *testing.T) {
	w := little().text(tagCharacterSet, "CS", "ISO_IR 192").object()
	w.text(0x00080020, "DA", "20260115").text(0x00081030, "LO", "Crâne\x07sans").text(0x0008103E, "LO", "Axial")
	w.text(0x00200011, "IS", "2").text(0x00200013, "IS", "17").text(tagFrames, "IS", "3")
	w.text(0x00200032, "DS", `1\2\-3.5`).text(0x00200037, "DS", `1\0\0\0\1\0`).image(2, 1, 16)
	w.raw(tagPixelData, "OW", pixels16)
	in, err := Describe(mustRead(t, part10(explicitLE, w.Bytes())))
	if err != nil {
		t.Fatal(err)
	}
	if in.SOPUID != "1.2.3.1" || in.StudyUID != "1.2.3" || in.SeriesUID != "1.2.3.0" || in.PatientName != "TRAORE^Awa" ||
		in.StudyDescription != "Crâne sans" || in.SeriesNumber != 2 || in.InstanceNumber != 17 || in.Frames != 3 ||
		in.Rows != 2 || in.Cols != 1 || in.Kind != "image" || in.TextGuessed ||
		!slices.Equal(in.Position, []float64{1, 2, -3.5}) || len(in.Orientation) != 6 || in.Size == 0 {
		t.Errorf("%+v", in)
	}
}

func TestDescribeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		set  []byte
		want Reason
	}{
		"no study":    {little().text(tagSOPInstance, "UI", "1.2").text(tagSeriesInstance, "UI", "1.2").Bytes(), NoSOPInstance},
		"path as UID": {little().text(tagSOPInstance, "UI", "../../etc").text(tagStudyInstance, "UI", "1").text(tagSeriesInstance, "UI", "1.2").Bytes(), BadUID},
		"long UID":    {little().text(tagSOPInstance, "UI", strings.Repeat("1", 66)).text(tagStudyInstance, "UI", "1").text(tagSeriesInstance, "UI", "1.2").Bytes(), BadUID},
	} {
		_, err := Describe(mustRead(t, part10(explicitLE, c.set)))
		var refused *Error
		if !errors.As(err, &refused) || refused.Reason != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReferences(t *testing.T) {
	w := little().text(0x00041130, "CS", "SIRA").head(tagDirectoryRecords, "SQ", undefined32)
	for _, r := range []struct {
		id  string
		use int
	}{{`IMAGES\IM0001`, 0xFFFF}, {`IMAGES\IM0002`, 0xFFFF}, {`IMAGES\IM0001`, 0xFFFF}, {`GONE`, 0}, {`..\..\etc\passwd`, 0xFFFF}, {`a/b`, 0xFFFF}} {
		w.head(tagItem, "", undefined32).us(0x00041410, r.use).text(tagReferencedFileID, "CS", r.id).head(tagItemEnd, "", 0)
	}
	w.head(tagItem, "", undefined32).us(0x00041410, 0xFFFF).text(0x00041430, "CS", "PATIENT").head(tagItemEnd, "", 0)
	w.head(tagSequenceEnd, "", 0)
	f := mustRead(t, part10(explicitLE, w.Bytes()))
	if got := References(f); !slices.Equal(got, []string{"IMAGES/IM0001", "IMAGES/IM0002"}) {
		t.Errorf("references %q", got)
	}
	_, err := Describe(f)
	var refused *Error
	if !errors.As(err, &refused) || refused.Reason != IsDICOMDIR {
		t.Errorf("described as %v", err)
	}
}

func TestCorpusDirectory(t *testing.T) {
	f, err := readPath(filepath.Join(corpus(t), "fodicom", "DICOMDIR"), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	refs := References(f)
	if len(refs) == 0 {
		t.Error("no references")
	}
	t.Log(len(refs), refs[:min(3, len(refs))])
}

func TestSniff(t *testing.T) {
	whole := part10(explicitLE, little().object().Bytes())
	for name, c := range map[string]struct {
		head []byte
		want bool
	}{
		"part 10": {whole[:132], true}, "no preamble": {whole[128:], true},
		"explicit": {little().object().Bytes(), true}, "implicit": {implicitSet().object().Bytes(), true}, "big": {bigEndian().object().Bytes(), true},
		"empty": {nil, false}, "zeros": {make([]byte, 200), false}, "zip": {[]byte("PK\x03\x04\x14\x00\x08\x00\x08\x00aaaaaaaaaa"), false},
		"pdf": {[]byte("%PDF-1.7 and so on"), false}, "png": {[]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), false}, "mp4": {[]byte("\x00\x00\x00\x18ftypmp42"), false},
	} {
		if got := Sniff(c.head); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
