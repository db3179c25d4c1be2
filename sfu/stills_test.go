package sfu

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"pgregory.net/rapid"

	"sira/sfu/estimate"
)

// webp is what passes for a picture, n bytes.
func webp(n int, fill byte) []byte {
	b := bytes.Repeat([]byte{fill}, n)
	copy(b, "RIFF\x00\x00\x00\x00WEBPVP8 ")
	return b
}

// pieces cuts a still as a client does.
func pieces(number int, data []byte) (out [][]byte) {
	s := still{number: uint16(number), data: data, taken: time.Now()}
	for i := range s.pieces() {
		out = append(out, s.piece(i, "", time.Now()).append(nil))
	}
	return out
}

// album is a client's end of the stills channel.
type album struct {
	ch *webrtc.DataChannel

	mu    sync.Mutex
	parts map[string][]byte
	whole []piece // data is the picture
}

func openAlbum(t *testing.T, pc *webrtc.PeerConnection) *album {
	t.Helper()
	yes, id := true, uint16(stillsID)
	ch, err := pc.CreateDataChannel(stillsLabel, &webrtc.DataChannelInit{Ordered: &yes, Negotiated: &yes, ID: &id})
	if err != nil {
		t.Fatal(err)
	}
	a := &album{ch: ch, parts: map[string][]byte{}}
	ch.OnMessage(func(m webrtc.DataChannelMessage) {
		p, ok := parsePiece(m.Data)
		a.mu.Lock()
		defer a.mu.Unlock()
		if !ok || len(m.Data) > headerMost+pieceMost {
			t.Errorf("%d bytes that are no piece", len(m.Data))
			return
		}
		if p.index == 0 {
			a.parts[p.from] = nil
		}
		a.parts[p.from] = append(a.parts[p.from], p.data...)
		if p.index == p.count-1 {
			p.data = a.parts[p.from]
			a.whole = append(a.whole, p)
		}
	})
	return a
}

func (a *album) got() []piece {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]piece(nil), a.whole...)
}

func (a *album) send(t *testing.T, number int, data []byte) {
	t.Helper()
	for _, p := range pieces(number, data) {
		if err := a.ch.Send(p); err != nil {
			t.Fatal(err)
		}
	}
}

// heldAt makes the link of a client one that is believed to carry so much.
func (c *client) heldAt(bps float64) {
	c.peer.down.mu.Lock()
	defer c.peer.down.mu.Unlock()
	c.peer.down.est = estimate.New(estimate.Config{Start: bps, Min: bps, Max: bps})
}

// voice is what the client's voice takes of a link.
func (c *client) voice() float64 {
	c.peer.mu.Lock()
	defer c.peer.mu.Unlock()
	for _, in := range c.peer.active {
		if in.kind == audio {
			return in.voiceRate(in.copiesUp())
		}
	}
	return voiceMost
}

// TestStillsWhereNoVideoPasses: of two viewers the one with a thin link gets
// stills in place of video, the other video and no stills; voice is for both.
func TestStillsWhereNoVideoPasses(t *testing.T) {
	s := startSFU(t, Config{})
	var mu sync.Mutex
	var wanted Stills
	asked := func() Stills { mu.Lock(); defer mu.Unlock(); return wanted }
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 2, video: webrtc.MimeTypeVP9, stills: true,
		part: Participant{OnStills: func(w Stills) { mu.Lock(); wanted = w; mu.Unlock() }}})
	thin := join(t, s, clientOptions{id: "thin", room: "r", slots: 2, twcc: true, stills: true})
	wide := join(t, s, clientOptions{id: "wide", room: "r", slots: 2, twcc: true, stills: true})
	for _, c := range []*client{a, thin, wide} {
		c.waitConnected()
		eventually(t, c.id+"'s channel", func() bool { return c.peer.stills.open.Load() })
	}
	wide.heldAt(2e6)
	a.film(300)
	thinly := func() { thin.heldAt(a.voice() + 9_000) } // as much as leaves no room for video, whatever the voice takes
	eventually(t, "stills are asked for", func() bool { thinly(); w := asked(); return w.Bytes >= stillFrom && w.Every >= stillOften })
	if q := thin.peer.Quality(); q.Picture != "stills" {
		t.Errorf("quality %+v", q)
	}
	first, second := webp(3100, 1), webp(3100, 2)
	a.album.send(t, 1, first)
	eventually(t, "the thin link shows the first", func() bool { thinly(); return len(thin.album.got()) == 1 })
	for begin := time.Now(); time.Since(begin) < stillApart; time.Sleep(5 * time.Millisecond) {
		thinly() // as often as a publisher may
	}
	a.album.send(t, 2, second)
	eventually(t, "and the second", func() bool { thinly(); return len(thin.album.got()) == 2 })
	for i, want := range [][]byte{first, second} {
		if p := thin.album.got()[i]; p.from != "a" || int(p.number) != i+1 || !bytes.Equal(p.data, want) || p.age <= 0 || p.age > patience {
			t.Errorf("still %d: from %q, number %d, %d bytes, %s old", i, p.from, p.number, len(p.data), p.age)
		}
	}
	eventually(t, "the wide link sees video", func() bool { return len(wide.from("a", video)) > 30 })
	if n := len(wide.album.got()); n > 0 {
		t.Errorf("%d stills beside video", n)
	}
	n := len(thin.from("a", audio))
	eventually(t, "the voice goes on", func() bool { return len(thin.from("a", audio)) > n+20 })

	// The link is good again: video, and no more stills.
	thin.heldAt(400_000)
	n = len(thin.from("a", video))
	eventually(t, "video comes back", func() bool { return len(thin.from("a", video)) > n+20 })
	eventually(t, "stills are no longer asked for", func() bool { return asked().Bytes == 0 })
}

