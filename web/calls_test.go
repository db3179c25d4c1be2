package web

import (
	"testing"
	"time"

	"sira/signaling"
)

// TestAttendanceOfParked: a link that is cut is no leaving; who does not come
// back left when it was cut.
func TestAttendanceOfParked(t *testing.T) {
	var came []string
	left := make(chan time.Time, 8)
	a := newAttendance(func(_, user string) { came = append(came, user) }, func(_, _ string, at time.Time) { left <- at })
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
