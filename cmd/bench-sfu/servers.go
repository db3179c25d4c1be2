package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// startServer runs what is to be measured beside the city's person.
func (b *bench) startServer(ctx context.Context, subject, folder, namespace string) (*process, order, error) {
	if subject == "ours" {
		return b.startSira(ctx, folder, namespace)
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
func (b *bench) startSira(ctx context.Context, folder, namespace string) (*process, order, error) {
	if b.data == "" {
		b.data = filepath.Join(b.dir, "demo")
	}
	about := filepath.Join(b.data, "demo.json")
	if err := os.MkdirAll(b.data, 0o755); err != nil {
		return nil, order{}, fmt.Errorf("making the demo's folder: %w", err)
	}
	const address = cityIP + ":8080"
	p, err := start(ctx, filepath.Join(folder, "server.log"), namespace, nil, b.binary, "demo", "--data", b.data, "--listen", address,
		"--dicom-listen", cityIP+":11112", "--media-listen", cityIP+":7000", "--derive-workers", "0")
	if err != nil {
		return nil, order{}, err
	}
	if err := p.await(ctx, 4*time.Minute, p.says(address)); err != nil {
		return p, order{}, err
	}
	o := order{Server: "sira", URL: "http://" + address}
	raw, err := os.ReadFile(about)
	if err != nil {
		return p, o, fmt.Errorf("reading the demo's accounts: %w", err)
	}
	var demo struct{ Users []account }
	if err := json.Unmarshal(raw, &demo); err != nil {
		return p, o, fmt.Errorf("reading the demo's accounts: %w", err)
	}
	for i := range demo.Users {
		switch u := &demo.Users[i]; {
		case u.Role == "clinician" && o.Rural == nil:
			o.Rural = u
		case u.Role == "specialist" && o.City == nil:
			o.City = u
		}
	}
	if o.Rural == nil || o.City == nil {
		return p, o, fmt.Errorf("reading the demo's accounts: no clinician or no specialist in %s", about)
	}
	return p, o, nil
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

// startLiveKit runs it with its defaults but for addresses and keys, or tuned.
func (b *bench) startLiveKit(ctx context.Context, subject, folder, namespace string) (*process, order, error) {
	o := order{Server: "livekit", URL: "http://" + cityIP + ":8080", Signal: "ws://" + cityIP + ":7880", Key: "bench", Secret: "a-secret-of-at-least-32-characters", Settings: json.RawMessage("{}")}
	more := ""
	if subject == "tuned" {
		o.Settings, more = json.RawMessage(tuned), tunedServer
	}
	config := fmt.Sprintf(`port: 7880
bind_addresses: ["%s"]
rtc:
  udp_port: 7882
  tcp_port: 7881
  node_ip: %s
  use_external_ip: false%s
keys:
  %s: %s
`, cityIP, cityIP, more, o.Key, o.Secret)
	path := filepath.Join(folder, "livekit.yaml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		return nil, o, fmt.Errorf("writing LiveKit's configuration: %w", err)
	}
	p, err := start(ctx, filepath.Join(folder, "server.log"), namespace, nil, b.livekit, "--config", path)
	if err != nil {
		return nil, o, err
	}
	return p, o, p.await(ctx, time.Minute, p.says("starting LiveKit server"))
}
