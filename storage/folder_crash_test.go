package storage_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"sira/storage"
	"sira/storage/storagetest"
)

// putUntilKilled stores blob after blob from several goroutines, and writes the
// hash of each on a line once Put has returned.
func putUntilKilled() error {
	b, err := storage.OpenBlobs(context.Background(), "file:"+os.Getenv("SIRA_TEST_DIR"))
	if err != nil {
		return err
	}
	failed := make(chan error)
	for worker := range 3 {
		go func() {
			for i := 0; ; i++ {
				data := storagetest.Bytes(uint64(worker*10_000+i), 200_000+i*1000)
				info, err := b.Put(context.Background(), bytes.NewReader(data))
				if err != nil {
					failed <- err
					return
				}
				fmt.Println(info.Hash) // one write: lines stay whole
			}
		}()
	}
	return <-failed
}

// Whatever the moment of the kill, what was acknowledged is there, what is there
// is whole, and nothing else is left.
func TestFolderSurvivesKill(t *testing.T) {
	root := t.TempDir()
	acknowledged := map[storage.Hash]bool{}
	for _, lines := range []int{1, 5, 12, 30} {
		cmd := inRole(t, "put until killed", "SIRA_TEST_DIR="+root)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		scanner := bufio.NewScanner(out)
		seen := 0
		for scanner.Scan() {
			h, err := storage.ParseHash(scanner.Text())
			if err != nil {
				break // cut by the kill
			}
			acknowledged[h] = true
			if seen++; seen == lines {
				_ = cmd.Process.Kill() // and read on what it had written before
			}
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if seen < lines {
			t.Fatalf("the process ended by itself: %s", stderr.String())
		}
	}
	b := storagetest.OpenBlobs(t, "file:"+root)
	there := map[storage.Hash]bool{}
	err := b.Walk(t.Context(), func(i storage.Info) error {
		there[i.Hash] = true
		return storage.Verify(t.Context(), b, i.Hash)
	})
	if err != nil {
		t.Error(err)
	}
	for h := range acknowledged {
		if !there[h] {
			t.Errorf("blob %s was acknowledged and is gone", h)
		}
	}
	for _, name := range files(t, root) {
		if !there[storage.Hash(filepath.Base(name))] {
			t.Errorf("left over: %s", name)
		}
	}
}

// fillDisk mounts a small disk that only this process sees, and fills it.
func fillDisk() error {
	dir := os.Getenv("SIRA_TEST_DIR")
	if err := syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("cannot mount: %w", err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m,mode=700"); err != nil {
		return fmt.Errorf("cannot mount: %w", err)
	}
	ctx := context.Background()
	b, err := storage.OpenBlobs(ctx, "file:"+dir+"?reserve=0")
	if err != nil {
		return err
	}
	small, err := b.Put(ctx, strings.NewReader("small"))
	if err != nil {
		return err
	}
	if _, err := b.Put(ctx, bytes.NewReader(storagetest.Bytes(1, 6<<20))); !errors.Is(err, storage.ErrNoSpace) {
		return fmt.Errorf("6 MiB on a disk of 4 MiB: got %v, want ErrNoSpace", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "tmp", "*")); len(left) != 0 {
		return fmt.Errorf("the refused blob left %v", left)
	}
	if err := storage.Verify(ctx, b, small.Hash); err != nil {
		return err
	}
	_, err = b.Put(ctx, bytes.NewReader(storagetest.Bytes(2, 2<<20)))
	return err // there is room again
}

func TestFolderDiskFull(t *testing.T) {
	cmd := inRole(t, "fill a disk", "SIRA_TEST_DIR="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if _, ran := errors.AsType[*exec.ExitError](err); (err != nil && !ran) || bytes.Contains(out, []byte("cannot mount")) {
		t.Skipf("NOT RUN: this system does not let a test mount a small disk: %v %s", err, out)
	}
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
