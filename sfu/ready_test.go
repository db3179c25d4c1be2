package sfu

import (
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

// TestVoiceFirst: pictures wait where the link is not known to be good, voice
// does not, and the publisher is told nothing.
func TestVoiceFirst(t *testing.T) {
	s := startSFU(t, Config{})
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 2, video: webrtc.MimeTypeVP9, stills: true})
	b := join(t, s, clientOptions{id: "b", room: "r", slots: 1, twcc: true, stills: true})
	c := join(t, s, clientOptions{id: "c", room: "r", slots: 1, twcc: true})
	c.heldAt(2 * good)
	b.heldAt(good - 1000)
	b.peer.VoiceFirst(time.Hour)
	c.peer.VoiceFirst(time.Hour)
	for _, x := range []*client{a, b, c} {
		x.waitConnected()
	}
	a.film(300)
	eventually(t, "voice", func() bool { return len(b.from("a", audio)) > 50 })
	eventually(t, "a picture on a good link", func() bool { return len(c.from("a", video)) > 20 })
	if n := len(b.from("a", video)); n > 0 || b.peer.Quality().Picture != "" {
		t.Errorf("%d packets of a picture, %+v", n, b.peer.Quality())
	}
	a.mu.Lock()
	if a.targets > 0 && a.target.Kbps == 0 {
		t.Errorf("target %+v", a.target)
	}
	a.mu.Unlock()
	b.peer.VoiceFirst(0)
	eventually(t, "the picture", func() bool { return len(b.from("a", video)) > 20 })
}

// TestPrepared: a peer that is prepared is closed with the SFU.
func TestPrepared(t *testing.T) {
	s := startSFU(t, Config{RoomLimit: 1})
	p, err := s.Prepare(t.Context(), "r", Participant{ID: "p"})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Enter(); err != nil {
		t.Fatal(err)
	}
	q, err := s.Prepare(t.Context(), "r", Participant{ID: "q"})
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Enter(); err == nil {
		t.Error("into a full room")
	}
	if n := s.Stats().Peers; n != 2 {
		t.Errorf("%d peers", n)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := s.Stats().Peers; n != 0 {
		t.Errorf("%d peers after the end", n)
	}
}
