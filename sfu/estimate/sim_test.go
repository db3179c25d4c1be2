package estimate

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// The simulation: senders with an encoder, a pacer and an Estimator, over
// links like those of Mali. Events run in order in one goroutine; between two
// of them the bubble of testing/synctest advances the clock, so that two
// minutes of call cost some milliseconds.

type event struct {
	at time.Time
	n  int
	do func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at.Before(e[j].at) || e[i].at.Equal(e[j].at) && e[i].n < e[j].n
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	old := *e
	x := old[len(old)-1]
	*e = old[:len(old)-1]
	return x
}

type world struct {
	queue events
	n     int
	rng   *rand.Rand
	start time.Time
}

func (w *world) after(d time.Duration, do func()) {
	w.n++
	heap.Push(&w.queue, event{time.Now().Add(d), w.n, do})
}

func (w *world) each(d time.Duration, do func()) {
	var again func()
	again = func() { do(); w.after(d, again) }
	w.after(d, again)
}

func (w *world) run(d time.Duration) {
	end := w.start.Add(d)
	for len(w.queue) > 0 && w.queue[0].at.Before(end) {
		ev := heap.Pop(&w.queue).(event)
		time.Sleep(time.Until(ev.at))
		ev.do()
	}
	time.Sleep(time.Until(end))
}

func (w *world) since() time.Duration { return time.Since(w.start) }

// link is one direction: drop-tail queue, bottleneck, loss, delay. Jitter
// delays but does not reorder, as a radio link.
type link struct {
	w        *world
	rate     func(t time.Duration) float64 // bit/s
	queueMax time.Duration
	delay    time.Duration
	jitter   time.Duration // standard deviation, correlated over 50 ms
	loss     func(t time.Duration) float64
	burst    float64 // share lost in bursts
	burstLen float64
	down     func(t time.Duration) bool
	mark     time.Duration // queue from which packets are marked; 0: never
	again    time.Duration // after which a lost packet comes all the same, and those behind it with it, as by TCP; 0: never

	free time.Time
	due  time.Time
	j    float64
	jAt  time.Time
	bad  bool

	in, dropped int
	waits       []float64 // ms
}

// send carries size bytes; arrive is called when they arrive, if they do.
func (l *link) send(size int, arrive func(marked bool)) {
	now := time.Now()
	t := l.w.since()
	l.in++
	if l.down != nil && l.down(t) {
		return
	}
	wait := max(0, l.free.Sub(now))
	if wait > l.queueMax {
		l.dropped++
		return
	}
	l.waits = append(l.waits, wait.Seconds()*1000)
	end := now.Add(wait).Add(time.Duration(float64(size) * 8 / l.rate(t) * 1e9))
	l.free = end
	at := end.Add(l.delay)
	if l.lost(t) {
		if l.again == 0 {
			return
		}
		at = at.Add(l.again)
	}
	if l.jitter > 0 {
		keep := math.Exp(-end.Sub(l.jAt).Seconds() / 0.05)
		l.jAt = end
		l.j = keep*l.j + math.Sqrt(1-keep*keep)*l.w.rng.NormFloat64()
		at = at.Add(time.Duration(min(2, max(-2, l.j)) * float64(l.jitter)))
	}
	if at.Before(l.due) {
		at = l.due
	}
	l.due = at
	marked := l.mark > 0 && wait > l.mark
	l.w.after(at.Sub(now), func() { arrive(marked) })
}

func (l *link) lost(t time.Duration) bool {
	if l.burst > 0 {
		leave := 1 / l.burstLen
		if l.bad {
			l.bad = l.w.rng.Float64() >= leave
		} else {
			l.bad = l.w.rng.Float64() < leave*l.burst/(1-l.burst)
		}
	}
	return l.bad || l.loss != nil && l.w.rng.Float64() < l.loss(t)
}

const overhead = 28 + 12 + 10 + 8 // IP and UDP, RTP, SRTP, extension

