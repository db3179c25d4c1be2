package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// subject is a server to be measured. start runs it on the folder dir, empty
// or of an earlier start, and returns where it listens once it is ready.
type subject struct {
	name  string
	start func(ctx context.Context, dir string) (*running, error)
}

// running is a subject that answers.
type running struct {
	*process
	aet, dicomPort string
	web, token     string // root of DICOMweb; token or empty
}

func (b *bench) subjects() []subject {
	return []subject{{"sira", b.startSira}, {"orthanc", b.startOrthanc}}
}

// serviceLogin is somebody of the demo who is made a machine that stores and
// reads everything, as Orthanc lets anybody.
const serviceLogin = "m.sissoko"

func (b *bench) startSira(ctx context.Context, dir string) (*running, error) {
	about := filepath.Join(dir, "demo.json")
	web, err := freePort()
	if err != nil {
		return nil, err
	}
	dicom, err := freePort()
	if err != nil {
		return nil, err
	}
	p, err := start(ctx, filepath.Join(dir, "bench.log"), nil, b.binary, "demo", "--data", dir, "--listen", "127.0.0.1:"+web,
		"--dicom-listen", "127.0.0.1:"+dicom, "--media-listen", "127.0.0.1:0", "--dicomweb-service", serviceLogin, "--derive-workers", "0")
	if err != nil {
		return nil, err
	}
	r := &running{process: p, dicomPort: dicom, web: "http://127.0.0.1:" + web + "/dicomweb"}
	ready := func() bool { return answers(ctx, "http://127.0.0.1:"+web+"/readyz") && r.readDemo(about, dicom) == nil }
	if err := p.await(ctx, ready); err != nil {
		p.stop()
		return nil, err
	}
	return r, nil
}

// readDemo takes token and AE title from demo.json, once it is this start's.
func (r *running) readDemo(path, port string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the demo's accounts: %w", err)
	}
	var d struct {
		DICOM struct{ AET, Address string }
		Users []struct{ Login, Token string }
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		return fmt.Errorf("reading the demo's accounts: %w", err)
	}
	for _, u := range d.Users {
		if u.Login == serviceLogin {
			r.token = u.Token
		}
	}
	r.aet = d.DICOM.AET
	if r.token == "" || !strings.HasSuffix(d.DICOM.Address, ":"+port) {
		return fmt.Errorf("reading the demo's accounts: %s is not there, or the file is old", serviceLogin)
	}
	return nil
}

// orthancPlugin is where Debian's orthanc-dicomweb puts it.
const orthancPlugin = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"

// startOrthanc runs it with its defaults: SQLite, synchronous writes, no
// compression; without authentication, on loopback.
func (b *bench) startOrthanc(ctx context.Context, dir string) (*running, error) {
	web, err := freePort()
	if err != nil {
		return nil, err
	}
	dicom, err := freePort()
	if err != nil {
		return nil, err
	}
	var httpPort, dicomPort int
	if _, err := fmt.Sscan(web+" "+dicom, &httpPort, &dicomPort); err != nil {
		return nil, fmt.Errorf("reading ports: %w", err)
	}
	config, err := json.MarshalIndent(map[string]any{
		"StorageDirectory": filepath.Join(dir, "db"), "IndexDirectory": filepath.Join(dir, "db"),
		"Plugins": []string{orthancPlugin}, "DicomWeb": map[string]any{"Enable": true, "Root": "/dicom-web/"},
		"HttpPort": httpPort, "DicomPort": dicomPort, "DicomAet": "ORTHANC",
		"RemoteAccessAllowed": false, "AuthenticationEnabled": false,
	}, "", " ")
	if err != nil {
		return nil, fmt.Errorf("writing Orthanc's configuration: %w", err)
	}
	path := filepath.Join(dir, "orthanc.json")
	if err := os.WriteFile(path, config, 0o600); err != nil {
		return nil, fmt.Errorf("writing Orthanc's configuration: %w", err)
	}
	p, err := start(ctx, filepath.Join(dir, "bench.log"), nil, b.orthanc, path)
	if err != nil {
		return nil, err
	}
	r := &running{process: p, aet: "ORTHANC", dicomPort: dicom, web: "http://127.0.0.1:" + web + "/dicom-web"}
	if err := p.await(ctx, func() bool { return answers(ctx, r.web+"/studies?limit=1") }); err != nil {
		p.stop()
		return nil, err
	}
	return r, nil
}

func (b *bench) orthancVersion(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, b.orthanc, "--version").Output()
	if err != nil {
		return "Orthanc"
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return filepath.Base(strings.TrimSpace(line))
}

// ready starts a subject on a folder that another start has filled already
// with what it makes for itself (tables, demonstration cases), and waits until
// it has nothing left to do. What follows is charged to what is asked of it.
func (s subject) ready(ctx context.Context, dir string) (*running, error) {
	if entries, err := os.ReadDir(dir); err != nil || len(entries) == 0 {
		first, err := s.start(ctx, dir)
		if err != nil {
			return nil, err
		}
		first.stop()
	}
	r, err := s.start(ctx, dir)
	if err != nil {
		return nil, err
	}
	if err := r.settle(ctx); err != nil {
		r.stop()
		return nil, err
	}
	return r, nil
}

func answers(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}
