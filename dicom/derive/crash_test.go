package derive

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"sira/dicom/phantom"
	"sira/storage"
)

// TestKilled ends a process with SIGKILL in the middle of its work; the next
// one does it.
func TestKilled(t *testing.T) {
	if dir := os.Getenv("SIRA_DERIVE_CHILD"); dir != "" {
		child(t, dir)
		return
	}
	dir := t.TempDir()
	h := in(t, dir)
	data := phantom.CT(1, phantom.Study{})[0]
	hash := h.put(t, data)
	if err := h.db.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$", "-test.v")
	cmd.Env = append(os.Environ(), "SIRA_DERIVE_CHILD="+dir)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() == "working" {
			break
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed

	h = in(t, dir)
	d := h.open(t, nil)
	var claims int
	if err := h.db.QueryRow(t.Context(), `SELECT claims FROM derive_object WHERE hash = ? AND state = 'wait'`, hash).Scan(&claims); err != nil || claims != 1 {
		t.Fatalf("%d claims, %v: the process was not at work", claims, err)
	}
	d.Start()
	settled(t, d, hash, "done")
	proves(t, h, d, hash, data)
}

// child works until it is killed: someone is served for ever.
func child(t *testing.T, dir string) {
	h := in(t, dir)
	told := false
	d := h.open(t, func() bool {
		if !told {
			fmt.Println("working")
			told = true
		}
		return true
	})
	d.busyFor = time.Hour
	d.Start()
	time.Sleep(time.Minute)
}

func in(t *testing.T, dir string) *house {
	t.Helper()
	db, err := storage.OpenDB(t.Context(), "sqlite:"+filepath.Join(dir, "sira.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	blobs, err := storage.OpenBlobs(t.Context(), "file:"+filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	return build(t, db, blobs)
}
