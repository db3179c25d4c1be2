package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"sira/dicom/dimse"
)

// TestLargeObjects: objects of any size come in side by side, by association
// and by STOW-RS, for 12 MiB of memory each, and are kept byte by byte.
func TestLargeObjects(t *testing.T) {
	const size, senders, each = 150 << 20, 3, 12 << 20
	j := &judge{serverProcess: startServer(t)}
	j.stow("a first one", object("1").file(dimse.ExplicitVRLittleEndian)) // what is made once is made
	j.forgetPeak()
	before := j.memory("VmHWM")
	sums := make(chan string, senders)
	for i := range senders {
		go func() {
			sum := ""
			defer func() { sums <- sum }() // also when the test is ended
			sum = j.sendLarge(i, size)
		}()
	}
	for range senders {
		sum := <-sums
		if sum == "" {
			t.Fatal("not stored")
		}
		info, err := os.Stat(filepath.Join(j.data, "blobs", sum[:2], sum))
		if err != nil || info.Size() < size {
			t.Errorf("%s: %v", sum, err)
		}
	}
	grown := j.memory("VmHWM") - before
	t.Logf("%d MiB before, %d MiB more for %d objects of %d MiB at once; %v of processor time", before>>20, grown>>20, senders, size>>20, j.cpu())
	if runtime.GOOS == "linux" && !underRace && grown > senders*each {
		t.Errorf("%d MiB more for %d objects at once", grown>>20, senders)
	}
	j.well()
}

// forgetPeak begins the largest resident memory anew at what is resident now:
// that of the start would hide what one object takes (proc(5), clear_refs).
func (j *judge) forgetPeak() {
	if runtime.GOOS != "linux" {
		return
	}
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", j.cmd.Process.Pid), []byte("5"), 0); err != nil {
		j.t.Logf("the peak of the start stays: %v", err)
	}
}

// sendLarge sends one object, by C-STORE but the first, and gives its hash, ""
// when it was not stored.
func (j *judge) sendLarge(i int, size int64) string {
	head := object(fmt.Sprint(100+i)).image(1000, 1000, 8, fmt.Sprint(size/1e6)).head(0x7FE00010, "OW", uint32(size)).file(dimse.ExplicitVRLittleEndian)
	sum := sha256.New()
	r := io.TeeReader(io.MultiReader(bytes.NewReader(head), io.LimitReader(zeros{}, size)), sum)
	hash := func() string { return hex.EncodeToString(sum.Sum(nil)) }
	if i == 0 {
		status, _, body := j.do("svc", http.MethodPost, "/dicomweb/studies", r, "Content-Type", "application/dicom", "Accept", "application/dicom+json")
		if status != http.StatusOK {
			j.t.Errorf("%d %.300s", status, body)
			return ""
		}
		return hash()
	}
	c := j.dial(fmt.Sprint("BIG", i), dimse.Proposal{SOPClass: "1.2.840.10008.5.1.4.1.1.7", TransferSyntaxes: []string{dimse.ExplicitVRLittleEndian}})
	defer c.Abort()
	if status, err := c.Store(context.Background(), r); err != nil || status != dimse.StatusSuccess {
		j.t.Errorf("%#x, %v", status, err)
		return ""
	}
	return hash()
}
