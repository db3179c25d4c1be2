package main

import (
	"os/exec"
	"strings"
	"testing"
)

// mayImport is the order of the rooms (docs/architecture.md): each may use only
// those named after it, and itself.
var mayImport = map[string][]string{
	"cmd":       {"web", "cases", "dicom", "signaling", "sfu", "storage"},
	"web":       {"cases", "dicom", "signaling", "sfu", "storage"},
	"cases":     {"storage"},
	"dicom":     {"storage"},
	"signaling": {"sfu"},
	"sfu":       {},
	"storage":   {},
}

func TestImportsRunDownwards(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}: {{join .Imports " "}}`, "sira/...").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	seen := 0
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		pkg, imports, _ := strings.Cut(line, ": ")
		from := room(pkg)
		allowed, known := mayImport[from]
		if !known {
			t.Errorf("package %s is in no known room", pkg)
		}
		for _, imp := range strings.Fields(imports) {
			to := room(imp)
			if to == "" || to == from {
				continue
			}
			seen++
			if !contains(allowed, to) {
				t.Errorf("%s imports %s: %s may not use %s", pkg, imp, from, to)
			}
		}
	}
	if seen == 0 {
		t.Error("no import between rooms was found: the test looks at nothing")
	}
}

// room is the top folder of one of our packages, "" for anybody else's.
func room(pkg string) string {
	rest, ours := strings.CutPrefix(pkg, "sira/")
	if !ours {
		return ""
	}
	top, _, _ := strings.Cut(rest, "/")
	return top
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}
