package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sira/dicom/dimse"
)

// serverProcess is a `sira serve` of its own, as it runs for real: what kills
// it kills only it, and its memory is its own.
type serverProcess struct {
	t          testing.TB
	cmd        *exec.Cmd
	data       string
	web, dicom string            // HOST:PORT
	tokens     map[string]string // by login: svc reads and stores everything, clin is a clinician
	gone       chan error

	mu  sync.Mutex
	log bytes.Buffer
}

// startServer prepares accounts and starts the server on free loopback ports.
// It is told to end after the test, and must do so without an error.
func startServer(t testing.TB, args ...string) *serverProcess {
	t.Helper()
	p := &serverProcess{t: t, data: t.TempDir(), tokens: map[string]string{}, gone: make(chan error, 1)}
	for login, role := range map[string]string{"svc": "admin", "clin": "clinician"} {
		p.must("user", "create", "--data", p.data, "--login", login, "--name", "Essai "+login, "--role", role,
			"--facility", "kati", "--facility-name", "CSRéf de Kati", "--facility-code", "KAT")
		p.tokens[login] = strings.TrimSpace(p.must("token", "create", "--data", p.data, "--user", login))
	}
	p.cmd = exec.Command("sira", append([]string{"serve", "--data", p.data, "--listen", "127.0.0.1:0", "--dicom-listen", "127.0.0.1:0",
		"--media-listen", "127.0.0.1:0", "--dicom-allow", "*", "--dicom-query", "ORTHANC,WS", "--dicomweb-service", "svc",
		"--min-free", "0"}, args...)...)
	p.cmd.Env = append(os.Environ(), "SIRA_PASSWORD=")
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	listening := make(chan [2]string, 1)
	go p.read(stderr, listening)
	select {
	case at := <-listening:
		p.web, p.dicom = at[0], at[1]
	case err := <-p.gone:
		t.Fatalf("the server ended: %v\n%s", err, p.printed())
	case <-time.After(2 * time.Minute):
		t.Fatalf("the server does not listen\n%s", p.printed())
	}
	t.Cleanup(p.stop)
	return p
}

func (p *serverProcess) must(args ...string) string {
	p.t.Helper()
	cmd := exec.Command("sira", args...)
	cmd.Env = append(os.Environ(), "SIRA_PASSWORD=baobab-fleuve-417")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		p.t.Fatalf("sira %v: %v\n%s", args, err, errs.String())
	}
	return string(out)
}

// read keeps the log and finds the addresses in it.
func (p *serverProcess) read(r io.Reader, listening chan<- [2]string) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		p.mu.Lock()
		p.log.Write(append(lines.Bytes(), '\n'))
		p.mu.Unlock()
		var line struct{ Msg, Web, Dicom string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
			listening <- [2]string{line.Web, line.Dicom}
		}
	}
	_, _ = io.Copy(io.Discard, r)
	p.gone <- p.cmd.Wait()
}

func (p *serverProcess) printed() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// stop ends the server as an operator does and looks at how it was.
func (p *serverProcess) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-p.gone:
		if err != nil {
			p.t.Errorf("the server ended with %v", err)
		}
	case <-time.After(30 * time.Second):
		_ = p.cmd.Process.Kill()
		p.t.Errorf("the server does not end: %v", <-p.gone)
	}
	log := p.printed()
	if strings.Contains(log, "panic") || strings.Contains(log, "goroutine ") {
		p.t.Errorf("something panicked:\n%s", clipped(log, 4000))
	} else if p.t.Failed() {
		p.t.Logf("the server printed:\n%s", clipped(log, 4000))
	}
}

func clipped(s string, n int) string { return s[max(0, len(s)-n):] }

// alive fails the test at once when the server is gone.
func (p *serverProcess) alive(after string) {
	p.t.Helper()
	select {
	case err := <-p.gone:
		p.gone <- err
		p.t.Fatalf("the server died of %s: %v\n%s", after, err, clipped(p.printed(), 8000))
	default:
	}
}

// cpu is the processor time of the server so far.
func (p *serverProcess) cpu() time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100
}

// memory reads a line of /proc/PID/status, such as VmHWM, in bytes.
func (p *serverProcess) memory(line string) int64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	_, rest, _ := strings.Cut(string(b), line+":")
	var kib int64
	_, _ = fmt.Sscan(rest, &kib)
	return kib << 10
}

// incoming lists what is left in the folders of what is on its way.
func (p *serverProcess) incoming() (left []string) {
	for _, dir := range []string{"incoming", filepath.Join("spool", "tmp")} {
		list, _ := filepath.Glob(filepath.Join(p.data, dir, "*"))
		left = append(left, list...)
	}
	return left
}

// do sends a request as login ("" for nobody) and reads the answer whole. head
// is name, value, …
func (p *serverProcess) do(login, method, path string, body io.Reader, head ...string) (int, http.Header, []byte) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+p.web+path, body)
	if err != nil {
		p.t.Fatal(err)
	}
	if login != "" {
		req.Header.Set("Authorization", "Bearer "+p.tokens[login])
	}
	for i := 0; i+1 < len(head); i += 2 {
		req.Header.Set(head[i], head[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.alive(method + " " + path)
		p.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(io.LimitReader(res.Body, 64<<20))
	if err != nil {
		p.t.Fatalf("%s %s: reading: %v", method, path, err)
	}
	return res.StatusCode, res.Header, got
}

// dial associates with the server.
func (p *serverProcess) dial(aet string, proposals ...dimse.Proposal) *dimse.Client {
	p.t.Helper()
	c, err := dimse.Dial(context.Background(), p.dicom, dimse.DialOptions{AET: aet, CalledAET: "SIRA", Proposals: proposals})
	if err != nil {
		p.alive("an association")
		p.t.Fatal(err)
	}
	return c
}

// vacant is a port of loopback that nobody listens on for now.
func vacant(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// multiparts gives the bodies of a multipart/related answer.
func multiparts(t testing.TB, contentType string, body []byte) (parts [][]byte) {
	t.Helper()
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatal(err)
	}
	r := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return parts
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, b)
	}
}
