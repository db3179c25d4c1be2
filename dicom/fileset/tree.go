package fileset

import (
	"fmt"

	"sira/dicom"
	"sira/dicom/write"
)

// node is a directory record with those below it.
type node struct {
	set    *write.Set
	below  []*node
	index  map[string]*node // by ID or UID
	folder []string         // path of the files below
	offset int64            // of its item in the DICOMDIR
	kind   string
}

func newNode(kind string, folder []string) *node {
	n := &node{set: &write.Set{}, index: map[string]*node{}, folder: folder, kind: kind}
	n.set.UL(0x00041400, 0)
	n.set.US(0x00041410, 0xFFFF)
	n.set.UL(0x00041420, 0)
	n.set.Text(0x00041430, "CS", kind)
	return n
}

// child finds or makes the record of key below n.
func (n *node) child(key, kind, prefix string, keys []key, f *dicom.File) *node {
	if c := n.index[key]; c != nil {
		return c
	}
	name := fmt.Sprintf("%s%06d", prefix, len(n.below)+1)
	c := newNode(kind, append(append([]string(nil), n.folder...), name))
	fill(c.set, f, keys)
	charset(c.set)
	n.index[key] = c
	n.below = append(n.below, c)
	return c
}

// charset declares UTF-8 in records that need it.
func charset(s *write.Set) {
	needed := false
	s.Walk(func(e *write.Element) {
		for _, b := range e.Value {
			needed = needed || b >= 0x80 && (e.VR == "PN" || e.VR == "LO" || e.VR == "SH" || e.VR == "ST")
		}
	})
	if needed {
		s.Text(0x00080005, "CS", "ISO_IR 192")
	}
}

// tree is the directory of a file-set.
type tree struct {
	root *node
	next map[string]int // unlisted files by folder
}

func newTree() *tree {
	return &tree{root: &node{index: map[string]*node{}, folder: []string{"DICOM"}}, next: map[string]int{}}
}

// add gives an object its place and its record. Unlisted objects have a place
// only. The same instance twice gets two files and two records.
func (t *tree) add(f *dicom.File) (path []string, unlisted bool, err error) {
	in, err := dicom.Describe(f)
	if err != nil {
		return nil, false, err
	}
	patient := t.root.child(in.PatientID+"\x00"+in.PatientName, "PATIENT", "PT", patientKeys, f)
	study := patient.child(in.StudyUID, "STUDY", "ST", studyKeys, f)
	series := study.child(in.SeriesUID, "SERIES", "SE", seriesKeys, f)
	k, ok := kind(f, in.SOPClass)
	if !ok {
		place := fmt.Sprint(series.folder)
		t.next[place]++
		return append(append([]string(nil), series.folder...), fmt.Sprintf("XX%06d", t.next[place])), true, nil
	}
	l := newNode(k.name, append(append([]string(nil), series.folder...), fmt.Sprintf("IM%06d", len(series.below)+1)))
	fill(l.set, f, k.keys)
	if k.code || k.name == document.name {
		k.document(l.set, f)
	}
	charset(l.set)
	l.set.Text(0x00041500, "CS", l.folder...)
	l.set.Text(0x00041510, "UI", in.SOPClass)
	l.set.Text(0x00041511, "UI", in.SOPUID)
	l.set.Text(0x00041512, "UI", in.TransferSyntax)
	series.below = append(series.below, l)
	return l.folder, false, nil
}

// prune drops records without a file below, which no DICOMDIR may have.
func (n *node) prune() {
	kept := n.below[:0]
	for _, c := range n.below {
		c.prune()
		if len(c.below) > 0 || c.set.Has(0x00041500) {
			kept = append(kept, c)
		}
	}
	n.below = kept
}

// records lists the records below n in the order of the file: each before
// those below it.
func (n *node) records() []*node {
	var out []*node
	for _, c := range n.below {
		out = append(append(out, c), c.records()...)
	}
	return out
}
