package sfu

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/interceptor/pkg/rfc8888"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"sira/sfu/estimate"
)

// TestAcks: packets of two streams are told in the order they left, each once,
// also where numbers and clocks turn over.
func TestAcks(t *testing.T) {
	var l ackLog
	t0 := time.Unix(1000, 0)
	left := func(i int) time.Time { return t0.Add(time.Duration(i) * 10 * time.Millisecond) }
	for i := range 8 { // 65,533 to 4 of one, 0 to 7 of the other
		l.note(1, uint16(65_533+i), 1000+i, left(2*i))
		l.note(2, uint16(i), 100+i, left(2*i+1))
	}
	here := func(offset uint16) rtcp.CCFeedbackMetricBlock {
		return rtcp.CCFeedbackMetricBlock{Received: true, ArrivalTimeOffset: offset}
	}
	lost := rtcp.CCFeedbackMetricBlock{}
	first := l.take(&rtcp.CCFeedbackReport{ReportTimestamp: 1<<32 - 32_768, ReportBlocks: []rtcp.CCFeedbackReportBlock{
		{MediaSSRC: 2, BeginSequence: 0, MetricBlocks: []rtcp.CCFeedbackMetricBlock{here(512), here(256)}},
		{MediaSSRC: 1, BeginSequence: 65_532, MetricBlocks: []rtcp.CCFeedbackMetricBlock{here(0), here(512), lost, here(0), here(ackUnknown)}},
		{MediaSSRC: 7, BeginSequence: 0, MetricBlocks: []rtcp.CCFeedbackMetricBlock{here(1)}},
	}})
	want := []estimate.Packet{
		{Sent: left(0), Size: 1000, Arrived: true, Arrival: -time.Second / 2},
		{Sent: left(1), Size: 100, Arrived: true, Arrival: -time.Second / 2},
		{Sent: left(2), Size: 1001},
		{Sent: left(3), Size: 101, Arrived: true, Arrival: -time.Second / 4},
		{Sent: left(4), Size: 1002, Arrived: true},
		{Sent: left(6), Size: 1003, Arrived: true},
	}
	if !slices.Equal(first, want) {
		t.Errorf("%+v\nwant %+v", first, want)
	}
	// A second later, which turns the report's clock over: what was said again,
	// and what is new. One arrived too long ago to say when.
	next := l.take(&rtcp.CCFeedbackReport{ReportTimestamp: 32_768, ReportBlocks: []rtcp.CCFeedbackReportBlock{
		{MediaSSRC: 1, BeginSequence: 65_534, MetricBlocks: []rtcp.CCFeedbackMetricBlock{here(9), here(9), here(9), here(1024), here(ackOld), here(0)}},
	}})
	want = []estimate.Packet{
		{Sent: left(8), Size: 1004, Arrived: true},
		{Sent: left(12), Size: 1006, Arrived: true, Arrival: time.Second},
	}
	if !slices.Equal(next, want) {
		t.Errorf("%+v\nwant %+v", next, want)
	}
}

// TestAcksAreBounded: streams that come and go, and numbers that were sent long
// ago, cost nothing.
func TestAcksAreBounded(t *testing.T) {
	var l ackLog
	now := time.Unix(0, 0)
	for i := range 10 * ackStreams {
		l.note(uint32(i), 1, 100, now)
	}
	if len(l.streams) > ackStreams {
		t.Errorf("%d streams", len(l.streams))
	}
	for i := range 3 * ackKept {
		l.note(1, uint16(i), 100, now)
	}
	got := l.take(&rtcp.CCFeedbackReport{ReportBlocks: []rtcp.CCFeedbackReportBlock{{MediaSSRC: 1, MetricBlocks: make([]rtcp.CCFeedbackMetricBlock, 5000)}}})
	if len(got) != ackKept {
		t.Errorf("%d reports of %d packets that may be on their way", len(got), ackKept)
	}
}

