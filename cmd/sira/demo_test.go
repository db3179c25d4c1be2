package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestDemoKeepsItsDataAndAccounts starts the demo twice on one folder, as a
// person does, and comes in with the token of demo.json both times.
func TestDemoKeepsItsDataAndAccounts(t *testing.T) {
	if testing.Short() {
		t.Skip("NOT RUN: the demo draws its images, which takes a while")
	}
	dir := t.TempDir()
	first, firstCases := runDemoOnce(t, dir)
	roles := map[string]bool{}
	for _, u := range first.Users {
		roles[string(u.Role)] = true
		if u.Login == "" || u.Password == "" || u.Token == "" {
			t.Errorf("account without login, password or token: %+v", u)
		}
	}
	for _, r := range []string{"clinician", "specialist", "radiologist", "dispatcher", "admin"} {
		if !roles[r] {
			t.Errorf("no account of role %s", r)
		}
	}
	if first.DICOM.AET == "" || first.DICOM.Address == "" {
		t.Errorf("DICOM address missing: %+v", first.DICOM)
	}
	if len(firstCases) == 0 {
		t.Fatal("the radiologist sees no case")
	}
	second, secondCases := runDemoOnce(t, dir)
	if second.Users[0] != first.Users[0] {
		t.Error("the accounts changed at the second start")
	}
	if len(secondCases) != len(firstCases) {
		t.Errorf("%d cases at first, %d at the second start", len(firstCases), len(secondCases))
	}
}

func runDemoOnce(t *testing.T, dir string) (demoFile, []any) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	args := []string{"--data", dir, "--listen", "127.0.0.1:0", "--dicom-listen", "127.0.0.1:0", "--media-listen", "127.0.0.1:0"}
	started := time.Now()
	go func() { done <- runDemo(ctx, args, io.Discard, os.Stderr) }()
	about := waitForDemoFile(t, filepath.Join(dir, "demo.json"), started, done)
	var token string
	for _, u := range about.Users {
		if u.Role == "radiologist" {
			token = u.Token
			break
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, about.URL+"/api/cases", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var body struct{ Cases []any }
	if err := json.NewDecoder(res.Body).Decode(&body); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("listing cases: %s, %v", res.Status, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatalf("stopping the demo: %v", err)
	}
	return about, body.Cases
}

// waitForDemoFile waits until this start has written the file and answers.
func waitForDemoFile(t *testing.T, path string, since time.Time, done <-chan error) demoFile {
	t.Helper()
	for {
		select {
		case err := <-done:
			t.Fatalf("the demo ended: %v", err)
		case <-time.After(50 * time.Millisecond):
		}
		if info, err := os.Stat(path); err != nil || info.ModTime().Before(since) {
			continue
		}
		about, err := readDemoFile(path)
		if err == nil {
			return about
		}
	}
}
