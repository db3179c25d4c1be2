package record

import (
	"time"

	"sira/sfu"
)

// sums are a person's totals in the making.
type sums struct {
	present  time.Duration // of times that ended
	done     Report        // of times that ended
	up, down [sfu.Traffics]uint64

	upExpected, upLost, downTold, downLost uint64

	rtt, rtts                  int64 // ms, looks that told one
	estimate, delivered, looks int64 // kbit/s, while the estimate was known
	least                      int32
	path                       string

	outages              int
	cut, longest, resume time.Duration
}

func (s *sums) add(o, was sfu.Observation, look sample, d time.Duration) {
	for t := range sfu.Traffics {
		s.up[t] += o.Up[t] - was.Up[t]
		s.down[t] += o.Down[t] - was.Down[t]
	}
	s.upExpected += o.UpExpected - was.UpExpected
	s.upLost += o.UpLost - was.UpLost
	s.downTold += o.DownTold - was.DownTold
	s.downLost += o.DownLost - was.DownLost
	if o.Path != "" {
		s.path = o.Path
	}
	if !o.Connected {
		return
	}
	if look.RTTMs > 0 {
		s.rtt += int64(look.RTTMs)
		s.rtts++
	}
	if look.Estimate > 0 && look.Delivered > 0 { // one of a silence is none
		s.estimate += int64(look.Estimate)
		s.delivered += int64(look.Delivered)
		s.looks++
		if s.least == 0 || look.Estimate < s.least {
			s.least = look.Estimate
		}
	}
}

func (s *sums) outage(o Outage) {
	s.outages++
	s.cut += o.Length
	s.longest = max(s.longest, o.Length)
	s.resume = max(s.resume, o.Resume)
}

// undo takes back an outage that had not ended.
func (s *sums) undo(o Outage) {
	s.outages--
	s.cut -= o.Length
}

// keep adds the report of a time that ended.
func (s *sums) keep(r Report) { s.done = s.done.plus(r) }

func (r Report) plus(o Report) Report {
	return Report{
		Voice: r.Voice + o.Voice, Usable: r.Usable + o.Usable, ConcealedMs: r.ConcealedMs + o.ConcealedMs,
		Freezes: r.Freezes + o.Freezes, FrozenMs: r.FrozenMs + o.FrozenMs,
		FirstAudioMs: first(r.FirstAudioMs, o.FirstAudioMs, timeMost), FirstVideoMs: first(r.FirstVideoMs, o.FirstVideoMs, timeMost),
		Width: o.Width, Height: o.Height, FPS: o.FPS,
	}
}

// Totals are what a call came to for one person. Seconds, milliseconds,
// kbit/s, bytes; losses in ‰, before repair.
type Totals struct {
	Seconds       int   `json:"seconds"`     // in the call
	Voice         int   `json:"voice"`       // of these, with somebody to hear
	Usable        int   `json:"usable"`      // of these, with usable speech; see Report
	ConcealedMs   int   `json:"concealedMs"` // of speech made up
	Freezes       int   `json:"freezes"`
	FrozenMs      int   `json:"frozenMs"`
	FirstAudioMs  int   `json:"firstAudioMs"` // 0: none
	FirstVideoMs  int   `json:"firstVideoMs"`
	RTTMs         int   `json:"rttMs"` // mean
	LossUp        int   `json:"lossUp"`
	LossDown      int   `json:"lossDown"`
	EstimateKbps  int   `json:"estimateKbps"`  // mean; 0: not known
	LeastKbps     int   `json:"leastKbps"`     // the lowest estimate
	DeliveredKbps int   `json:"deliveredKbps"` // mean, while the estimate was known
	Up            Bytes `json:"up"`
	Down          Bytes `json:"down"`
	// Path is the last by which media went: "udp", "tcp", "relay" or "".
	Path      string `json:"path"`
	Outages   int    `json:"outages"`
	OutageMs  int    `json:"outageMs"`  // together
	LongestMs int    `json:"longestMs"` // of them
	ResumeMs  int    `json:"resumeMs"`  // the slowest
}

// Bytes are sums by traffic: "voice", "picture", "repair", "still", "files".
type Bytes map[string]uint64

func bytesOf(sum [sfu.Traffics]uint64) Bytes {
	b := Bytes{}
	for t, n := range sum {
		if n > 0 {
			b[sfu.Traffic(t).String()] = n
		}
	}
	return b
}

// totals needs the call's lock. An outage that goes on counts so far.
func (p *Person) totals(now time.Time) Totals {
	s, r := p.sums, p.sums.done.plus(p.told)
	if p.left.IsZero() {
		s.present += max(now.Sub(p.entered), 0)
		if !p.cutAt.IsZero() {
			s.outage(Outage{At: p.cutAt, Length: now.Sub(p.cutAt)})
		}
	} else if p.told != (Report{}) {
		r.Width, r.Height, r.FPS = 0, 0, 0
	}
	return Totals{
		Seconds: int(s.present.Round(time.Second) / time.Second), Voice: r.Voice, Usable: r.Usable, ConcealedMs: r.ConcealedMs,
		Freezes: r.Freezes, FrozenMs: r.FrozenMs, FirstAudioMs: r.FirstAudioMs, FirstVideoMs: r.FirstVideoMs,
		RTTMs: mean(s.rtt, s.rtts), LossUp: int(perMille(s.upLost, s.upExpected)), LossDown: int(perMille(s.downLost, s.downTold)),
		EstimateKbps: mean(s.estimate, s.looks), LeastKbps: int(s.least), DeliveredKbps: mean(s.delivered, s.looks),
		Up: bytesOf(s.up), Down: bytesOf(s.down), Path: s.path,
		Outages: s.outages, OutageMs: int(s.cut.Milliseconds()), LongestMs: int(s.longest.Milliseconds()), ResumeMs: int(s.resume.Milliseconds()),
	}
}

func mean(sum, n int64) int {
	if n == 0 {
		return 0
	}
	return int((sum + n/2) / n)
}

// Sum is what a call came to for all.
type Sum struct {
	Seconds   int // from the first coming to the last leaving
	People    int // who were there, devices aside
	Voice     int // s, of all people
	Usable    int
	Outages   int // of all
	OutageMs  int
	LongestMs int
}

// Sum adds up the call until now.
func (c *Call) Sum(now time.Time) Sum {
	c.mu.Lock()
	defer c.mu.Unlock()
	var s Sum
	last := c.Started
	for _, p := range c.people {
		t := p.totals(now)
		s.Voice, s.Usable = s.Voice+t.Voice, s.Usable+t.Usable
		s.Outages, s.OutageMs, s.LongestMs = s.Outages+t.Outages, s.OutageMs+t.OutageMs, max(s.LongestMs, t.LongestMs)
		if p.key.Via == "" {
			s.People++
		}
		switch {
		case p.left.IsZero():
			last = now
		default:
			last = latest(last, p.left)
		}
	}
	s.Seconds = int(last.Sub(c.Started).Round(time.Second) / time.Second)
	return s
}

// Of gives what the call came to for a user: in the browser, else on a device.
// False: they were never there.
func (c *Call) Of(user string, now time.Time) (t Totals, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.people {
		if p.key.User == user && (p.key.Via == "" || !ok) {
			t, ok = p.totals(now), true
		}
	}
	return t, ok
}
