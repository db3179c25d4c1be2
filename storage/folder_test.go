package storage_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sira/storage"
	"sira/storage/storagetest"
)

// files lists the regular files below a folder, relative to it.
func files(t *testing.T, root string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(root, path)
			found = append(found, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func mustPut(t *testing.T, b storage.Blobs, data []byte) storage.Hash {
	t.Helper()
	info, err := b.Put(t.Context(), bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return info.Hash
}

func TestFolderLayoutAndModes(t *testing.T) {
	root := filepath.Join(t.TempDir(), "a", "blobs")
	b := storagetest.OpenBlobs(t, "file:"+root)
	h := mustPut(t, b, []byte("x"))
	if got, want := files(t, root), filepath.Join(string(h[:2]), string(h)); len(got) != 1 || got[0] != want {
		t.Errorf("files are %v, want %s alone", got, want)
	}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		st, err := d.Info()
		if err == nil && st.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v, open to other users", path, st.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFolderClosesItselfToOthers(t *testing.T) {
	root := t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	storagetest.OpenBlobs(t, "file:"+root)
	if st, err := os.Stat(root); err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v; want 0700", st.Mode(), err)
	}
}

func TestFolderAddress(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"", "file:", "file://", "ftp:x", "x", "file:" + file, "file:x?reserve=many", "file:x?reserve=-1", "file:x?reserv=1"} {
		if _, err := storage.OpenBlobs(t.Context(), address); err == nil {
			t.Errorf("OpenBlobs(%q) succeeded", address)
		}
	}
	if _, err := os.Lstat("x"); err == nil {
		t.Error("a refused address left a folder")
	}
}

func TestFolderReserve(t *testing.T) {
	root := t.TempDir()
	b := storagetest.OpenBlobs(t, "file:"+root+"?reserve=9000000000000000000")
	if _, err := b.Put(t.Context(), strings.NewReader("x")); !errors.Is(err, storage.ErrNoSpace) {
		t.Errorf("Put: %v, want ErrNoSpace", err)
	}
	if err := b.Ready(t.Context()); !errors.Is(err, storage.ErrNoSpace) {
		t.Errorf("Ready: %v, want ErrNoSpace", err)
	}
	if got := files(t, root); len(got) != 0 {
		t.Errorf("left %v", got)
	}
}

func TestFolderDamagedBlob(t *testing.T) {
	root := t.TempDir()
	b := storagetest.OpenBlobs(t, "file:"+root)
	data := storagetest.Bytes(1, 5000)
	h := mustPut(t, b, data)
	path := filepath.Join(root, string(h[:2]), string(h))
	flipped := bytes.Clone(data)
	flipped[4000] ^= 1
	for name, damaged := range map[string][]byte{"cut": data[:100], "flipped": flipped, "empty": nil} {
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := storage.Verify(t.Context(), b, h); !errors.Is(err, storage.ErrCorrupt) {
			t.Errorf("%s: Verify says %v, want ErrCorrupt", name, err)
		}
		mustPut(t, b, data)
		if err := storage.Verify(t.Context(), b, h); err != nil {
			t.Errorf("%s: after storing the right bytes again: %v", name, err)
		}
	}
}

// Files that are no blobs, however they came there, are not listed as such.
func TestFolderForeignFiles(t *testing.T) {
	root := t.TempDir()
	b := storagetest.OpenBlobs(t, "file:"+root)
	h := mustPut(t, b, []byte("x"))
	for _, name := range []string{"lost+found", string(h[:2]) + "/notes.txt", "zz/" + string(h), string(h)} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	if err := b.Walk(t.Context(), func(i storage.Info) error { n++; return nil }); err != nil || n != 1 {
		t.Errorf("walked %d blobs, %v; want 1", n, err)
	}
}

// A second process that opens the folder clears what a dead one left, and not
// what a living one is receiving.
func TestFolderClearsAbandoned(t *testing.T) {
	root := t.TempDir()
	b := storagetest.OpenBlobs(t, "file:"+root)
	abandoned := filepath.Join(root, "tmp", "put-ABANDONED")
	if err := os.WriteFile(abandoned, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	data := storagetest.Bytes(2, 3<<20)
	half := bytes.NewReader(data[:1<<20])
	rest := bytes.NewReader(data[1<<20:])
	reopened := false
	info, err := b.Put(t.Context(), readFunc(func(p []byte) (int, error) {
		if half.Len() > 0 {
			return half.Read(p)
		}
		if !reopened {
			reopened = true
			storagetest.OpenBlobs(t, "file:"+root)
		}
		return rest.Read(p)
	}))
	if err != nil || info.Hash != storagetest.HashOf(data) {
		t.Fatalf("the blob being received was disturbed: %+v, %v", info, err)
	}
	if err := storage.Verify(t.Context(), b, info.Hash); err != nil {
		t.Error(err)
	}
	if got := files(t, root); len(got) != 1 {
		t.Errorf("files are %v, want the blob alone", got)
	}
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }
