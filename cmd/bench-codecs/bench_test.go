package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"sira/cmd/benchdoc"
	"sira/dicom/write"
)

// drawn is a frame of 12 bits.
func drawn() []byte {
	out := make([]byte, side*side*2)
	for k := range side * side {
		v := k%side*3 + k/side*4 + k%7
		out[2*k], out[2*k+1] = byte(v), byte(v>>8)
	}
	return out
}

// TestEncodersGiveFrames puts what each encoder gives into an object and reads
// it again.
func TestEncodersGiveFrames(t *testing.T) {
	frame, tried := drawn(), 0
	for _, c := range codecs {
		if c.encode == nil {
			continue
		}
		stream, err := c.encode(t.Context(), frame)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		data, err := object(t.Context(), c.syntax, c.bits, [][]byte{stream, stream})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		s, err := open(t.Context(), data)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if p, err := s.Stored(t.Context(), 2); err != nil || !bytes.Equal(p.Data, frame) {
			t.Errorf("%s: not the frame: %v", c.name, err)
		}
		tried++
	}
	if tried != 5 {
		t.Errorf("%d encoders", tried)
	}
}

func TestFilesGiveFrames(t *testing.T) {
	frame := drawn()
	data, err := object(t.Context(), write.ExplicitLE, 8, [][]byte{eight(frame)})
	if err != nil {
		t.Fatal(err)
	}
	s, err := open(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := s.Stored(t.Context(), 1); err != nil || !bytes.Equal(p.Data, eight(frame)) {
		t.Error("not the 8 bits:", err)
	}
	for name, content := range map[string][]byte{"x.pgm": pgm(frame, side), "x.rawl": frame} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := fromPGM(path); err != nil || !bytes.Equal(got, frame) {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := bytes.Clone(frame)
	other[4] -= 3
	if d := differ(frame, other, 12); d != 3 {
		t.Errorf("differs by %d", d)
	}
}

func TestReport(t *testing.T) {
	rows := []row{
		{name: "decode A", ours: []float64{9, 8, 30}, peer: "tool", theirs: []float64{18}, goal: 12, beyond: 8, frames: 3, right: 3},
		{name: "encode B", ours: []float64{2}, theirs: []float64{4}, frames: 3, right: 2},
	}
	text := report(about{Run: benchdoc.Run{Begun: time.Date(2026, 11, 29, 9, 45, 7, 0, time.UTC), Took: 57400 * time.Millisecond, Load: "1.63", LoadAfter: "1.33", Commit: "abc", Args: []string{"-quick"}}, Frames: "real", Count: 3, Rounds: 3}, rows, []level{{width: 16, height: 16, bytes: 50, ms: []float64{1}, exact: 3}},
		[]syntax{{name: "RLE", files: 1, frames: 2, exact: 2, ms: 4, pixels: 2 * 512 * 512}, {name: "C", files: 1, frames: 1, wrong: 1, pixels: 1, refused: []string{"f"}}})
	for _, want := range []string{
		"2026-11-29 09:45, commit abc, on " + benchdoc.Machine() + ", " + runtime.Version() + ". Load average of the machine (one minute): 1.63 before, 1.33 after; the run took 57s. Command: `go run ./cmd/bench-codecs -quick`. Frames: 3 real, 3 rounds.\n\n|",
		"| decode A | 9.0 (8.0–30.0) | 58 | 18.0 | tool | 0.50× | ≤ 12 met | ≤ 8 **missed** | 3 of 3 |",
		"| encode B | 2.0 | 262 | 4.0 |  | 0.50× | – | – | 2 of 3 |",
		"| RLE | 1 | 2 | 2 | 0 | 0 | 0 | 0 | 2.0 |", "| all | 2 | 3 | 2 | 0 | 1 | 0 | 1 |", "Refused: f.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
