package sfu

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"syscall"
	"testing"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

func TestTwoPeersHearAndSeeEachOther(t *testing.T) {
	s := startSFU(t, Config{})
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 3})
	b := join(t, s, clientOptions{id: "b", room: "r", slots: 3})
	a.waitConnected()
	b.waitConnected()
	a.speak()
	b.speak()
	for _, pair := range [][2]*client{{a, b}, {b, a}} {
		for k := range kinds {
			eventually(t, fmt.Sprintf("%s from %s to %s", k, pair[0].id, pair[1].id), func() bool {
				return len(pair[1].from(pair[0].id, k)) >= 50
			})
			checkStream(t, pair[1].from(pair[0].id, k), k)
		}
	}
	if got := s.Stats(); got.Rooms != 1 || got.Peers != 2 || got.PacketsIn == 0 || got.PacketsOut == 0 {
		t.Errorf("stats %+v", got)
	}
}

// checkStream: one SSRC, continuous numbers, the first video packet a
// keyframe, content in order. Of a picture that the link has no room for,
// everything up to a keyframe may be left out.
func checkStream(t *testing.T, pkts []rtp.Packet, k kind) {
	t.Helper()
	if k == video && !startsKeyframe("video/vp8", pkts[0].Payload) {
		t.Errorf("video begins without a keyframe: %x", pkts[0].Payload[:2])
	}
	for i := 1; i < len(pkts); i++ {
		if pkts[i].SSRC != pkts[0].SSRC {
			t.Fatalf("SSRC changed at packet %d", i)
		}
		if pkts[i].SequenceNumber != pkts[i-1].SequenceNumber+1 {
			t.Fatalf("packet %d has number %d after %d", i, pkts[i].SequenceNumber, pkts[i-1].SequenceNumber)
		}
		was, err1 := number(pkts[i-1], k)
		is, err2 := number(pkts[i], k)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		left := k == video && is > was && startsKeyframe("video/vp8", pkts[i].Payload)
		if is != was+1 && !left {
			t.Fatalf("content %d after %d", is, was)
		}
	}
}

func TestThreePeers(t *testing.T) {
	s := startSFU(t, Config{})
	var all []*client
	for _, id := range []string{"a", "b", "c"} {
		c := join(t, s, clientOptions{id: id, room: "r", slots: 3})
		all = append(all, c)
	}
	for _, c := range all {
		c.waitConnected()
		c.speak()
	}
	for _, to := range all {
		for _, from := range all {
			if to == from {
				continue
			}
			for k := range kinds {
				eventually(t, fmt.Sprintf("%s from %s to %s", k, from.id, to.id), func() bool {
					return len(to.from(from.id, k)) >= 20
				})
			}
		}
	}
	// Audio and video of one person have the same index, so that browsers
	// play them in step.
	all[0].peer.room.do(func() {
		for k := range kinds {
			for i, o := range all[0].peer.outlets[k] {
				if o.StreamID() != fmt.Sprintf("slot-%d", i) {
					t.Errorf("outlet %d of stream %s", i, o.StreamID())
				}
			}
		}
	})
}

func TestRoomsDoNotMix(t *testing.T) {
	s := startSFU(t, Config{})
	a := join(t, s, clientOptions{id: "a", room: "one", slots: 1})
	b := join(t, s, clientOptions{id: "b", room: "one", slots: 1})
	x := join(t, s, clientOptions{id: "x", room: "two", slots: 1})
	a.waitConnected()
	x.waitConnected()
	b.waitConnected()
	a.speak()
	eventually(t, "b hears a", func() bool { return len(b.from("a", audio)) > 20 })
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.got) != 0 || len(x.slots) != 0 {
		t.Errorf("another room received %v, slots %v", x.got, x.slots)
	}
}

