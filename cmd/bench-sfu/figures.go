package main

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// figure is a number that may be absent (NaN): null in JSON.
type figure float64

var none = figure(math.NaN())

func (f figure) absent() bool { return math.IsNaN(float64(f)) }

func (f figure) MarshalJSON() ([]byte, error) {
	if f.absent() {
		return []byte("null"), nil
	}
	return json.Marshal(math.Round(float64(f)*1000) / 1000)
}

// UnmarshalJSON takes null for what is absent.
func (f *figure) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*f = none
		return nil
	}
	return json.Unmarshal(text, (*float64)(f))
}

// worse and lesser of two; absent when one of them is.
func worse(a, b figure) figure  { return figure(math.Max(float64(a), float64(b))) }
func lesser(a, b figure) figure { return figure(math.Min(float64(a), float64(b))) }

// figures are what one call came to.
type figures struct {
	TwoWay                                bool   // voice went both ways
	FirstAudio, FirstVideo                figure // s after the click, at the rural person's
	FirstHeard                            figure // s until the city heard the rural person
	Down, Up                              direction
	RTT50, RTT95, Bloat                   figure // ms; Bloat: RTT95 above the link's own
	UsedDown, UsedUp                      figure // % of the link
	QueueDropDown, QueueDropUp            figure // % of the packets
	Ran, Waited                           figure // s of all processes of the call
	Others                                figure // % of the machine that went to other work
	Spoiled                               bool
	AddedConcealment                      figure // points, by an upload
	UploadKbps                            figure
	SSIM                                  figure // of what the city sees of a device
	Path                                  string // of the rural person's media
	Forward                               forwarding
	Down1, Up1                            direction // before the measured seconds
	PageErrors, Fetched, CityNotes, Notes []string
}

// direction is what one person received.
type direction struct {
	AudioKbps, Concealed, Silent, AudioLost figure // Silent: concealed while nobody spoke, part of Concealed
	VideoKbps, FPS                          figure
	Width, Height                           figure // of most seconds
	Frozen, Still                           figure // s a minute; Still: in which nothing was decoded
	Gap                                     figure // s without a legible picture, the longest
	Stills, StillLines                      figure // single pictures shown instead of video
	Back                                    figure // s from the end of the outage to the voice
	JitterBuffer                            figure // ms, of the voice
	Keyframes, NACKs, PLIs                  figure
	Codec                                   string
}

func (m measured) figures(r row, warm int) (figures, error) {
	var raw rawCall
	if err := json.Unmarshal(m.raw, &raw); err != nil {
		return figures{}, fmt.Errorf("reading what the driver measured: %w", err)
	}
	click := raw.Rural.Clicked
	if click == 0 || len(raw.Rural.Samples) < 2 || len(raw.City.Samples) < 2 {
		return figures{}, fmt.Errorf("nobody joined, or nothing was measured; errors in the pages: %q %q", raw.Rural.Trouble, raw.City.Trouble)
	}
	from := click + float64(warm)*1000
	after := func(t float64) figure {
		if t == 0 {
			return none
		}
		return figure((t - click) / 1000)
	}
	end := none
	if r.outage {
		end = figure(m.slowed.Add(outageAfter + outageFor).UnixMilli())
	}
	f := figures{
		FirstAudio: after(raw.Rural.First.Audio), FirstVideo: after(raw.Rural.First.Video), FirstHeard: after(raw.City.First.Audio),
		Down: received(raw.Rural.Samples, from, math.Inf(1), end), Up: received(raw.City.Samples, from, math.Inf(1), end),
		Down1: received(raw.Rural.Samples, click, from, none), Up1: received(raw.City.Samples, click, from, none),
		Ran: figure(m.effort.Ran), Waited: figure(m.effort.Waited), Others: figure(100 * m.effort.Others), Spoiled: m.effort.spoiled(),
		PageErrors: append(raw.Rural.Trouble, raw.City.Trouble...), Fetched: raw.Rural.Fetched,
	}
	for _, n := range raw.Rural.Notes {
		f.Notes = append(f.Notes, fmt.Sprintf("%.2f %s", (n.T-click)/1000, n.Text))
	}
	for _, n := range raw.City.Notes {
		f.CityNotes = append(f.CityNotes, fmt.Sprintf("%.2f %s", (n.T-click)/1000, n.Text))
	}
	f.TwoWay = f.Down.speaks() && f.Up.speaks()
	if r.outage { // of which most is silence
		f.TwoWay = !worse(f.Down.Back, f.Up.Back).absent()
	}
	rtts := roundTrips(raw.Rural.Samples, from)
	f.RTT50, f.RTT95 = quantile(rtts, 0.5), quantile(rtts, 0.95)
	f.Bloat = figure(math.Max(0, float64(f.RTT95)-r.rtt))
	f.UploadKbps, f.Path = sent(raw.Rural.Samples, from), path(raw.Rural.Samples)
	last := raw.Rural.Samples[len(raw.Rural.Samples)-1].T
	begin, finish := time.UnixMilli(int64(from)), time.UnixMilli(int64(last))
	down := carried(m.link, begin, finish, func(c counters) oneWay { return c.Down })
	up := carried(m.link, begin, finish, func(c counters) oneWay { return c.Up })
	f.UsedDown, f.UsedUp = figure(100*down.Kbps/r.kbps), figure(100*up.Kbps/r.kbps)
	f.QueueDropDown, f.QueueDropUp = figure(down.QueueDropPct), figure(up.QueueDropPct)
	return f, nil
}

