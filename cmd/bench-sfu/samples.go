package main

import "math"

// rawCall is what the driver writes: times are milliseconds since 1970, of one
// clock, for both browsers run here.
type rawCall struct {
	Version     string
	City, Rural rawPerson
}

type rawPerson struct {
	Clicked float64
	First   struct{ Audio, Video float64 } // 0: never
	Samples []sample
	Notes   []struct {
		T    float64
		Text string
	}
	Trouble, Fetched []string
}

type sample struct {
	T        float64
	Uploaded float64 // bytes that requests sent so far
	// Single pictures shown so far in the place of a video, and the lines of the
	// newest.
	Stills, StillLines float64
	Stats              []stat
}

// stat is one entry of getStats, with the names of the W3C.
type stat struct {
	PC                                                                       int
	ID, Type, Kind, CodecID, MimeType, Path                                  string
	BytesReceived, PacketsReceived, PacketsLost                              float64
	TotalSamplesReceived, ConcealedSamples, SilentConcealedSamples           float64
	JitterBufferDelay, JitterBufferEmittedCount                              float64
	FramesDecoded, KeyFramesDecoded, FrameWidth, FrameHeight                 float64
	TotalFreezesDuration, NackCount, PliCount                                float64
	TotalRoundTripTime, ResponsesReceived, CurrentRoundTripTime, PacketsSent float64
}

// name tells streams apart; a new connection's are others.
type name struct {
	pc int
	id string
}

func (s *sample) inbound(kind string) map[name]stat {
	out := map[name]stat{}
	for _, x := range s.Stats {
		if x.Type == "inbound-rtp" && x.Kind == kind {
			out[name{x.PC, x.ID}] = x
		}
	}
	return out
}

// gained is by how much a counter grew from one sample to another, over all
// streams; one that is new began at zero.
func gained(a, b map[name]stat, count func(stat) float64) float64 {
	sum := 0.0
	for k, x := range b {
		sum += math.Max(0, count(x)-count(a[k]))
	}
	return sum
}

// received is what came in between two moments. back is when an outage ended,
// absent when there was none.
func received(all []sample, from, to float64, back figure) direction {
	d := direction{AudioKbps: none, Concealed: none, Silent: none, AudioLost: none, VideoKbps: none, FPS: none, Width: none, Height: none,
		Frozen: none, Still: none, Gap: none, Back: none, JitterBuffer: none}
	if !back.absent() {
		d.Back = returned(all, float64(back))
	}
	var in []sample
	for _, s := range all {
		if s.T >= from && s.T <= to {
			in = append(in, s)
		}
	}
	if len(in) < 2 {
		return d
	}
	d.sound(in[0], in[len(in)-1])
	d.picture(in)
	return d
}

func (d *direction) sound(a, b sample) {
	x, y, seconds := a.inbound("audio"), b.inbound("audio"), (b.T-a.T)/1000
	got := func(count func(stat) float64) float64 { return gained(x, y, count) }
	packets := got(func(s stat) float64 { return s.PacketsReceived })
	if packets == 0 {
		return
	}
	d.AudioKbps = figure(got(func(s stat) float64 { return s.BytesReceived }) * 8 / 1000 / seconds)
	all := got(func(s stat) float64 { return s.TotalSamplesReceived })
	d.Concealed = share(got(func(s stat) float64 { return s.ConcealedSamples }), all)
	d.Silent = share(got(func(s stat) float64 { return s.SilentConcealedSamples }), all)
	lost := got(func(s stat) float64 { return s.PacketsLost })
	d.AudioLost = share(lost, lost+packets)
	d.JitterBuffer = 10 * share(got(func(s stat) float64 { return s.JitterBufferDelay }), got(func(s stat) float64 { return s.JitterBufferEmittedCount }))
}

// share in percent.
func share(part, whole float64) figure { return figure(100 * part / whole) }

