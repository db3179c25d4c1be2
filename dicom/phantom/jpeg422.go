package phantom

import (
	"encoding/binary"
	"image"
	"math"
)

// jpeg422 is a baseline JPEG encoder (ITU-T T.81) with JFIF header and 4:2:2
// sampling, which is what DICOM's YBR_FULL_422 says. The standard library
// samples 4:2:0.
type jpeg422 struct {
	out      []byte
	bits     uint32
	count    uint
	quant    [2][64]float64 // in natural order
	codes    [4][256]huffman
	previous [3]int
}

type huffman struct {
	code   uint16
	length uint8
}

// Quantisation tables of T.81 Annex K.1, natural order.
var baseQuant = [2][64]int{
	{
		16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
		14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
		18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
		49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
	},
	{
		17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99,
		24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
	},
}

// Code lengths and values of T.81 Annex K.3: luminance DC and AC, then
// chrominance DC and AC.
var huffmanTables = [4]struct {
	lengths [16]byte
	values  string
}{
	{[16]byte{0, 1, 5, 1, 1, 1, 1, 1, 1}, "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b"},
	{[16]byte{0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125}, "" +
		"\x01\x02\x03\x00\x04\x11\x05\x12\x21\x31\x41\x06\x13\x51\x61\x07\x22\x71\x14\x32\x81\x91\xa1\x08\x23\x42\xb1\xc1\x15\x52\xd1\xf0" +
		"\x24\x33\x62\x72\x82\x09\x0a\x16\x17\x18\x19\x1a\x25\x26\x27\x28\x29\x2a\x34\x35\x36\x37\x38\x39\x3a\x43\x44\x45\x46\x47\x48\x49" +
		"\x4a\x53\x54\x55\x56\x57\x58\x59\x5a\x63\x64\x65\x66\x67\x68\x69\x6a\x73\x74\x75\x76\x77\x78\x79\x7a\x83\x84\x85\x86\x87\x88\x89" +
		"\x8a\x92\x93\x94\x95\x96\x97\x98\x99\x9a\xa2\xa3\xa4\xa5\xa6\xa7\xa8\xa9\xaa\xb2\xb3\xb4\xb5\xb6\xb7\xb8\xb9\xba\xc2\xc3\xc4\xc5" +
		"\xc6\xc7\xc8\xc9\xca\xd2\xd3\xd4\xd5\xd6\xd7\xd8\xd9\xda\xe1\xe2\xe3\xe4\xe5\xe6\xe7\xe8\xe9\xea\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9\xfa"},
	{[16]byte{0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1}, "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b"},
	{[16]byte{0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119}, "" +
		"\x00\x01\x02\x03\x11\x04\x05\x21\x31\x06\x12\x41\x51\x07\x61\x71\x13\x22\x32\x81\x08\x14\x42\x91\xa1\xb1\xc1\x09\x23\x33\x52\xf0" +
		"\x15\x62\x72\xd1\x0a\x16\x24\x34\xe1\x25\xf1\x17\x18\x19\x1a\x26\x27\x28\x29\x2a\x35\x36\x37\x38\x39\x3a\x43\x44\x45\x46\x47\x48" +
		"\x49\x4a\x53\x54\x55\x56\x57\x58\x59\x5a\x63\x64\x65\x66\x67\x68\x69\x6a\x73\x74\x75\x76\x77\x78\x79\x7a\x82\x83\x84\x85\x86\x87" +
		"\x88\x89\x8a\x92\x93\x94\x95\x96\x97\x98\x99\x9a\xa2\xa3\xa4\xa5\xa6\xa7\xa8\xa9\xaa\xb2\xb3\xb4\xb5\xb6\xb7\xb8\xb9\xba\xc2\xc3" +
		"\xc4\xc5\xc6\xc7\xc8\xc9\xca\xd2\xd3\xd4\xd5\xd6\xd7\xd8\xd9\xda\xe2\xe3\xe4\xe5\xe6\xe7\xe8\xe9\xea\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9\xfa"},
}