func TestRoomLimitAndMoreSections(t *testing.T) {
	s := startSFU(t, Config{RoomLimit: 3})
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 1})
	b := join(t, s, clientOptions{id: "b", room: "r", slots: 2})
	c := join(t, s, clientOptions{id: "c", room: "r", slots: 2})
	if _, err := s.Join(context.Background(), "r", Participant{ID: "d"}); !errors.Is(err, ErrRoomFull) {
		t.Fatalf("fourth of three: %v", err)
	}
	for _, x := range []*client{a, b, c} {
		x.waitConnected()
		x.speak()
	}
	eventually(t, "a is asked for two sections", func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.more == [2]int{2, 2}
	})
	eventually(t, "a sees b", func() bool { return len(a.from("b", video)) > 10 })
	if got := a.from("c", video); got != nil {
		t.Fatalf("c shown without a section")
	}
	a.addSlots(1)
	a.negotiate(clientOptions{})
	eventually(t, "a sees c too", func() bool { return len(a.from("c", video)) > 10 })
	n := len(a.from("b", video))
	eventually(t, "a still sees b", func() bool { return len(a.from("b", video)) > n })
	checkStream(t, a.from("b", video), video)
}

func TestSlotSwitchesToTheNextPerson(t *testing.T) {
	s := startSFU(t, Config{})
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 1})
	b := join(t, s, clientOptions{id: "b", room: "r", slots: 1})
	a.waitConnected()
	b.waitConnected()
	stop := b.speak()
	eventually(t, "a sees b", func() bool { return len(a.from("b", video)) > 20 })
	before := a.from("b", video)
	stop()
	b.leave()
	eventually(t, "slots empty", func() bool { return len(a.peer.Slots()) == 0 })
	c := join(t, s, clientOptions{id: "c", room: "r", slots: 1})
	c.waitConnected()
	c.speak()
	eventually(t, "a sees c", func() bool { return len(a.from("c", video)) > len(before)+20 })
	// The section went on under one SSRC without a gap, from a keyframe.
	pkts := a.from("c", video)
	for i := 1; i < len(pkts); i++ {
		if pkts[i].SSRC != pkts[0].SSRC || pkts[i].SequenceNumber != pkts[i-1].SequenceNumber+1 {
			t.Fatalf("packet %d: number %d after %d", i, pkts[i].SequenceNumber, pkts[i-1].SequenceNumber)
		}
		if d := int32(pkts[i].Timestamp - pkts[i-1].Timestamp); d <= 0 {
			t.Fatalf("packet %d: timestamp %d ticks after the last", i, d)
		}
	}
	i := slices.IndexFunc(pkts[len(before):], func(p rtp.Packet) bool {
		n, _ := number(p, video)
		return n < 10 || startsKeyframe("video/vp8", p.Payload)
	})
	if i < 0 || !startsKeyframe("video/vp8", pkts[len(before)+i].Payload) {
		t.Errorf("the new person does not begin with a keyframe")
	}
}

func TestNoCommonCodecLeavesSlotEmpty(t *testing.T) {
	s := startSFU(t, Config{})
	a := join(t, s, clientOptions{id: "a", room: "r", slots: 1})
	b := newClient(t, s, clientOptions{id: "b", room: "r", slots: 1, video: webrtc.MimeTypeVP9})
	// a never learns VP9.
	a.peer.room.do(func() {
		o := a.peer.outlets[video][0]
		o.mu.Lock()
		o.formats = slices.DeleteFunc(o.formats, func(f format) bool { return f.mime == "video/vp9" })
		o.mu.Unlock()
	})
	b.negotiate(clientOptions{})
	a.waitConnected()
	b.waitConnected()
	b.speak()
	eventually(t, "a hears b", func() bool { return len(a.from("b", audio)) > 10 })
	for _, slot := range a.peer.Slots() {
		if slot.Kind == "video" {
			t.Errorf("video slot filled: %+v", slot)
		}
	}
}

func TestPortTaken(t *testing.T) {
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := New(Config{UDPAddr: c.LocalAddr().String()}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatalf("got %v", err)
	}
	if _, err := New(Config{UDPAddr: "nonsense"}); err == nil {
		t.Fatal("an address without a port was taken")
	}
}
