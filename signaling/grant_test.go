package signaling

import (
	"testing"
	"time"

	"sira/sfu/bulk"
)

// TestGrant: somebody to hear means a bound for one's own transfers, told and
// held by the server; the browser's word on its way up moves it; the end of
// the call lifts it.
func TestGrant(t *testing.T) {
	b := start(t, Options{})
	a, x := b.dial("r", "a"), b.dial("r", "x")
	self := a.join(1)["self"].(string)
	mx := x.join(1)["self"].(string)
	a.speak()
	x.speak()
	eventually(t, "both are heard", func() bool { return a.heard(mx) > 5 && x.heard(self) > 5 })
	up := func() (kbps float64, bound bool) {
		m := a.last("grant")
		kbps, bound = m["up"].(float64)
		return kbps, bound
	}
	eventually(t, "a bound", func() bool { _, bound := up(); return bound })
	a.write(map[string]any{"type": "uplink", "kbps": 39})
	eventually(t, "the bound of a thin uplink", func() bool {
		kbps, bound := up()
		return bound && kbps <= 4
	})
	book := b.srv.Transfers()
	for range 3 { // what may pass at once is used up
		book.Take("a", bulk.Up, bulk.Files, 64<<10, time.Now())
	}
	if n, _ := book.Take("a", bulk.Up, bulk.Files, 64<<10, time.Now()); n != 0 {
		t.Errorf("%d bytes beside a voice on a thin uplink", n)
	}
	a.write(map[string]any{"type": "leave"})
	eventually(t, "no bound without a call", func() bool {
		n, _ := book.Take("a", bulk.Up, bulk.Files, 64<<10, time.Now())
		return n == 64<<10
	})
}
