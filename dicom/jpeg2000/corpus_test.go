package jpeg2000

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

// corpus returns the folder with real files, or skips.
func corpus(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("SIRA_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	if _, err := os.Stat(filepath.Join(dir, "MANIFEST.tsv")); err != nil {
		if _, err := os.Stat(filepath.Join("..", "..", "..", "shared")); err == nil {
			t.Fatalf("no corpus at %s", dir)
		}
		t.Skipf("NOT RUN: no corpus at %s", dir)
	}
	return dir
}

// codestream joins the fragments of a file's one frame (PS3.5 A.4).
func codestream(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	start := []byte{0, 0, 0xFF, 0xFF, 0xFF, 0xFF}
	i := bytes.Index(b, []byte{0xE0, 0x7F, 0x10, 0, 'O'})
	if i >= 0 {
		b = b[i:]
		i = bytes.Index(b[:12], start)
	}
	if i < 0 {
		t.Fatalf("%s holds no encapsulated pixel data", path)
	}
	var out []byte
	for b = b[i+len(start):]; len(b) >= 8 && b[2] == 0x00; {
		n := int(binary.LittleEndian.Uint32(b[4:]))
		if len(out) > 0 || bytes.HasPrefix(b[8:], []byte{0xFF, 0x4F}) {
			out = append(out, b[8:8+n]...)
		}
		b = b[8+n:]
	}
	return out
}
