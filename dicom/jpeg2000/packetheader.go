package jpeg2000

import (
	"fmt"
	"math/bits"
)

// piece is what a packet brings of one segment of a code-block.
type piece struct {
	block   *block
	segment int
	passes  int
	length  int
}

// blocks reads the part of a packet header that tells of code-blocks (T.800
// B.10.3 to B.10.7).
func (p *packetReader) blocks(r *headerBits, tc *tileComponent, prec *precinct, layer int) ([]piece, error) {
	var out []piece
	for i := range prec.bands {
		pb := &prec.bands[i]
		for j := range pb.blocks {
			b := &pb.blocks[j]
			x, y := j%pb.width(), j/pb.width()
			if b.included {
				if r.bit() == 0 {
					continue
				}
			} else {
				if !pb.include.below(r, x, y, int32(layer)+1) {
					if r.over {
						return out, nil
					}
					continue
				}
				z := int32(1)
				for !pb.zeros.below(r, x, y, z) {
					if z++; z > 128 || r.over {
						if r.over {
							return out, nil
						}
						return nil, corrupt("code-block without bit-planes")
					}
				}
				b.included, b.zero = true, int(pb.zeros.value(x, y))
			}
			n := passCount(r)
			for r.bit() == 1 {
				if b.lblock++; b.lblock > 40 {
					return nil, corrupt("length of more than 32 bits")
				}
			}
			if r.over {
				return out, nil
			}
			var err error
			if out, err = b.lengths(r, tc.style, n, out); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// passCount reads the number of new coding passes (T.800 table B.4).
func passCount(r *headerBits) int {
	if r.bit() == 0 {
		return 1
	}
	if r.bit() == 0 {
		return 2
	}
	if n := r.bits(2); n < 3 {
		return 3 + int(n)
	}
	if n := r.bits(5); n < 31 {
		return 6 + int(n)
	}
	return 37 + int(r.bits(7))
}

// lengths shares n new passes out to segments and reads their lengths (T.800
// B.10.7, T.814 B.3).
func (b *block) lengths(r *headerBits, style byte, n int, out []piece) ([]piece, error) {
	for n > 0 {
		last := len(b.segments) - 1
		if last < 0 || b.segments[last].passes == b.segments[last].max {
			b.segments = append(b.segments, codeSegment{max: b.segmentMax(style, n)})
			last++
		}
		s := &b.segments[last]
		k := min(n, s.max-s.passes)
		width := b.lblock + bits.Len(uint(k)) - 1
		if width > 32 {
			return nil, corrupt("length of %d bits", width)
		}
		length := int(r.bits(width))
		if r.over {
			return out, nil
		}
		if length < 0 || length > 1<<30 {
			return nil, fmt.Errorf("code-block of %d bytes: %w", length, ErrCorrupt)
		}
		s.passes += k
		b.passes += k
		n -= k
		out = append(out, piece{b, last, k, length})
	}
	return out, nil
}

// segmentMax is how many passes the next segment may hold.
func (b *block) segmentMax(style byte, n int) int {
	i := len(b.segments)
	switch {
	case style&styleHT != 0 && i == 0:
		return 1 + (n-1)/3*3 // placeholder passes and the first cleanup pass
	case style&styleHT != 0 && i%2 == 1:
		return 2
	case style&styleHT != 0, style&styleTermAll != 0:
		return 1
	case style&styleBypass != 0 && i == 0:
		return 10
	case style&styleBypass != 0 && i%2 == 1:
		return 2
	case style&styleBypass != 0:
		return 1
	}
	return 1 << 20
}
