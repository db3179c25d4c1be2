package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"sira/cmd/benchdoc"
)

// at is a sample of one audio and one video stream, t seconds after the click.
func at(t, packets, lost, concealed, samples, frames, frozen, height float64) sample {
	return sample{T: clickTime + 1000*t, Stats: []stat{
		{ID: "a", Type: "inbound-rtp", Kind: "audio", PacketsReceived: packets, PacketsLost: lost, BytesReceived: packets * 100, ConcealedSamples: concealed, TotalSamplesReceived: samples},
		{ID: "v", Type: "inbound-rtp", Kind: "video", FramesDecoded: frames, TotalFreezesDuration: frozen, FrameWidth: height * 4 / 3, FrameHeight: height, BytesReceived: frames * 1000, CodecID: "c"},
		{ID: "c", Type: "codec", MimeType: "video/VP9"},
	}}
}

const clickTime = 1_000_000

func near(t *testing.T, what string, got figure, want float64) {
	t.Helper()
	if math.Abs(float64(got)-want) > 1e-9 || got.absent() {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestReceived(t *testing.T) {
	all := []sample{at(0, 0, 0, 0, 0, 0, 0, 120), at(10, 100, 0, 50_000, 480_000, 100, 5, 120),
		at(11, 110, 1, 50_000, 528_000, 112, 5, 240), at(12, 120, 1, 50_480, 576_000, 112, 5, 240), at(13, 130, 2, 50_480, 624_000, 112, 6.5, 240), at(14, 140, 2, 50_480, 672_000, 136, 6.5, 240)}
	d := received(all, clickTime+10_000, math.Inf(1), none)
	near(t, "voice", d.AudioKbps, 40*100*8/1000.0/4)
	near(t, "concealed", d.Concealed, 100*480/192_000.0)
	near(t, "lost", d.AudioLost, 100*2/42.0)
	near(t, "pictures", d.FPS, 36/4.0)
	near(t, "frozen", d.Frozen, 1.5*60/4)
	near(t, "without", d.Still, 2*60/4.0)
	near(t, "gap", d.Gap, 3)
	near(t, "height", d.Height, 240)
	if d.Codec != "video/VP9" || !d.Back.absent() {
		t.Errorf("%q, back %v", d.Codec, d.Back)
	}
	if d := received(all[:1], 0, math.Inf(1), none); !d.Concealed.absent() || !d.FPS.absent() || d.speaks() {
		t.Errorf("figures of nothing: %+v", d)
	}
}

// TestLegible: between large pictures of the video, a single picture counts as
// one, a small one does not.
func TestLegible(t *testing.T) {
	all := []sample{at(0, 1, 0, 0, 1, 0, 0, 160), at(4, 2, 0, 0, 2, 1, 0, 160), at(5, 3, 0, 0, 3, 1, 0, 160), at(9, 4, 0, 0, 4, 2, 0, 160)}
	all[2].Stills, all[2].StillLines, all[3].Stills, all[3].StillLines = 1, 480, 2, 120
	d := received(all, clickTime, math.Inf(1), none)
	near(t, "gap", d.Gap, 5)
	near(t, "stills", d.Stills, 2)
}

// TestReceivedOfAnother connection: its counters begin anew, and count whole.
func TestReceivedOfAnother(t *testing.T) {
	later := at(2, 30, 0, 0, 96_000, 10, 0, 240)
	for i := range later.Stats {
		later.Stats[i].PC = 1
	}
	d := received([]sample{at(0, 500, 0, 0, 480_000, 100, 0, 240), later}, clickTime, math.Inf(1), none)
	near(t, "voice", d.AudioKbps, 30*100*8/1000.0/2)
	near(t, "pictures", d.FPS, 5)
}

func TestReturned(t *testing.T) {
	all := []sample{at(70, 100, 0, 0, 1, 0, 0, 0), at(71, 100, 0, 0, 1, 0, 0, 0), at(71.2, 101, 0, 0, 1, 0, 0, 0), at(72, 101, 0, 0, 1, 0, 0, 0),
		at(73, 101, 0, 0, 1, 0, 0, 0), at(73.2, 103, 0, 0, 1, 0, 0, 0), at(73.4, 106, 0, 0, 1, 0, 0, 0)}
	near(t, "one packet is no voice", returned(all, clickTime+70_000), 3.2)
	if v := returned(all[:4], clickTime+70_000); !v.absent() {
		t.Errorf("back after %v although it is not", v)
	}
}

func TestRoundTrips(t *testing.T) {
	pair := func(t, total, n float64) sample {
		return sample{T: clickTime + 1000*t, Stats: []stat{{ID: "p", Type: "candidate-pair", TotalRoundTripTime: total, ResponsesReceived: n}}}
	}
	got := roundTrips([]sample{pair(0, 0.3, 1), pair(1, 0.6, 2), pair(2, 0.6, 2), pair(3, 1.4, 4)}, clickTime+2000)
	if len(got) != 1 || math.Abs(got[0]-400) > 1e-9 {
		t.Errorf("%v", got)
	}
	near(t, "95 %", quantile([]float64{5, 1, 4, 2, 3}, 0.95), 5)
	if !quantile(nil, 0.5).absent() {
		t.Error("a quantile of nothing")
	}
}

func TestFigures(t *testing.T) {
	person := rawPerson{Clicked: clickTime, Samples: []sample{at(0, 0, 0, 0, 0, 0, 0, 240), at(5, 50, 0, 0, 240_000, 50, 0, 240), at(15, 150, 0, 0, 720_000, 170, 0, 240)}}
	person.First.Audio = clickTime + 1400
	raw, err := json.Marshal(rawCall{City: person, Rural: person})
	if err != nil {
		t.Fatal(err)
	}
	log := `linkem: ready
{"Time":"1970-01-01T00:16:45.5Z","Up":{"In":100,"DeliveredBytes":1000,"QueueDrop":0},"Down":{"In":10,"DeliveredBytes":0}}
{"Time":"1970-01-01T00:16:54.5Z","Up":{"In":200,"DeliveredBytes":145000,"QueueDrop":5,"MaxQueueWait":80000000},"Down":{"In":10,"DeliveredBytes":288000}}
{"Time":"1970-01-01T00:16:5`
	f, err := measured{raw: raw, link: parseCounters(log), slowed: time.UnixMilli(clickTime)}.figures(rows[0], 5)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "first sound", f.FirstAudio, 1.4)
	near(t, "link used down", f.UsedDown, 100)
	near(t, "link used up", f.UsedUp, 50)
	near(t, "dropped", f.QueueDropUp, 5)
	if !f.TwoWay || !f.FirstVideo.absent() || !strings.Contains(f.line(), "1.40 s") {
		t.Errorf("%+v\n%s", f, f.line())
	}
	if text, err := json.Marshal(f); err != nil || !strings.Contains(string(text), `"FirstVideo":null`) {
		t.Errorf("%s: %v", text, err)
	}
	if _, err := (measured{raw: json.RawMessage("{}")}).figures(rows[0], 5); err == nil {
		t.Error("figures of a call that nobody joined")
	}
}

func TestTable(t *testing.T) {
	got := results{}
	for _, v := range []figure{0.1, 0.3, 0.15} {
		f := figures{TwoWay: true}
		f.Down.Concealed, f.Up.Concealed = v, 0.01
		got.add("x", "ours", f)
		f.Down.Concealed = 4 * v
		got.add("x", "tuned", f)
		f.Down.Concealed, f.TwoWay = none, false
		got.add("x", "livekit", f)
	}
	r := row{key: "x", label: "a link", kbps: 256, metrics: []metric{concealed(0.2)}}
	a := about{Run: benchdoc.Run{Begun: time.Date(2026, 11, 29, 9, 45, 7, 0, time.UTC), Took: 3 * time.Minute, Commit: "abc", Args: []string{"-rows", "x"}}, Measured: "3 seeds."}
	text := report(a, []row{r}, got)
	a.Load, a.LoadAfter = "1.22", "0.40"
	loaded, _, _ := strings.Cut(report(a, nil, nil), "\n")
	for _, want := range []string{
		"2026-11-29 09:45, commit abc, on " + benchdoc.Machine() + ". The run took 3m0s. Command: `go run ./cmd/bench-sfu -rows x`. 3 seeds.\n\n|",
		"| a link | calls with voice both ways | 0 of 3 default, 3 of 3 tuned | 3 of 3 | all | yes |",
		"|  | voice concealed, % | 1.20 (0.60) tuned | 0.30 (0.15) | ≤ 0.2 | **no** |",
		"- a link: voice concealed, %: 0.30 instead of ≤ 0.2",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("not in the report: %s\n%s", want, text)
		}
	}
	if want := "2026-11-29 09:45, commit abc, on " + benchdoc.Machine() + ". Load average of the machine (one minute): 1.22 before, 0.40 after. The run took 3m0s. Command: `go run ./cmd/bench-sfu -rows x`. 3 seeds."; loaded != want {
		t.Errorf("%s\ninstead of\n%s", loaded, want)
	}
	if c := r.metrics[0].cell(got[[2]string{"x", "livekit"}]); c != "none (none)" {
		t.Errorf("calls without voice: %q", c)
	}
	if v := verdict(fps(12), []figures{{Down: direction{FPS: 12}, Up: direction{FPS: 15}}}); v != "yes" {
		t.Errorf("12 of 12: %q", v)
	}
}

