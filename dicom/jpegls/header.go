package jpegls

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Marker codes (T.81 B.1.1.3, T.87 C.1.1).
const (
	markSOI  = 0xD8
	markEOI  = 0xD9
	markSOS  = 0xDA
	markDNL  = 0xDC
	markDRI  = 0xDD
	markRST0 = 0xD0
	markAPP8 = 0xE8
	markSOF  = 0xF7
	markLSE  = 0xF8
)

// decoder walks the markers of a stream.
type decoder struct {
	data []byte
	at   int

	width, height, bits int
	ids                 []byte // of the components
	restart             int    // lines between restart markers, 0 without
	preset              preset
	tables              map[byte]*Table
	tableOf             []*Table // by component

	img  *Image
	done []bool // components decoded
}

// preset is what LSE segments of type 1 say; 0 means the default.
type preset struct{ maxval, t1, t2, t3, reset int }

// scan is a scan header (T.87 C.2.3).
type scan struct {
	components []int // indices in the frame
	near       int
	interleave Interleave
	shift      int // point transform
}

// toScan reads segments up to the end of the next scan header; nil at the end
// of the image.
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
		switch marker {
		case markEOI:
			return nil, fmt.Errorf("image without all its scans: %w", ErrTruncated)
		case markSOF:
			err = d.frame(body)
		case markLSE:
			err = d.extension(body)
		case markDRI:
			err = d.interval(body)
		case markAPP8:
			if len(body) >= 5 && string(body[:4]) == "mrfx" && body[4] != 0 {
				err = fmt.Errorf("colour transform %d: %w", body[4], ErrUnsupported)
			}
		case markSOS:
			return d.scanHeader(body)
		}
		if err != nil {
			return nil, err
		}
	}
}

// segment reads one marker and its parameters.
func (d *decoder) segment() (byte, []byte, error) {
	if d.at+2 > len(d.data) {
		return 0, nil, fmt.Errorf("marker at byte %d: %w", d.at, ErrTruncated)
	}
	if d.data[d.at] != 0xFF {
		return 0, nil, fmt.Errorf("no marker at byte %d: %w", d.at, ErrCorrupt)
	}
	for d.at+1 < len(d.data) && d.data[d.at+1] == 0xFF { // fill bytes
		d.at++
	}
	if d.at+1 >= len(d.data) {
		return 0, nil, fmt.Errorf("marker at byte %d: %w", d.at, ErrTruncated)
	}
	marker := d.data[d.at+1]
	switch {
	case marker == markEOI:
		return marker, nil, nil
	case marker < 0xC0, marker >= markRST0 && marker <= markSOI:
		return 0, nil, fmt.Errorf("marker %#x at byte %d: %w", marker, d.at, ErrCorrupt)
	case marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xCC:
		return 0, nil, fmt.Errorf("frame of another JPEG process (%#x): %w", marker, ErrUnsupported)
	}
	if d.at+4 > len(d.data) {
		return 0, nil, fmt.Errorf("segment at byte %d: %w", d.at, ErrTruncated)
	}
	length := int(binary.BigEndian.Uint16(d.data[d.at+2:]))
	if length < 2 {
		return 0, nil, fmt.Errorf("segment of %d bytes: %w", length, ErrCorrupt)
	}
	end := d.at + 2 + length
	if end > len(d.data) {
		return 0, nil, fmt.Errorf("segment at byte %d: %w", d.at, ErrTruncated)
	}
	body := d.data[d.at+4 : end]
	d.at = end
	return marker, body, nil
}

// frame reads SOF55 (T.87 C.2.2).
func (d *decoder) frame(b []byte) error {
	if d.ids != nil || len(b) < 6 {
		return fmt.Errorf("frame header: %w", ErrCorrupt)
	}
	n := int(b[5])
	d.bits = int(b[0])
	height, width := int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	if height > 0 || d.height == 0 {
		d.height = height
	}
	if width > 0 || d.width == 0 {
		d.width = width
	}
	if n == 0 || len(b) < 6+3*n || d.bits < 2 || d.bits > 16 {
		return fmt.Errorf("frame of %d components of %d bits: %w", n, d.bits, ErrCorrupt)
	}
	for k := range n {
		c := b[6+3*k:]
		if c[1] != b[7] {
			return fmt.Errorf("subsampled components: %w", ErrUnsupported)
		}
		if slices.Contains(d.ids, c[0]) {
			return fmt.Errorf("two components called %d: %w", c[0], ErrCorrupt)
		}
		d.ids = append(d.ids, c[0])
	}
	d.done = make([]bool, n)
	d.tableOf = make([]*Table, n)
	return nil
}

