package signaling

import (
	"fmt"
	"reflect"
	"sync"
	"testing"

	"github.com/gorilla/websocket"
)

// TestStill: a picture is asked of its owner, shown to all and to who comes
// late, drawn on in one order for all, and its drawing handed over by author.
func TestStill(t *testing.T) {
	b := start(t, Options{})
	var mu sync.Mutex
	kept := map[string][]Mark{}
	b.srv.OnDrawn(func(room, still string, by User, marks []Mark) {
		mu.Lock()
		defer mu.Unlock()
		kept[room+" "+still+" "+by.ID] = marks
	})
	a, x, late := b.dial("r", "a"), b.dial("r", "x"), b.dial("r", "late")
	self := a.join(1)["self"].(string)
	mx := x.join(1)["self"].(string)

	x.write(map[string]any{"type": "freeze", "of": self})
	if m := a.wait("freeze"); m["by"] != mx {
		t.Errorf("asked %v", m)
	}
	a.write(map[string]any{"type": "freezing", "sent": 10, "size": 30})
	if m := x.wait("freezing"); m["of"] != self || m["sent"] != 10. || m["size"] != 30. {
		t.Errorf("told %v", m)
	}
	still := Still{ID: "s1", Hash: "00ff", Width: 640, Height: 480, By: User{ID: "a", Name: "Nom a"}, Of: User{ID: "a", Name: "Nom a"}}
	b.srv.Show("elsewhere", still)
	b.srv.Show("r", still)
	b.srv.Show("r", still) // an upload that was repeated
	for _, c := range []*caller{a, x} {
		if m := c.wait("still"); m["id"] != "s1" || m["hash"] != "00ff" || m["width"] != 640. || m["ofName"] != "Nom a" || len(m["marks"].([]any)) != 0 {
			t.Errorf("shown %v", m)
		}
	}

	draw := func(c *caller, still, kind string, points ...int) {
		m := map[string]any{"type": "draw", "still": still, "kind": kind}
		if len(points) > 0 {
			m["points"] = points
		}
		c.write(m)
	}
	x.write(map[string]any{"type": "at", "at": []int{5000, 1}})
	if m := a.wait("at"); m["by"] != mx || m["at"].([]any)[0] != 5000. {
		t.Errorf("pointing %v", m)
	}
	draw(x, "another", "stroke", 9, 9) // too late
	draw(x, "s1", "stroke", 1, 2, 3, 4)
	draw(x, "s1", "arrow", 0, 0, 9999, 9999)
	draw(x, "s1", "stroke", 7, 7)
	draw(x, "s1", "undo")
	eventually(t, "x sees what x undid", func() bool { m := x.last("draw"); return m != nil && m["kind"] == "undo" })
	draw(a, "s1", "undo") // nothing of a's
	draw(a, "s1", "stroke", 5, 5)
	eventually(t, "x sees a's mark", func() bool { m := x.last("draw"); return m["userId"] == "a" && m["kind"] == "stroke" })
	if x.last("at") != nil {
		t.Error("a pointer comes back to who points")
	}

	late.join(1)
	marks := late.wait("still")["marks"].([]any)
	var got []string
	for _, k := range marks {
		k := k.(map[string]any)
		got = append(got, fmt.Sprint(k["userId"], k["kind"], k["points"]))
	}
	if want := []string{"xstroke[1 2 3 4]", "xarrow[0 0 9999 9999]", "astroke[5 5]"}; !reflect.DeepEqual(got, want) {
		t.Errorf("who comes late sees %v", got)
	}

	draw(a, "s1", "clear")
	eventually(t, "cleared", func() bool { return late.last("draw") != nil && late.last("draw")["kind"] == "clear" })
	late.write(map[string]any{"type": "close-still", "still": "other"})
	late.write(map[string]any{"type": "close-still", "still": "s1"})
	if m := a.wait("still-closed"); m["still"] != "s1" {
		t.Errorf("closed %v", m)
	}
	want := map[string][]Mark{"r s1 x": {{"stroke", []int{1, 2, 3, 4}}, {"arrow", []int{0, 0, 9999, 9999}}}}
	eventually(t, "the drawing is kept", func() bool { mu.Lock(); defer mu.Unlock(); return reflect.DeepEqual(kept, want) })

	// The end of the call keeps what is still shown, the next call begins without.
	still.ID = "s2"
	b.srv.Show("r", still)
	eventually(t, "s2", func() bool { return x.last("still")["id"] == "s2" })
	draw(x, "s2", "stroke", 3, 3)
	eventually(t, "drawn", func() bool { return x.last("draw")["still"] == "s2" })
	a.hangUp()
	x.hangUp()
	late.hangUp()
	eventually(t, "kept at the end", func() bool { mu.Lock(); defer mu.Unlock(); return len(kept["r s2 x"]) == 1 })
	again := b.dial("r", "a")
	again.join(1)
	again.write(map[string]any{"type": "ping", "t": 1})
	again.wait("pong")
	if m := again.last("still"); m != nil {
		t.Errorf("a new call begins with %v", m)
	}
}

