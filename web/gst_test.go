package web

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	rtpfile "github.com/pion/webrtc/v4/pkg/media"
	"github.com/pion/webrtc/v4/pkg/media/h264writer"
	"github.com/pion/webrtc/v4/pkg/media/ivfwriter"

	"sira/sfu"
	"sira/signaling"
)

// gst is a device or screen of GStreamer's webrtcbin: another implementation
// than the one we are built on (testdata/gst_whip.py).
type gst struct {
	t      *testing.T
	stdin  io.WriteCloser
	events chan gstEvent
	kill   func()
	stderr bytes.Buffer
}

type gstEvent struct {
	Event, State, Kind, Why, Offer, Answer string
	Status, Buffers                        int
	Pixel                                  []int
}

// needsGST leaves the test out, loudly, where there is no GStreamer.
func needsGST(t *testing.T) {
	t.Helper()
	check := "import gi; gi.require_version('GstWebRTC','1.0'); from gi.repository import Gst; Gst.init(None); " +
		"assert all(Gst.ElementFactory.find(n) for n in ('webrtcbin','nicesrc','dtlsdec','srtpdec','vp8enc','vp9enc','openh264enc','opusenc','videotestsrc'))"
	if out, err := exec.Command("/usr/bin/python3", "-c", check).CombinedOutput(); err != nil {
		if os.Getenv("SIRA_TEST_STRICT") == "1" {
			t.Fatalf("GStreamer is missing: %v %s", err, out)
		}
		t.Skipf("NOT RUN: no GStreamer with webrtcbin for Python: %v", err)
	}
}

func (w *world) newGST(user string, args ...string) *gst {
	w.t.Helper()
	cmd := exec.Command("/usr/bin/python3", append([]string{filepath.Join("testdata", "gst_whip.py")}, args...)...)
	cmd.Env = append(os.Environ(), "SIRA_TOKEN="+w.token[user])
	g := &gst{t: w.t, events: make(chan gstEvent, 1000)}
	cmd.Stderr = &g.stderr
	g.stdin = must[io.WriteCloser](w.t)(cmd.StdinPipe())
	out := must[io.ReadCloser](w.t)(cmd.StdoutPipe())
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() {
		defer close(g.events)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var e gstEvent
			if json.Unmarshal(lines.Bytes(), &e) == nil {
				g.events <- e
			}
		}
	}()
	g.kill = sync.OnceFunc(func() {
		_ = g.stdin.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	w.t.Cleanup(g.kill)
	return g
}

// wait reads what the program says until it is what is wanted.
func (g *gst) wait(what string, ok func(gstEvent) bool) gstEvent {
	g.t.Helper()
	late := time.After(60 * time.Second)
	var heard []string
	for {
		select {
		case e, more := <-g.events:
			if more && ok(e) {
				return e
			}
			if !more || e.Event == "error" {
				g.t.Fatalf("waiting for %s: ended: %s\n%s\n%s", what, e.Why, strings.Join(heard, "\n"), g.stderr.String())
			}
			heard = append(heard, fmt.Sprintf("%+v", e))
		case <-late:
			g.t.Fatalf("not heard: %s\n%s\n%s", what, strings.Join(heard, "\n"), g.stderr.String())
		}
	}
}

func (g *gst) command(c string) {
	g.t.Helper()
	if _, err := io.WriteString(g.stdin, c+"\n"); err != nil {
		g.t.Fatal(err)
	}
}

func (g *gst) status(event string, want int) gstEvent {
	g.t.Helper()
	e := g.wait(event, func(e gstEvent) bool { return e.Event == event })
	if e.Status != want {
		g.t.Fatalf("%s: %d, want %d: %s", event, e.Status, want, e.Answer)
	}
	return e
}

func decodes(kind string, n int) func(gstEvent) bool {
	return func(e gstEvent) bool { return e.Event == "decoded" && e.Kind == kind && e.Buffers >= n }
}

// reachable is a world whose media has an address besides loopback's: libnice,
// GStreamer's ICE, leaves loopback out.
func reachable(t *testing.T) *world {
	t.Helper()
	addressed(t)
	var own *sfu.SFU
	w := newWorld(t, func(c *Config) {
		own = must[*sfu.SFU](t)(sfu.New(sfu.Config{UDPAddr: ":0", Logger: c.Logger}))
		c.SFU, c.Signaling = own, signaling.New(own, signaling.Options{Logger: c.Logger})
	})
	stop := w.stop
	w.stop = sync.OnceFunc(func() {
		stop()
		if err := own.Close(context.Background()); err != nil {
			t.Errorf("closing media: %v", err)
		}
	})
	return w
}

var addressing sync.Mutex

// addressed gives a machine that has loopback only an address of its own, to
// which nothing is connected. It stays: tests beside this one use it.
func addressed(t *testing.T) {
	t.Helper()
	addressing.Lock()
	defer addressing.Unlock()
	for _, i := range must[[]net.Interface](t)(net.Interfaces()) {
		addrs, _ := i.Addrs()
		if i.Flags&net.FlagLoopback == 0 && i.Flags&net.FlagUp != 0 && len(addrs) > 0 {
			return
		}
	}
	for _, args := range []string{"link add siratest type veth peer name siratest2", "addr add 192.0.2.77/32 dev siratest", "link set siratest2 up", "link set siratest up"} {
		if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			t.Fatalf("no address besides loopback, and none to be had: ip %s: %v: %s", args, err, out)
		}
	}
}

