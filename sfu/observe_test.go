package sfu

import (
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"sira/sfu/bulk"
)

// TestObserve: what a link carried is counted by what it was for, losses on
// either way too, without taking anything from Quality.
func TestObserve(t *testing.T) {
	s := startSFU(t, Config{})
	up, down := startProxy(t), startProxy(t)
	up.up, down.down = once(10), once(10)
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 1, video: webrtc.MimeTypeVP9, nack: true, direct: up.direct})
	b := join(t, s, clientOptions{id: "b", room: "r", slots: 1, nack: true, twcc: true, direct: down.direct})
	a.waitConnected()
	b.waitConnected()
	a.film(200)
	var from, to Observation
	eventually(t, "all is counted", func() bool {
		from, to = a.peer.Observe(), b.peer.Observe()
		return from.UpLost > 0 && from.Up[Repair] > 0 && to.DownLost > 0 && to.Down[Repair] > 0 && to.Delivered > 30_000 && to.RTT > 0 && to.Estimate > 0
	})
	if !to.Connected || to.Path != "udp" {
		t.Errorf("connected %v by %q", to.Connected, to.Path)
	}
	// A packet is 62 bytes at least, one of the picture 262.
	if to.Down[Voice] < 62*50 || to.Down[Picture] < 262*10 || from.Up[Picture] < 2*from.Up[Voice] {
		t.Errorf("down %v, up %v", to.Down, from.Up)
	}
	if sent := to.Down[Voice] + to.Down[Picture] + to.Down[Repair]; to.Delivered > sent {
		t.Errorf("%d bytes arrived of %d", to.Delivered, sent)
	}
	if to.DownLost*3 > to.DownTold || from.UpLost*3 > from.UpExpected {
		t.Errorf("lost %d of %d, %d of %d", to.DownLost, to.DownTold, from.UpLost, from.UpExpected)
	}
	if q := b.peer.Quality(); q.LossDown == 0 || q.KbpsDown != 0 {
		t.Errorf("the first quality %+v", q)
	}
}

// TestObserveBlamesTheRightLink: what is lost on a publisher's way, and repaired
// late, is no loss of the viewer's.
func TestObserveBlamesTheRightLink(t *testing.T) {
	s := startSFU(t, Config{})
	up := startProxy(t)
	up.up = once(5)
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 1, video: webrtc.MimeTypeVP9, nack: true, direct: up.direct})
	b := join(t, s, clientOptions{id: "b", room: "r", slots: 1, nack: true, twcc: true})
	a.waitConnected()
	b.waitConnected()
	a.film(200)
	var from, to Observation
	eventually(t, "enough is lost and told", func() bool {
		from, to = a.peer.Observe(), b.peer.Observe()
		return from.UpLost > 50 && to.DownTold > 300
	})
	if to.DownLost*100 > to.DownTold {
		t.Errorf("%d of %d packets lost on a perfect link", to.DownLost, to.DownTold)
	}
}

// TestObserveRelay: what a relay carries is told apart.
func TestObserveRelay(t *testing.T) {
	s := startSFU(t, Config{})
	s.Relayed(func(ip string, port int) bool { return ip == "127.0.0.1" && port > 0 })
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 1})
	a.waitConnected()
	eventually(t, "the path is known", func() bool { return a.peer.Observe().Path == "relay" })
}

// TestObserveFiles: what a participant transfers beside the call is counted
// with it, each way; bytes that were given back are not taken off again.
func TestObserveFiles(t *testing.T) {
	p, book := filesPeer("u")
	now := time.Now()
	book.Take("u", bulk.Up, bulk.Files, 5000, now)
	book.Take("u", bulk.Down, bulk.Asked, 700, now)
	book.Take("other", bulk.Up, bulk.Files, 9000, now)
	var o Observation
	p.countFiles(&o)
	if o.Up[Files] != 5000 || o.Down[Still] != 700 || o.Up[Still] != 0 || o.Down[Files] != 0 {
		t.Errorf("up %v, down %v", o.Up, o.Down)
	}
	p.part.Files.Leave()
	o = Observation{}
	if p.countFiles(&o); o.Up[Files] != 5000 {
		t.Errorf("after it ended: up %v", o.Up)
	}
}
