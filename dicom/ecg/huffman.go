package ecg

import "encoding/binary"

// huffmanEntry is one line of a Huffman table (EN 1064 section 5.5). The
// prefix's first bit is the lowest of its base code.
type huffmanEntry struct {
	prefix, total int
	next          int // table to switch to, when this line switches
	switches      bool
	value         int32
	code          uint32
}

type huffmanCode struct{ tables [][]huffmanEntry }

const defaultTables = 19999

// defaultTable is the standard's own (EN 1064 table C.1): a zero is one bit,
// ±n are n+2 bits up to ±8, and two escapes give 8 and 16 bits as they are.
func defaultTable() []huffmanEntry {
	t := []huffmanEntry{{prefix: 1, total: 1}}
	for n := 1; n <= 8; n++ {
		ones := uint32(1)<<n - 1
		t = append(t,
			huffmanEntry{prefix: n + 2, total: n + 2, value: int32(n), code: ones},
			huffmanEntry{prefix: n + 2, total: n + 2, value: -int32(n), code: ones | 1<<(n+1)})
	}
	return append(t, huffmanEntry{prefix: 10, total: 18, code: 511}, huffmanEntry{prefix: 10, total: 26, code: 1023})
}

// huffman reads section 2; nil means that samples are plain 16-bit numbers.
func (f *scpFile) huffman() (*huffmanCode, error) {
	s, ok := f.sections[2]
	if !ok {
		return nil, nil
	}
	if len(s) < 2 {
		return nil, corrupt("section 2")
	}
	n := int(binary.LittleEndian.Uint16(s))
	if n == defaultTables {
		return &huffmanCode{tables: [][]huffmanEntry{defaultTable()}}, nil
	}
	c := &huffmanCode{}
	s = s[2:]
	for range n {
		if len(s) < 2 {
			return nil, corrupt("Huffman tables")
		}
		lines := int(binary.LittleEndian.Uint16(s))
		s = s[2:]
		if lines == 0 || lines > 64 || len(s) < 9*lines || len(c.tables) == 64 {
			return nil, corrupt("Huffman tables")
		}
		table := make([]huffmanEntry, lines)
		for i := range table {
			b := s[9*i:]
			e := huffmanEntry{prefix: int(b[0]), total: int(b[1]), switches: b[2] == 0,
				value: int32(int16(binary.LittleEndian.Uint16(b[3:]))), code: binary.LittleEndian.Uint32(b[5:])}
			e.next = int(e.value)
			if e.prefix < 1 || e.prefix > 32 || e.total < e.prefix || e.total-e.prefix > 16 {
				return nil, corrupt("a line of a Huffman table")
			}
			table[i] = e
		}
		c.tables = append(c.tables, table)
		s = s[9*lines:]
	}
	if len(c.tables) == 0 {
		return nil, corrupt("no Huffman table")
	}
	return c, nil
}

// decode reads up to want values; bits are taken from the highest of a byte.
func (c *huffmanCode) decode(b []byte, want int) ([]int32, error) {
	r := bitReader{data: b}
	table := c.tables[0]
	out := make([]int32, 0, min(want, 8*len(b)))
	for len(out) < want && r.left() > 0 {
		e, ok := match(table, &r)
		if !ok {
			if r.left() < 8 {
				break // padding of the last byte
			}
			return nil, corrupt("a bit pattern that no Huffman code has")
		}
		if e.switches {
			if e.next < 1 || e.next > len(c.tables) {
				return nil, corrupt("a Huffman table that is not there")
			}
			table = c.tables[e.next-1]
			continue
		}
		value := e.value
		if n := e.total - e.prefix; n > 0 {
			raw, ok := r.take(n)
			if !ok {
				return nil, corrupt("a value that is cut")
			}
			value = int32(raw<<(32-n)) >> (32 - n)
		}
		out = append(out, value)
	}
	return out, nil
}

// match finds the line whose prefix comes next and consumes it.
func match(table []huffmanEntry, r *bitReader) (huffmanEntry, bool) {
	ahead := r.ahead()
	for _, e := range table {
		mask := uint32(1)<<e.prefix - 1
		if e.prefix <= r.left() && ahead&mask == e.code&mask {
			r.pos += e.prefix
			return e, true
		}
	}
	return huffmanEntry{}, false
}

type bitReader struct {
	data []byte
	pos  int
}

func (r *bitReader) left() int { return 8*len(r.data) - r.pos }

func (r *bitReader) bit(i int) uint32 {
	return uint32(r.data[i/8]>>(7-i%8)) & 1
}

// ahead returns the next 32 bits, the first of them lowest.
func (r *bitReader) ahead() uint32 {
	var v uint32
	for i := range min(32, r.left()) {
		v |= r.bit(r.pos+i) << i
	}
	return v
}

// take reads n bits, the first of them highest.
func (r *bitReader) take(n int) (uint32, bool) {
	if n > r.left() {
		return 0, false
	}
	var v uint32
	for range n {
		v = v<<1 | r.bit(r.pos)
		r.pos++
	}
	return v, true
}
