package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// viewers of one publisher, and for how many seconds.
const viewers, forwardSeconds = 60, 30

// forwarded is what fwdbench says of a server.
type forwarded struct {
	Receiving int     `json:"receiving"`
	Packets   float64 `json:"packets"`
	PerSecond float64 `json:"pps"`
	PerMega   float64 `json:"cpu_s_per_million_packets"` // seconds of processor time
	RSS       float64 `json:"rss_mb"`
	Idle      float64 `json:"rss_idle_mb"`
	P50       float64 `json:"delay_p50_ms"`
	P99       float64 `json:"delay_p99_ms"`
}

// forwarding is a server beside the least that a pion server can do.
type forwarding struct {
	Packets, PerMega, FloorPerMega, Times figure
	MBPerViewer, DelayP50, DelayP99       figure
}

func (f forwarding) line() string {
	return fmt.Sprintf("%.0f packets, %.1f s of processor time per million, bare forwarder %.1f: %.2f times; %.2f MB per viewer; delay %.1f/%.1f ms",
		f.Packets, f.PerMega, f.FloorPerMega, f.Times, f.MBPerViewer, f.DelayP50, f.DelayP99)
}

// beside compares a server with the floor.
func (s forwarded) beside(floor forwarded) (forwarding, error) {
	if s.Receiving != viewers || floor.Receiving != viewers {
		return forwarding{}, fmt.Errorf("%d viewers receive something, of the bare forwarder %d; want %d", s.Receiving, floor.Receiving, viewers)
	}
	return forwarding{Packets: figure(s.Packets), PerMega: figure(s.PerMega), FloorPerMega: figure(floor.PerMega), Times: figure(s.PerMega / floor.PerMega),
		MBPerViewer: figure((s.RSS - s.Idle) / viewers), DelayP50: figure(s.P50), DelayP99: figure(s.P99)}, nil
}

// forward measures what a server spends on sending one publisher to many, all
// in a namespace of its own on loopback. The bare forwarder is measured just
// before, once a seed: what else the machine does falls on both.
func (b *bench) forward(ctx context.Context, r row, subject string, seed int) (figures, error) {
	folder, err := os.MkdirTemp(b.dir, "forward-")
	if err != nil {
		return figures{}, fmt.Errorf("making a folder: %w", err)
	}
	defer os.RemoveAll(folder)
	ns := fmt.Sprintf("sfu%df", os.Getpid())
	defer removeNamespaces(ns)
	for _, args := range [][]string{{"netns", "add", ns}, {"-n", ns, "link", "set", "lo", "up"}, {"-n", ns, "addr", "add", cityIP + "/32", "dev", "lo"}} {
		if err := command(ctx, "", nil, "ip", args...); err != nil {
			return figures{}, err
		}
	}
	floor, known := b.floors[seed]
	if !known {
		if floor, _, err = b.forwardOf(ctx, "floor", folder, ns); err != nil {
			return figures{}, fmt.Errorf("measuring the bare forwarder: %w", err)
		}
		if b.floors == nil {
			b.floors = map[int]forwarded{}
		}
		b.floors[seed] = floor
	}
	got, e, err := b.forwardOf(ctx, subject, folder, ns)
	if err != nil {
		return figures{}, err
	}
	f := figures{Ran: figure(e.Ran), Waited: figure(e.Waited), Others: figure(100 * e.Others), Spoiled: e.spoiled()}
	if f.Forward, err = got.beside(floor); err != nil {
		return figures{}, err
	}
	raw, err := json.Marshal(map[string]forwarded{"server": got, "floor": floor})
	if err != nil {
		return figures{}, fmt.Errorf("writing the result: %w", err)
	}
	return f, b.save(kept{Row: r.key, Server: subject, Seed: seed, Figures: f, Effort: e, Raw: raw})
}

// forwardOf starts a server and has fwdbench publish and watch.
func (b *bench) forwardOf(ctx context.Context, subject, folder, ns string) (forwarded, effort, error) {
	server, args, err := b.forwarder(ctx, subject, folder, ns)
	if server != nil {
		defer server.stop()
	}
	if err != nil {
		return forwarded{}, effort{}, err
	}
	args = append(args, "-n", fmt.Sprint(viewers), "-seconds", fmt.Sprint(forwardSeconds), "-pid", fmt.Sprint(server.pid()))
	p, err := start(ctx, filepath.Join(folder, "fwdbench.log"), ns, nil, filepath.Join(b.dir, "fwdbench"), args...)
	if err != nil {
		return forwarded{}, effort{}, err
	}
	defer p.stop()
	w := begin(server.pid(), p.pid())
	var e effort
	for end := time.Now().Add((forwardSeconds + 4) * time.Second); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(time.Second) {
		e = w.end() // before it ends, for then its threads are gone
	}
	if err := p.await(ctx, time.Minute, p.says(`"cpu_s_per_million_packets"`)); err != nil {
		return forwarded{}, e, err
	}
	var got forwarded
	if err := json.Unmarshal([]byte(p.printed()), &got); err != nil {
		return got, e, fmt.Errorf("reading what fwdbench measured: %w: %s", err, p.printed())
	}
	return got, e, nil
}

// forwarder starts a server and says how fwdbench reaches it.
func (b *bench) forwarder(ctx context.Context, subject, folder, ns string) (*process, []string, error) {
	switch subject {
	case "floor":
		address := cityIP + ":9100"
		p, err := start(ctx, filepath.Join(folder, "floor.log"), ns, nil, filepath.Join(b.dir, "floor"), "-bare", "-addr", address)
		if err != nil {
			return nil, nil, err
		}
		time.Sleep(time.Second) // it says nothing when it is ready
		return p, []string{"-server", "floor", "-url", "http://" + address}, nil
	case "livekit":
		p, err := b.livekitServer(ctx, folder, ns, "\n  enable_loopback_candidate: true")
		return p, []string{"-server", "livekit", "-url", "ws://" + livekitAddress}, err
	}
	// The data is made by a process before: what that needed is not the viewers'.
	if _, err := os.Stat(filepath.Join(b.data, "demo.json")); err != nil {
		first, _, err := b.demo(ctx, folder, ns)
		first.stop()
		if err != nil {
			return nil, nil, err
		}
	}
	p, people, err := b.demo(ctx, folder, ns, "--call-limit", fmt.Sprint(viewers+10))
	for _, u := range people {
		if u.Role == "admin" {
			room := "http://" + siraAddress + "/%s/forward"
			return p, []string{"-server", "whip", "-whip", fmt.Sprintf(room, "whip"), "-whep", fmt.Sprintf(room, "whep"), "-token", u.Token}, err
		}
	}
	if err == nil {
		err = fmt.Errorf("the demo has no administrator")
	}
	return p, nil, err
}
