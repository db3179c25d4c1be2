package sfu

import (
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"

	"sira/sfu/estimate"
)

// kept is the way to a viewer, and what went it of one stream.
type kept struct {
	of   uint32
	mu   sync.Mutex
	pkts []rtp.Packet
	at   []time.Time
}

func (k *kept) WriteRTP(h *rtp.Header, b []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if h.SSRC != k.of {
		return len(b), nil
	}
	k.pkts = append(k.pkts, rtp.Packet{Header: h.Clone(), Payload: append([]byte(nil), b...)})
	k.at = append(k.at, time.Now())
	return len(b), nil
}

func (k *kept) Write(b []byte) (int, error) { return len(b), nil }

func (k *kept) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.pkts)
}

// lossy is an estimate of a path that loses a share of what it carries.
func lossy(share float64) *estimate.Estimator {
	e := estimate.New(estimate.Config{})
	now := time.Now().Add(-time.Minute)
	for n := range 3000 {
		at := now.Add(time.Duration(n) * 20 * time.Millisecond)
		e.OnReport(at, []estimate.Packet{{Sent: at, Size: 500, Arrived: share == 0 || n%int(1/share) != 0, Arrival: time.Duration(n) * 20 * time.Millisecond}})
	}
	return e
}

// TestRepairsGoTwice: over a long way that loses packets a repair is sent once
// more, a moment later, and only once; over a short or a clean one it is not.
func TestRepairsGoTwice(t *testing.T) {
	for _, c := range []struct {
		name string
		rtt  time.Duration
		loss float64
		want int
	}{
		{"long, lossy", 300 * time.Millisecond, 0.02, 2},
		{"short, lossy", 10 * time.Millisecond, 0.02, 1},
		{"long, clean", 300 * time.Millisecond, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startSFU(t, Config{})
			_, b := shown(t, s)

			b.peer.down.mu.Lock()
			b.peer.down.est = lossy(c.loss)
			b.peer.down.mu.Unlock()
			o := b.peer.outlets[video][0]
			o.mu.Lock()
			way := &kept{of: o.rtxSSRC}
			o.w = way
			seq := uint16(o.rw.high)
			o.mu.Unlock()
			b.peer.link.rtt.Store(int64(c.rtt)) // until the next report of the viewer
			o.resend([]uint16{seq}, time.Now())
			if way.count() != 1 {
				t.Fatalf("%d packets at once", way.count())
			}
			eventually(t, "the second", func() bool { return way.count() >= c.want })
			time.Sleep(3 * echoAfter)
			way.mu.Lock()
			defer way.mu.Unlock()
			if len(way.pkts) != c.want {
				t.Fatalf("%d packets, want %d: %v", len(way.pkts), c.want, way.pkts)
			}
			if c.want == 1 {
				return
			}
			x, y := way.pkts[0], way.pkts[1]
			if x.SequenceNumber+1 != y.SequenceNumber || x.SSRC != y.SSRC || string(x.Payload) != string(y.Payload) {
				t.Errorf("first %v, then %v", x, y)
			}
			if d := way.at[1].Sub(way.at[0]); d < echoAfter {
				t.Errorf("the second %v after the first", d)
			}
		})
	}
}
