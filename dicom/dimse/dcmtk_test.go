package dimse

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"io/fs"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// corpus gives the folder of real files.
func corpus(t testing.TB) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	shared := filepath.Join(root, "..", "shared")
	dir := os.Getenv("SIRA_CORPUS")
	if dir == "" {
		dir = filepath.Join(shared, "corpus")
	} else if !filepath.IsAbs(dir) {
		dir = filepath.Join(root, dir)
	}
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	if _, err := os.Stat(shared); err == nil {
		t.Fatalf("%s exists, but no corpus at %s", shared, dir)
	}
	t.Skip("NOT RUN: no corpus at " + dir)
	return ""
}

// tool gives the path of a program of dcmtk.
func tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("SIRA_TEST_STRICT") == "1" {
		t.Fatalf("no %s (Debian package dcmtk)", name)
	}
	t.Skip("NOT RUN: no " + name + " (Debian package dcmtk)")
	return ""
}

func runTool(t testing.TB, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, tool(t, name), args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func split(t testing.TB, addr string) (host, port string) {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

// storescp starts dcmtk's provider, which writes what it receives as it comes
// into the folder given back.
func storescp(t testing.TB, args ...string) (addr, dir string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr, dir = ln.Addr().String(), t.TempDir()
	_ = ln.Close()
	_, port := split(t, addr)
	cmd := exec.Command(tool(t, "storescp"), append(args, "+B", "+uf", "-pm", "-od", dir, port)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("storescp: %s", out.String())
		}
	})
	eventually(t, "storescp", func() bool {
		c, err := Dial(context.Background(), addr, DialOptions{AET: "SIRA", CalledAET: "ANY"})
		if err != nil {
			return false
		}
		return c.Echo(context.Background()) == nil && c.Release(context.Background()) == nil
	})
	return addr, dir
}

// dataSetOf gives meta information and data set of a file on disk.
func dataSetOf(t testing.TB, path string) (Meta, []byte) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	br := bufio.NewReader(f)
	m, err := ReadMeta(br)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	data, err := io.ReadAll(br)
	if err != nil {
		t.Fatal(err)
	}
	return m, data
}

// sent is a data set as it goes over the wire: deflated ones are padded.
func sent(m Meta, data []byte) []byte {
	if m.TransferSyntax == DeflatedLittleEndian && len(data)%2 == 1 {
		return append(data, 0)
	}
	return data
}

// One real file of each transfer syntax dcmtk knows, with storescu's option to
// propose it.
var syntaxes = []struct{ option, file string }{
	{"-xi", "series/mr_t1/N2D_0182.dcm"},
	{"-xe", "series/ct_ge/01.dcm"},
	{"-xb", "pydicom/MR_small_bigendian.dcm"},
	{"-xd", "pydicom/image_dfl.dcm"},
	{"-xy", "pydicom/SC_rgb_jpeg_dcmtk.dcm"},
	{"-xx", "wg04/NM1_JPLY.dcm"},
	{"-xs", "wg04/NM1_JPLL.dcm"},
	{"-xt", "wg04/NM1_JLSL.dcm"},
	{"-xu", "wg04/NM1_JLSN.dcm"},
	{"-xv", "wg04/NM1_J2KR.dcm"},
	{"-xw", "wg04/NM1_J2KI.dcm"},
	{"-xr", "pydicom/SC_rgb_rle_2frame.dcm"},
	{"-xn", "video/h264_hp41.dcm"},
}

// What dcmtk sends arrives here byte for byte as in dcmtk's own provider, which
// keeps what it received as it came; the sender itself may encode anew.
func TestFromStorescu(t *testing.T) {
	dir := corpus(t)
	refAddr, refDir := storescp(t, "+xa")
	identical := 0
	for i, s := range syntaxes {
		path := filepath.Join(dir, s.file)
		meta, original := dataSetOf(t, path)
		t.Run(meta.TransferSyntax, func(t *testing.T) {
			var r recorder
			addr := serve(t, &Server{AET: "SIRA", Store: r.store, UnknownClasses: true})
			maxPDU := []string{"4096", "131072"}[i%2]
			for _, a := range []string{addr, refAddr} {
				host, port := split(t, a)
				runTool(t, "storescu", "-aec", "SIRA", "-pdu", maxPDU, "-R", s.option, host, port, path)
			}
			got := r.first(t)
			_, want := dataSetOf(t, onlyFile(t, refDir))
			emptyDir(t, refDir)
			if got.err != nil || !bytes.Equal(got.data, want) {
				t.Errorf("%d bytes, storescp has %d; %v", len(got.data), len(want), got.err)
			}
			if q := got.req; (Meta{q.SOPClass, q.SOPUID, q.TransferSyntax}) != meta {
				t.Errorf("%+v, want %+v", q, meta)
			}
			if bytes.Equal(got.data, original) {
				identical++
			}
		})
	}
	t.Logf("%d of %d data sets are also those of the file on the sender's disk", identical, len(syntaxes))
}

