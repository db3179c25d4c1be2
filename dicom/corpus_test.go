package dicom

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// corpus returns the folder with real files, or skips.
func corpus(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("SIRA_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "corpus")
	}
	if _, err := os.Stat(filepath.Join(dir, "MANIFEST.tsv")); err != nil {
		if _, err := os.Stat(filepath.Join("..", "..", "shared")); err == nil {
			t.Fatalf("no corpus at %s", dir)
		}
		t.Skipf("NOT RUN: no corpus at %s", dir)
	}
	return dir
}

// corpusFiles lists every file of the corpus by its slash-separated path.
func corpusFiles(t testing.TB) (dir string, files []string) {
	t.Helper()
	dir = corpus(t)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			rel, _ := filepath.Rel(dir, path)
			files = append(files, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir, files
}

func readPath(path string, lim Limits) (*File, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	info, err := r.Stat()
	if err != nil {
		return nil, err
	}
	return Read(context.Background(), r, info.Size(), lim)
}
