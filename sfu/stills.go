package sfu

import (
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"
)

// Stills is what a publisher is to send for those whose link carries no video
// of it: a picture of at most Bytes, each Every. Bytes 0: nobody needs any.
type Stills struct {
	Bytes int
	Every time.Duration
}

const (
	stillLeast  = 3_000  // bit/s, below which not even stills are of use
	stillMost   = 24_000 // more makes them no better
	stillFrom   = 3_000  // bytes: smaller is not legible
	stillTo     = 8_000  // bytes: larger takes too long
	stillUsual  = 3500 * time.Millisecond
	stillOften  = 3 * time.Second
	stillSeldom = 15 * time.Second
	stillShare  = 0.8           // of a share is picture, the rest headers and what is sent again
	stillAhead  = 4 * pieceMost // of a channel's bytes that are not acknowledged: what follows a lost piece shows that it is lost
	stillChange = 0.25          // of the size is worth telling
	stillsLabel = "stills"
	stillsID    = 0
	sctpBuffer  = 64 << 10
	sctpTimeout = 2 * time.Second // at most until something lost is sent again: a cut link comes back
)

// stillsFor is what fits into a share of a link.
func stillsFor(bps float64) Stills {
	if bps < stillLeast {
		return Stills{}
	}
	perSecond := bps * stillShare / 8
	size := min(max(perSecond*stillUsual.Seconds(), stillFrom), stillTo)
	every := time.Duration(size / perSecond * float64(time.Second))
	return Stills{Bytes: int(size), Every: min(max(every, stillOften), stillSeldom).Round(100 * time.Millisecond)}
}

// stills is a peer's channel of stills, both ways. The room does not know of
// it: a publisher's goroutine hands a still to its viewers, whose clocks send.
type stills struct {
	wanted atomic.Bool // the participant wishes stills in place of pictures
	only   atomic.Bool // the participant sends stills only
	open   atomic.Bool

	mu  sync.Mutex
	raw io.Writer
	ch  *webrtc.DataChannel
	out map[*outlet]*stillOut
	buf []byte
}

// stillOut is what waits for one outlet: one being sent, and the newest.
type stillOut struct {
	from    string
	sending *still
	next    int // piece
	newest  *still
	tokens  float64 // bytes
	at      time.Time
}

// ReceiveStills says whether the participant, who wishes no pictures
// (ReceiveVideo), wishes stills.
func (p *Peer) ReceiveStills(yes bool) { p.stills.wanted.Store(yes) }

// SendStills says whether the participant sends stills in place of pictures.
func (p *Peer) SendStills(only bool) { p.stills.only.Store(only) }

// openStills makes our end of the channel, which both sides know of without a
// word (negotiated, RFC 8832 is not needed).
func (p *Peer) openStills() error {
	if p.stills.ch != nil {
		return nil
	}
	yes, id := true, uint16(stillsID)
	ch, err := p.pc.CreateDataChannel(stillsLabel, &webrtc.DataChannelInit{Ordered: &yes, Negotiated: &yes, ID: &id})
	if err != nil {
		return err
	}
	p.stills.ch = ch
	ch.OnOpen(func() {
		raw, err := ch.Detach()
		if err != nil {
			p.sfu.log.Debug("stills channel", "participant", p.part.ID, "err", err)
			return
		}
		p.stills.mu.Lock()
		p.stills.raw = raw
		p.stills.mu.Unlock()
		p.stills.open.Store(true)
		if !p.spawn(func() { p.readStills(raw) }) {
			_ = raw.Close()
		}
	})
	return nil
}

// readStills takes a publisher's pieces until the channel ends.
func (p *Peer) readStills(raw io.ReadCloser) {
	defer p.stills.open.Store(false)
	defer raw.Close()
	buf := make([]byte, headerMost+pieceMost)
	var a assembler
	for {
		n, err := raw.Read(buf)
		if err != nil {
			return // its end, or a message that is too long
		}
		p.countIn(n)
		p.carriedUp(Picture, n)
		now := time.Now()
		p.congestion.up.beside(n, now)
		if m, ok := parsePiece(buf[:n]); ok {
			if s, whole := a.add(m, now); whole {
				p.relayStill(s)
			}
		}
	}
}

