package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"unicode/utf8"

	"sira/dicom"
	"sira/dicom/phantom"
)

// dicomCorpus returns the folder with real files, or skips.
func dicomCorpus(t testing.TB) string {
	t.Helper()
	shared := filepath.Join("..", "..", "..", "shared")
	dir := os.Getenv("SIRA_CORPUS")
	if dir == "" {
		dir = filepath.Join(shared, "corpus")
	}
	if _, err := os.Stat(filepath.Join(dir, "MANIFEST.tsv")); err != nil {
		if _, err := os.Stat(shared); err == nil {
			t.Fatalf("no corpus at %s", dir)
		}
		t.Skipf("NOT RUN: no corpus at %s", dir)
	}
	return dir
}

// manifest returns the columns of each file that two other decoders may have
// decoded: file, transfer syntax, their sums of the samples.
func manifest(t testing.TB, dir string) [][4]string {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "MANIFEST.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out [][4]string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if c := strings.Split(lines.Text(), "\t"); len(c) >= 10 && c[0] != "file" {
			out = append(out, [4]string{c[0], c[4], c[7], c[8]})
		}
	}
	return out
}

// lossySyntax tells syntaxes whose decoders may differ by one level.
func lossySyntax(uid string) bool {
	switch strings.TrimPrefix(uid, "1.2.840.10008.1.2.4.") {
	case "50", "51", "53", "55", "81", "91", "93", "203":
		return true
	}
	return false
}

// TestDICOMPixels compares the output of `sira dicom pixels` with the samples
// of two independent decoders, over the whole corpus.
func TestDICOMPixels(t *testing.T) {
	dir := dicomCorpus(t)
	exact, known := map[string]int{}, map[string]int{}
	for _, m := range manifest(t, dir) {
		if len(m[2]) != 64 && len(m[3]) != 64 || strings.HasPrefix(m[0], "broken/") {
			continue
		}
		known[m[1]]++
		sum, errs := sha256.New(), &bytes.Buffer{}
		if code := run(context.Background(), []string{"dicom", "pixels", filepath.Join(dir, m[0])}, sum, errs); code != 0 {
			t.Errorf("%s: exit code %d: %s", m[0], code, errs)
			continue
		}
		switch got := hex.EncodeToString(sum.Sum(nil)); {
		case got == m[2] || got == m[3]:
			exact[m[1]]++
		case lossySyntax(m[1]):
			t.Logf("%s (%s) is lossy and differs", m[0], m[1])
		default:
			t.Errorf("%s (%s): %s, want %.8s or %.8s", m[0], m[1], got[:8], m[2], m[3])
		}
	}
	var syntaxes []string
	for uid := range known {
		syntaxes = append(syntaxes, uid)
	}
	sort.Strings(syntaxes)
	total, all := 0, 0
	for _, uid := range syntaxes {
		t.Logf("%-24s %d of %d exact", uid, exact[uid], known[uid])
		total, all = total+exact[uid], all+known[uid]
	}
	t.Logf("%d of %d exact", total, all)
	if total < 150 {
		t.Errorf("only %d exact", total)
	}
}

// TestDICOMDump dumps every file of the corpus that reads: clean UTF-8, a line
// for each element, nothing that a terminal would obey.
func TestDICOMDump(t *testing.T) {
	dir := dicomCorpus(t)
	dumped := 0
	for _, m := range manifest(t, dir) {
		if strings.HasPrefix(m[0], "series/") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, m[0]))
		if err != nil {
			t.Fatal(err)
		}
		if dumpClean(t, data) {
			dumped++
		}
	}
	if dumped < 80 {
		t.Errorf("only %d files dumped", dumped)
	}
}

// dumpClean dumps data and reports whether it is DICOM.
func dumpClean(t testing.TB, data []byte) bool {
	t.Helper()
	f, err := dicom.Read(context.Background(), bytes.NewReader(data), int64(len(data)), dicom.Limits{ModelBytes: -1})
	if err != nil {
		return false
	}
	var out bytes.Buffer
	if err := dump(context.Background(), &out, f); err != nil {
		t.Fatal(err)
	}
	if !utf8.Valid(out.Bytes()) {
		t.Error("the dump is not UTF-8")
	}
	for _, r := range out.String() {
		if r != '\n' && (r < 0x20 || r >= 0x7F && r < 0xA0) {
			t.Fatalf("the dump holds control character %#x", r)
		}
	}
	if lines := bytes.Count(out.Bytes(), []byte("\n")); lines < len(f.Elements()) {
		t.Errorf("%d lines for %d elements", lines, len(f.Elements()))
	}
	return true
}

// TestDICOMTranscodeIsWholeOrNothing leaves no file behind that is not whole.
func TestDICOMTranscodeIsWholeOrNothing(t *testing.T) {
	in := filepath.Join(t.TempDir(), "in.dcm")
	if err := os.WriteFile(in, phantom.USCine(3, phantom.Study{Seed: 7}), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	out, errs := filepath.Join(dir, "out.dcm"), &bytes.Buffer{}
	if code := run(context.Background(), []string{"dicom", "transcode", "--to", "1.2.840.10008.1.2.4.100", in, out}, errs, errs); code != 1 {
		t.Errorf("exit code %d: %s", code, errs)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%s was left behind", left[0].Name())
	}
	for _, args := range [][]string{
		{"dicom", "transcode", "--to", "1.2.840.10008.1.2.4.80", in, out},
		{"dicom", "transcode", "--to", "1.2.840.10008.1.2.4.90", out, out},
		{"dicom", "transcode", in, in, "--to", "1.2.840.10008.1.2.1"}, // over itself
		{"dicom", "check", in, out},
	} {
		if code := run(context.Background(), args, errs, errs); code != 0 {
			t.Fatalf("%v: exit code %d: %s", args, code, errs)
		}
	}
	var frames [2]bytes.Buffer
	for i, path := range []string{in, out} {
		if code := run(context.Background(), []string{"dicom", "pixels", path, "--frame", "2"}, &frames[i], errs); code != 0 {
			t.Fatalf("exit code %d: %s", code, errs)
		}
	}
	if frames[0].Len() == 0 || !bytes.Equal(frames[0].Bytes(), frames[1].Bytes()) {
		t.Errorf("frames of %d and %d bytes differ", frames[0].Len(), frames[1].Len())
	}
	if code := run(context.Background(), []string{"dicom", "pixels", in, "--frame", "4"}, errs, errs); code != 1 {
		t.Errorf("frame 4 of 3: exit code %d", code)
	}
}

// FuzzDICOMDump feeds the front end of dump and check.
func FuzzDICOMDump(f *testing.F) {
	f.Add(phantom.ECG12(phantom.Study{Seed: 1}, phantom.Sinus))
	f.Add([]byte("\x08\x00\x05\x00\x0a\x00\x00\x00ISO_IR 192\x10\x00\x10\x00\x06\x00\x00\x00\x1b[2J\xff\xfe"))
	f.Fuzz(func(t *testing.T, data []byte) {
		dumpClean(t, data)
		path := filepath.Join(t.TempDir(), "in")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		run(context.Background(), []string{"dicom", "check", path}, &out, &out)
		if !utf8.Valid(out.Bytes()) {
			t.Error("the answer is not UTF-8")
		}
	})
}
