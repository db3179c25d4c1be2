package pixel

import (
	"encoding/binary"
	"fmt"

	"sira/dicom"
)

const (
	tagLUTDescriptor = dicom.Tag(0x00283002)
	tagLUTLabel      = dicom.Tag(0x00283003)
	tagLUTData       = dicom.Tag(0x00283006)
)

func byteOrder(big bool) binary.ByteOrder {
	if big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// descriptor reads a LUT Descriptor (PS3.3 C.11.1.1): entries, first input
// value, bits an entry. The first value is signed when the input is.
func descriptor(d *dicom.DataSet, t dicom.Tag, signed bool) (entries, first, bits int, ok bool) {
	v := d.Ints(t)
	if len(v) < 3 {
		return 0, 0, 0, false
	}
	entries, first, bits = v[0]&0xFFFF, v[1], v[2]&0xFFFF
	if entries == 0 {
		entries = 65536
	}
	if signed && first > 32767 {
		first -= 65536
	} else if !signed && first < 0 {
		first += 65536
	}
	return entries, first, bits, bits >= 1 && bits <= 16
}

// readLUT reads a modality or VOI LUT item.
func readLUT(d *dicom.DataSet, signed, big bool) (LUT, bool) {
	entries, first, bits, ok := descriptor(d, tagLUTDescriptor, signed)
	if !ok {
		return LUT{}, false
	}
	values := lutValues(d.Bytes(tagLUTData), entries, byteOrder(big))
	if len(values) < entries {
		return LUT{}, false
	}
	return LUT{First: first, Bits: bits, Values: values, Label: d.String(tagLUTLabel)}, true
}

// lutValues takes words, or bytes where the data is half as long as words
// would be.
func lutValues(raw []byte, entries int, order binary.ByteOrder) []uint16 {
	var out []uint16
	if len(raw) >= 2*entries {
		out = make([]uint16, entries)
		for i := range out {
			out[i] = order.Uint16(raw[2*i:])
		}
	} else if len(raw) >= entries {
		out = make([]uint16, entries)
		for i := range out {
			at := i
			if order == binary.BigEndian {
				at = i ^ 1
			}
			out[i] = uint16(raw[min(at, len(raw)-1)])
		}
	}
	return out
}

// at looks a value up.
func (l *LUT) at(v float64) float64 {
	i := int(min(max(v-float64(l.First), 0), float64(len(l.Values)-1)))
	return float64(l.Values[i])
}

// readPalette reads the Palette Color Lookup Tables, plain or segmented (PS3.3
// C.7.9).
func readPalette(f *dicom.File, signed bool) (*Palette, error) {
	p := &Palette{}
	for i, out := range []*[]uint8{&p.Red, &p.Green, &p.Blue} {
		n := dicom.Tag(i)
		entries, first, bits, ok := descriptor(f.DataSet, 0x00281101+n, signed)
		if !ok {
			return nil, fmt.Errorf("palette without descriptor: %w", ErrUnsupportedLayout)
		}
		p.First = first
		values := lutValues(f.Bytes(0x00281201+n), entries, byteOrder(f.BigEndian))
		if values == nil {
			values = expandSegments(f.Bytes(0x00281221+n), bits, entries, byteOrder(f.BigEndian))
		}
		if len(values) < entries {
			return nil, fmt.Errorf("palette of %d entries, %d announced: %w", len(values), entries, ErrUnsupportedLayout)
		}
		*out = toBytes(values, bits)
	}
	return p, nil
}

// toBytes scales entries to 8 bits. Tables that say 16 bits and hold bytes
// exist; they are taken for what they hold.
func toBytes(values []uint16, bits int) []uint8 {
	shift := 0
	if bits > 8 {
		for _, v := range values {
			if v > 255 {
				shift = bits - 8
				break
			}
		}
	}
	out := make([]uint8, len(values))
	for i, v := range values {
		out[i] = uint8(min(v>>shift, 255))
	}
	return out
}

// expandSegments expands a segmented palette (PS3.3 C.7.9.2): discrete, linear
// and indirect segments. It returns at most entries values.
func expandSegments(raw []byte, bits, entries int, order binary.ByteOrder) []uint16 {
	var words []uint16
	if bits <= 8 {
		for _, b := range raw {
			words = append(words, uint16(b))
		}
	} else {
		for ; len(raw) >= 2; raw = raw[2:] {
			words = append(words, order.Uint16(raw))
		}
	}
	e := expander{words: words, entries: entries, wide: bits > 8}
	e.run(0, len(words), len(words)+1, 0)
	return e.out
}

type expander struct {
	words, out []uint16
	entries    int
	wide       bool
}

// run expands up to count segments between two offsets in words. Indirect
// segments may repeat earlier ones, once removed and no deeper.
func (e *expander) run(at, end, count, depth int) {
	for ; count > 0 && at+1 < end && len(e.out) < e.entries; count-- {
		code, n := e.words[at], int(e.words[at+1])
		at += 2
		switch code {
		case 0:
			n = min(n, end-at)
			e.out = append(e.out, e.words[at:at+n]...)
			at += n
		case 1:
			if at >= end || len(e.out) == 0 {
				return
			}
			from, to := int(e.out[len(e.out)-1]), int(e.words[at])
			for k := 1; k <= n; k++ {
				e.out = append(e.out, uint16(from+(to-from)*k/n))
			}
			at++
		case 2:
			offset, words := e.pointer(at, end)
			if offset < 0 || depth > 0 {
				return
			}
			e.run(offset, len(e.words), n, depth+1)
			at += words
		default:
			return
		}
	}
}

// pointer reads the offset of an indirect segment: two words, or four bytes,
// the least significant first; -1 when there is none.
func (e *expander) pointer(at, end int) (offset, words int) {
	words, shift := 4, 8
	if e.wide {
		words, shift = 2, 16
	}
	if at+words > end {
		return -1, words
	}
	for k := words - 1; k >= 0; k-- {
		offset = offset<<shift | int(e.words[at+k])
	}
	if e.wide {
		offset /= 2 // bytes to words
	}
	if offset >= len(e.words) {
		return -1, words
	}
	return offset, words
}