// flow is one sender: voice at 25 packets a second, video that follows the
// target, a pacer, and the receiver's feedback.
type flow struct {
	w        *world
	path     []*link // forward
	back     *link
	e        *Estimator
	most     float64 // what the encoder can use, bit/s of video
	leaves   float64 // share of its allowance that the encoder leaves
	noFiller bool    // nothing else is sent in a trial
	stills   float64 // bit/s by data channel, in pieces that no report names
	start    time.Duration
	paused   func(t time.Duration) bool
	feedback time.Duration

	video    []int // packets waiting
	frames   []int // packets of each waiting frame
	tokens   float64
	tokensAt time.Time
	encoder  float64
	lastSent time.Time

	sent    []Packet // index is the sequence number
	acked   int
	highest int

	carried    []float64 // useful bits that arrived, each second
	targets    []float64 // at each second
	dropFrames int
	voiceSent  int
}

func (f *flow) on() bool {
	t := f.w.since()
	return t >= f.start && (f.paused == nil || !f.paused(t))
}

func (f *flow) begin() {
	f.highest = -1
	f.tokensAt = time.Now()
	f.w.each(40*time.Millisecond, func() {
		if f.on() {
			f.send(60+overhead, true, true)
		}
	})
	n := 0
	f.w.each(time.Second/15, func() {
		if !f.on() {
			return
		}
		voice := 25.0 * 8 * (60 + overhead)
		want := min(max(0, f.e.Target()-voice)*(1-f.leaves), f.most)
		f.encoder += 0.3 * (want - f.encoder) // encoders lag
		size := f.encoder / 15 / 8 * math.Exp(0.25*f.w.rng.NormFloat64())
		if n%300 == 0 {
			size *= 4 // a keyframe
		}
		n++
		f.encode(int(size))
	})
	if f.stills > 0 {
		f.w.each(time.Duration(stillPiece*8/f.stills*1e9), f.piece)
	}
	f.w.each(10*time.Millisecond, f.pace)
	f.w.each(f.feedback, f.report)
	f.w.each(50*time.Millisecond, func() { f.e.Tick(time.Now(), f.lastSent) })
	f.w.each(time.Second, func() {
		f.targets = append(f.targets, f.e.Target())
		f.carried = append(f.carried, 0)
	})
	f.carried = append(f.carried, 0)
}

func (f *flow) encode(size int) {
	if size < 40 {
		return
	}
	k := (size + 1099) / 1100
	for range k {
		f.video = append(f.video, size/k+overhead)
	}
	f.frames = append(f.frames, k)
	// Late frames go whole.
	waiting := 0
	for _, s := range f.video {
		waiting += s * 8
	}
	for len(f.frames) > 1 && float64(waiting) > 0.8*f.e.Pace() {
		for _, s := range f.video[:f.frames[0]] {
			waiting -= s * 8
		}
		f.video = f.video[f.frames[0]:]
		f.frames = f.frames[1:]
		f.dropFrames++
	}
}

func (f *flow) pace() {
	now := time.Now()
	f.tokens += now.Sub(f.tokensAt).Seconds() * f.e.Pace() / 8
	f.tokens = min(f.tokens, f.e.Pace()/8*0.04+200)
	f.tokensAt = now
	for f.tokens > 0 && len(f.video) > 0 && f.on() {
		s := f.video[0]
		f.video = f.video[1:]
		if f.frames[0]--; f.frames[0] == 0 {
			f.frames = f.frames[1:]
		}
		f.send(s, true, false)
	}
	for f.tokens > 0 && f.on() && f.e.Trying() && !f.noFiller {
		f.send(400, false, false)
	}
}

func (f *flow) send(size int, useful, voice bool) {
	f.tokens -= float64(size)
	n := len(f.sent)
	f.sent = append(f.sent, Packet{Sent: time.Now(), Size: size})
	f.lastSent = time.Now()
	if voice {
		f.voiceSent++
	}
	f.hop(0, size, func(marked bool) {
		p := &f.sent[n]
		p.Arrived, p.CE = true, marked
		p.Arrival = f.w.since() + 1234*time.Hour
		f.highest = max(f.highest, n)
		if useful {
			f.carried[len(f.carried)-1] += float64(size) * 8
		}
	})
}

