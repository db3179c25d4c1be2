package main

import (
	"bytes"
	"os"
	"testing"
)

// TestConformanceStatement: docs/conformance.md is what the program says.
func TestConformanceStatement(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"dicom", "conformance"}, &out, &errs); code != 0 {
		t.Fatalf("%d: %s", code, errs.String())
	}
	page, err := os.ReadFile("../../docs/conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(page, out.Bytes()) {
		t.Error("docs/conformance.md is old: go run ./cmd/sira dicom conformance > docs/conformance.md")
	}
}
