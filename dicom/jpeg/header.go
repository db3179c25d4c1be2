package jpeg

import (
	"context"
	"encoding/binary"
	"fmt"
)

// Marker codes (T.81 B.1.1.3).
const (
	markDHT  = 0xC4
	markDAC  = 0xCC
	markRST0 = 0xD0
	markSOI  = 0xD8
	markEOI  = 0xD9
	markSOS  = 0xDA
	markDQT  = 0xDB
	markDNL  = 0xDC
	markDRI  = 0xDD
)

// decoder walks the markers of a stream.
type decoder struct {
	ctx  context.Context
	data []byte
	at   int

	process             Process
	width, height, bits int
	maxH, maxV          int
	comps               []component
	quant               [4]*[64]uint16 // in natural order
	dc, ac              [4]*huffman    // dc holds the tables of lossless scans too
	restart             int            // MCUs between restart markers, 0 without
	clean               []byte         // of the segment being decoded, see unstuff

	img *Image
}

// component is one of the frame, its size in samples and in whole blocks, and
// its samples or coefficients while they are worked on.
type component struct {
	id           byte
	h, v, tq     int
	width        int // samples a line, T.81 A.1.1
	height       int
	cols, rows   int // blocks, rounded up to whole MCUs
	quant        *[64]uint16
	plane        []uint16 // 8·cols samples a line
	coefficients []int16  // of progressive images, 64 a block, natural order
	done         bool     // scanned
}

// scan is a scan header (T.81 B.2.3).
type scan struct {
	components []int // indices in the frame
	dc, ac     []*huffman
	start, end int // spectral selection; start is the predictor of lossless
	high, low  int // successive approximation; low is lossless's point transform
}

// toScan reads segments up to the end of the next scan header; nil, without
// error, at the end of the image.
func (d *decoder) toScan() (*scan, error) {
	if d.at == 0 {
		if len(d.data) < 2 || d.data[0] != 0xFF || d.data[1] != markSOI {
			return nil, fmt.Errorf("no start of image: %w", ErrCorrupt)
		}
		d.at = 2
	}
	for {
		marker, body, err := d.segment()
		if err != nil {
			return nil, err
		}
		switch {
		case marker == markEOI:
			return nil, nil
		case marker == markDHT:
			err = d.huffmanTables(body)
		case marker == markDQT:
			err = d.quantTables(body)
		case marker == markDRI:
			if len(body) < 2 {
				return nil, fmt.Errorf("restart interval: %w", ErrCorrupt)
			}
			d.restart = int(binary.BigEndian.Uint16(body))
		case marker >= 0xC0 && marker <= 0xC3:
			err = d.frame(Process(marker), body)
		case marker > 0xC3 && marker <= 0xCF, marker == 0xF7:
			err = fmt.Errorf("JPEG process %#x: %w", marker, ErrUnsupported)
		case marker == markSOS:
			return d.scanHeader(body)
		}
		if err != nil {
			return nil, err
		}
	}
}

// segment reads one marker and its parameters. At the end of the data it is
// EOI.
func (d *decoder) segment() (byte, []byte, error) {
	for d.at < len(d.data) && d.data[d.at] != 0xFF {
		if d.img == nil {
			return 0, nil, fmt.Errorf("no marker at byte %d: %w", d.at, ErrCorrupt)
		}
		d.at++ // behind a scan, some writers pad
	}
	for d.at+1 < len(d.data) && d.data[d.at+1] == 0xFF { // fill bytes
		d.at++
	}
	if d.at+2 > len(d.data) {
		return markEOI, nil, nil
	}
	marker := d.data[d.at+1]
	if marker == markEOI {
		return marker, nil, nil
	}
	if marker < 0xC0 || marker >= markRST0 && marker <= markSOI {
		if d.img == nil || marker == markSOI {
			return 0, nil, fmt.Errorf("marker %#x at byte %d: %w", marker, d.at, ErrCorrupt)
		}
		d.at += 2
		return 0, nil, nil
	}
	if d.at+4 > len(d.data) {
		return 0, nil, fmt.Errorf("segment at byte %d: %w", d.at, ErrTruncated)
	}
	length := int(binary.BigEndian.Uint16(d.data[d.at+2:]))
	end := d.at + 2 + length
	if length < 2 {
		return 0, nil, fmt.Errorf("segment of %d bytes: %w", length, ErrCorrupt)
	}
	if end > len(d.data) {
		return 0, nil, fmt.Errorf("segment at byte %d: %w", d.at, ErrTruncated)
	}
	body := d.data[d.at+4 : end]
	d.at = end
	return marker, body, nil
}