func (d *direction) picture(in []sample) {
	a, b := in[0], in[len(in)-1]
	x, y, seconds := a.inbound("video"), b.inbound("video"), (b.T-a.T)/1000
	got := func(count func(stat) float64) float64 { return gained(x, y, count) }
	decoded := func(s stat) float64 { return s.FramesDecoded }
	frames := got(decoded)
	d.FPS, d.VideoKbps = figure(frames/seconds), figure(got(func(s stat) float64 { return s.BytesReceived })*8/1000/seconds)
	d.Frozen = figure(got(func(s stat) float64 { return s.TotalFreezesDuration }) * 60 / seconds)
	d.Keyframes, d.NACKs, d.PLIs = figure(got(func(s stat) float64 { return s.KeyFramesDecoded })), figure(got(func(s stat) float64 { return s.NackCount })), figure(got(func(s stat) float64 { return s.PliCount }))
	sizes, still, legible := map[[2]float64]float64{}, 0.0, a.T
	d.Stills, d.StillLines = figure(b.Stills-a.Stills), figure(b.StillLines)
	for i := 1; i < len(in); i++ {
		before, now := in[i-1].inbound("video"), in[i].inbound("video")
		took := in[i].T - in[i-1].T
		large := func(s stat) float64 { // counts pictures that one can make something out in
			if s.FrameHeight < legibleLines {
				return 0
			}
			return s.FramesDecoded
		}
		if gained(before, now, decoded) == 0 {
			still += took
		}
		d.Gap = figure(math.Max(zero(d.Gap), (in[i].T-legible)/1000))
		if gained(before, now, large) > 0 || in[i].Stills > in[i-1].Stills && in[i].StillLines >= legibleLines {
			legible = in[i].T
		}
		for k, s := range now {
			if s.FramesDecoded > before[k].FramesDecoded {
				sizes[[2]float64{s.FrameWidth, s.FrameHeight}] += took
				d.Codec = codec(in[i], s)
			}
		}
	}
	d.Still = figure(still / 1000 * 60 / seconds)
	most := 0.0
	for size, took := range sizes {
		if took > most {
			most, d.Width, d.Height = took, figure(size[0]), figure(size[1])
		}
	}
	if frames == 0 {
		d.Frozen = 60 // the browser counts no freeze of a picture that never comes
	}
}

// legibleLines are those of a picture that a physician can make something out
// in.
const legibleLines = 240

func zero(f figure) float64 {
	if f.absent() {
		return 0
	}
	return float64(f)
}

func codec(s sample, of stat) string {
	for _, c := range s.Stats {
		if c.Type == "codec" && c.PC == of.PC && c.ID == of.CodecID {
			return c.MimeType
		}
	}
	return ""
}

// returned is the seconds from the end of an outage until sound comes in again
// and goes on; absent when it never does.
func returned(all []sample, end float64) figure {
	packets := func(s stat) float64 { return s.PacketsReceived }
	for i := 1; i < len(all); i++ {
		if all[i].T <= end || gained(all[i-1].inbound("audio"), all[i].inbound("audio"), packets) == 0 {
			continue
		}
		for j := i + 1; j < len(all) && all[j].T < all[i].T+1000; j++ {
			if gained(all[j-1].inbound("audio"), all[j].inbound("audio"), packets) > 0 {
				return figure((all[i].T - end) / 1000)
			}
		}
	}
	return none
}

// roundTrips are the answers to the browser's own checks of its paths, ms.
func roundTrips(all []sample, from float64) []float64 {
	var out []float64
	last := map[name]stat{}
	for _, s := range all {
		for _, x := range s.Stats {
			if x.Type != "candidate-pair" {
				continue
			}
			k := name{x.PC, x.ID}
			before, known := last[k]
			last[k] = x
			if n := x.ResponsesReceived - before.ResponsesReceived; known && n > 0 && s.T >= from {
				out = append(out, 1000*(x.TotalRoundTripTime-before.TotalRoundTripTime)/n)
			}
		}
	}
	return out
}

// sent is the rate at which requests sent bytes, in kbps.
func sent(all []sample, from float64) figure {
	for i, s := range all {
		if last := all[len(all)-1]; s.T >= from && i < len(all)-1 {
			return figure((last.Uploaded - s.Uploaded) * 8 / (last.T - s.T))
		}
	}
	return none
}

// path is how media went at the end: kind and protocol of the browser's own
// candidate.
func path(all []sample) string {
	for i := len(all) - 1; i >= 0; i-- {
		for _, x := range all[i].Stats {
			if x.Type == "candidate-pair" && x.Path != "" {
				return x.Path
			}
		}
	}
	return ""
}
