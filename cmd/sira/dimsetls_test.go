package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"sira/dicom/phantom"
	"sira/web"
)

// dcmtk finds one of its tools, or skips loudly.
func dcmtk(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("SIRA_TEST_STRICT") != "" {
			t.Fatalf("no %s: install dcmtk", name)
		}
		t.Skipf("NOT RUN: no %s", name)
	}
	return path
}

// selfSigned writes a certificate for loopback that signs itself.
func selfSigned(t *testing.T, name string) (key, cert string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	kder, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	key, cert = filepath.Join(dir, name+".key"), filepath.Join(dir, name+".pem")
	for path, block := range map[string]*pem.Block{key: {Type: "PRIVATE KEY", Bytes: kder}, cert: {Type: "CERTIFICATE", Bytes: der}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return key, cert
}

// TestDICOMOverTLS: with a certificate the DICOM port speaks TLS and nothing
// else; with --dicom-tls-ca a device must show one that it trusts.
func TestDICOMOverTLS(t *testing.T) {
	echo, store := dcmtk(t, "echoscu"), dcmtk(t, "storescu")
	key, cert := selfSigned(t, "server")
	deviceKey, deviceCert := selfSigned(t, "cart")
	strangerKey, strangerCert := selfSigned(t, "stranger")
	data := t.TempDir()
	c, err := parseConfig("serve", []string{"--listen", "127.0.0.1:0", "--data", data, "--media-listen", "127.0.0.1:0", "--dicom-listen", "127.0.0.1:0",
		"--dicom-allow", "CART1", "--dicom-tls-cert", cert, "--dicom-tls-key", key, "--dicom-tls-ca", deviceCert}, io.Discard, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := open(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	ctx, cancel := context.WithCancel(t.Context())
	at, done := make(chan addresses, 1), make(chan error, 1)
	go func() { done <- p.serve(ctx, func(a addresses) error { at <- a; return nil }) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	host, port, _ := net.SplitHostPort((<-at).dicom.String())
	run := func(tool string, args ...string) error {
		out, err := exec.CommandContext(t.Context(), tool, args...).CombinedOutput()
		t.Logf("%s: %v %s", filepath.Base(tool), err, out)
		return err
	}
	as := []string{"-aet", "CART1", "-aec", "SIRA"}
	device := append(as, "+tls", deviceKey, deviceCert, "+cf", cert)
	if err := run(echo, append(device, host, port)...); err != nil {
		t.Errorf("C-ECHO over TLS: %v", err)
	}
	file := filepath.Join(t.TempDir(), "ct.dcm")
	if err := os.WriteFile(file, phantom.CT(1, phantom.Study{Patient: phantom.Patient{Name: "KEITA^OUMOU", ID: "1"}, Date: time.Now()})[0], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(store, append(device, host, port, file)...); err != nil {
		t.Errorf("C-STORE over TLS: %v", err)
	}
	if run(echo, append(as, host, port)...) == nil {
		t.Error("plain TCP was answered")
	}
	if run(echo, append(as, "+tls", strangerKey, strangerCert, "+cf", cert, host, port)...) == nil {
		t.Error("a stranger's certificate was taken")
	}
	if run(echo, append(as, "+tla", "+cf", cert, host, port)...) == nil {
		t.Error("a device without a certificate was let in")
	}
}

func TestDICOMTLSSettings(t *testing.T) {
	key, cert := selfSigned(t, "server")
	for what, args := range map[string][]string{
		"go together":    {"--dicom-tls-cert", cert},
		"no such file":   {"--dicom-tls-cert", "/none", "--dicom-tls-key", key},
		"no certificate": {"--dicom-tls-ca", key},
	} {
		c, err := parseConfig("serve", args, io.Discard, nil, nil)
		if err == nil {
			_, _, err = c.dicomTLS()
		}
		if err == nil || !strings.Contains(err.Error(), what) || !strings.Contains(err.Error(), "--dicom-tls") {
			t.Errorf("%v: %v", args, err)
		}
	}
	c, err := parseConfig("serve", []string{"--dicom-listen", ":11112", "--dicom-allow", "CART1@10.0.0.7,WS@10.1.0.0/16", "--dicom-query", "WS@10.1.0.0/16",
		"--dicom-destinations", "PACS=tls://10.0.0.5:2762", "--dicom-tls-cert", cert, "--dicom-tls-key", key}, io.Discard, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.dicomSettings()
	want := web.DICOMSettings{Listen: ":11112", AET: "SIRA", TLS: "on",
		Peers:        []web.DICOMPeer{{AET: "CART1", Network: "10.0.0.7", Send: true}, {AET: "WS", Network: "10.1.0.0/16", Send: true, Query: true}},
		Destinations: []web.DICOMDestination{{AET: "PACS", Address: "10.0.0.5:2762", TLS: true}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}
