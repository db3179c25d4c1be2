package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// client takes answers as they are: no compression, one connection kept open.
var client = &http.Client{Timeout: 10 * time.Minute, Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 1}}

// storeSCU sends a file or a folder with dcmtk's storescu. Without TCP_NODELAY
// it waits 40 ms for each object, whoever receives.
func (r *running) storeSCU(ctx context.Context, path string) error {
	return command(ctx, []string{"TCP_NODELAY=1"}, "storescu", "-R", "-aet", "BENCH", "-aec", r.aet, "+sd", "127.0.0.1", r.dicomPort, path)
}

// get asks under the DICOMweb root and returns the body.
func (r *running) get(ctx context.Context, path, accept string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.web+path, nil)
	if err != nil {
		return nil, fmt.Errorf("asking: %w", err)
	}
	req.Header.Set("Accept", accept)
	return r.do(req)
}

// stow stores one file with one request (PS3.18 10.5).
func (r *running) stow(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("storing: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("storing: %w", err)
	}
	const boundary = "bench-dicom-part"
	head, foot := "--"+boundary+"\r\nContent-Type: application/dicom\r\n\r\n", "\r\n--"+boundary+"--\r\n"
	body := io.MultiReader(bytes.NewBufferString(head), f, bytes.NewBufferString(foot))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.web+"/studies", body)
	if err != nil {
		return fmt.Errorf("storing: %w", err)
	}
	req.ContentLength = info.Size() + int64(len(head)+len(foot))
	req.Header.Set("Content-Type", `multipart/related; type="application/dicom"; boundary=`+boundary)
	req.Header.Set("Accept", "application/dicom+json")
	_, err = r.do(req)
	return err
}

func (r *running) do(req *http.Request) ([]byte, error) {
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking: %w", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s: %s\n%s", req.Method, req.URL.Path, res.Status, tail(body, 500))
	}
	return body, nil
}

// search lists; it returns how many were found.
func (r *running) search(ctx context.Context, query string) (int, error) {
	body, err := r.get(ctx, "/studies?"+query, "application/dicom+json")
	if err != nil {
		return 0, err
	}
	var list []json.RawMessage
	if err := json.Unmarshal(body, &list); err != nil {
		return 0, fmt.Errorf("reading a list: %w", err)
	}
	return len(list), nil
}