// frame reads SOF (T.81 B.2.2).
func (d *decoder) frame(p Process, b []byte) error {
	if d.comps != nil || len(b) < 6 {
		return fmt.Errorf("frame header: %w", ErrCorrupt)
	}
	d.process, d.bits = p, int(b[0])
	d.height, d.width = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	n := int(b[5])
	if n == 0 || len(b) < 6+3*n || d.width == 0 {
		return fmt.Errorf("frame of %d×%d×%d: %w", d.height, d.width, n, ErrCorrupt)
	}
	switch {
	case p == Lossless && d.bits >= 2 && d.bits <= 16:
	case p == Baseline && d.bits == 12: // said so by some writers of Extended
	case p != Lossless && (d.bits == 8 || d.bits == 12 && p != Baseline):
	default:
		return fmt.Errorf("JPEG process %#x of %d bits: %w", p, d.bits, ErrUnsupported)
	}
	comps := make([]component, n)
	for k := range comps {
		c := b[6+3*k:]
		comps[k] = component{id: c[0], h: int(c[1] >> 4), v: int(c[1] & 15), tq: int(c[2])}
		if h, v := comps[k].h, comps[k].v; h < 1 || h > 4 || v < 1 || v > 4 || c[2] > 3 {
			return fmt.Errorf("component %d of the frame: %w", c[0], ErrCorrupt)
		}
		for _, other := range comps[:k] {
			if other.id == c[0] {
				return fmt.Errorf("two components called %d: %w", c[0], ErrCorrupt)
			}
		}
		d.maxH, d.maxV = max(d.maxH, comps[k].h), max(d.maxV, comps[k].v)
	}
	if n == 1 { // factors are relative to the only one there is
		comps[0].h, comps[0].v, d.maxH, d.maxV = 1, 1, 1, 1
	}
	d.comps = comps
	return nil
}

// quantTables reads DQT (T.81 B.2.4.1).
func (d *decoder) quantTables(b []byte) error {
	for len(b) > 0 {
		wide, id := int(b[0]>>4), b[0]&15
		b = b[1:]
		if wide > 1 || id > 3 || len(b) < 64*(wide+1) {
			return fmt.Errorf("quantization table: %w", ErrCorrupt)
		}
		t := new([64]uint16)
		for k := range t {
			v := uint16(b[k*(wide+1)])
			if wide == 1 {
				v = v<<8 | uint16(b[2*k+1])
			}
			t[zigzag[k]] = v
		}
		d.quant[id] = t
		b = b[64*(wide+1):]
	}
	return nil
}

// huffmanTables reads DHT (T.81 B.2.4.2).
func (d *decoder) huffmanTables(b []byte) error {
	for len(b) > 0 {
		if len(b) < 17 {
			return fmt.Errorf("table of Huffman codes: %w", ErrCorrupt)
		}
		class, id := b[0]>>4, b[0]&15
		n := 0
		for _, count := range b[1:17] {
			n += int(count)
		}
		if class > 1 || id > 3 || n > 256 || len(b) < 17+n {
			return fmt.Errorf("table of %d Huffman codes: %w", n, ErrCorrupt)
		}
		h, err := newHuffman([16]byte(b[1:17]), b[17:17+n])
		if err != nil {
			return err
		}
		if class == 0 {
			d.dc[id] = h
		} else {
			d.ac[id] = h
		}
		b = b[17+n:]
	}
	return nil
}

// scanHeader reads SOS.
func (d *decoder) scanHeader(b []byte) (*scan, error) {
	if d.comps == nil {
		return nil, fmt.Errorf("scan before its frame: %w", ErrCorrupt)
	}
	if len(b) < 1 || b[0] < 1 || b[0] > 4 || len(b) < 4+2*int(b[0]) {
		return nil, fmt.Errorf("scan header: %w", ErrCorrupt)
	}
	n := int(b[0])
	tail := b[1+2*n:]
	s := &scan{start: int(tail[0]), end: int(tail[1]), high: int(tail[2] >> 4), low: int(tail[2] & 15)}
	for k := range n {
		id, tables := b[1+2*k], b[2+2*k]
		index := -1
		for i := range d.comps {
			if d.comps[i].id == id {
				index = i
			}
		}
		for _, other := range s.components {
			if other == index {
				index = -1
			}
		}
		if index < 0 || tables>>4 > 3 || tables&15 > 3 {
			return nil, fmt.Errorf("scan of component %d: %w", id, ErrCorrupt)
		}
		s.components = append(s.components, index)
		s.dc = append(s.dc, d.dc[tables>>4])
		s.ac = append(s.ac, d.ac[tables&15])
	}
	return s, d.checkScan(s)
}

// checkScan refuses parameters that the process does not have (T.81 B.2.3,
// G.1.1.1.1) and wants the tables to be there.
func (d *decoder) checkScan(s *scan) error {
	dc, ac := true, true
	ok := true
	switch d.process {
	case Lossless:
		ok = s.start >= 1 && s.start <= 7 && s.low < d.bits
		ac = false
	case Progressive:
		ok = s.start <= s.end && s.end <= 63 && (s.start > 0 || s.end == 0) && (s.start == 0 || len(s.components) == 1) &&
			(s.high == 0 || s.high == s.low+1) && s.low <= 13
		dc, ac = s.start == 0 && s.high == 0, s.start > 0
	default:
		s.start, s.end, s.high, s.low = 0, 63, 0, 0 // whatever was written
	}
	if !ok {
		return fmt.Errorf("scan parameters %d, %d, %d, %d: %w", s.start, s.end, s.high, s.low, ErrCorrupt)
	}
	for i := range s.components {
		if dc && s.dc[i] == nil || ac && s.ac[i] == nil {
			return fmt.Errorf("no table of Huffman codes: %w", ErrCorrupt)
		}
	}
	return nil
}
