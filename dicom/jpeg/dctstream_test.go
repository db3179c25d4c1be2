package jpeg

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
)

// coefficients are a picture, quantized, from which tests make streams of all DCT
// processes.
type coefficients struct {
	width, height, bits, restart int
	factors                      [][2]int // h, v of each component
	blocks                       [][][64]int
	cols                         []int // blocks a line
	maxH, maxV                   int
	quant                        [64]int // zigzag order
}

func newCoefficients(width, height, depth int, seed uint64, factors ...[2]int) *coefficients {
	p := &coefficients{width: width, height: height, bits: depth, factors: factors, maxH: 1, maxV: 1}
	random := rand.New(rand.NewPCG(seed, 9))
	for _, f := range factors {
		p.maxH, p.maxV = max(p.maxH, f[0]), max(p.maxV, f[1])
	}
	for k := range p.quant {
		p.quant[k] = (2 + k/2) << (depth - 8)
	}
	for _, f := range factors {
		cols, rows := ceil(width, 8*p.maxH)*f[0], ceil(height, 8*p.maxV)*f[1]
		blocks := make([][64]int, cols*rows)
		for i := range blocks {
			blocks[i][0] = random.IntN(400) - 200
			for range random.IntN(12) {
				k := 1 + random.IntN(1+random.IntN(63))
				blocks[i][k] = (random.IntN(1+80/k) - 40/k)
			}
		}
		p.blocks, p.cols = append(p.blocks, blocks), append(p.cols, cols)
	}
	return p
}

// testCode has 128 codes of 9 bits and 128 of 12, by the order of symbols.
func testCode(symbol int) (uint64, int) {
	if symbol < 128 {
		return uint64(symbol), 9
	}
	return uint64(128*8 + symbol - 128), 12
}

func testTables() []byte {
	var out []byte
	for class := range 2 {
		out = append(out, 0xFF, markDHT, 1, 2+1+16, byte(class<<4))
		counts := [16]byte{8: 128, 11: 128}
		out = append(out, counts[:]...)
		for v := range 256 {
			out = append(out, byte(v))
		}
	}
	return out
}

func (p *coefficients) head(process Process) []byte {
	out := []byte{0xFF, markSOI, 0xFF, markDQT, 0, 131, 0x10}
	for _, q := range p.quant {
		out = binary.BigEndian.AppendUint16(out, uint16(q))
	}
	out = append(out, 0xFF, byte(process), 0, byte(8+3*len(p.factors)), byte(p.bits))
	out = binary.BigEndian.AppendUint16(out, uint16(p.height))
	out = binary.BigEndian.AppendUint16(out, uint16(p.width))
	out = append(out, byte(len(p.factors)))
	for c, f := range p.factors {
		out = append(out, byte(c+1), byte(f[0]<<4|f[1]), 0)
	}
	if p.restart > 0 {
		out = append(out, 0xFF, markDRI, 0, 4, byte(p.restart>>8), byte(p.restart))
	}
	return append(out, testTables()...)
}

// scan appends a scan; code writes one block, flush what it held back.
func (p *coefficients) scan(out []byte, comps []int, spectral [3]byte, code func(w *writer, i int, b *[64]int), restart func(w *writer)) []byte {
	out = append(out, 0xFF, markSOS, 0, byte(6+2*len(comps)), byte(len(comps)))
	for _, c := range comps {
		out = append(out, byte(c+1), 0)
	}
	w := writer{out: append(out, spectral[:]...)}
	across, down := ceil(p.width, 8*p.maxH), ceil(p.height, 8*p.maxV)
	if len(comps) == 1 {
		f := p.factors[comps[0]]
		across, down = ceil(ceil(p.width*f[0], p.maxH), 8), ceil(ceil(p.height*f[1], p.maxV), 8)
	}
	units := 0
	for y := range down {
		for x := range across {
			if p.restart > 0 && units > 0 && units%p.restart == 0 {
				restart(&w)
				w.finish()
				w.out = append(w.out, 0xFF, byte(markRST0+(units/p.restart-1)%8))
			}
			units++
			if len(comps) == 1 {
				code(&w, 0, &p.blocks[comps[0]][y*p.cols[comps[0]]+x])
				continue
			}
			for i, c := range comps {
				f := p.factors[c]
				for v := range f[1] {
					for h := range f[0] {
						code(&w, i, &p.blocks[c][(y*f[1]+v)*p.cols[c]+x*f[0]+h])
					}
				}
			}
		}
	}
	restart(&w)
	w.finish()
	return w.out
}

func (w *writer) symbol(v int) { w.put(testCode(v)) }

// number writes the bits of a value of a size.
func (w *writer) number(v, size int) {
	if v < 0 {
		v += 1<<size - 1
	}
	w.put(uint64(v), size)
}

func size(v int) int { return bits.Len(uint(max(v, -v))) }

func all(p *coefficients) []int {
	out := make([]int, len(p.factors))
	for i := range out {
		out[i] = i
	}
	return out
}