// viewer is in the call as a browser is, by one exchange, and keeps what
// picture it receives.
type viewer struct {
	w    *world
	pc   *webrtc.PeerConnection
	mu   sync.Mutex
	seen map[string][]*rtp.Packet // by MIME type
}

func (w *world) newViewer(user, room string) *viewer {
	w.t.Helper()
	v := &viewer{w: w, pc: w.newCart(user, false).pc, seen: map[string][]*rtp.Packet{}}
	v.pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		for {
			p, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			v.take(track.Codec().MimeType, p)
		}
	})
	d := must[webrtc.SessionDescription](w.t)(v.pc.CreateOffer(nil))
	if err := v.pc.SetLocalDescription(d); err != nil {
		w.t.Fatal(err)
	}
	var joined struct{ Token, SDP string }
	w.want(200, w.do(user, "POST", "/api/calls/"+room, map[string]any{"type": "join", "sdp": v.pc.LocalDescription().SDP})).json(w.t, &joined)
	if err := v.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: joined.SDP}); err != nil {
		w.t.Fatal(err)
	}
	conn, _ := w.dial(user, "/api/calls/"+room)
	w.t.Cleanup(func() { conn.Close() })
	if err := conn.WriteJSON(map[string]any{"type": "resume", "token": joined.Token}); err != nil {
		w.t.Fatal(err)
	}
	hear(w.t, conn, "resumed")
	go func() { // what is said must be read, or the connection stands
		_ = conn.SetReadDeadline(time.Time{})
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				return
			}
		}
	}()
	return v
}

// take keeps a packet in its place, once: what was repaired, and what a link
// is tried with, comes again.
func (v *viewer) take(mime string, p *rtp.Packet) {
	v.mu.Lock()
	defer v.mu.Unlock()
	list := v.seen[mime]
	at, known := slices.BinarySearchFunc(list, p, func(a, b *rtp.Packet) int {
		return int(int16(a.SequenceNumber - b.SequenceNumber))
	})
	if !known {
		v.seen[mime] = slices.Insert(list, at, p)
	}
}