// interval reads DRI, which T.87 C.2.5 widens to 4 bytes.
func (d *decoder) interval(b []byte) error {
	v := uint64(0)
	if len(b) < 2 || len(b) > 4 {
		return fmt.Errorf("restart interval of %d bytes: %w", len(b), ErrCorrupt)
	}
	for _, x := range b {
		v = v<<8 | uint64(x)
	}
	d.restart = int(min(v, 1<<31-1))
	return nil
}

// extension reads LSE (T.87 C.2.4.1).
func (d *decoder) extension(b []byte) error {
	if len(b) < 1 {
		return fmt.Errorf("preset parameters: %w", ErrCorrupt)
	}
	kind, b := b[0], b[1:]
	switch {
	case kind == 1 && len(b) >= 10:
		v := func(k int) int { return int(binary.BigEndian.Uint16(b[2*k:])) }
		d.preset = preset{v(0), v(1), v(2), v(3), v(4)}
	case kind == 2 && len(b) >= 2 && b[1] > 0:
		if d.tables == nil {
			d.tables = map[byte]*Table{}
		}
		d.tables[b[0]] = &Table{EntryBytes: int(b[1]), Values: slices.Clone(b[2:])}
	case kind == 3 && len(b) >= 2:
		t := d.tables[b[0]]
		if t == nil || t.EntryBytes != int(b[1]) || len(t.Values) > 65536*t.EntryBytes {
			return fmt.Errorf("continued mapping table: %w", ErrCorrupt)
		}
		t.Values = append(t.Values, b[2:]...)
	case kind == 4 && len(b) >= 1 && b[0] >= 2 && b[0] <= 4 && len(b) >= 1+2*int(b[0]):
		w := int(b[0])
		height, width := 0, 0
		for k := range w {
			height, width = height<<8|int(b[1+k]), width<<8|int(b[1+w+k])
		}
		if d.height == 0 {
			d.height = height
		}
		if d.width == 0 {
			d.width = width
		}
	case kind > 4:
		return fmt.Errorf("preset parameters of type %d: %w", kind, ErrUnsupported)
	default:
		return fmt.Errorf("preset parameters: %w", ErrCorrupt)
	}
	return nil
}

// scanHeader reads SOS.
func (d *decoder) scanHeader(b []byte) (*scan, error) {
	if d.ids == nil {
		return nil, fmt.Errorf("scan before its frame: %w", ErrCorrupt)
	}
	if len(b) < 1 || len(b) < 4+2*int(b[0]) || b[0] == 0 {
		return nil, fmt.Errorf("scan header: %w", ErrCorrupt)
	}
	n := int(b[0])
	tail := b[1+2*n:]
	s := &scan{near: int(tail[0]), interleave: Interleave(tail[1]), shift: int(tail[2] & 15)}
	for k := range n {
		index := slices.Index(d.ids, b[1+2*k])
		if index < 0 || slices.Contains(s.components, index) || d.done[index] {
			return nil, fmt.Errorf("scan of component %d: %w", b[1+2*k], ErrCorrupt)
		}
		s.components = append(s.components, index)
		if id := b[2+2*k]; id != 0 {
			t := d.tables[id]
			if t == nil {
				return nil, fmt.Errorf("mapping table %d missing: %w", id, ErrCorrupt)
			}
			d.tableOf[index] = t
		}
	}
	switch {
	case n == 1: // one component is never interleaved, whatever the header says
		s.interleave = InterleaveNone
	case s.interleave != InterleaveLine && s.interleave != InterleaveSample, n > 4:
		return nil, fmt.Errorf("interleave mode %d of %d components: %w", s.interleave, n, ErrCorrupt)
	}
	if s.shift >= d.bits {
		return nil, fmt.Errorf("point transform %d: %w", s.shift, ErrCorrupt)
	}
	return s, nil
}
