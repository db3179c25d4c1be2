package jpeg2000

import (
	"bytes"
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

// codestream cuts the codestream out of a file that wraps it in one piece;
// what follows its end does no harm.
func codestream(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	i := bytes.Index(b, []byte{0xFF, 0x4F, 0xFF, 0x51})
	if i < 0 {
		t.Fatalf("%s holds no codestream", path)
	}
	return b[i:]
}