// speaks says whether there is a voice that can be followed.
func (d direction) speaks() bool { return d.AudioKbps > 0 && d.Concealed < 20 }

// quantile of what may be nothing.
func quantile(v []float64, q float64) figure {
	if len(v) == 0 {
		return none
	}
	s := slices.Sorted(slices.Values(v))
	return figure(s[int(q*float64(len(s)-1)+0.5)])
}

// line is a call in short, for who waits for the next.
func (f figures) line() string {
	if f.Forward.Packets > 0 {
		return f.Forward.line() + f.work()
	}
	way := func(d direction) string {
		return fmt.Sprintf("voice %.0f kbps, %.2f %% concealed; %s %.0f kbps %.0f×%.0f, %.1f fps, %.1f s/min frozen, %.1f without, %.0f stills, gap %.0f s", d.AudioKbps, d.Concealed, d.Codec, d.VideoKbps, d.Width, d.Height, d.FPS, d.Frozen, d.Still, d.Stills, d.Gap)
	}
	s := fmt.Sprintf("sound after %.2f s, picture %.2f s, heard %.2f s\n  down: %s\n  up:   %s\n  RTT %.0f/%.0f ms, link used %.0f/%.0f %%, dropped by the queue %.1f/%.1f %%",
		f.FirstAudio, f.FirstVideo, f.FirstHeard, way(f.Down), way(f.Up), f.RTT50, f.RTT95, f.UsedDown, f.UsedUp, f.QueueDropDown, f.QueueDropUp)
	if !f.Down.Back.absent() || !f.Up.Back.absent() {
		s += fmt.Sprintf("; voice back after %.1f/%.1f s", f.Down.Back, f.Up.Back)
	}
	if len(f.Notes) > 0 {
		s += "\n  steps: " + strings.Join(f.Notes[:min(len(f.Notes), 14)], ", ")
	}
	if f.Path != "" {
		s += "; by " + f.Path
	}
	if f.UploadKbps > 0 {
		s += fmt.Sprintf("; %.0f kbps sent meanwhile", f.UploadKbps)
	}
	if f.SSIM > 0 {
		s += fmt.Sprintf("; SSIM %.3f", f.SSIM)
	}
	return s + f.work()
}

// work says what the processes of the call got of the machine.
func (f figures) work() string {
	s := fmt.Sprintf("; ran %.0f s, waited %.1f s, others %.0f %%", f.Ran, f.Waited, f.Others)
	if f.Spoiled {
		s += " SPOILED by other work"
	}
	return s
}
