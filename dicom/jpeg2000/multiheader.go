package jpeg2000

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
)

// Transforms across components by arrays, of part 2 (T.801 Annex J): CBD says
// what samples come out, MCT gives an array of numbers, MCC tells which
// components go through which arrays, and MCO in which order the MCCs apply.

// Array types and elements of MCT (T.801 A.3.7).
const (
	arrayDecorrelation = 1
	arrayOffset        = 2

	elementInt16   = 0
	elementInt32   = 1
	elementFloat32 = 2
)

// Kinds of collections in MCC (T.801 A.3.8).
const (
	collectDependency    = 0
	collectDecorrelation = 1
	collectWavelet       = 3
)

// maxStages bounds the transforms that MCO puts one after another: each costs
// a multiplication for each sample and component.
const maxStages = 16

// multi is what CBD, MCT, MCC and MCO say. Arrays and collections are kept as
// they came until a tile needs them.
type multi struct {
	depths      []depth
	arrays      map[int]series // by type and index, ten bits
	collections map[int]series // by index
	order       []byte
	ordered     bool // MCO met
}

type depth struct {
	bits   int
	signed bool
}

// series is the content of marker segments that continue one another.
type series struct {
	element    int // of an array
	data       []byte
	next, last int
}

func (m *multi) empty() bool {
	return m.depths == nil && len(m.arrays) == 0 && len(m.collections) == 0 && !m.ordered
}

// clone copies m for a tile-part header to change.
func (m *multi) clone() multi {
	c := *m
	c.arrays, c.collections = maps.Clone(m.arrays), maps.Clone(m.collections)
	for _, all := range []map[int]series{c.arrays, c.collections} {
		for i, e := range all {
			e.data = slices.Clip(e.data) // what is added does not go into the original
			all[i] = e
		}
	}
	return c
}

// readCBD reads the depths of what comes out (T.801 A.3.6).
func (m *multi) readCBD(b []byte, components int) error {
	s := segment{b: b}
	count := s.u16()
	n := count & 0x7FFF
	one := count&0x8000 != 0 // depth for all
	if m.depths != nil {
		return corrupt("second CBD")
	}
	if n != components {
		return fmt.Errorf("%d components out of a transform of %d: %w", n, components, ErrUnsupported)
	}
	if s.short || !one && len(s.b) != n || one && len(s.b) != 1 {
		return corrupt("CBD of %d bytes", len(b))
	}
	m.depths = make([]depth, n)
	for i := range m.depths {
		v := s.b[0]
		if !one {
			v = s.b[i]
		}
		m.depths[i] = depth{bits: int(v&0x7F) + 1, signed: v&0x80 != 0}
		if m.depths[i].bits > 38 {
			return corrupt("CBD of %d bits", m.depths[i].bits)
		}
	}
	return nil
}

// readMCT reads an array or a part of one (T.801 A.3.7).
func (m *multi) readMCT(b []byte) error {
	s := segment{b: b}
	z, index := s.u16(), s.u16()
	return add(&m.arrays, "MCT", &s, z, index&0x3FF, index>>10&3)
}

// readMCC reads component collections or a part of them (T.801 A.3.8).
func (m *multi) readMCC(b []byte) error {
	s := segment{b: b}
	z, index := s.u16(), s.u8()
	return add(&m.collections, "MCC", &s, z, index, 0)
}

// add puts the rest of a segment where part z of the series belongs.
func add(to *map[int]series, name string, s *segment, z, index, element int) error {
	if index&0xFF == 0 {
		return corrupt("%s without an index", name)
	}
	e := (*to)[index]
	if z == 0 {
		e = series{element: element, last: s.u16()}
	} else if z != e.next || z > e.last || element != e.element {
		return corrupt("part %d of %s %d", z, name, index&0xFF)
	}
	if s.short {
		return corrupt("%s of few bytes", name)
	}
	if z == 0 {
		e.data = slices.Clip(s.b) // the input, which nothing is added to
	} else {
		e.data = append(e.data, s.b...)
	}
	e.next = z + 1
	if *to == nil {
		*to = map[int]series{}
	}
	(*to)[index] = e
	return nil
}

// readMCO reads the order of transforms (T.801 A.3.9).
func (m *multi) readMCO(b []byte) error {
	if len(b) < 1 || len(b) != 1+int(b[0]) {
		return corrupt("MCO of %d bytes", len(b))
	}
	m.order, m.ordered = b[1:], true
	return nil
}

// checkMulti refuses what COD and the markers of part 2 do not say alike.
func (p *params) checkMulti() error {
	switch {
	case !p.across && !p.multi.empty():
		return fmt.Errorf("component transform of part 2 that COD does not ask for: %w", ErrUnsupported)
	case p.across && p.multi.depths == nil:
		return corrupt("component transform of part 2 without CBD")
	}
	return nil
}