// relayStill hands a publisher's still to those who see it in stills.
func (p *Peer) relayStill(s *still) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, in := range p.active {
		if in.kind != video {
			continue
		}
		for _, o := range *in.outlets.Load() { // those of the low rung too
			if o.still.Load() > 0 {
				o.peer.stills.offer(o, p.part.ID, s)
			}
		}
	}
}

// offer puts a still in the place of an older one that waits.
func (t *stills) offer(o *outlet, from string, s *still) {
	t.mu.Lock()
	defer t.mu.Unlock()
	q := t.out[o]
	if q == nil {
		q = &stillOut{}
		if t.out == nil {
			t.out = map[*outlet]*stillOut{}
		}
		t.out[o] = q
	}
	if q.from != from {
		*q = stillOut{from: from, at: q.at}
	}
	q.newest = s
}

// sendStills lets pieces leave at each outlet's share. It is called by the
// peer's clock.
func (p *Peer) sendStills(now time.Time) {
	t := &p.stills
	if !t.open.Load() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for o, q := range t.out {
		rate := float64(o.still.Load()) / 8
		if rate <= 0 {
			delete(t.out, o)
			continue
		}
		if q.sending == nil {
			if q.newest == nil {
				q.at = now
				continue
			}
			q.sending, q.newest, q.next = q.newest, nil, 0
		}
		q.tokens = min(q.tokens+rate*min(now.Sub(q.at), time.Second).Seconds(), pieceMost)
		q.at = now
		// What the channel holds has not left: it would be sent in one go.
		if q.tokens < 0 || t.ch.BufferedAmount() > stillAhead {
			continue
		}
		t.buf = q.sending.piece(q.next, q.from, now).append(t.buf[:0])
		if _, err := t.raw.Write(t.buf); err != nil {
			delete(t.out, o)
			continue
		}
		q.tokens -= float64(len(t.buf) + wireOverhead)
		p.down.left(len(t.buf), now)
		p.countOut(len(t.buf))
		p.carriedDown(Picture, len(t.buf))
		if q.next++; q.next == q.sending.pieces() {
			q.sending = nil
		}
	}
}

// none says whether no outlet has stills to send.
func (t *stills) none() bool {
	if !t.open.Load() {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.out) == 0
}

// setStill says whether an outlet shows stills, and what they may take.
func (o *outlet) setStill(share float64) {
	if !o.peer.stills.open.Load() || share < stillLeast {
		share = 0
	}
	o.still.Store(int64(share))
}

// restill tells a publisher what stills are needed of it, when that changed.
func (p *Peer) restill() {
	if p.part.OnStills == nil {
		return
	}
	for _, in := range p.ticked {
		if in.kind != video || in.rungs.isLow {
			continue
		}
		want := stillsFor(in.stillShare())
		last := in.stills
		near := func(a, b float64) bool { return a <= (1+stillChange)*b && b <= (1+stillChange)*a }
		if (want.Bytes == 0) == (last.Bytes == 0) && near(float64(want.Bytes), float64(last.Bytes)) && near(want.Every.Seconds(), last.Every.Seconds()) {
			continue
		}
		in.stills = want
		p.part.OnStills(want)
	}
}

// stillsFor says whether an outlet may show stills of an inlet, and whether it
// may show nothing else: by the wish of either side, or because the inlet's
// uplink carries no video.
func (o *outlet) stillsFor(in *inlet) (may, only bool) {
	none := o.peer.noVideo.Load()
	wanted := o.peer.stills.wanted.Load()
	return o.peer.stills.open.Load() && in.peer.stills.open.Load() && (!none || wanted), none || in.peer.stills.only.Load() || in.thin.stills.Load()
}
