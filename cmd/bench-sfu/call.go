package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// order is what the driver is told.
type order struct {
	Server   string              `json:"server"`
	URL      string              `json:"url"`
	Chromium map[string]string   `json:"chromium"` // programs, by person
	Camera   string              `json:"camera"`
	Speech   string              `json:"speech"`
	Read     int                 `json:"read"` // seconds that the rural person looks at the page, over the measured link, before the click
	Warm     int                 `json:"warm"`
	Seconds  int                 `json:"seconds"`
	Every    int                 `json:"every"` // milliseconds between samples
	Limit    int                 `json:"limit"` // seconds until which the first sound is waited for
	Out      string              `json:"out"`
	Shot     string              `json:"shot"`
	Flags    map[string][]string `json:"flags,omitempty"`  // of Chromium, by person
	Upload   int                 `json:"upload,omitempty"` // bytes that the rural person sends meanwhile
	WHIP     *whip               `json:"whip,omitempty"`   // the rural side is a device
	Frames   *frames             `json:"frames,omitempty"` // pictures that the city sees are kept

	City  *account `json:"city,omitempty"` // people of ours
	Rural *account `json:"rural,omitempty"`

	Signal   string          `json:"signal,omitempty"` // LiveKit's
	Key      string          `json:"key,omitempty"`
	Secret   string          `json:"secret,omitempty"`
	Settings json.RawMessage `json:"settings,omitempty"`
}

// whip says how a device encodes.
type whip struct {
	Kbps int `json:"kbps"`
	FPS  int `json:"fps"`
}

// frames says where to keep pictures, and how many.
type frames struct {
	Folder string `json:"folder"`
	Count  int    `json:"count"`
}

// kept is the file of one call in the folder of results.
type kept struct {
	Row, Server string
	Seed        int
	When        time.Time
	Commit      string
	Figures     figures
	Effort      effort
	Link        []counters
	Raw         json.RawMessage // what the driver measured
}

// call measures one call of two people on the row's link, and keeps it.
func (b *bench) call(ctx context.Context, r row, subject string, seed int) (figures, error) {
	k, err := b.twoPeople(ctx, r, subject, seed)
	if err != nil {
		return figures{}, err
	}
	return k.Figures, b.save(k)
}

func (b *bench) twoPeople(ctx context.Context, r row, subject string, seed int) (kept, error) {
	k := kept{Row: r.key, Server: subject, Seed: seed}
	folder, err := os.MkdirTemp(b.dir, "call-")
	if err != nil {
		return k, fmt.Errorf("making a folder: %w", err)
	}
	defer os.RemoveAll(folder)
	l, err := b.openLink(ctx, folder, r, seed)
	if err != nil {
		return k, err
	}
	defer l.close()
	server, o, err := b.startServer(ctx, r, subject, folder, l.city)
	if server != nil {
		defer server.stop()
	}
	if err != nil {
		return k, err
	}
	o.Shot = b.path(r.key, subject, seed) + ".png"
	b.fill(&o, r, folder)
	if o.Chromium, err = wrappers(folder, l); err != nil {
		return k, err
	}
	m, err := b.drive(ctx, folder, l, server, o)
	keepLog(server, b.path(r.key, subject, seed)+".server.log")
	if err != nil {
		return k, err
	}
	k.Effort, k.Link, k.Raw = m.effort, m.link, m.raw
	k.Figures, err = m.figures(r, b.warm)
	if err == nil && o.Frames != nil {
		k.Figures.SSIM, err = b.alike(ctx, folder)
	}
	return k, err
}

// readFor is how long somebody looks at a case before they click, seconds.
const readFor = 10

// fill says what is measured, and how long.
func (b *bench) fill(o *order, r row, folder string) {
	o.Camera, o.Speech, o.Read, o.Warm, o.Seconds, o.Every, o.Limit = b.camera, b.speech, readFor, b.warm, r.length(b.seconds), r.every(), 60
	o.Out, o.Upload = filepath.Join(folder, "raw.json"), r.upload
	if r.whip != nil {
		o.Camera, o.WHIP, o.Frames = b.ultrasound, r.whip, &frames{folder, 8}
	}
	if r.tls {
		o.Flags = map[string][]string{"city": {"--ignore-certificate-errors"}, "rural": {"--ignore-certificate-errors"}}
	}
}