// packets waits for so many of one type.
func (v *viewer) packets(mime string, n int) []*rtp.Packet {
	v.w.t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for {
		v.mu.Lock()
		have := slices.Clone(v.seen[mime])
		v.mu.Unlock()
		if len(have) >= n {
			return have
		}
		if time.Now().After(deadline) {
			v.w.t.Fatalf("%d packets of %s; logs %s", len(have), mime, v.w.logs)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// decode has ffmpeg decode received packets, and gives each picture's middle
// pixel, RGB.
func decode(t *testing.T, mime string, packets []*rtp.Packet) (middles [][]byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "received")
	var file rtpfile.Writer
	var err error
	if mime == webrtc.MimeTypeH264 {
		file, err = h264writer.New(path)
	} else {
		file, err = ivfwriter.New(path, ivfwriter.WithCodec(mime))
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packets {
		if err := file.WriteRTP(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("ffmpeg", "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "320x240", "-")
	var said bytes.Buffer
	cmd.Stderr = &said
	raw, err := cmd.Output()
	if err != nil {
		t.Fatalf("decoding: %v %s", err, said.String())
	}
	const picture = 320 * 240 * 3
	for at := 0; at+picture <= len(raw); at += picture {
		middle := at + 120*320*3 + 160*3
		middles = append(middles, raw[middle:middle+3])
	}
	return middles
}

func red(rgb []int) bool { return len(rgb) == 3 && rgb[0] > 200 && rgb[1] < 60 && rgb[2] < 60 }

// TestGStreamerPublishes: a cart of GStreamer publishes its picture and sound
// by WHIP into a call, in each codec that browsers have; who is in the call
// can decode it, also when it was cut and published anew; its candidates are
// taken, and it leaves.
func TestGStreamerPublishes(t *testing.T) {
	needsGST(t)
	for _, mime := range []string{webrtc.MimeTypeVP8, webrtc.MimeTypeVP9, webrtc.MimeTypeH264} {
		t.Run(strings.TrimPrefix(mime, "video/"), func(t *testing.T) {
			t.Parallel() // most of it is waiting for pictures
			w := reachable(t)
			id := w.open("cardio")
			codec := strings.TrimPrefix(mime, "video/")
			cart := w.newGST("clin", "whip", w.http.URL+"/whip/"+id, codec)
			answer := cart.status("post", 201).Answer
			if strings.Count(answer, "a=recvonly") != 2 { // RFC 9725, 4.2; it offers to receive too
				t.Errorf("answer: %s", answer)
			}
			cart.status("trickle", 204)
			v := w.newViewer("cardio", id)
			v.packets(webrtc.MimeTypeOpus, 20)
			middles := decode(t, mime, v.packets(mime, 60))
			if len(middles) < 10 {
				t.Fatalf("%d pictures", len(middles))
			}
			for _, m := range middles {
				if !red([]int{int(m[0]), int(m[1]), int(m[2])}) {
					t.Fatalf("a picture of colour %v", m)
				}
			}
			// It loses its network without a word and comes by another one:
			// webrtcbin cannot restart ICE, so it publishes anew.
			cart.kill()
			cart = w.newGST("clin", "whip", w.http.URL+"/whip/"+id, codec)
			cart.status("post", 201)
			if more := decode(t, mime, v.packets(mime, 120)); len(more) < len(middles)+10 {
				t.Errorf("%d pictures, and %d when it came back", len(middles), len(more))
			}
			cart.command("end")
			cart.status("end", 200)
			if people := w.cfg.Signaling.Participants(id); len(people) != 1 || people[0].Via != "" {
				t.Errorf("after leaving: %+v", people)
			}
		})
	}
}

// TestGStreamerWatches: a screen of GStreamer plays by WHEP what a cart of
// GStreamer publishes.
func TestGStreamerWatches(t *testing.T) {
	needsGST(t)
	w := reachable(t)
	id := w.open("cardio")
	cart := w.newGST("clin", "whip", w.http.URL+"/whip/"+id)
	cart.status("post", 201)
	screen := w.newGST("cardio", "whep", w.http.URL+"/whep/"+id)
	screen.status("post", 201)
	if e := screen.wait("pictures", decodes("video", 20)); !red(e.Pixel) {
		t.Errorf("a picture of colour %v", e.Pixel)
	}
	screen.wait("sound", decodes("audio", 20))
	if people := w.cfg.Signaling.Participants(id); len(people) != 2 || people[0].Via != signaling.Publish || people[1].Via != signaling.Watch {
		t.Errorf("participants %+v", people)
	}
	screen.command("end")
	screen.status("end", 200)
}