// collection is a set of components and what happens to them.
type collection struct {
	in, out []int
	matrix  []float64 // a row for each of out; nil when they only change places
	offsets []float64 // to add to each of out; may be nil
}

// stages gives the transforms in their order.
func (m *multi) stages(components int) ([][]collection, error) {
	if len(m.order) == 0 {
		return nil, fmt.Errorf("component transform of part 2 without MCO: %w", ErrUnsupported)
	}
	if len(m.order) > maxStages {
		return nil, fmt.Errorf("%d component transforms: %w", len(m.order), ErrUnsupported)
	}
	var out [][]collection
	for _, index := range m.order {
		e, ok := m.collections[int(index)]
		if !ok || e.next != e.last+1 {
			return nil, corrupt("MCC %d is missing", index)
		}
		stage, err := m.stage(e.data, components)
		if err != nil {
			return nil, fmt.Errorf("MCC %d: %w", index, err)
		}
		out = append(out, stage)
	}
	return out, nil
}

// stage reads the collections of an MCC.
func (m *multi) stage(b []byte, components int) ([]collection, error) {
	s := segment{b: b}
	var out []collection
	given := make([]bool, components)
	left := components
	for range s.u16() {
		if s.short || left == 0 {
			return nil, corrupt("too many collections")
		}
		switch kind := s.u8() & 3; kind {
		case collectDecorrelation:
		case collectDependency:
			return nil, fmt.Errorf("dependency transform across components: %w", ErrUnsupported)
		case collectWavelet:
			return nil, fmt.Errorf("wavelet across components: %w", ErrUnsupported)
		default:
			return nil, corrupt("collection of kind %d", kind)
		}
		var c collection
		var err error
		if c.in, err = s.indices(components); err != nil {
			return nil, err
		}
		if c.out, err = s.indices(components); err != nil {
			return nil, err
		}
		if len(c.in) != len(c.out) {
			return nil, fmt.Errorf("%d components out of %d: %w", len(c.out), len(c.in), ErrUnsupported)
		}
		for _, i := range c.out {
			if given[i] {
				return nil, corrupt("component %d from two collections", i)
			}
			given[i] = true
			left--
		}
		flags, offset, matrix := s.u8(), s.u8(), s.u8()
		if matrix != 0 && flags&1 != 0 {
			return nil, fmt.Errorf("reversible matrix across components: %w", ErrUnsupported)
		}
		if c.matrix, err = m.array(arrayDecorrelation, matrix, len(c.in)*len(c.out)); err != nil {
			return nil, err
		}
		if c.offsets, err = m.array(arrayOffset, offset, len(c.out)); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	if s.short || len(s.b) != 0 {
		return nil, corrupt("%d bytes", len(b))
	}
	if left != 0 {
		return nil, fmt.Errorf("%d components in no collection: %w", left, ErrUnsupported)
	}
	return out, nil
}

// indices reads how many components there are and which.
func (s *segment) indices(components int) ([]int, error) {
	v := s.u16()
	n := v & 0x7FFF
	if n < 1 || n > components {
		return nil, corrupt("%d of %d components", n, components)
	}
	out := make([]int, n)
	for i := range out {
		if v&0x8000 != 0 {
			out[i] = s.u16()
		} else {
			out[i] = s.u8()
		}
		if s.short || out[i] >= components {
			return nil, corrupt("component %d of %d", out[i], components)
		}
	}
	return out, nil
}

// array gives the n numbers of an array, nil for index 0.
func (m *multi) array(kind, index, n int) ([]float64, error) {
	if index == 0 {
		return nil, nil
	}
	e, ok := m.arrays[kind<<8|index]
	size := [...]int{2, 4, 4, 8}[e.element]
	if !ok || e.next != e.last+1 || len(e.data) != n*size {
		return nil, corrupt("array %d of %d bytes for %d numbers", index, len(e.data), n)
	}
	out := make([]float64, n)
	for i := range out {
		b := e.data[i*size:]
		switch e.element {
		case elementInt16:
			out[i] = float64(int16(binary.BigEndian.Uint16(b)))
		case elementInt32:
			out[i] = float64(int32(binary.BigEndian.Uint32(b)))
		case elementFloat32:
			out[i] = float64(math.Float32frombits(binary.BigEndian.Uint32(b)))
		default:
			out[i] = math.Float64frombits(binary.BigEndian.Uint64(b))
		}
		if math.IsNaN(out[i]) || math.Abs(out[i]) > math.MaxFloat32 {
			return nil, corrupt("array %d has no number at %d", index, i)
		}
	}
	return out, nil
}
