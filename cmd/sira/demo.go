package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"sira/cmd/sira/demo"
)

// demoDefaults are the settings in which a demo differs from a server: all on
// this machine, nothing to prepare.
var demoDefaults = map[string]string{
	"listen":       "127.0.0.1:8080",
	"data":         "sira-demo",
	"media-listen": "127.0.0.1:0",
	"dicom-listen": "127.0.0.1:11112",
	"dicom-allow":  "*",
	"min-free":     "256MiB",
	"log-format":   "text",
	"log-level":    "warn",
}

func usageDemo(w io.Writer) {
	fmt.Fprint(w, `Usage: sira demo [--data DIR] [--listen ADDR] [--dicom-listen ADDR] [FLAGS]

Runs the platform with a country in small: facilities, a dozen people, cases in
every state with generated images. The first start takes some seconds; the same
DIR started again keeps its data. DIR/demo.json tells programs where the server
is and who may come in. All settings of "sira serve" apply, with these defaults:

`)
	usageSettings(w, demoDefaults)
}

// demoFile is DIR/demo.json.
type demoFile struct {
	URL   string         `json:"url"`
	DICOM demoDICOM      `json:"dicom"`
	Users []demo.Account `json:"users"`
}

type demoDICOM struct {
	AET     string `json:"aet"`
	Address string `json:"address"`
}

func runDemo(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c, err := parseConfig("demo", args, stderr, demoDefaults, nil)
	if err != nil {
		return err
	}
	if err := c.mediaBesideWeb(); err != nil {
		return err
	}
	log, err := c.logger(stderr)
	if err != nil {
		return err
	}
	p, err := open(ctx, c, log)
	if err != nil {
		return err
	}
	defer p.close()
	path := filepath.Join(c.Data, "demo.json")
	about, err := readDemoFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintln(stdout, "Préparation des données de démonstration (quelques secondes)…")
		about.Users, err = demo.Seed(ctx, demo.Parts{DB: p.db, Blobs: p.blobs, Directory: p.directory, Ingest: p.ingest, Log: log})
	}
	if err != nil {
		return err
	}
	return p.serve(ctx, func(at addresses) error {
		about.URL = c.PublicURL
		if about.URL == "" {
			scheme := "http"
			if c.TLSCert != "" {
				scheme = "https"
			}
			about.URL = scheme + "://" + reachable(at.web)
		}
		about.DICOM = demoDICOM{AET: c.AET}
		if at.dicom != nil {
			about.DICOM.Address = reachable(at.dicom)
		}
		if err := writeDemoFile(path, about); err != nil {
			return err
		}
		return welcome(stdout, about)
	})
}

// mediaBesideWeb lets calls come in on the address of the web server: a demo
// opened to a ward's network with --listen has its calls there too.
func (c *config) mediaBesideWeb() error {
	if c.MediaListen != demoDefaults["media-listen"] {
		return nil
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("address %q: %w", c.Listen, err)
	}
	beside := net.JoinHostPort(host, "0")
	if c.MediaTCPListen == c.MediaListen {
		c.MediaTCPListen = beside
	}
	c.MediaListen = beside
	return nil
}

func welcome(w io.Writer, about demoFile) error {
	fmt.Fprintf(w, "\nSira est prêt : %s\n\n  %-12s %-14s %s\n", about.URL, "rôle", "identifiant", "mot de passe")
	for _, u := range about.Users {
		fmt.Fprintf(w, "  %-12s %-14s %s\n", u.Role, u.Login, u.Password)
	}
	_, err := fmt.Fprintf(w, "\nDICOM (C-ECHO, C-STORE) : %s à %s\nCtrl-C pour arrêter ; les données restent.\n", about.DICOM.AET, about.DICOM.Address)
	return err
}

// reachable is a listening address as a client on this machine types it.
func reachable(a net.Addr) string {
	tcp, ok := a.(*net.TCPAddr)
	if ok && tcp.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", fmt.Sprint(tcp.Port))
	}
	return a.String()
}

func readDemoFile(path string) (demoFile, error) {
	var d demoFile
	raw, err := os.ReadFile(path)
	if err != nil {
		return d, fmt.Errorf("reading the demo's accounts: %w", err)
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		return d, fmt.Errorf("reading %s: %w (delete it to make new accounts)", path, err)
	}
	return d, nil
}

// writeDemoFile replaces the file as a whole: a reader never sees half of it.
// It holds passwords, so it is for its owner only.
func writeDemoFile(path string, d demoFile) error {
	raw, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the demo's accounts: %w", err)
	}
	tmp := path + ".new"
	if err := os.WriteFile(tmp, append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing the demo's accounts: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("writing the demo's accounts: %w", err)
	}
	return nil
}
