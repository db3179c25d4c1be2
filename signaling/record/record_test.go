package record

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"sira/sfu"
)

var began = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

func after(s float64) time.Time { return began.Add(time.Duration(s * float64(time.Second))) }

// carry adds what a link of so many kbit/s carries in a look.
func carry(o sfu.Observation, voice, picture, repair uint64) sfu.Observation {
	for t, k := range [...]uint64{voice, picture, repair} {
		o.Down[t] += k * 1000 / 8 * uint64(Every/time.Second)
		o.Up[t] += k * 1000 / 16 * uint64(Every/time.Second)
	}
	o.Delivered += (voice + picture + repair) * 1000 / 8 * 2
	return o
}

func TestTotals(t *testing.T) {
	c := New("r", began)
	p := c.Enter(Key{User: "u"}, Who{"Nom", "clinician"}, began)
	p.Link(true, after(1))
	o := sfu.Observation{Connected: true, Path: "udp", RTT: 300 * time.Millisecond, Estimate: 200_000}
	for i := 1; i <= 30; i++ {
		o = carry(o, 32, 100, 8)
		o.UpExpected, o.UpLost, o.DownTold, o.DownLost = o.UpExpected+100, o.UpLost+2, o.DownTold+50, o.DownLost+2
		if i == 10 {
			o.Estimate = 120_000
		}
		p.Sample(o, after(float64(2*i)))
	}
	p.Report(Report{Voice: 58, Usable: 57, ConcealedMs: 700, Freezes: 1, FrozenMs: 900, FirstAudioMs: 1650, FirstVideoMs: 2900, Width: 320, Height: 240, FPS: 12}, after(60))
	// Cut: noticed four seconds late, heard of again at 80, media at 81.5.
	p.Link(false, after(70))
	p.Knock(after(80))
	p.Knock(after(81))
	p.Link(true, after(81.5))
	// What went into the dead link is not lost once more.
	o.UpExpected, o.UpLost, o.DownTold, o.DownLost = o.UpExpected+300, o.UpLost+280, o.DownTold+90, o.DownLost+80
	p.Sample(o, after(84))
	o.UpExpected, o.DownTold = o.UpExpected+100, o.DownTold+50
	p.Sample(o, after(88))
	c.Enter(Key{User: "v"}, Who{}, after(10)).Leave(after(40))
	p.Leave(after(100))
	p.Leave(after(120))

	got, ok := c.Of("u", after(200))
	want := Totals{Seconds: 100, Voice: 58, Usable: 57, ConcealedMs: 700, Freezes: 1, FrozenMs: 900, FirstAudioMs: 1650, FirstVideoMs: 2900,
		RTTMs: 300, LossUp: 19, LossDown: 38, EstimateKbps: 144, LeastKbps: 120, DeliveredKbps: 140,
		Up:   Bytes{"voice": 16 * 125 * 60, "picture": 50 * 125 * 60, "repair": 4 * 125 * 60},
		Down: Bytes{"voice": 32 * 125 * 60, "picture": 100 * 125 * 60, "repair": 8 * 125 * 60},
		Path: "udp", Outages: 1, OutageMs: 15500, LongestMs: 15500, ResumeMs: 1500}
	if !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("totals\n%+v, want\n%+v", got, want)
	}
	if _, ok := c.Of("nobody", after(200)); ok {
		t.Error("totals of somebody who was not there")
	}
	if s := c.Sum(after(200)); s != (Sum{Seconds: 100, People: 2, Voice: 58, Usable: 57, Outages: 1, OutageMs: 15500, LongestMs: 15500}) {
		t.Errorf("sum %+v", s)
	}
	v := c.View(after(10).UnixMilli(), after(200)).People[0]
	if n := len(v.Samples.At); n != 27 || len(v.Samples.Down["picture"]) != n || v.Samples.Down["picture"][0] != 100 || v.Samples.LossUp[0] != 20 || v.Samples.LossUp[25] != 0 || v.Here {
		t.Errorf("view %+v", v)
	}
	if len(v.Samples.Cut) != 0 || len(v.Outages) != 1 || v.Outages[0].At != after(66).UnixMilli() {
		t.Errorf("cut %v, outages %+v", v.Samples.Cut, v.Outages)
	}
}

