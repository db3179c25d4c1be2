package dicom

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestAgainstDcmdump compares the structure (tags, VRs, lengths, nesting)
// with DCMTK's dcmdump for every corpus file that it reads.
func TestAgainstDcmdump(t *testing.T) {
	tool, err := exec.LookPath("dcmdump")
	if err != nil {
		t.Skip("NOT RUN: no dcmdump (Debian package dcmtk)")
	}
	dir, files := corpusFiles(t)
	compared, elements := 0, 0
	for _, name := range files {
		path := filepath.Join(dir, name)
		f, err := readPath(path, Limits{ModelBytes: -1})
		if err != nil || strings.HasPrefix(name, "series/") && !strings.HasSuffix(name, "01.dcm") {
			continue
		}
		out, err := exec.Command(tool, "-q", path).Output()
		if err != nil {
			continue
		}
		theirs := parseDump(string(out))
		ours := append(flatten(f.Meta, 0), flatten(f.DataSet, 0)...)
		compared++
		for i, b := range theirs {
			if b.vr == "UN" && i < len(ours) && ours[i].vr == "SQ" { // we look inside, dcmdump does not
				n := i + 1
				for n < len(ours) && ours[n].depth > ours[i].depth {
					n++
				}
				ours = slices.Delete(ours, i+1, n)
			}
		}
		if len(ours) != len(theirs) {
			t.Errorf("%s: %d elements, dcmdump reads %d", name, len(ours), len(theirs))
		}
		for i := range min(len(ours), len(theirs)) {
			elements++
			a, b := ours[i], theirs[i]
			even := a.length + a.length%2 // dcmdump corrects odd lengths
			if a.tag != b.tag || a.depth != b.depth || b.length >= 0 && a.length != b.length && even != b.length ||
				a.vr != b.vr && !f.Implicit && !loose(a.vr, b.vr) {
				t.Errorf("%s: element %d is %+v, dcmdump reads %+v", name, i, a, b)
				break
			}
		}
	}
	t.Logf("%d files, %d elements compared", compared, elements)
	if compared < 100 {
		t.Errorf("only %d files compared", compared)
	}
}

// loose: where a missing or UN VR is filled in from dictionaries that differ.
func loose(ours, theirs string) bool {
	if ours == "OW" && theirs == "OB" || theirs == "up" {
		return true
	}
	return theirs == "??" || theirs == "UN" || ours == "UN" || theirs == "xs" || theirs == "lt" || theirs == "ox" || theirs == "px"
}

type dumped struct {
	tag    Tag
	vr     string
	depth  int
	length int64 // -1 when undefined or of a sequence
}

var dumpLine = regexp.MustCompile(`^( *)\(([0-9a-f]{4}),([0-9a-f]{4})\) (..) `)
var dumpTail = regexp.MustCompile(`# +(u/l|\d+), *\d+ [\w& ]+$`)

func parseDump(out string) []dumped {
	var list []dumped
	var head []string
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\n")
		if m := dumpLine.FindStringSubmatch(line); m != nil {
			head = m
		}
		tail := dumpTail.FindStringSubmatch(line)
		if tail == nil || head == nil {
			continue
		}
		group, _ := strconv.ParseUint(head[2]+head[3], 16, 32)
		d := dumped{tag: Tag(group), vr: head[4], depth: len(head[1]) / 4, length: -1}
		if n, err := strconv.ParseInt(tail[1], 10, 64); err == nil && d.vr != "SQ" {
			d.length = n
		}
		if d.tag.group() != 0xFFFE {
			list = append(list, d)
		}
		head = nil
	}
	return list
}

func flatten(ds *DataSet, depth int) []dumped {
	var list []dumped
	for _, e := range ds.Elements() {
		list = append(list, dumped{e.Tag, e.VR, depth, e.Section.Length})
		for _, item := range e.Items {
			list = append(list, flatten(item, depth+1)...)
		}
	}
	return list
}