func onlyFile(t testing.TB, dir string) string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil || len(list) != 1 {
		t.Fatalf("%d files, %v", len(list), err)
	}
	return filepath.Join(dir, list[0].Name())
}

func emptyDir(t testing.TB, dir string) {
	t.Helper()
	list, _ := os.ReadDir(dir)
	for _, e := range list {
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
}

// What we send arrives in dcmtk's provider byte for byte as in the file.
func TestToStorescp(t *testing.T) {
	dir := corpus(t)
	var metas []Meta
	for _, s := range syntaxes {
		m, _ := dataSetOf(t, filepath.Join(dir, s.file))
		metas = append(metas, m)
	}
	for _, max := range []string{"4096", "131072"} {
		addr, out := storescp(t, "+xa", "-pdu", max)
		proposals, err := Proposals(metas...)
		if err != nil {
			t.Fatal(err)
		}
		c := dial(t, addr, proposals...)
		for i, s := range syntaxes {
			f, err := os.Open(filepath.Join(dir, s.file))
			if err != nil {
				t.Fatal(err)
			}
			status, err := c.Store(t.Context(), f)
			_ = f.Close()
			if err != nil || status != StatusSuccess {
				t.Errorf("%s: %#x, %v", s.file, status, err)
				continue
			}
			_, want := dataSetOf(t, filepath.Join(dir, s.file))
			got, data := dataSetOf(t, onlyFile(t, out))
			if got != metas[i] || !bytes.Equal(data, sent(got, want)) {
				t.Errorf("%s: %+v, %d bytes of %d", s.file, got, len(data), len(want))
			}
			emptyDir(t, out)
		}
		if err := c.Release(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// The whole corpus through our two sides: all that has meta information is
// taken in any syntax and comes out the same.
func TestCorpusThroughBothSides(t *testing.T) {
	dir := corpus(t)
	var r recorder
	addr := serve(t, &Server{Store: r.store, UnknownClasses: true})
	n := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		m, err := ReadMeta(bufio.NewReader(f))
		if err != nil || !mayBeStorage(m.SOPClass) {
			return nil
		}
		_, want := dataSetOf(t, path)
		_, _ = f.Seek(0, io.SeekStart)
		c := dial(t, addr, Proposal{SOPClass: m.SOPClass, TransferSyntaxes: []string{m.TransferSyntax}})
		if status, err := c.Store(t.Context(), f); err != nil || status != StatusSuccess {
			t.Errorf("%s: %#x, %v", path, status, err)
			return nil
		}
		if err := c.Release(t.Context()); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		got := r.all()
		if last := got[len(got)-1]; !bytes.Equal(last.data, sent(m, want)) || last.req.SOPUID != m.SOPUID {
			t.Errorf("%s: %d bytes of %d", path, len(last.data), len(want))
		}
		r.mu.Lock()
		r.kept = nil
		r.mu.Unlock()
		n++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n < 100 {
		t.Errorf("only %d files", n)
	}
	t.Logf("%d files", n)
}

// A series in one association, written by the callback as files that dcmtk can
// read.
func TestSeriesFromDcmsend(t *testing.T) {
	dir := filepath.Join(corpus(t), "series", "ct_ge")
	out := t.TempDir()
	n := 0
	s := &Server{Store: func(_ context.Context, req StoreRequest) uint16 {
		n++
		f, err := os.Create(filepath.Join(out, strconv.Itoa(n)))
		if err != nil {
			return StatusOutOfResources
		}
		defer f.Close()
		if _, err := io.Copy(f, req.Part10()); err != nil {
			return StatusOutOfResources
		}
		return StatusSuccess
	}}
	host, port := split(t, serve(t, s))
	runTool(t, "dcmsend", "+sd", "+r", host, port, dir)
	if n < 28 {
		t.Fatalf("%d instances", n)
	}
	for i := range n {
		if got := runTool(t, "dcmftest", filepath.Join(out, strconv.Itoa(i+1))); !strings.HasPrefix(got, "yes") {
			t.Error(got)
		}
	}
}

func TestFromEchoscu(t *testing.T) {
	var r recorder
	host, port := split(t, serve(t, &Server{AET: "SIRA", Events: r.event}))
	runTool(t, "echoscu", "-aet", "CT 1", "-aec", "SIRA", "--propose-ts", "38", "--repeat", "3", host, port)
	if e := r.heard(t, EventEcho); e.CallingAET != "CT 1" {
		t.Errorf("%+v", e)
	}
	r.heard(t, EventReleased)
	runTool(t, "echoscu", "-aec", "SIRA", "--propose-pc", "128", "--abort", host, port)
	r.heard(t, EventAborted)
	if out, err := exec.Command(tool(t, "echoscu"), "-aec", "OTHER", host, port).CombinedOutput(); err == nil ||
		!strings.Contains(string(out), "Called AE Title Not Recognized") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestStorescuAborts(t *testing.T) {
	path := filepath.Join(corpus(t), "series", "ct_ge", "01.dcm")
	var r recorder
	host, port := split(t, serve(t, &Server{Store: r.store, Events: r.event}))
	runTool(t, "storescu", "--abort", host, port, path)
	r.heard(t, EventAborted)
	if k := r.first(t); k.err != nil { // it aborts after the response
		t.Error(k.err)
	}
}

func TestCommandStatusShownByStorescu(t *testing.T) {
	path := filepath.Join(corpus(t), "series", "ct_ge", "01.dcm")
	s := &Server{Store: func(context.Context, StoreRequest) uint16 { return StatusDuplicateInstance }}
	host, port := split(t, serve(t, s))
	out, _ := exec.Command(tool(t, "storescu"), "-v", host, port, path).CombinedOutput()
	if !strings.Contains(string(out), "0x111") {
		t.Errorf("%s", out)
	}
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	key, cert, pair, pool := certificate(t, dir)
	var r recorder
	s := &Server{Store: r.store, Events: r.event, TLS: &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool,
	}}
	addr := serve(t, s)
	o := DialOptions{AET: "A", CalledAET: "B", Proposals: []Proposal{ctProposal()}, TLS: &tls.Config{
		MinVersion: tls.VersionTLS12, RootCAs: pool, Certificates: []tls.Certificate{pair},
	}}
	c, err := Dial(t.Context(), addr, o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Abort()
	if _, err := c.Store(t.Context(), bytes.NewReader(file(testUID(1), object(testUID(1), 200_000)))); err != nil {
		t.Error(err)
	}
	if err := c.Release(t.Context()); err != nil {
		t.Error(err)
	}
	if k := r.first(t); k.req.Association.TLS == nil || len(k.req.Association.TLS.PeerCertificates) != 1 {
		t.Error("no client certificate in the request")
	}
	if _, err := Dial(t.Context(), addr, DialOptions{AET: "A", CalledAET: "B"}); err == nil {
		t.Error("plain text accepted")
	}
	host, port := split(t, addr)
	runTool(t, "echoscu", "+tls", key, cert, "+cf", cert, host, port)
}

// certificate makes a self-signed one for loopback, in files and in memory.
func certificate(t *testing.T, dir string) (keyFile, certFile string, pair tls.Certificate, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "loopback"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyFile, certFile = filepath.Join(dir, "key.pem"), filepath.Join(dir, "cert.pem")
	for name, b := range map[string][]byte{keyFile: keyPEM, certFile: certPEM} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if pair, err = tls.X509KeyPair(certPEM, keyPEM); err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return keyFile, certFile, pair, pool
}

// CPU of this side alone for a CT series that storescu sends and the callback
// writes to files.
func BenchmarkFromStorescu(b *testing.B) {
	dir := filepath.Join(corpus(b), "series", "ct_ge")
	out := filepath.Join(b.TempDir(), "instance")
	instances := 0
	s := &Server{Store: func(_ context.Context, req StoreRequest) uint16 {
		instances++
		f, err := os.Create(out)
		if err != nil {
			return StatusOutOfResources
		}
		defer f.Close()
		if _, err := io.Copy(f, req.Part10()); err != nil {
			return StatusOutOfResources
		}
		return StatusSuccess
	}}
	host, port := split(b, serve(b, s))
	b.Setenv("TCP_NODELAY", "1")
	start := cpuTime(b)
	for b.Loop() {
		runTool(b, "storescu", "+sd", host, port, dir)
	}
	b.ReportMetric(float64((cpuTime(b)-start).Microseconds())/float64(instances), "cpu-µs/instance")
}

func serverTLS(pair tls.Certificate) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
}

func clientTLS(pool *x509.CertPool) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}
}
