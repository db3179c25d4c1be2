package pace

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestPacerProperties: nothing is lost or doubled, the rate is kept, frames
// leave whole or not at all, a better class never waits behind a worse one.
func TestPacerProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := New[int](3)
		rate := rapid.Float64Range(30_000, 500_000).Draw(t, "rate")
		now := time.Unix(0, 0)
		p.Rate(now, rate)
		type key struct {
			stream int
			frame  uint64
		}
		pushed, fates, n := map[key]int{}, map[key][2]int{}, 0
		class := map[key]int{}
		sent := 0.0
		out, order := 0, map[int]int{}
		begin := now
		step := func() {
			for {
				it, f := p.Pop(now)
				if f == Wait {
					return
				}
				out++
				k := key{it.Stream, it.Frame}
				if it.Value <= order[it.Stream] {
					t.Fatal("out of order within a stream")
				}
				order[it.Stream] = it.Value
				v := fates[k]
				switch f {
				case Send:
					v[0]++
					sent += float64(it.Size)
					for c := range class[k] {
						if p.queues[c].len() > 0 {
							t.Fatal("a worse class before a better one")
						}
					}
				case Leave:
					v[1]++
					if !it.Free {
						t.Fatal("something needed was left out")
					}
				case Stale:
					v[0], v[1] = -1000, -1000
				}
				fates[k] = v
			}
		}
		for frame := range uint64(rapid.IntRange(1, 80).Draw(t, "frames")) {
			k := key{rapid.IntRange(0, 2).Draw(t, "stream"), frame}
			class[k] = k.stream
			size := rapid.IntRange(1, 6).Draw(t, "packets")
			free := rapid.Bool().Draw(t, "free")
			for range size {
				n++
				p.Push(now, k.stream, Item[int]{Value: n, Size: 900, Stream: k.stream, Frame: frame, Free: free})
			}
			pushed[k] = size
			voice := rapid.IntRange(0, 2).Draw(t, "voice")
			for range voice {
				p.Sent(now, 100)
			}
			step()
			now = now.Add(time.Duration(rapid.IntRange(1, 120).Draw(t, "ms")) * time.Millisecond)
			step()
		}
		elapsed := now.Sub(begin).Seconds()
		if most := rate/8*(elapsed+burst.Seconds()) + 2*mtu + 900; sent > most {
			t.Fatalf("%v bytes sent, %v allowed", sent, most)
		}
		now = now.Add(time.Hour)
		step()
		if out != n || p.Waiting() != 0 {
			t.Fatalf("%d in, %d out, %d bytes waiting", n, out, p.Waiting())
		}
		for k, v := range fates {
			if v[0] > 0 && v[1] > 0 {
				t.Fatalf("frame %+v: %d packets sent, %d left out", k, v[0], v[1])
			}
		}
	})
}

func TestUnpaced(t *testing.T) {
	p := New[int](1)
	now := time.Unix(0, 0)
	for i := range 100 {
		p.Push(now, 0, Item[int]{Value: i, Size: 1200})
		if it, f := p.Pop(now); f != Send || it.Value != i {
			t.Fatalf("%v %v", it, f)
		}
	}
}

func TestDrop(t *testing.T) {
	p := New[int](1)
	now := time.Unix(0, 0)
	p.Rate(now, 8)
	for i := range 6 {
		p.Push(now, 0, Item[int]{Value: i, Size: 100, Stream: i % 2, Frame: uint64(i)})
	}
	p.Drop(0)
	if p.Waiting() != 300 {
		t.Errorf("%d bytes wait", p.Waiting())
	}
}