// TestThinLinkIsFoundToBeWide: a link that is believed to carry no video is
// tried all the same.
func TestThinLinkIsFoundToBeWide(t *testing.T) {
	s := startSFU(t, Config{})
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 1, video: webrtc.MimeTypeVP9, stills: true})
	b := join(t, s, clientOptions{id: "b", room: "r", slots: 1, twcc: true, stills: true})
	a.waitConnected()
	b.waitConnected()
	b.peer.down.mu.Lock()
	b.peer.down.est = estimate.New(estimate.Config{Start: 30_000})
	b.peer.down.mu.Unlock()
	a.filmAndSpeak(300, 6) // a voice in packets of 60 ms
	eventually(t, "no video", func() bool { p := b.peer.Quality().Picture; return p == "stills" || p == "off" })
	eventually(t, "the estimate grows", func() bool { bps, _ := b.peer.down.known(); return bps > 36_000 })
}

// TestStillsByWish: who wishes stills gets them on any link, and who sends
// nothing else is seen in stills by all but those who want no picture.
func TestStillsByWish(t *testing.T) {
	s := startSFU(t, Config{})
	var mu sync.Mutex
	var wanted Stills
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 1, stills: true,
		part: Participant{OnStills: func(w Stills) { mu.Lock(); wanted = w; mu.Unlock() }}})
	b := join(t, s, clientOptions{id: "b", room: "r", slots: 1, twcc: true, stills: true})
	for _, c := range []*client{a, b} {
		c.waitConnected()
		eventually(t, c.id+"'s channel", func() bool { return c.peer.stills.open.Load() })
	}
	a.speak()
	eventually(t, "b sees a", func() bool { return len(b.from("a", video)) > 10 })
	is := func(some bool) func() bool {
		return func() bool { mu.Lock(); defer mu.Unlock(); return (wanted.Bytes > 0) == some }
	}
	b.peer.ReceiveStills(true)
	b.peer.ReceiveVideo(false)
	eventually(t, "stills by b's wish", is(true))
	if q := b.peer.Quality(); q.Picture != "stills" {
		t.Errorf("quality %+v", q)
	}
	b.peer.ReceiveStills(false)
	eventually(t, "no picture by b's wish", is(false))
	eventually(t, "said so", func() bool { return b.peer.Quality().Picture == "unwanted" })
	b.peer.ReceiveVideo(true)
	a.peer.SendStills(true)
	eventually(t, "stills by a's wish", is(true))
	a.album.send(t, 7, webp(2500, 3))
	eventually(t, "b shows it", func() bool { return len(b.album.got()) == 1 })
	if q := b.peer.Quality(); q.Picture != "" {
		t.Errorf("quality %+v: the link of b is not to blame", q)
	}
}

// TestHostileStills: what is no picture, no piece, too soon or too long is not
// relayed, and the call goes on.
func TestHostileStills(t *testing.T) {
	s := startSFU(t, Config{})
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 1, stills: true})
	b := join(t, s, clientOptions{id: "b", room: "r", slots: 1, stills: true})
	for _, c := range []*client{a, b} {
		c.waitConnected()
		eventually(t, c.id+"'s channel", func() bool { return c.peer.stills.open.Load() })
	}
	a.peer.SendStills(true)
	a.speak()
	eventually(t, "stills mode", func() bool {
		b.peer.mu.Lock()
		defer b.peer.mu.Unlock()
		for _, o := range b.peer.link.outlets {
			if o.still.Load() > 0 {
				return true
			}
		}
		return false
	})
	a.album.send(t, 1, bytes.Repeat([]byte("<script>"), 300)) // no picture
	for _, junk := range [][]byte{{0}, {1, 0, 1, 5, 2, 0, 0, 0, 0, 0, 9}, bytes.Repeat([]byte{1}, 300)} {
		if err := a.ch().Send(junk); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(2 * stillApart) // counted from their arrival
	a.album.send(t, 2, webp(4000, 1))
	a.album.send(t, 3, webp(4000, 2)) // too soon
	eventually(t, "the picture", func() bool { return len(b.album.got()) >= 1 })
	if got := b.album.got(); len(got) != 1 || got[0].number != 2 {
		t.Errorf("%d stills, first %d", len(got), got[0].number)
	}
	// A message beyond any bound ends the channel, not the call.
	if err := a.ch().Send(make([]byte, 8000)); err == nil {
		eventually(t, "the channel ends", func() bool { return !a.peer.stills.open.Load() })
	}
	n := len(b.from("a", audio))
	eventually(t, "the call goes on", func() bool { return len(b.from("a", audio)) > n+20 })
}

