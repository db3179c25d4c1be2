package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// startServer runs what is to be measured beside the city's person.
func (b *bench) startServer(ctx context.Context, r row, subject, folder, namespace string) (*process, order, error) {
	if subject == "ours" {
		return b.startSira(ctx, r, folder, namespace)
	}
	return b.startLiveKit(ctx, subject, folder, namespace)
}

// account is somebody of the demo.
type account struct {
	Role     string `json:"role"`
	Login    string `json:"login"`
	Password string `json:"password"`
	Token    string `json:"token"`
}

// startSira runs a demo whose data is made once. Each call has a new process:
// nothing is remembered of the link.
func (b *bench) startSira(ctx context.Context, r row, folder, namespace string) (*process, order, error) {
	o, more := order{Server: "sira", URL: "http://" + siraAddress}, []string(nil)
	if r.tls {
		cert, key, err := certificate(folder)
		if err != nil {
			return nil, o, err
		}
		o.URL, more = "https://"+siraAddress, []string{"--tls-cert", cert, "--tls-key", key, "--media-tcp-listen", "off"}
	}
	p, people, err := b.demo(ctx, folder, namespace, more...)
	for i := range people {
		switch u := &people[i]; {
		case u.Role == "clinician" && o.Rural == nil:
			o.Rural = u
		case u.Role == "specialist" && o.City == nil:
			o.City = u
		}
	}
	if err == nil && (o.Rural == nil || o.City == nil) {
		err = errors.New("the demo has no clinician or no specialist")
	}
	return p, o, err
}

// siraAddress has no number that HTTPS would give it: the relay is asked for at
// the same one, whichever it is.
const siraAddress = cityIP + ":8080"

// demo starts the platform and says who may come in.
func (b *bench) demo(ctx context.Context, folder, namespace string, more ...string) (*process, []account, error) {
	if err := os.MkdirAll(b.data, 0o755); err != nil {
		return nil, nil, fmt.Errorf("making the demo's folder: %w", err)
	}
	p, err := start(ctx, filepath.Join(folder, "server.log"), namespace, nil, b.binary, append([]string{"demo", "--data", b.data, "--listen", siraAddress,
		"--dicom-listen", cityIP + ":11112", "--media-listen", cityIP + ":7000", "--derive-workers", "0"}, more...)...)
	if err != nil {
		return nil, nil, err
	}
	if err := p.await(ctx, 4*time.Minute, p.says(siraAddress)); err != nil {
		return p, nil, err
	}
	raw, err := os.ReadFile(filepath.Join(b.data, "demo.json"))
	if err != nil {
		return p, nil, fmt.Errorf("reading the demo's accounts: %w", err)
	}
	var about struct{ Users []account }
	if err := json.Unmarshal(raw, &about); err != nil {
		return p, nil, fmt.Errorf("reading the demo's accounts: %w", err)
	}
	return p, about.Users, nil
}

// tuned are the settings of LiveKit and its client that are kindest to a thin
// link: its own send-side estimate, pausing allowed, a small picture of one
// speaker, little for the voice and that said twice.
const tuned = `{"roomOptions": {"adaptiveStream": true, "dynacast": true, "publishDefaults": {"red": true, "dtx": true,
	"audioPreset": {"maxBitrate": 24000}, "videoEncoding": {"maxBitrate": 150000, "maxFramerate": 15}}}}`

const tunedServer = `
  congestion_control:
    allow_pause: true
    use_send_side_bwe: true`

const (
	livekitAddress = cityIP + ":7880"
	livekitKey     = "devkey" // this and the secret are those that fwdbench has
	livekitSecret  = "devsecretdevsecretdevsecretdevsecret"
)

// startLiveKit runs it with its defaults, or tuned.
func (b *bench) startLiveKit(ctx context.Context, subject, folder, namespace string) (*process, order, error) {
	o := order{Server: "livekit", URL: "http://" + cityIP + ":8080", Signal: "ws://" + livekitAddress, Key: livekitKey, Secret: livekitSecret, Settings: json.RawMessage("{}")}
	more := ""
	if subject == "tuned" {
		o.Settings, more = json.RawMessage(tuned), tunedServer
	}
	p, err := b.livekitServer(ctx, folder, namespace, more)
	return p, o, err
}

// livekitServer runs it with its defaults but for addresses and keys, and more
// lines of the section rtc.
func (b *bench) livekitServer(ctx context.Context, folder, namespace, more string) (*process, error) {
	config := fmt.Sprintf(`port: 7880
bind_addresses: ["%s"]
rtc:
  udp_port: 7882
  tcp_port: 7881
  node_ip: %s
  use_external_ip: false%s
keys:
  %s: %s
`, cityIP, cityIP, more, livekitKey, livekitSecret)
	path := filepath.Join(folder, "livekit.yaml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		return nil, fmt.Errorf("writing LiveKit's configuration: %w", err)
	}
	p, err := start(ctx, filepath.Join(folder, "server.log"), namespace, nil, b.livekit, "--config", path)
	if err != nil {
		return nil, err
	}
	return p, p.await(ctx, time.Minute, p.says("starting LiveKit server"))
}