// zigzag maps scan order to natural order (T.81 figure A.6).
var zigzag = [64]int{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

var cosines = func() (t [8][8]float64) {
	for u := range 8 {
		scale := 0.5
		if u == 0 {
			scale = math.Sqrt(0.125)
		}
		for x := range 8 {
			t[u][x] = scale * math.Cos(float64(2*x+1)*float64(u)*math.Pi/16)
		}
	}
	return t
}()

// encode422 compresses an image whose width is a multiple of 16 and whose
// height is a multiple of 8. Quality is 1..100 as commonly understood.
func encode422(m *image.RGBA, quality int) []byte {
	e := &jpeg422{}
	e.tables(quality)
	e.start(m.Rect.Dx(), m.Rect.Dy())
	var y0, y1, cb, cr [64]float64
	for top := 0; top < m.Rect.Dy(); top += 8 {
		for left := 0; left < m.Rect.Dx(); left += 16 {
			split(m, left, top, &y0, &y1, &cb, &cr)
			e.block(&y0, 0)
			e.block(&y1, 0)
			e.block(&cb, 1)
			e.block(&cr, 2)
		}
	}
	e.emit(0x7f, 7)
	return append(e.out, 0xff, 0xd9)
}

// split converts 16×8 pixels to YCbCr, the chroma halved horizontally.
func split(m *image.RGBA, left, top int, y0, y1, cb, cr *[64]float64) {
	*cb, *cr = [64]float64{}, [64]float64{}
	for row := range 8 {
		line := m.Pix[(top+row)*m.Stride+left*4:]
		for col := range 16 {
			r, g, b := float64(line[col*4]), float64(line[col*4+1]), float64(line[col*4+2])
			luma := 0.299*r + 0.587*g + 0.114*b
			if col < 8 {
				y0[row*8+col] = luma - 128
			} else {
				y1[row*8+col-8] = luma - 128
			}
			cb[row*8+col/2] += 0.5 * (b - luma) / 1.772
			cr[row*8+col/2] += 0.5 * (r - luma) / 1.402
		}
	}
}

func (e *jpeg422) tables(quality int) {
	factor := 200 - 2*quality
	if quality < 50 {
		factor = 5000 / quality
	}
	for t, base := range baseQuant {
		for i, q := range base {
			e.quant[t][i] = float64(min(max((q*factor+50)/100, 1), 255))
		}
	}
	for t, spec := range huffmanTables {
		code, k := uint16(0), 0
		for length, n := range spec.lengths {
			for range int(n) {
				e.codes[t][spec.values[k]] = huffman{code, uint8(length + 1)}
				code++
				k++
			}
			code <<= 1
		}
	}
}

func (e *jpeg422) segment(marker byte, body []byte) {
	e.out = append(e.out, 0xff, marker)
	e.out = binary.BigEndian.AppendUint16(e.out, uint16(len(body)+2))
	e.out = append(e.out, body...)
}

func (e *jpeg422) start(width, height int) {
	e.out = append(e.out, 0xff, 0xd8)
	e.segment(0xe0, []byte("JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x00\x00"))
	for t := range 2 {
		body := []byte{byte(t)}
		for _, natural := range zigzag {
			body = append(body, byte(e.quant[t][natural]))
		}
		e.segment(0xdb, body)
	}
	frame := []byte{8, byte(height >> 8), byte(height), byte(width >> 8), byte(width), 3}
	e.segment(0xc0, append(frame, 1, 0x21, 0, 2, 0x11, 1, 3, 0x11, 1))
	for t, spec := range huffmanTables {
		body := append([]byte{byte(t&1<<4 | t>>1)}, spec.lengths[:]...)
		e.segment(0xc4, append(body, spec.values...))
	}
	e.segment(0xda, []byte{3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0})
}

// block transforms, quantises and codes 64 samples of one component.
func (e *jpeg422) block(samples *[64]float64, component int) {
	table := min(component, 1)
	var rows, spectrum [64]float64
	for y := range 8 {
		for u := range 8 {
			c, s := &cosines[u], samples[y*8:y*8+8]
			rows[y*8+u] = c[0]*s[0] + c[1]*s[1] + c[2]*s[2] + c[3]*s[3] + c[4]*s[4] + c[5]*s[5] + c[6]*s[6] + c[7]*s[7]
		}
	}
	for v := range 8 {
		for u := range 8 {
			c, sum := &cosines[v], 0.0
			for y := range 8 {
				sum += c[y] * rows[y*8+u]
			}
			spectrum[v*8+u] = sum
		}
	}
	dc := int(math.Round(spectrum[0] / e.quant[table][0]))
	e.value(2*table, 0, dc-e.previous[component])
	e.previous[component] = dc
	run := 0
	for k := 1; k < 64; k++ {
		ac := int(math.Round(spectrum[zigzag[k]] / e.quant[table][zigzag[k]]))
		if ac == 0 {
			run++
			continue
		}
		for ; run > 15; run -= 16 {
			e.symbol(2*table+1, 0xf0)
		}
		e.value(2*table+1, run, ac)
		run = 0
	}
	if run > 0 {
		e.symbol(2*table+1, 0)
	}
}

// value codes run zeroes and then v (T.81 F.1.2).
func (e *jpeg422) value(table, run, v int) {
	magnitude, bits := v, v
	if v < 0 {
		magnitude, bits = -v, v-1
	}
	size := uint(0)
	for ; magnitude > 0; magnitude >>= 1 {
		size++
	}
	e.symbol(table, byte(run<<4)|byte(size))
	e.emit(uint32(bits)&(1<<size-1), size)
}

func (e *jpeg422) symbol(table int, s byte) {
	h := e.codes[table][s]
	e.emit(uint32(h.code), uint(h.length))
}

func (e *jpeg422) emit(bits uint32, n uint) {
	e.bits = e.bits<<n | bits
	e.count += n
	for e.count >= 8 {
		e.count -= 8
		b := byte(e.bits >> e.count)
		e.out = append(e.out, b)
		if b == 0xff {
			e.out = append(e.out, 0)
		}
	}
}
