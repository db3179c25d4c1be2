package sfu

import (
	"iter"
	"time"
)

const (
	redOffsetMost = 1<<14 - 1 // clock units: a third of a second of Opus
	redLengthMost = 1<<10 - 1 // bytes of a redundant block
	redCopies     = 3         // how often a voice is said where losses come in rows

	// Of what is said a third time the row must be over: a row as long as this
	// is cured by two sayings, one just after the voice and one so much later.
	redFar = 300 * time.Millisecond

	redFarLeast = 200 * time.Millisecond // a publisher who reaches back so far does as it was asked
	redClock    = 48                     // clock units in a millisecond of Opus
)

// redBlock is something said before, so long ago.
type redBlock struct {
	offset uint32
	data   []byte
}

// redBlocks yields the redundant blocks of a payload as they stand, the oldest
// first; of a malformed one none.
func redBlocks(payload []byte) iter.Seq[redBlock] {
	return func(yield func(redBlock) bool) {
		if _, err := redPrimary(payload); err != nil {
			return
		}
		headers := 0
		for payload[4*headers]&0x80 != 0 {
			headers++
		}
		start := 4*headers + 1
		for i := 0; i < 4*headers; i += 4 {
			end := start + int(payload[i+2]&0x03)<<8 + int(payload[i+3])
			if !yield(redBlock{uint32(payload[i+1])<<6 | uint32(payload[i+2])>>2, payload[start:end]}) {
				return
			}
			start = end
		}
	}
}

// redLast returns the newest redundant block of a payload, what was said just
// before it.
func redLast(payload []byte) (last redBlock, ok bool) {
	for b := range redBlocks(payload) {
		last, ok = b, len(b.data) > 0
	}
	if !ok {
		return redBlock{}, false
	}
	return last, true
}

// redAt returns what was said so long before a payload, when it says that again.
func redAt(payload []byte, offset uint32) (redBlock, bool) {
	for b := range redBlocks(payload) {
		if b.offset == offset && len(b.data) > 0 {
			return b, true
		}
	}
	return redBlock{}, false
}

// redReach is how far back a payload says something again.
func redReach(payload []byte) (reach time.Duration) {
	for b := range redBlocks(payload) {
		reach = max(reach, time.Duration(b.offset)*time.Millisecond/redClock)
	}
	return reach
}

// deepen rebuilds a packet of redundant audio so that it says two voices again
// instead of one: what a row of losses took is still to be had from the packets
// after it. The older one is from before the row where the listener holds voices
// long enough, else just the last but one. A voice that was lost on its way to us
// is taken from a packet that said it again. pt is that of the blocks.
func (in *inlet) deepen(p *packet, pt uint8, far bool) []byte {
	primary, err := redPrimary(p.payload)
	if err != nil {
		return nil
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	var blocks [redCopies - 1]redBlock
	n := 0
	for _, back := range [...]uint64{in.farBack(far), 1} {
		b, ok := in.voiceBefore(p, back)
		if ok && b.offset > 0 && b.offset <= redOffsetMost && len(b.data) > 0 && len(b.data) <= redLengthMost {
			blocks[n] = b
			n++
		}
	}
	out := make([]byte, 0, len(p.payload)*redCopies) // sixteen times a second, for links that lose much
	for _, b := range blocks[:n] {
		out = append(out, 0x80|pt, byte(b.offset>>6), byte(b.offset<<2)|byte(len(b.data)>>8), byte(len(b.data)))
	}
	out = append(out, pt)
	for _, b := range blocks[:n] {
		out = append(out, b.data...)
	}
	return append(out, primary...)
}

// farBack is how many packets before one the older voice is that it says again.
// The lock is held.
func (in *inlet) farBack(far bool) uint64 {
	if step := in.step(); far && step > 0 {
		return max(2, uint64(redFar.Milliseconds())*redClock/uint64(step))
	}
	return 2
}

// step is the length of a packet of voice in clock units, 0 when it is not known.
// The lock is held.
func (in *inlet) step() uint32 { return uint32(in.length.ms * redClock) }

// voiceBefore finds what was said so many packets before p. The lock is held.
func (in *inlet) voiceBefore(p *packet, back uint64) (redBlock, bool) {
	if q, ok := in.ring.get(p.ext - back); ok && q.pt == p.pt {
		data, err := redPrimary(q.payload)
		return redBlock{p.ts - q.ts, data}, err == nil
	}
	// It was lost. Who said it again: the one just after it, or another later.
	if q, ok := in.before(p, back-1); ok {
		if b, ok := redLast(q.payload); ok {
			b.offset += p.ts - q.ts
			return b, true
		}
	}
	want := uint32(back) * in.step()
	for later := int(back) - 2; later >= 0 && want > 0; later-- {
		q, ok := in.before(p, uint64(later))
		if !ok || p.ts-q.ts >= want {
			continue
		}
		if b, ok := redAt(q.payload, want-(p.ts-q.ts)); ok {
			b.offset = want
			return b, true
		}
	}
	return redBlock{}, false
}

// before is the packet so many before p, itself at 0, when it came. The lock is
// held.
func (in *inlet) before(p *packet, back uint64) (*packet, bool) {
	if back == 0 {
		return p, true
	}
	q, ok := in.ring.get(p.ext - back)
	return q, ok && q.pt == p.pt
}
