package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sira/dicom/phantom"
)

// TestDicomDeid: the command writes an object without the identity, the same
// for the same key, and nothing before a person has looked where one must.
func TestDicomDeid(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	s := phantom.Study{Patient: phantom.Patient{Name: "DIARRA^Oumou", ID: "K-12", Sex: "F", BirthDate: "19870412"}, Date: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Seed: 1}
	chest := phantom.DX(s, phantom.ChestOptions{})
	cut := chest[:len(chest)/2]
	for name, data := range map[string][]byte{"ct": phantom.CT(1, s)[0], "us": phantom.USCine(2, s), "cut": cut,
		"key": []byte("0123456789abcdef"), "other": []byte("fedcba9876543210"), "short": []byte("x")} {
		if err := os.WriteFile(at(name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	call := func(args ...string) (int, string) {
		var out bytes.Buffer
		code := run(context.Background(), append([]string{"dicom", "deid"}, args...), &out, &out)
		return code, out.String()
	}
	code, first := call("--key", at("key"), "--dates", "shifted", at("ct"), at("a"))
	if code != 0 || !strings.HasPrefix(first, "patient P") {
		t.Fatalf("%d %s", code, first)
	}
	raw, err := os.ReadFile(at("a"))
	if err != nil || bytes.Contains(raw, []byte("DIARRA")) || bytes.Contains(raw, []byte("K-12")) {
		t.Errorf("the identity is left, %v", err)
	}
	if _, again := call("--key", at("key"), "--dates", "shifted", at("ct"), at("b")); again != first {
		t.Errorf("%q, then %q", first, again)
	}
	if _, other := call("--key", at("other"), "--dates", "shifted", at("ct"), at("b")); strings.Fields(other)[1] == strings.Fields(first)[1] {
		t.Error("two recipients get one pseudonym")
	}
	if code, said := call("--key", at("key"), "--mask", "0,0,20,10", at("us"), at("c")); code != 0 || !strings.Contains(said, "masks") {
		t.Errorf("%d %s", code, said)
	}
	for _, args := range [][]string{{at("ct"), at("x")}, {"--key", at("short"), at("ct"), at("x")}, {"--key", at("key"), "--dates", "later", at("ct"), at("x")},
		{"--key", at("key"), at("cut"), at("x")}, {"--key", at("none"), at("ct"), at("x")}, {"--key", at("key"), "--mask", "1,2", at("ct"), at("x")}} {
		if code, said := call(args...); code == 0 || strings.Contains(said, "DIARRA") {
			t.Errorf("%v: %d %s", args, code, said)
		}
	}
	if _, err := os.Stat(at("x")); err == nil {
		t.Error("a refused object was written")
	}
}
