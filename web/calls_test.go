package web

import (
	"slices"
	"testing"
	"time"

	"sira/signaling"
)

// TestAttendanceOfParked: a link that is cut is no leaving; who does not come
// back left when it was cut.
func TestAttendanceOfParked(t *testing.T) {
	var came []string
	left := make(chan time.Time, 8)
	a := newAttendance(func(_, user string) { came = append(came, user) }, func(l leaver) { left <- l.at })
	a.grace = time.Millisecond
	with := func(away bool) []signaling.Participant {
		return []signaling.Participant{{ID: "p1", UserID: "x", Away: away}}
	}
	a.changed("r", with(false))
	a.changed("r", with(true))
	a.changed("r", with(false))
	if len(came) != 1 {
		t.Errorf("came %v", came)
	}
	select {
	case <-left:
		t.Fatal("left while parked")
	case <-time.After(20 * time.Millisecond):
	}
	before := time.Now()
	a.changed("r", with(true))
	after := time.Now()
	time.Sleep(5 * time.Millisecond)
	a.changed("r", nil)
	if at := <-left; at.Before(before) || at.After(after) {
		t.Errorf("left at %s, cut between %s and %s", at, before, after)
	}
	a.changed("r", with(false)) // comes once more
	if len(came) != 2 {
		t.Errorf("came %v", came)
	}
	a.close()
	if len(left) != 1 {
		t.Errorf("%d left at the end", len(left))
	}
}

// TestAttendanceOfLeavers: who hangs up left at once, unless they are there on
// another device; the last one with an account closes the call's account, the
// last of all ends it.
func TestAttendanceOfLeavers(t *testing.T) {
	var left []leaver
	a := newAttendance(func(_, _ string) {}, func(l leaver) { l.at = time.Time{}; left = append(left, l) })
	here := func(users ...string) (ps []signaling.Participant) {
		for _, u := range users {
			ps = append(ps, signaling.Participant{UserID: u})
		}
		return ps
	}
	a.changed("r", here("x", "x", "y", "guest:1"))
	a.farewell("r", "x")
	a.changed("r", here("x", "y", "guest:1")) // the browser; the cart stays
	a.changed("r", here("y", "guest:1"))      // the cart lost its link
	if len(left) != 0 {
		t.Fatalf("left %+v", left)
	}
	a.changed("r", here("x", "y", "guest:1"))
	for _, who := range []string{"x", "y", "guest:1"} {
		a.farewell("r", who)
		a.farewell("elsewhere", who)
		a.changed("r", here(map[string][]string{"x": {"y", "guest:1"}, "y": {"guest:1"}}[who]...))
	}
	want := []leaver{{room: "r", user: "x"}, {room: "r", user: "y", last: true}, {room: "r", user: "guest:1", last: true, over: true}}
	if !slices.Equal(left, want) {
		t.Errorf("left %+v", left)
	}
	a.changed("r", here("z"))
	a.close()
	if len(left) != 4 || !left[3].over {
		t.Errorf("at the end %+v", left[3:])
	}
}