func TestForwarding(t *testing.T) {
	floor := forwarded{Receiving: viewers, Packets: 1000, PerMega: 8}
	f, err := forwarded{Receiving: viewers, Packets: 1000, PerMega: 12, RSS: 100, Idle: 70, P99: 3}.beside(floor)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "times", f.Times, 1.5)
	near(t, "per viewer", f.MBPerViewer, 0.5)
	if _, err := (forwarded{Receiving: viewers - 1}).beside(floor); err == nil {
		t.Error("a viewer who receives nothing is passed over")
	}
}

func TestAlike(t *testing.T) {
	got, err := mostAlike("n:1 Y:0.9 U:0.9 V:0.9 All:0.901 (10.1)\nn:2 Y:0.9 U:0.9 V:0.9 All:0.951234 (13.1)\n")
	if err != nil || got != 0.951234 {
		t.Errorf("%v %v", got, err)
	}
	if _, err := mostAlike("nothing"); err == nil {
		t.Error("no statistics are taken for a likeness")
	}
}

func TestSent(t *testing.T) {
	all := []sample{{T: 0, Uploaded: 0}, {T: 1000, Uploaded: 5000}, {T: 3000, Uploaded: 15000}}
	near(t, "sent", sent(all, 1000), 40)
	if !sent(all, 5000).absent() {
		t.Error("a rate of no time")
	}
	all[1].Stats = []stat{{Type: "candidate-pair", Path: "relay tls"}}
	if got := path(all); got != "relay tls" {
		t.Errorf("path %q", got)
	}
}