// TestComingBack: who comes anew goes on with their line; a cut that drove
// them out was an outage, and one that nobody came back from is none.
func TestComingBack(t *testing.T) {
	c := New("r", began)
	p := c.Enter(Key{User: "u"}, Who{}, began)
	p.Link(true, began)
	p.Sample(carry(sfu.Observation{Connected: true}, 8, 0, 0), after(2))
	p.Report(Report{Voice: 10, Usable: 9, FrozenMs: 100, FirstAudioMs: 900}, after(10))
	p.Link(false, after(14))
	p.Leave(after(20))
	if got, _ := c.Of("u", after(20)); got.Seconds != 10 || got.Outages != 0 {
		t.Errorf("left while cut: %+v", got)
	}
	if c.Enter(Key{User: "u"}, Who{}, after(30)) != p {
		t.Fatal("another line")
	}
	p.Link(true, after(31))
	p.Sample(carry(sfu.Observation{Connected: true}, 8, 0, 0), after(32))
	p.Report(Report{Voice: 5, Usable: 5, FirstAudioMs: 500}, after(40))
	got, _ := c.Of("u", after(40))
	if got.Seconds != 20 || got.Voice != 15 || got.Usable != 14 || got.Outages != 1 || got.OutageMs != 21000 || got.FirstAudioMs != 900 || got.Down["voice"] != 2*2000 {
		t.Errorf("back: %+v", got)
	}
	p.Link(false, after(44))
	if got, _ = c.Of("u", after(50)); got.Outages != 2 || got.OutageMs != 31000 {
		t.Errorf("an outage that goes on: %+v", got)
	}
	if v := c.View(0, after(50)).People[0].Outages; len(v) != 2 || !v[1].Going || v[1].Ms != 10000 {
		t.Errorf("outages %+v", v)
	}
}

// TestOneOutage: a link that flickers while it comes back was cut once.
func TestOneOutage(t *testing.T) {
	c := New("r", began)
	p := c.Enter(Key{User: "u"}, Who{}, began)
	p.Link(true, began)
	p.Link(false, after(14))
	p.Knock(after(20))
	p.Link(true, after(21))
	p.Link(false, after(23)) // silent since 21 at the earliest
	p.Link(true, after(26))
	if got, _ := c.Of("u", after(60)); got.Outages != 1 || got.OutageMs != 16_000 || got.ResumeMs != 6000 {
		t.Errorf("%+v", got)
	}
	p.Link(false, after(40))
	p.Link(true, after(41))
	got, _ := c.Of("u", after(60))
	if v := c.View(0, after(60)).People[0].Outages; got.Outages != 2 || got.OutageMs != 21_000 || len(v) != 2 || v[1].At != after(36).UnixMilli() {
		t.Errorf("%+v, %+v", got, v)
	}
}

// TestBounds: a call of days, cut every few seconds, with a hundred people,
// stays small.
func TestBounds(t *testing.T) {
	c := New("r", began)
	var p *Person
	for i := range 100 {
		p = c.Enter(Key{User: string(rune('A' + i))}, Who{}, began)
	}
	p.Link(true, began) // one that is not recorded harms nothing
	p = c.people[0]
	for i := 1; i <= 5000; i++ {
		p.Sample(sfu.Observation{Connected: i%5 != 0}, after(float64(2*i)))
	}
	if len(c.people) != peopleKept || len(p.samples) != samplesKept || cap(p.samples) > samplesKept || len(p.outages) != outagesKept {
		t.Errorf("%d people, %d samples, %d outages", len(c.people), len(p.samples), len(p.outages))
	}
	got, _ := c.Of("A", after(10000))
	if got.Outages != 1000 {
		t.Errorf("%d outages counted", got.Outages)
	}
	v := c.View(0, after(10000))
	if n := len(v.People[0].Samples.At); n != samplesKept || v.People[0].Samples.At[n-1] != after(10000).UnixMilli() {
		t.Errorf("%d samples, the newest at %d", n, v.People[0].Samples.At[n-1])
	}
	if raw, _ := json.Marshal(v); len(raw) > 40_000 {
		t.Errorf("%d bytes", len(raw))
	}
}

