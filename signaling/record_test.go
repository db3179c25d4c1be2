package signaling

import (
	"testing"
	"time"

	"sira/signaling/record"
)

// link is how the others are shown somebody's link.
func link(m map[string]any, user string) any {
	if m == nil {
		return nil
	}
	for _, p := range m["participants"].([]any) {
		if p := p.(map[string]any); p["userId"] == user {
			return p["link"]
		}
	}
	return nil
}

// TestRecord: a call of two is recorded, each one's link is shown to both, an
// outage is measured, a browser's report is kept, and figures outlive the call.
func TestRecord(t *testing.T) {
	b := start(t, Options{Timing: Timing{Quality: 50 * time.Millisecond}})
	var left []string
	b.srv.OnFarewell(func(room, user string) { left = append(left, room+" "+user) })
	a, x := b.dial("r", "a"), b.dial("r", "x")
	ma, mx := a.join(1), x.join(1)
	a.speak()
	x.speak()
	for _, c := range []*caller{a, x} {
		eventually(t, "both links are good", func() bool {
			m := c.last("participants")
			return link(m, "a") == "good" && link(m, "x") == "good"
		})
	}
	eventually(t, "both hear", func() bool { return a.heard(mx["self"].(string)) > 20 && x.heard(ma["self"].(string)) > 20 })
	a.write(map[string]any{"type": "report", "voice": 3, "usable": 2, "freezes": 1, "frozenMs": 400, "firstAudioMs": 120, "width": 320, "height": 240, "fps": 12})
	call := b.srv.Record("r")
	eventually(t, "the report is in the record", func() bool { got, ok := call.Of("a", time.Now()); return ok && got.Usable == 2 && got.FrozenMs == 400 })
	if got, _ := call.Of("x", time.Now()); got.Usable != 0 || got.Freezes != 0 {
		t.Errorf("x has a's figures: %+v", got)
	}

	x.cut()
	eventually(t, "a sees x cut", func() bool { return link(a.last("participants"), "x") == "cut" })
	x = x.resume(b, "r", "x", mx["token"].(string), nil)
	x.wait("resumed")
	eventually(t, "a sees x back", func() bool { return link(a.last("participants"), "x") == "good" })

	if b.srv.EndRecord("r"); b.srv.Record("r") != call {
		t.Error("a record ends while people are there")
	}
	x.write(map[string]any{"type": "leave"})
	x.waitEnd("", 1000)
	a.hangUp()
	eventually(t, "both left", func() bool { return len(b.srv.Participants("r")) == 0 })
	if len(left) != 1 || left[0] != "r x" {
		t.Errorf("farewells %v", left)
	}
	v := call.View(0, time.Now())
	if len(v.People) != 2 {
		t.Fatalf("record %+v", v)
	}
	for _, p := range v.People {
		if p.Here || p.Totals.Down["voice"] == 0 || p.Totals.Up["voice"] == 0 || p.Totals.Path != "udp" || len(p.Samples.At) < 3 || p.Name != "Nom "+p.User {
			t.Errorf("line %+v", p)
		}
	}
	again := b.dial("r", "a")
	again.join(1)
	if b.srv.Record("r") != call {
		t.Error("who comes back at once begins another call")
	}
	again.hangUp()
	eventually(t, "left again", func() bool { return len(b.srv.Participants("r")) == 0 })
	b.srv.EndRecord("r")
	if all := b.srv.Records(); b.srv.Record("r") != nil || len(all) != 1 || all[0] != call {
		t.Errorf("the past %v", all)
	}
}

// TestRecordOfOutage: media that is cut while nobody touches anything is an
// outage in the record, with its length and how long it took to resume.
func TestRecordOfOutage(t *testing.T) {
	c := record.New("r", time.Now())
	m := &member{}
	m.linked(false) // before it entered
	m.heardAgain()
	line := c.Enter(record.Key{User: "u"}, record.Who{}, time.Now().Add(-time.Minute))
	m.line.Store(line)
	m.linked(true)
	m.linked(false)
	m.heardAgain()
	m.linked(true)
	got, _ := c.Of("u", time.Now())
	if got.Outages != 1 || got.OutageMs < 3900 || got.OutageMs > 10_000 || got.ResumeMs > 5000 {
		t.Errorf("%+v", got)
	}
}

func TestBadReportEndsTheCall(t *testing.T) {
	b := start(t, Options{})
	c := b.dial("r", "a")
	c.join(1)
	c.write(map[string]any{"type": "report", "voice": 3, "usable": 400})
	c.waitEnd("bad-message", 1007)
}