// TestEstimateFollowsTheLinkByAcks: the reports that pion writes lead the estimate
// over a link that is good, becomes thin and good again, as it goes with
// transport-wide feedback.
func TestEstimateFollowsTheLinkByAcks(t *testing.T) {
	const size, delay, step = 500, 40 * time.Millisecond, 5 * time.Millisecond
	var (
		l     ackLog
		e     = estimate.New(estimate.Config{})
		rec   = rfc8888.NewRecorder()
		now   = time.Unix(1_700_000_000, 0)
		free  = now // when the link has sent what it holds
		owed  float64
		seq   = uint16(65_000)
		sum   float64
		n     int
		onWay []struct {
			at  time.Time
			seq uint16
		}
	)
	e.Demand(1e6)
	run := func(d time.Duration, bps float64) (mean float64) {
		sum, n = 0, 0
		begin, reported := now, now
		for ; now.Sub(begin) < d; now = now.Add(step) {
			for owed += e.Pace() * step.Seconds() / 8; owed > size; owed -= size {
				seq++
				l.note(5, seq, size, now)
				if free = maxTime(free, now); free.Sub(now) > 300*time.Millisecond {
					continue // the queue is full
				}
				free = free.Add(time.Duration(size * 8 / bps * float64(time.Second)))
				onWay = append(onWay, struct {
					at  time.Time
					seq uint16
				}{free.Add(delay), seq})
			}
			for len(onWay) > 0 && !onWay[0].at.After(now) {
				rec.AddPacket(onWay[0].at, 5, onWay[0].seq, 0)
				onWay = onWay[1:]
			}
			if now.Sub(reported) >= 100*time.Millisecond {
				reported = now
				e.OnReport(now, l.take(rec.BuildReport(now, 1200)))
			}
			e.Tick(now, now)
			if now.Sub(begin) > d/2 {
				sum, n = sum+e.Target(), n+1
			}
		}
		return sum / float64(n)
	}
	for _, c := range []struct{ link, least, most float64 }{{400_000, 0.7, 1.1}, {120_000, 0.7, 1.1}, {400_000, 0.7, 1.1}} {
		got := run(40*time.Second, c.link)
		t.Logf("%.0f bit/s: %.0f", c.link, got)
		if got < c.least*c.link || got > c.most*c.link {
			t.Errorf("a link of %.0f bit/s is estimated at %.0f", c.link, got)
		}
	}
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// TestAcksAreNegotiated: who offers RFC 8888 alone gets it where it receives, in
// the form of the RFC; who offers transport-wide numbers too gets these.
func TestAcksAreNegotiated(t *testing.T) {
	s := startSFU(t, Config{})
	for _, c := range []struct{ ccfb, twcc bool }{{true, false}, {true, true}, {false, true}} {
		cl := join(t, s, clientOptions{id: "a", room: "r", slots: 1, ccfb: c.ccfb, twcc: c.twcc})
		answer := cl.pc.RemoteDescription().SDP
		want := 0
		if c.ccfb && !c.twcc {
			want = 2 // a voice and a picture
		}
		if got := strings.Count(answer, "a=rtcp-fb:* ack ccfb\r\n"); got != want || strings.Count(answer, "ccfb") != want {
			t.Errorf("%+v: %d sections in %s", c, got, answer)
		}
		eventually(t, "the estimate is on", cl.peer.down.gated.Load)
		cl.leave()
	}
}

// TestEstimateFromAcks: a pion client that sends RFC 8888 only. The estimate
// grows over a good link, and falls when the link becomes thin.
func TestEstimateFromAcks(t *testing.T) {
	s := startSFU(t, Config{})
	link := startProxy(t)
	var mu sync.Mutex
	thin, budget, at := false, 0.0, time.Now()
	link.down = func(b []byte) bool { // half of what is sent at first passes
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		budget = min(budget+now.Sub(at).Seconds()*60_000/8, 3000)
		at = now
		if !thin || !isRTP(b) {
			return false
		}
		if budget -= float64(len(b) + 28); budget < 0 {
			budget += float64(len(b) + 28)
			return true
		}
		return false
	}
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 1, video: webrtc.MimeTypeVP9})
	b := join(t, s, clientOptions{id: "b", room: "r", slots: 1, ccfb: true, direct: link.direct})
	a.waitConnected()
	b.waitConnected()
	a.film(200)
	eventually(t, "the estimate grows", func() bool {
		bps, heard := b.peer.down.known()
		return heard && bps > 1.2*startBps
	})
	for _, p := range b.from("a", video) {
		if len(p.Extensions) > 0 && len(p.GetExtension(p.GetExtensionIDs()[0])) == 2 {
			t.Fatal("packets have numbers all the same")
		}
	}
	if o := b.peer.Observe(); o.Delivered == 0 || o.DownTold == 0 {
		t.Errorf("nothing told: %+v", o)
	}
	mu.Lock()
	thin = true
	mu.Unlock()
	eventually(t, "the estimate falls", func() bool { bps, _ := b.peer.down.known(); return bps < 0.8*startBps })
}
