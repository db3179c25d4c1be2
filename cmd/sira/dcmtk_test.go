package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sira/dicom"
	"sira/dicom/phantom"
	"sira/dicom/transcode"
)

// dcmtkTool runs one of dcmtk's programs in dir and gives what it printed.
func dcmtkTool(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	path := dcmtk(t, name)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// TestDcmtkAgainstTheServer: dcmtk's users verify, store, query and retrieve at
// a server process, and get back the data sets that they sent.
func TestDcmtkAgainstTheServer(t *testing.T) {
	back := vacant(t)
	p := startServer(t, "--dicom-destinations", "WS=127.0.0.1:"+back)
	host, port, _ := strings.Cut(p.dicom, ":")
	dir, want, sums := t.TempDir(), map[string][]byte{}, map[string]bool{}
	study := phantom.Study{Patient: phantom.Patient{Name: "COULIBALY^Fanta", ID: "ML-7", Sex: "F", BirthDate: "19880305"}, Date: time.Date(2026, 4, 2, 8, 0, 0, 0, time.UTC), Seed: 7, Accession: "A7"}
	args := []string{"-aet", "CART", "-aec", "SIRA", host, port}
	var uid string
	for i, b := range phantom.CT(3, study) {
		m, data := split(t, b)
		want[m.SOPUID] = data
		_, sum := samplesOf(t, b)
		sums[sum] = true
		path := filepath.Join(dir, fmt.Sprint(i, ".dcm"))
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	dcmtkTool(t, dir, "echoscu", "-aet", "CART", "-aec", "SIRA", host, port)
	dcmtkTool(t, dir, "storescu", args...)
	found := dcmtkTool(t, dir, "findscu", "-S", "-aet", "WS", "-aec", "SIRA", "-k", "QueryRetrieveLevel=STUDY", "-k", "PatientName=coulibaly*",
		"-k", "StudyDate=20260401-20260403", "-k", "PatientID", "-k", "StudyInstanceUID", host, port)
	if _, rest, ok := strings.Cut(found, "(0020,000d) UI ["); !ok || !strings.Contains(found, "ML-7") {
		t.Fatalf("findscu: %s", found)
	} else {
		uid, _, _ = strings.Cut(rest, "]")
		uid = strings.TrimRight(uid, "\x00 ")
	}
	files := func(dir string) map[string][]byte {
		t.Helper()
		list, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string][]byte{}
		for _, e := range list {
			b, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			m, data := split(t, b)
			out[m.SOPUID] = data
		}
		return out
	}
	moved, got := t.TempDir(), t.TempDir()
	dcmtkTool(t, moved, "movescu", "-S", "-aet", "WS", "-aem", "WS", "-aec", "SIRA", "+P", back, "+B", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID="+uid, host, port)
	same(t, "movescu", files(moved), want)
	dcmtkTool(t, got, "getscu", "-S", "-aet", "WS", "-aec", "SIRA", "+B", "-od", got, "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID="+uid, host, port)
	same(t, "getscu", files(got), want)
	// Who asks for JPEG 2000 is sent that, with the same samples.
	coded := t.TempDir()
	dcmtkTool(t, coded, "getscu", "-S", "-aet", "WS", "-aec", "SIRA", "+xv", "+B", "-od", coded, "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID="+uid, host, port)
	list, err := os.ReadDir(coded)
	if err != nil || len(list) != len(sums) {
		t.Fatalf("getscu: %d objects, %v", len(list), err)
	}
	for _, e := range list {
		b, err := os.ReadFile(filepath.Join(coded, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if syntax, sum := samplesOf(t, b); syntax != transcode.JPEG2000Lossless || !sums[sum] {
			t.Errorf("getscu: %s, with samples that were sent: %v", syntax, sums[sum])
		}
	}
}

// samplesOf is the transfer syntax of an object and the sum of its samples.
func samplesOf(t *testing.T, b []byte) (syntax, sum string) {
	t.Helper()
	f, err := dicom.Read(t.Context(), bytes.NewReader(b), int64(len(b)), dicom.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if sum, err = transcode.PixelSum(t.Context(), f, bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	return f.TransferSyntax, sum
}