// save writes the file of one call.
func (b *bench) save(k kept) error {
	k.When, k.Commit = time.Now(), b.commit
	text, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	if err := os.WriteFile(b.path(k.Row, k.Server, k.Seed)+".json", text, 0o644); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

// path is that of a call's files, without what comes after the dot.
func (b *bench) path(row, subject string, seed int) string {
	return filepath.Join(b.keep, fmt.Sprintf("%s-%s-%d", row, subject, seed))
}

// measured is what one call gave.
type measured struct {
	raw    json.RawMessage
	slowed time.Time // when the link became the row's
	link   []counters
	effort effort
}

// drive has the driver load both pages, slows the link, and lets the rural
// person join.
func (b *bench) drive(ctx context.Context, folder string, l *link, server *process, o order) (measured, error) {
	var m measured
	config := filepath.Join(folder, "order.json")
	text, err := json.Marshal(o)
	if err != nil {
		return m, fmt.Errorf("writing the order: %w", err)
	}
	if err := os.WriteFile(config, text, 0o600); err != nil {
		return m, fmt.Errorf("writing the order: %w", err)
	}
	var stdin io.WriteCloser
	driver, err := start(ctx, filepath.Join(folder, "driver.log"), l.city, func(c *exec.Cmd) (err error) {
		c.Dir, c.Env = b.driver, append(os.Environ(), "NODE_TLS_REJECT_UNAUTHORIZED=0", "NODE_NO_WARNINGS=1") // the certificate is our own
		stdin, err = c.StdinPipe()
		return err
	}, "node", "call.mjs", config)
	if err != nil {
		return m, err
	}
	defer driver.stop()
	if err := driver.await(ctx, 3*time.Minute, driver.says("loaded\n")); err != nil {
		return m, err
	}
	if m.slowed, err = l.slow(); err != nil {
		return m, err
	}
	time.Sleep(200 * time.Millisecond) // what was on its way has arrived
	w := begin(driver.pid(), server.pid(), l.pid())
	if _, err := io.WriteString(stdin, "go\n"); err != nil {
		return m, fmt.Errorf("telling the driver to join: %w", err)
	}
	length := time.Duration(o.Read+o.Warm+o.Seconds) * time.Second
	select {
	case <-time.After(length):
	case <-driver.gone:
	case <-ctx.Done():
		return m, ctx.Err()
	}
	m.effort = w.end()
	if err := driver.await(ctx, 90*time.Second, driver.says("done\n")); err != nil {
		return m, err
	}
	if m.raw, err = os.ReadFile(o.Out); err != nil {
		return m, fmt.Errorf("reading what the driver measured: %w", err)
	}
	m.link, err = l.counters()
	return m, err
}

// wrappers are programs that run Chromium in the two namespaces.
func wrappers(folder string, l *link) (map[string]string, error) {
	program, err := exec.LookPath("chromium")
	if err != nil {
		return nil, fmt.Errorf("looking for Chromium: %w", err)
	}
	out := map[string]string{}
	for who, ns := range map[string]string{"city": l.city, "rural": l.rural} {
		path := filepath.Join(folder, "chromium-"+who)
		script := fmt.Sprintf("#!/bin/sh\nexec ip netns exec %s %s \"$@\"\n", ns, program)
		if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
			return nil, fmt.Errorf("writing a wrapper of Chromium: %w", err)
		}
		out[who] = path
	}
	return out, nil
}

// keepLog saves what a server printed beside its figures.
func keepLog(p *process, to string) {
	if raw, err := os.ReadFile(p.log); err == nil && len(raw) > 0 {
		_ = os.WriteFile(to, raw, 0o644)
	}
}
