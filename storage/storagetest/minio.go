package storagetest

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// Minio is a MinIO server of the test's own, which it may kill and bring back.
type Minio struct {
	t       testing.TB
	program string
	dir     string
	host    string
	process *exec.Cmd
	output  bytes.Buffer
}

// StartMinio starts the program that SIRA_TEST_MINIO names on a free loopback
// port, and sets the AWS_* variables of the test to its credentials. It is gone
// at the end of the test.
func StartMinio(t *testing.T) *Minio {
	t.Helper()
	m := &Minio{t: t, program: Need(t, "SIRA_TEST_MINIO", "MinIO to start and kill"), dir: t.TempDir()}
	t.Setenv("AWS_ACCESS_KEY_ID", "siraowntest")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "only-for-this-test")
	t.Cleanup(m.Kill)
	for range 5 { // another process may take the port first
		m.host = freeAddress(t)
		if m.start() {
			return m
		}
	}
	t.Fatalf("MinIO did not start: %s", m.output.String())
	return nil
}

// URL is http://HOST:PORT, the same after Restart.
func (m *Minio) URL() string { return "http://" + m.host }

// Kill ends the server as a power cut would.
func (m *Minio) Kill() {
	if m.process == nil {
		return
	}
	_ = m.process.Process.Kill()
	_ = m.process.Wait()
	m.process = nil
}

// Restart brings a killed server back, on the same port with the same data.
func (m *Minio) Restart() {
	m.t.Helper()
	if !m.start() {
		m.t.Fatalf("MinIO did not come back: %s", m.output.String())
	}
}

func (m *Minio) start() bool {
	m.t.Helper()
	m.output.Reset()
	cmd := exec.Command(m.program, "server", "--quiet", "--address", m.host, m.dir)
	cmd.Env = append(os.Environ(), "MINIO_ROOT_USER="+os.Getenv("AWS_ACCESS_KEY_ID"),
		"MINIO_ROOT_PASSWORD="+os.Getenv("AWS_SECRET_ACCESS_KEY"), "MINIO_BROWSER=off", "MINIO_UPDATE=off", "HOME="+m.dir)
	cmd.Stdout, cmd.Stderr = &m.output, &m.output
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // also when the test itself is killed
	if err := cmd.Start(); err != nil {
		m.t.Fatalf("starting MinIO: %v", err)
	}
	m.process = cmd
	for range 300 {
		if resp, err := http.Get(m.URL() + "/minio/health/ready"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return true
			}
		}
		if cmd.Process.Signal(syscall.Signal(0)) != nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	m.Kill()
	return false
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(fmt.Errorf("looking for a free port: %w", err))
	}
	defer l.Close()
	return l.Addr().String()
}