const stillPiece = 1078

// piece sends one of a still's.
func (f *flow) piece() {
	f.tokens -= stillPiece
	f.e.Beside(time.Now(), stillPiece)
	f.hop(0, stillPiece, func(bool) {})
}

func (f *flow) hop(i, size int, arrive func(bool)) {
	f.path[i].send(size, func(m bool) {
		if i+1 < len(f.path) {
			f.hop(i+1, size, func(m2 bool) { arrive(m || m2) })
			return
		}
		arrive(m)
	})
}

func (f *flow) report() {
	if f.highest < f.acked {
		return
	}
	from, to := f.acked, f.highest+1
	f.acked = to
	pkts := slices.Clone(f.sent[from:to])
	f.back.send(60+2*len(pkts), func(bool) { f.e.OnReport(time.Now(), pkts) })
}

// tcp is a long Reno flow over the same bottleneck, by the round.
type tcp struct {
	w       *world
	path    *link
	rtt     time.Duration
	from    time.Duration
	bytes   int // to send, 0: for ever
	done    func()
	cwnd    float64
	ss      float64
	out     int
	acked   int
	lossAt  time.Time
	carried []float64
}

const segment = 1500

func (c *tcp) begin() {
	c.cwnd, c.ss = 10, 64
	c.carried = append(c.carried, 0)
	c.w.each(time.Second, func() { c.carried = append(c.carried, 0) })
	c.w.after(c.from, c.fill)
}

func (c *tcp) fill() {
	for float64(c.out) < c.cwnd && (c.bytes == 0 || (c.acked+c.out)*segment < c.bytes) {
		c.out++
		got := false
		c.path.send(segment, func(bool) {
			got = true
			c.carried[len(c.carried)-1] += segment * 8
			c.w.after(c.rtt/2, c.ack)
		})
		c.w.after(c.rtt+c.path.queueMax+200*time.Millisecond, func() {
			if !got {
				c.miss()
			}
		})
	}
}

func (c *tcp) ack() {
	c.out--
	c.acked++
	if c.cwnd < c.ss {
		c.cwnd++
	} else {
		c.cwnd += 1 / c.cwnd
	}
	if c.bytes > 0 && c.acked*segment >= c.bytes {
		if c.done != nil {
			c.done()
			c.done = nil
		}
		return
	}
	c.fill()
}

func (c *tcp) miss() {
	c.out--
	if time.Since(c.lossAt) > c.rtt+c.path.queueMax {
		c.lossAt = time.Now()
		c.cwnd = max(2, c.cwnd/2)
		c.ss = c.cwnd
	}
	c.fill()
}

// simulate runs f in a bubble, with its own world.
func simulate(t *testing.T, seed uint64, f func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		f(&world{rng: rand.New(rand.NewPCG(seed, 7)), start: time.Now()})
	})
}

func (w *world) newLink(kbps float64, queue, delay time.Duration) *link {
	return &link{w: w, rate: func(time.Duration) float64 { return kbps * 1000 }, queueMax: queue, delay: delay}
}

func (w *world) newFlow(back time.Duration, path ...*link) *flow {
	return &flow{
		w: w, path: path, back: w.newLink(10_000, time.Second, back), e: New(Config{}),
		most: 10e6, feedback: 100 * time.Millisecond,
	}
}

// steps makes a schedule: pairs of second and value.
func steps(pairs ...float64) func(time.Duration) float64 {
	return func(t time.Duration) float64 {
		v := pairs[1]
		for i := 0; i+1 < len(pairs); i += 2 {
			if t.Seconds() >= pairs[i] {
				v = pairs[i+1]
			}
		}
		return v
	}
}

func mean(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x / float64(len(v))
	}
	return s
}

func pct(v []float64, q float64) float64 {
	if len(v) == 0 {
		return 0
	}
	var o ordered
	o.fill(v)
	return o.quantile(q)
}