// sequential makes a stream with one scan, or with one for each component.
func (p *coefficients) sequential(process Process, together bool) []byte {
	out := p.head(process)
	var last [4]int
	code := func(w *writer, i int, b *[64]int) {
		d := b[0] - last[i]
		last[i] = b[0]
		w.symbol(size(d))
		w.number(d, size(d))
		run := 0
		for k := 1; k < 64; k++ {
			if b[k] == 0 {
				run++
				continue
			}
			for ; run > 15; run -= 16 {
				w.symbol(0xF0)
			}
			w.symbol(run<<4 | size(b[k]))
			w.number(b[k], size(b[k]))
			run = 0
		}
		if run > 0 {
			w.symbol(0)
		}
	}
	restart := func(*writer) { last = [4]int{} }
	if together {
		out = p.scan(out, all(p), [3]byte{0, 63, 0}, code, restart)
	} else {
		for c := range p.factors {
			out = p.scan(out, []int{c}, [3]byte{0, 63, 0}, code, restart)
		}
	}
	return append(out, 0xFF, markEOI)
}

// progressive makes a stream of the same picture: DC and AC in two bands, each
// first without its last bit.
func (p *coefficients) progressive() []byte {
	out := p.head(Progressive)
	var last [4]int
	out = p.scan(out, all(p), [3]byte{0, 0, 0x01}, func(w *writer, i int, b *[64]int) {
		d := b[0]>>1 - last[i]
		last[i] = b[0] >> 1
		w.symbol(size(d))
		w.number(d, size(d))
	}, func(*writer) { last = [4]int{} })
	for c := range p.factors {
		for _, band := range [][2]int{{1, 5}, {6, 63}} {
			e := bandEncoder{start: band[0], end: band[1]}
			spectral := [3]byte{byte(band[0]), byte(band[1]), 0x01}
			out = p.scan(out, []int{c}, spectral, e.first, e.flush)
		}
	}
	out = p.scan(out, all(p), [3]byte{0, 0, 0x10}, func(w *writer, i int, b *[64]int) {
		w.put(uint64(b[0]&1), 1)
	}, func(*writer) {})
	for c := range p.factors {
		for _, band := range [][2]int{{1, 5}, {6, 63}} {
			e := bandEncoder{start: band[0], end: band[1]}
			spectral := [3]byte{byte(band[0]), byte(band[1]), 0x10}
			out = p.scan(out, []int{c}, spectral, e.refine, e.flush)
		}
	}
	return append(out, 0xFF, markEOI)
}

// bandEncoder codes a band by T.81 G.1.2.2 and G.1.2.3.
type bandEncoder struct {
	start, end int
	run        int    // blocks whose band is over
	later      []byte // correction bits of those blocks
}

func (e *bandEncoder) flush(w *writer) {
	if e.run > 0 {
		n := bits.Len(uint(e.run)) - 1
		w.symbol(n << 4)
		w.put(uint64(e.run-1<<n), n)
	}
	for _, b := range e.later {
		w.put(uint64(b), 1)
	}
	e.run, e.later = 0, nil
}

func half(v int) int { return v / 2 } // towards zero, unlike DC

func (e *bandEncoder) first(w *writer, _ int, b *[64]int) {
	run := 0
	for k := e.start; k <= e.end; k++ {
		v := half(b[k])
		if v == 0 {
			run++
			continue
		}
		e.flush(w)
		for ; run > 15; run -= 16 {
			w.symbol(0xF0)
		}
		w.symbol(run<<4 | size(v))
		w.number(v, size(v))
		run = 0
	}
	if run > 0 {
		if e.run++; e.run == 32767 {
			e.flush(w)
		}
	}
}

func (e *bandEncoder) refine(w *writer, _ int, b *[64]int) {
	lastNew := -1
	for k := e.start; k <= e.end; k++ {
		if b[k] == 1 || b[k] == -1 {
			lastNew = k
		}
	}
	run := 0
	var corrections []byte
	for k := e.start; k <= e.end; k++ {
		switch {
		case b[k] == 0:
			run++
		case half(b[k]) != 0:
			if k < lastNew {
				for run > 15 {
					e.flush(w)
					w.symbol(0xF0)
					run -= 16
					e.later = corrections
					corrections = nil
					e.bits(w)
				}
			}
			corrections = append(corrections, byte(max(b[k], -b[k])&1))
		default:
			e.flush(w)
			for run > 15 {
				w.symbol(0xF0)
				run -= 16
				e.later = corrections
				corrections = nil
				e.bits(w)
			}
			w.symbol(run<<4 | 1)
			w.put(uint64((b[k]+1)/2), 1)
			e.later = corrections
			corrections = nil
			e.bits(w)
			run = 0
		}
	}
	if run > 0 || len(corrections) > 0 {
		e.run++
		e.later = append(e.later, corrections...)
		if e.run == 32767 || len(e.later) > 900 {
			e.flush(w)
		}
	}
}

func (e *bandEncoder) bits(w *writer) {
	for _, b := range e.later {
		w.put(uint64(b), 1)
	}
	e.later = nil
}
