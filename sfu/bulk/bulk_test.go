package bulk

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// through takes as much as it can get for a while and returns the bytes.
func through(b *Book, user string, k Class, now *time.Time, d time.Duration) int {
	sum := 0
	for end := now.Add(d); now.Before(end); {
		n, wait := b.Take(user, Down, k, 1<<20, *now)
		sum += n
		*now = now.Add(max(wait, time.Millisecond))
	}
	return sum
}

func TestGrantHoldsForAllRequestsOfAPerson(t *testing.T) {
	var b Book
	now := time.Unix(1000, 0)
	c := b.Join("u")
	if n, _ := b.Take("u", Down, Files, 5<<20, now); n != 5<<20 {
		t.Errorf("before any grant %d", n)
	}
	c.Grant(Down, Files, 80_000) // 10 kB/s
	sum := 0
	for end := now.Add(10 * time.Second); now.Before(end); now = now.Add(20 * time.Millisecond) {
		for range 3 { // three requests
			n, _ := b.Take("u", Down, Files, 64<<10, now)
			sum += n
		}
	}
	if sum < 98_000 || sum > 107_000 {
		t.Errorf("%d bytes in 10 s of 10,000 a second", sum)
	}
	if n, _ := b.Take("v", Down, Files, 1<<20, now); n != 1<<20 {
		t.Errorf("another person is held too: %d", n)
	}
	if n, _ := b.Take("u", Up, Files, 1<<20, now); n != 1<<20 {
		t.Errorf("the other way is held too: %d", n)
	}
	if !c.Active(Down, Files, now) || c.Active(Down, Asked, now) || c.Active(Down, Files, now.Add(2*time.Second)) {
		t.Error("who is active is not known")
	}
	if n := c.Used(Down); n != int64(sum)+5<<20 || c.Used(Down) != 0 {
		t.Errorf("used %d", n)
	}
	later := b.Join("u")
	if n := c.Taken(Down, Files); n != int64(sum)+5<<20 || later.Taken(Down, Files) != 0 || c.Taken(Up, Files) != 1<<20 {
		t.Errorf("taken %d, since another call began %d", n, later.Taken(Down, Files))
	}
	later.Leave()
	c.Leave()
	if n, _ := b.Take("u", Down, Files, 1<<20, now); n != 1<<20 || len(b.people) != 0 {
		t.Errorf("after the call %d, %d remembered", n, len(b.people))
	}
}

func TestTheThinnestOfTwoCallsHolds(t *testing.T) {
	var b Book
	now := time.Unix(1000, 0)
	one, two := b.Join("u"), b.Join("u")
	one.Grant(Down, Files, 800_000)
	two.Grant(Down, Files, 8_000)
	if got := through(&b, "u", Files, &now, 10*time.Second); got < 9_000 || got > 13_000 {
		t.Errorf("%d", got)
	}
	two.Leave()
	if got := through(&b, "u", Files, &now, 10*time.Second); got < 900_000 {
		t.Errorf("%d after the thin call ended", got)
	}
}

func TestAGrantCutYieldsAtOnce(t *testing.T) {
	var b Book
	now := time.Unix(1000, 0)
	c := b.Join("u")
	c.Grant(Down, Files, 4_000_000)
	through(&b, "u", Files, &now, 5*time.Second)
	c.Grant(Down, Files, 8_000)
	if got := through(&b, "u", Files, &now, time.Second); got > 3*leastOnce {
		t.Errorf("%d bytes in the second after the cut to 1,000", got)
	}
	c.Grant(Down, Files, 0)
	through(&b, "u", Files, &now, 2*time.Second)
	if got := through(&b, "u", Files, &now, 5*time.Second); got != 0 {
		t.Errorf("%d bytes of nothing", got)
	}
}

func TestBodiesPassAtTheGrant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b Book
		c := b.Join("u")
		c.Grant(Up, Files, 80_000)
		c.Grant(Down, Files, 80_000)
		tr := &Transfer{Book: &b, User: "u", Class: Files, Ctx: t.Context()}
		begin := time.Now()
		data := strings.Repeat("sira", 12_500)
		got, err := io.ReadAll(tr.Reader(iotest.HalfReader(strings.NewReader(data))))
		if err != nil || string(got) != data {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
		if d := time.Since(begin); d < 4*time.Second || d > 6*time.Second {
			t.Errorf("50,000 bytes read in %s", d)
		}
		begin = time.Now()
		var out bytes.Buffer
		go func() { time.Sleep(2 * time.Second); c.Leave() }()
		if n, err := tr.Write(&out, got); err != nil || n != len(got) || out.String() != data {
			t.Fatalf("%d bytes, %v", n, err)
		}
		if d := time.Since(begin); d < 2*time.Second || d > 2200*time.Millisecond {
			t.Errorf("a call that ends lets go after %s", d)
		}
	})
}

func TestWhoGoesAwayWaitsNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b Book
		b.Join("u").Grant(Down, Files, 0)
		ctx, cancel := context.WithCancel(t.Context())
		tr := &Transfer{Book: &b, User: "u", Class: Files, Ctx: ctx}
		go func() { time.Sleep(time.Second); cancel() }()
		// What is owed already is a packet, no more.
		if n, err := tr.Write(io.Discard, make([]byte, 1<<20)); !errors.Is(err, context.Canceled) || n > leastOnce {
			t.Errorf("%d, %v", n, err)
		}
	})
}
