package main

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

func usageHealth(w io.Writer) {
	fmt.Fprint(w, "Usage: sira health [--url URL]\n\nAsks the server on this machine whether it is ready; exit code 0 when it is.\nWithout --url it asks where SIRA_LISTEN says.\n")
}

func runHealth(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var target string
	c, err := parseConfig("health", args, stderr, nil, func(fs *flag.FlagSet) {
		fs.StringVar(&target, "url", "", "URL to ask")
	})
	if err != nil {
		return err
	}
	if target == "" {
		if target, err = localURL(c); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target+"/readyz", nil)
	if err != nil {
		return fmt.Errorf("asking %s: %w", target, err)
	}
	// The certificate names the public host, and this asks the loopback address.
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("asking whether the server is ready: %w", err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(res.Body, 4096))
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready (%s): %s", res.Status, body)
	}
	_, err = fmt.Fprintln(stdout, "ready")
	return err
}

// localURL is where a server started with this configuration answers on this
// machine.
func localURL(c config) (string, error) {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return "", fmt.Errorf("address %q: %w", c.Listen, err)
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	scheme := "http"
	if c.TLSCert != "" {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, port), nil
}