// TestLies: a browser says what it likes of itself only, and time binds it.
func TestLies(t *testing.T) {
	for _, r := range []Report{{Voice: -1}, {Voice: 3, Usable: 4}, {ConcealedMs: -5}, {FPS: 5000}, {Width: 1 << 20}, {FirstAudioMs: 1 << 31}, {Freezes: 1 << 30}} {
		if r.Check() == nil {
			t.Errorf("%+v is taken", r)
		}
	}
	c := New("r", began)
	liar, honest := c.Enter(Key{User: "liar"}, Who{}, began), c.Enter(Key{User: "honest"}, Who{}, began)
	honest.Report(Report{Voice: 9, Usable: 9}, after(10))
	liar.Report(Report{Voice: 100_000, Usable: 100_000, FrozenMs: 1 << 29, Freezes: 100_000, ConcealedMs: 1 << 29, FirstAudioMs: 1 << 29}, after(10))
	got, _ := c.Of("liar", after(10))
	if got.Voice > 25 || got.Usable > 25 || got.FrozenMs > 200_000 || got.Freezes > 1000 || got.ConcealedMs > 200_000 || got.FirstAudioMs > 25_000 {
		t.Errorf("a lie of %+v", got)
	}
	liar.Report(Report{}, after(12)) // figures only grow
	liar.Report(Report{Voice: -7}, after(12))
	if again, _ := c.Of("liar", after(10)); again.Voice != got.Voice || again.Freezes != got.Freezes {
		t.Errorf("shrunk to %+v", again)
	}
	if got, _ := c.Of("honest", after(10)); got.Voice != 9 || got.Usable != 9 {
		t.Errorf("somebody else's figures: %+v", got)
	}
	liar.Leave(after(20))
	liar.Report(Report{Voice: 30}, after(30))
	if got, _ := c.Of("liar", after(30)); got.Voice > 25 {
		t.Errorf("after leaving: %+v", got)
	}
}

func TestSign(t *testing.T) {
	c := New("r", began)
	p := c.Enter(Key{User: "u"}, Who{}, began)
	o, n := sfu.Observation{}, 0
	speak := uint64(0)
	look := func(lossDown uint64, want Sign) {
		t.Helper()
		n++
		o = carry(o, speak, 0, 0)
		o.DownTold, o.DownLost = o.DownTold+1000, o.DownLost+lossDown
		if got := p.Sample(o, after(float64(2*n))); got != want {
			t.Errorf("look %d: %q, want %q", n, got, want)
		}
	}
	look(0, Unknown)
	o.Connected = true
	look(20, Good)
	look(200, Weak) // the mean of what was seen
	look(0, Weak)
	look(0, Weak)
	look(0, Weak)
	look(0, Weak)
	look(0, Good)
	o.Connected = false
	look(0, Cut)
	o.Connected = true
	look(0, Good)
	o.RTT = 1200 * time.Millisecond
	look(0, Good)
	look(0, Good)
	look(0, Weak)
	o.RTT, o.Estimate = 0, 30_000 // that nobody needs
	look(0, Weak)
	look(0, Weak)
	look(0, Good)
	speak = 26
	look(0, Good)
	look(0, Good)
	look(0, Weak)
	o.Estimate = 90_000
	look(0, Weak)
	look(0, Weak)
	look(0, Good)
	p.Report(Report{Voice: 20}, after(float64(2*n)))
	look(0, Good) // what is not heard may be the others' fault
}