func (c *client) ch() *webrtc.DataChannel { return c.album.ch }

func TestAssembler(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a assembler
		now := time.Unix(1000, 0)
		last := time.Time{}
		for n := range 60 {
			now = now.Add(time.Duration(rapid.IntRange(0, 1200).Draw(t, "ms")) * time.Millisecond)
			size := rapid.IntRange(20, 5000).Draw(t, "size")
			data := webp(size, byte(size))
			ps := pieces(n, data)
			lost := rapid.IntRange(-8, len(ps)-1).Draw(t, "lost")
			for i, raw := range ps {
				if i == lost {
					continue
				}
				p, ok := parsePiece(raw)
				if !ok {
					t.Fatalf("piece %d of %d unreadable", i, len(ps))
				}
				s, whole := a.add(p, now)
				if !whole {
					continue
				}
				if i != len(ps)-1 || lost >= 0 || !bytes.Equal(s.data, data) {
					t.Fatalf("%d bytes of %d from %d pieces without %d", len(s.data), size, len(ps), lost)
				}
				if now.Sub(last) < stillApart {
					t.Fatalf("two within %s", now.Sub(last))
				}
				last = now
			}
		}
	})
}

func TestStillsFor(t *testing.T) {
	for _, bps := range []float64{0, 1000, stillLeast, 5000, 8000, 14_000, 24_000, 1e6} {
		w := stillsFor(bps)
		if bps < stillLeast {
			if w != (Stills{}) {
				t.Errorf("%.0f: %+v", bps, w)
			}
			continue
		}
		if w.Bytes < stillFrom || w.Bytes > stillTo || w.Every < stillOften || w.Every > stillSeldom {
			t.Errorf("%.0f: %+v", bps, w)
		}
		if took := float64(w.Bytes) * 8 / w.Every.Seconds(); took > bps {
			t.Errorf("%.0f: %+v takes %.0f", bps, w, took)
		}
	}
	// The goal at 64 kbit/s: a still each 6 s at most beside a voice.
	if w := stillsFor(64_000 - voiceRate - 10_000); w.Every > 6*time.Second {
		t.Errorf("%+v", w)
	}
}

func FuzzPiece(f *testing.F) {
	for _, p := range pieces(3, webp(2300, 9)) {
		f.Add(p)
	}
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, ok := parsePiece(raw)
		if !ok {
			return
		}
		if back := p.append(nil); !bytes.Equal(back, raw) && p.age < 1<<31*time.Millisecond {
			t.Errorf("% x became % x", raw, back)
		}
		var a assembler
		if s, whole := a.add(p, time.Unix(1000, 0)); whole && len(s.data) > pieceMost*piecesMost {
			t.Errorf("%d bytes", len(s.data))
		}
	})
}

// TestChannelThatNeverOpens: a peer that offers the channel and speaks no SCTP
// is in the call all the same, and can be closed.
func TestChannelThatNeverOpens(t *testing.T) {
	s := startSFU(t, Config{})
	o := clientOptions{id: "a", room: "r", slots: 1, edit: func(offer string) string {
		_, first, _ := strings.Cut(offer, "\r\nm=")
		section := "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:data\r\na=sctp-port:5000\r\n"
		for _, line := range strings.Split(first, "\r\n") {
			if strings.HasPrefix(line, "a=ice-") || strings.HasPrefix(line, "a=setup:") || strings.HasPrefix(line, "a=fingerprint:") {
				section += line + "\r\n"
			}
		}
		offer = strings.Replace(offer, "a=group:BUNDLE", "a=group:BUNDLE data", 1)
		return offer + section
	}}
	a := join(t, s, o)
	b := join(t, s, clientOptions{id: "b", room: "r", slots: 1})
	a.waitConnected()
	b.waitConnected()
	a.speak()
	eventually(t, "b hears a", func() bool { return len(b.from("a", audio)) > 20 })
	if a.peer.stills.ch == nil || a.peer.stills.open.Load() {
		t.Error("the channel was not offered, or is open")
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = a.peer.Close() }()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("cannot be closed")
	}
}
