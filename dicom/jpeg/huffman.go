package jpeg

import "fmt"

// lookBits is how many bits the fast tables look at.
const lookBits = 11

// huffman is a decoding table (T.81 Annexes C and F.2.2.3).
type huffman struct {
	// look says for the next lookBits bits what they begin with: code length
	// in bits 0–7, symbol in bits 8–15; 0 for longer codes and none.
	look [1 << lookBits]uint16
	// whole says the same with the value that follows the code, where both
	// fit into lookBits: length of both in bits 0–7, symbol's high half (the
	// run) in bits 8–15, value in bits 16–31; 0 where they do not.
	whole [1 << lookBits]int32
	// Codes of each length are less than limit, left-aligned in 16 bits; base
	// is what, added to a code, gives the index of its symbol.
	limit   [18]int32
	base    [17]int32
	symbols [256]byte
}

// newHuffman builds the tables of n codes of each length and their symbols.
func newHuffman(counts [16]byte, symbols []byte) (*huffman, error) {
	h := new(huffman)
	copy(h.symbols[:], symbols)
	code, index := int32(0), int32(0)
	for length := 1; length <= 16; length++ {
		n := int32(counts[length-1])
		if code+n > 1<<length {
			return nil, fmt.Errorf("too many Huffman codes of %d bits: %w", length, ErrCorrupt)
		}
		h.base[length] = index - code
		for range n {
			if length <= lookBits {
				h.spread(code, length, h.symbols[index])
			}
			code++
			index++
		}
		h.limit[length] = code << (16 - length)
		code <<= 1
	}
	h.limit[17] = 1 << 17 // stops every search
	return h, nil
}

// spread enters a code under all that may follow it.
func (h *huffman) spread(code int32, length int, symbol byte) {
	rest := lookBits - length
	size := int(symbol & 15)
	for tail := range 1 << rest {
		at := int(code)<<rest | tail
		h.look[at] = uint16(symbol)<<8 | uint16(length)
		if size > rest {
			continue
		}
		value := 0
		if size > 0 {
			value = extend(tail>>(rest-size), size)
		}
		h.whole[at] = int32(value)<<16 | int32(symbol>>4)<<8 | int32(length+size)
	}
}

// extend turns the size bits v into the value they stand for (T.81 F.2.2.1).
func extend(v, size int) int {
	if v < 1<<(size-1) {
		return v - 1<<size + 1
	}
	return v
}