// TestStillBounds: a person and a still hold so much and no more, and whoever
// sends what is no mark is told and closed.
func TestStillBounds(t *testing.T) {
	b := start(t, Options{})
	a := b.dial("r", "a")
	self := a.join(1)["self"].(string)
	b.srv.Show("r", Still{ID: "s"})
	a.wait("still")
	b.srv.mu.Lock()
	x := b.srv.rooms["r"].members[0]
	b.srv.mu.Unlock()
	for i := range marksMost {
		if i%20 == 0 { // what the reader has not read would be too much to wait
			eventually(t, "read", func() bool { return a.count("draw") == i })
		}
		b.srv.draw(x, &drawMessage{Still: "s", Kind: "stroke", Points: []int{1, 1}})
	}
	a.write(map[string]any{"type": "draw", "still": "s", "kind": "stroke", "points": []int{1, 1}})
	eventually(t, "a full drawing", func() bool { m := a.last("draw"); return m != nil && m["kind"] == "full" && m["points"] == nil })
	a.write(map[string]any{"type": "draw", "still": "s", "kind": "undo"})
	a.write(map[string]any{"type": "draw", "still": "s", "kind": "stroke", "points": []int{1, 1}})
	eventually(t, "room again", func() bool { return a.last("draw")["kind"] == "stroke" })

	for name, m := range map[string]map[string]any{
		"odd":      {"type": "draw", "still": "s", "kind": "stroke", "points": []int{1}},
		"outside":  {"type": "draw", "still": "s", "kind": "stroke", "points": []int{1, 10000}},
		"long":     {"type": "draw", "still": "s", "kind": "stroke", "points": make([]int, 2*pointsMost+2)},
		"bent":     {"type": "draw", "still": "s", "kind": "arrow", "points": []int{1, 1, 2, 2, 3, 3}},
		"circle":   {"type": "draw", "still": "s", "kind": "circle", "points": []int{1, 1}},
		"nowhere":  {"type": "at", "at": []int{}},
		"letters":  {"type": "at", "at": "ici"},
		"wiggle":   {"type": "gesture", "to": self, "move": "wiggle", "direction": "left"},
		"sideways": {"type": "gesture", "to": self, "move": "press", "direction": "left"},
		"backward": {"type": "freezing", "sent": 9, "size": 3},
	} {
		t.Run(name, func(t *testing.T) {
			c := b.dial("r", "junk")
			c.t = t
			c.join(1)
			c.write(m)
			c.waitEnd("bad-message", websocket.CloseInvalidFramePayloadData)
			c.hangUp()
		})
	}
	early := b.dial("r", "early")
	early.write(map[string]any{"type": "close-still", "still": "s"})
	early.waitEnd("bad-message", websocket.CloseInvalidFramePayloadData)
	if a.last("still-closed") != nil {
		t.Error("closed by somebody outside")
	}
}

// count is how many messages of a type came.
func (c *caller) count(typ string) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.messages {
		if m["type"] == typ {
			n++
		}
	}
	return n
}

// TestGesture: whoever holds the probe is shown the movement, nobody else; a
// device shows it to all who may stand beside it.
func TestGesture(t *testing.T) {
	b := start(t, Options{})
	a, x, third := b.dial("r", "a"), b.dial("r", "x"), b.dial("r", "third")
	self := a.join(1)["self"].(string)
	mx := x.join(1)["self"].(string)
	third.join(1)
	x.write(map[string]any{"type": "gesture", "to": self, "move": "tilt", "direction": "left"})
	if m := a.wait("gesture"); m["by"] != mx || m["move"] != "tilt" || m["direction"] != "left" {
		t.Errorf("shown %v", m)
	}
	x.write(map[string]any{"type": "gesture", "to": "p999", "move": "tilt", "direction": "left"})
	x.write(map[string]any{"type": "ping", "t": 1})
	x.wait("pong")
	third.write(map[string]any{"type": "ping", "t": 1})
	third.wait("pong")
	if third.last("gesture") != nil || x.last("gesture") != nil {
		t.Error("shown to somebody else")
	}
}
