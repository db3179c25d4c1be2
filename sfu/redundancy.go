package sfu

const (
	redOffsetMost = 1<<14 - 1 // clock units: a third of a second of Opus
	redLengthMost = 1<<10 - 1 // bytes of a redundant block
	redDepth      = 2         // voices before the newest that are said again, where many are lost
)

// redBlock is something said before, so long ago.
type redBlock struct {
	offset uint32
	data   []byte
}

// redLast returns the newest redundant block of a payload, what was said just
// before it.
func redLast(payload []byte) (b redBlock, ok bool) {
	sum, n := 0, 0
	for i := 0; i+4 <= len(payload) && payload[i]&0x80 != 0; i += 4 {
		n = int(payload[i+2]&0x03)<<8 | int(payload[i+3])
		sum += n
		b.offset = uint32(payload[i+1])<<6 | uint32(payload[i+2])>>2
		ok = true
	}
	primary, err := redPrimary(payload)
	if !ok || err != nil || n == 0 {
		return redBlock{}, false
	}
	end := len(payload) - len(primary)
	b.data = payload[end-n : end]
	return b, true
}

// deepen rebuilds a packet of redundant audio so that it says the last redDepth
// voices again instead of one: what a burst took is still to be had from the
// packet after it. A voice that was lost on its way to us is taken from the
// packet that said it again. pt is that of the blocks.
func (in *inlet) deepen(p *packet, pt uint8) []byte {
	primary, err := redPrimary(p.payload)
	if err != nil {
		return nil
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	var blocks [redDepth]redBlock
	n := 0
	for back := redDepth; back > 0; back-- {
		if b, ok := in.voiceBefore(p, uint64(back)); ok && b.offset > 0 && b.offset <= redOffsetMost && len(b.data) > 0 && len(b.data) <= redLengthMost {
			blocks[n] = b
			n++
		}
	}
	out := make([]byte, 0, len(p.payload)*(redDepth+1)) // sixteen times a second, for links that lose much
	for _, b := range blocks[:n] {
		out = append(out, 0x80|pt, byte(b.offset>>6), byte(b.offset<<2)|byte(len(b.data)>>8), byte(len(b.data)))
	}
	out = append(out, pt)
	for _, b := range blocks[:n] {
		out = append(out, b.data...)
	}
	return append(out, primary...)
}

// voiceBefore finds what was said so many packets before p. The lock is held.
func (in *inlet) voiceBefore(p *packet, back uint64) (redBlock, bool) {
	if q, ok := in.ring.get(p.ext - back); ok && q.pt == p.pt {
		data, err := redPrimary(q.payload)
		return redBlock{p.ts - q.ts, data}, err == nil
	}
	again := p // who said it again
	if back > 1 {
		q, ok := in.ring.get(p.ext - back + 1)
		if !ok || q.pt != p.pt {
			return redBlock{}, false
		}
		again = q
	}
	b, ok := redLast(again.payload)
	b.offset += p.ts - again.ts
	return b, ok
}
