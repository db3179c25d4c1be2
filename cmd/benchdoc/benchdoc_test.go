package benchdoc

import (
	"os"
	"path/filepath"
	"testing"
)

func TestReplace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "figures.md")
	read := func() string {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	const before = "a\n<!-- x: begin -->\nold\n<!-- x: end -->\nz\n<!-- y: begin -->\nkept\n<!-- y: end -->\n"
	if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // a second run changes nothing else
		if err := Replace(path, "x", "new\n"); err != nil {
			t.Fatal(err)
		}
		if got := read(); got != "a\n<!-- x: begin -->\nnew\n<!-- x: end -->\nz\n<!-- y: begin -->\nkept\n<!-- y: end -->\n" {
			t.Fatalf("%q", got)
		}
	}
	was := read()
	if err := Replace(path, "z", "new\n"); err == nil || read() != was {
		t.Errorf("a section that is not there: %v, %q", err, read())
	}
}

func TestMedian(t *testing.T) {
	for want, v := range map[float64][]float64{0: nil, 2: {3, 1, 2}, 2.5: {4, 1, 2, 3}} {
		if got := Median(v); got != want {
			t.Errorf("%v: %v, want %v", v, got, want)
		}
	}
}
