package benchdoc

import (
	"os"
	"path/filepath"
	"testing"
	"time"
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

func TestRun(t *testing.T) {
	r := Begin(t.Context(), nil)
	r.Commit, r.Load = "abc", "1.22"
	r.Begun = r.Begun.Add(-time.Hour)
	r.End()
	if r.Took.Round(time.Minute) != time.Hour || (r.LoadAfter == "") != (LoadAverage() == "") {
		t.Errorf("%v, %q", r.Took, r.LoadAfter)
	}
	r.Begun, r.LoadAfter = time.Date(2026, 11, 29, 9, 45, 7, 0, time.UTC), "0.40"
	for got, want := range map[string]string{
		r.Origin():     "2026-11-29 09:45, commit abc, on " + Machine(),
		r.Loads():      "Load average of the machine (one minute): 1.22 before, 0.40 after",
		r.Command("x"): "Command: `go run ./cmd/x`",
		Run{Args: []string{"-a", "b"}}.Command("x"): "Command: `go run ./cmd/x -a b`",
	} {
		if got != want {
			t.Errorf("%q instead of %q", got, want)
		}
	}
}