func TestCertificate(t *testing.T) {
	cert, key, err := certificate(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := pair.Leaf.VerifyHostname(cityIP); err != nil {
		t.Error(err)
	}
}

// TestKept: tables are the same when they are made of what was kept.
func TestKept(t *testing.T) {
	b := &bench{options: options{keep: t.TempDir()}, commit: "abc"}
	f := figures{TwoWay: true, FirstVideo: none, FirstAudio: 1.25}
	f.Down.Concealed, f.Up.Concealed = 0.11, 0.04
	want := results{}
	for seed := 1; seed <= 2; seed++ {
		f.Down.Concealed *= 2
		want.add("256", "ours", f)
		if err := b.save(kept{Row: "256", Server: "ours", Seed: seed, Figures: f, Raw: json.RawMessage("{}")}); err != nil {
			t.Fatal(err)
		}
	}
	a, got, err := load(b.keep)
	if err != nil {
		t.Fatal(err)
	}
	if x, y := report(about{}, rows[:1], got), report(about{}, rows[:1], want); x != y || !strings.Contains(x, "0.44 (0.33)") || a.Commit != "abc" {
		t.Errorf("%s\ninstead of\n%s\n%q", x, y, a.Commit)
	}
	if _, _, err := load(t.TempDir()); err == nil {
		t.Error("an empty folder gives tables")
	}
}

// TestAlone: a second one waits until the first has measured.
func TestAlone(t *testing.T) {
	b := &bench{cache: t.TempDir(), log: io.Discard}
	inside := make(chan bool, 1)
	r := row{measure: func(*bench, context.Context, row, string, int) (figures, error) {
		select {
		case inside <- true:
		default:
			t.Error("two measure at the same time")
		}
		ctx, stop := context.WithCancel(t.Context())
		stop()
		if _, err := b.alone(ctx, row{}, "", 0); !errors.Is(err, context.Canceled) {
			t.Errorf("the second: %v", err)
		}
		<-inside
		return figures{TwoWay: true}, nil
	}}
	for range 2 {
		if f, err := b.alone(t.Context(), r, "", 0); err != nil || !f.TwoWay {
			t.Errorf("%+v %v", f, err)
		}
	}
}

func TestSched(t *testing.T) {
	if got := parseSched("2500000000 500000000 77\n"); got != (thread{2.5, 0.5}) {
		t.Errorf("%+v", got)
	}
	if got := parseBusy("cpu  100 20 300 9999 7777 1 2 50 0 0\ncpu0 1 1 1\n"); math.Abs(got-4.73) > 1e-9 {
		t.Errorf("busy %v", got)
	}
}

func TestOptions(t *testing.T) {
	if o, err := parse([]string{"-quick", "-only", "tuned"}, io.Discard); err != nil || o.seeds != 1 {
		t.Errorf("%+v %v", o, err)
	}
	for _, bad := range [][]string{{"-only", "galene"}, {"-seeds", "0"}, {"more"}, {"-seconds", "1"}} {
		if _, err := parse(bad, io.Discard); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
	if got, err := choose("64,256"); err != nil || len(got) != 2 || got[0].key != "64" {
		t.Errorf("%v %v", got, err)
	}
	if _, err := choose("56k"); err == nil {
		t.Error("a row that is not there")
	}
	away, err := choose("outage")
	if err != nil {
		t.Fatal(err)
	}
	if s := away[0].schedule(); s != "0s both profile=mali-3g-512\n55s both outage=30s\n" {
		t.Errorf("%q", s)
	}
}
