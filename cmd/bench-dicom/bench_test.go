package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sira/cmd/benchdoc"
	"sira/dicom"
	"sira/dicom/index"
	"sira/storage/storagetest"
)

func TestObjectsAreReadable(t *testing.T) {
	dir := t.TempDir()
	if err := writeTiny(t.Context(), dir, people(3), 7); err != nil {
		t.Fatal(err)
	}
	paths, err := instances(t.Context(), dir, 9)
	if err != nil || len(paths) != 3 || paths[0] != "/studies/"+tinyStudy+"7/series/"+uidRoot+"2.7/instances/"+uidRoot+"3.7" {
		t.Fatalf("%v, %v", paths, err)
	}
	big := filepath.Join(dir, "big.dcm")
	if err := writeBig(t.Context(), big, 3, [3]string{"1.2.1", "1.2.2", "1.2.3"}); err != nil {
		t.Fatal(err)
	}
	in, err := identify(t.Context(), big)
	if err != nil || in.Frames != 3 || in.Rows != 512 || in.SOPUID != "1.2.3" || in.Modality != "CT" {
		t.Errorf("%+v, %v", in, err)
	}
	if info, err := os.Stat(big); err != nil || info.Size() < 3*512*512*2 {
		t.Errorf("the large object is too small: %v, %v", info, err)
	}
}

// TestRowsAreFound: copied rows answer searches as those of real objects do.
func TestRowsAreFound(t *testing.T) {
	dir, db := t.TempDir(), storagetest.NewDB(t)
	x, err := index.Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	list := people(10)
	if err := writeTiny(t.Context(), dir, list, 0); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.dcm"))
	if err != nil || len(files) != len(list) {
		t.Fatal(files, err)
	}
	for i, path := range files {
		in, f := readFile(t, path)
		in.Hash = fmt.Sprintf("%064d", i)
		if _, err := x.AddFile(t.Context(), in, f, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := multiply(t.Context(), db, 40); err != nil {
		t.Fatal(err)
	}
	ct := 0
	for _, p := range list {
		if p.modality == "CT" {
			ct++
		}
	}
	for _, c := range []struct {
		match []index.Condition
		want  int
	}{
		{nil, 40},
		{[]index.Condition{{Tag: 0x00080061, Values: []string{"CT"}}}, 4 * ct},
		{[]index.Condition{{Tag: 0x00100020, Values: []string{"T000003.2"}}}, 1},
	} {
		page, err := x.Find(t.Context(), index.Query{Level: index.StudyLevel, Parents: index.StudyLevel, Match: c.match, Limit: 100})
		if err != nil || page.Len() != c.want {
			t.Fatalf("%+v: %d found, %v", c, page.Len(), err)
		}
		seen := map[string]bool{}
		for i := range page.Len() {
			row, err := page.Append(t.Context(), nil, i, "http://x")
			if err != nil || !strings.Contains(string(row), `"`+page.Rows()[i].Study+`"`) {
				t.Errorf("row %d does not name its study: %s, %v", i, row, err)
			}
			seen[page.Rows()[i].Study] = true
		}
		if len(seen) != c.want {
			t.Errorf("%d different studies of %d", len(seen), c.want)
		}
	}
}

func readFile(t *testing.T, path string) (dicom.Instance, *dicom.File) {
	t.Helper()
	r, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	info, err := r.Stat()
	if err != nil {
		t.Fatal(err)
	}
	f, err := dicom.Read(t.Context(), r, info.Size(), dicom.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	in, err := dicom.Describe(f)
	if err != nil {
		t.Fatal(err)
	}
	return in, f
}

func TestReport(t *testing.T) {
	ours, theirs := figures{"store": {2, 1, 3}, "store-rate": {100}, "png": {21}, "all-5000": {2}, "all-500000": {5}}, figures{"store": {6}, "store-rate": {50}}
	text := report(about{Run: benchdoc.Run{Begun: time.Date(2026, 11, 29, 9, 45, 7, 0, time.UTC), Took: 599 * time.Second, Load: "1.22", LoadAfter: "0.40", Commit: "abc"}, Orthanc: "Orthanc 1.10.1", Size: whole}, ours, theirs)
	for _, want := range []string{
		"2026-11-29 09:45, commit abc, on " + benchdoc.Machine() + "; Orthanc 1.10.1. Load average of the machine (one minute): 1.22 before, 0.40 after; the run took 10m0s.\n\nCommand: `go run ./cmd/bench-dicom`\n\n|",
		"| 2.00 s (1.00–3.00) | 6.00 s | 3.00× | ≤ 4.00 s: met |", "| 100 /s | 50.0 /s | 2.00× |  |",
		"| 21.0 ms | – |  | ≤ 20.0 ms: missed |", "| 5.00 ms | – |  | ≤ 4.00 ms: missed |", "list of 25 of 500,000 studies, by modality", "| – | – |  |"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestStat(t *testing.T) {
	got, err := parseStat("12 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20")
	if err != nil || got != 2*time.Second {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := parseStat("12 (a) S 1"); err == nil {
		t.Error("a short line was taken")
	}
}

func TestArguments(t *testing.T) {
	for _, args := range [][]string{{"-only", "other"}, {"word"}, {"-nothing"}} {
		if err := run(t.Context(), args, io.Discard, io.Discard); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
}
