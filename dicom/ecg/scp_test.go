package ecg

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"testing"
	"time"
)

// scpWriter builds SCP-ECG records for tests.
type scpWriter struct {
	leads    []byte
	flags    byte
	order    int // of differences
	bimodal  byte
	huffman  []byte // payload of section 2, nil for plain samples
	encode   func([]int32) []byte
	rhythm   [][]int32
	beats    []byte // payload of section 4
	refBeat  [][]int32
	header   []byte // payload of section 1
	interval uint16
}

func le16(v int) []byte { return binary.LittleEndian.AppendUint16(nil, uint16(v)) }
func le32(v int) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(v)) }

func (w scpWriter) bytes() []byte {
	three := []byte{byte(len(w.leads)), w.flags}
	for i, id := range w.leads {
		three = append(three, le32(1)...)
		three = append(three, le32(len(w.rhythm[i]))...)
		three = append(three, id)
	}
	payloads := map[int][]byte{1: w.header, 2: w.huffman, 3: three, 4: w.beats, 6: w.signal(w.rhythm, w.bimodal)}
	if w.refBeat != nil {
		payloads[5] = w.signal(w.refBeat, 0)
	}
	pointers := make([]byte, 0, 120)
	var body []byte
	const zero = 16 + 120
	for id := range 12 {
		p, length, index := payloads[id], 0, 0
		switch {
		case id == 0:
			length, index = zero, 7
		case p != nil:
			length, index = 16+len(p), 6+zero+len(body)+1
			body = append(body, seal(id, p)...)
		}
		pointers = append(append(append(pointers, le16(id)...), le32(length)...), le32(index)...)
	}
	record := append(le32(6+zero+len(body)), seal(0, pointers)...)
	copy(record[4+10:], "SCPECG")
	rezero := record[4:]
	copy(rezero, le16(int(crc(rezero[2:]))))
	record = append(record, body...)
	return append(le16(int(crc(record))), record...)
}

func seal(id int, payload []byte) []byte {
	s := append(le16(id), le32(16+len(payload))...)
	s = append(append(s, 20, 20, 0, 0, 0, 0, 0, 0), payload...)
	return append(le16(int(crc(s))), s...)
}

func (w scpWriter) signal(leads [][]int32, bimodal byte) []byte {
	s := append(append(le16(2500), le16(int(w.interval))...), byte(w.order), bimodal)
	var data []byte
	for _, v := range leads {
		d := w.encode(differences(v, w.order))
		s = append(s, le16(len(d))...)
		data = append(data, d...)
	}
	return append(s, data...)
}

func differences(v []int32, order int) []int32 {
	out := append([]int32(nil), v...)
	for i := len(v) - 1; i >= order && order > 0; i-- {
		out[i] = v[i] - v[i-1]
		if order == 2 {
			out[i] = v[i] - 2*v[i-1] + v[i-2]
		}
	}
	return out
}

func plain(v []int32) []byte {
	var out []byte
	for _, x := range v {
		out = append(out, le16(int(x))...)
	}
	return out
}

// defaultHuffman encodes with the standard's table.
func defaultHuffman(v []int32) []byte {
	var bits []byte
	put := func(value uint32, n int) {
		for i := n - 1; i >= 0; i-- {
			bits = append(bits, byte(value>>i&1))
		}
	}
	for _, x := range v {
		switch {
		case x == 0:
			put(0, 1)
		case x >= -8 && x <= 8:
			for range max(x, -x) {
				put(1, 1)
			}
			put(0, 1)
			put(map[bool]uint32{true: 1, false: 0}[x < 0], 1)
		case x >= -128 && x <= 127:
			put(0x3FE, 10)
			put(uint32(x)&0xFF, 8)
		default:
			put(0x3FF, 10)
			put(uint32(x)&0xFFFF, 16)
		}
	}
	for len(bits)%8 != 0 {
		bits = append(bits, 1)
	}
	out := make([]byte, len(bits)/8)
	for i, b := range bits {
		out[i/8] |= b << (7 - i%8)
	}
	return out
}

func wave(n int, amplitude float64) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = int32(amplitude*math.Sin(float64(i)/7) + float64(i%5))
	}
	return out
}

func equalSamples(t *testing.T, l *Lead, want []int32) {
	t.Helper()
	if l == nil {
		t.Fatal("lead is missing")
	}
	if len(l.Samples) != len(want) {
		t.Fatalf("lead %s has %d samples, not %d", l.Name, len(l.Samples), len(want))
	}
	for i, v := range want {
		if int32(l.Samples[i]) != v {
			t.Fatalf("lead %s, sample %d is %d, not %d", l.Name, i, l.Samples[i], v)
		}
	}
}

func writers() map[string]scpWriter {
	base := scpWriter{leads: []byte{1, 2}, rhythm: [][]int32{wave(500, 300), wave(500, 20000)}, interval: 2000,
		encode: defaultHuffman, huffman: le16(defaultTables)}
	list := map[string]scpWriter{"default table": base}
	w := base
	w.encode, w.huffman = plain, nil
	list["plain"] = w
	w.order = 1
	w.rhythm = [][]int32{wave(500, 300), wave(500, 2000)}
	list["plain, first differences"] = w
	w.encode, w.huffman = defaultHuffman, le16(defaultTables)
	list["first differences"] = w
	w.order = 2
	list["second differences"] = w
	// Two tables: 0 is "0" → 5, "1" switches; in the second "0" → −7 and back never.
	w = base
	w.leads, w.rhythm = []byte{1}, [][]int32{{5, 5, -7, -7, -7}}
	table := func(lines ...[]byte) []byte { return append(le16(len(lines)), bytes.Join(lines, nil)...) }
	line := func(prefix, total, mode byte, value, code int) []byte {
		return append(append([]byte{prefix, total, mode}, le16(value)...), le32(code)...)
	}
	w.huffman = append(le16(2), append(table(line(1, 1, 1, 5, 0), line(1, 1, 0, 2, 1)), table(line(1, 1, 1, -7, 0), line(1, 1, 1, 9, 1))...)...)
	w.encode = func([]int32) []byte { return []byte{0b00100000} }
	list["own tables"] = w
	return list
}

func TestSCPForms(t *testing.T) {
	for name, w := range writers() {
		t.Run(name, func(t *testing.T) {
			w.header = append(append([]byte{25, 4, 0}, le16(2026)...), 1, 15, 26, 3, 0, 9, 30, 0, 27, 2, 0, 5, 0, 28, 2, 0, 150, 0, 29, 1, 0, 2, 255, 0, 0)
			rec, err := FromSCP(bytes.NewReader(w.bytes()))
			if err != nil {
				t.Fatal(err)
			}
			for i, id := range w.leads {
				equalSamples(t, rec.lead(leadNames[int(id)]), w.rhythm[i])
			}
			if rec.SamplingHz != 500 || rec.Leads[0].Scale != 2.5 || !rec.StartedAt.Equal(time.Date(2026, 1, 15, 9, 30, 0, 0, time.UTC)) {
				t.Errorf("%v Hz, scale %v, %v", rec.SamplingHz, rec.Leads[0].Scale, rec.StartedAt)
			}
			if len(rec.Filters) != 2 || rec.Filters[0] != "0.05–150 Hz" || rec.Filters[1] != "notch 50 Hz" {
				t.Errorf("filters %q", rec.Filters)
			}
		})
	}
}

func TestSCPReferenceBeat(t *testing.T) {
	beat := wave(50, 400) // 100 ms at 500 Hz, its fiducial point at sample 20
	want := wave(500, 30)
	residual := append([]int32(nil), want...)
	four := append(append(le16(100), le16(20)...), le16(3)...)
	for k, fiducial := range []int{100, 250, 400} {
		kind := 0
		if k == 1 {
			kind = 1 // another type: nothing was subtracted
		}
		from, to := fiducial-19, fiducial+30
		four = append(append(append(append(four, le16(kind)...), le32(from)...), le32(fiducial)...), le32(to)...)
		for p := from; p <= to && kind == 0; p++ {
			residual[p-1] -= beat[p-fiducial+20-1]
		}
	}
	w := scpWriter{leads: []byte{2}, flags: 1, rhythm: [][]int32{residual}, refBeat: [][]int32{beat}, beats: four,
		encode: defaultHuffman, huffman: le16(defaultTables), order: 2, interval: 2000}
	rec, err := FromSCP(bytes.NewReader(w.bytes()))
	if err != nil {
		t.Fatal(err)
	}
	equalSamples(t, rec.lead("II"), want)
	w.bimodal = 1
	if _, err := FromSCP(bytes.NewReader(w.bytes())); !errors.Is(err, ErrUnsupported) {
		t.Errorf("bimodal: %v", err)
	}
}

func TestSCPRefuses(t *testing.T) {
	good := writers()["default table"].bytes()
	for name, data := range map[string][]byte{
		"empty":   nil,
		"text":    []byte("this is certainly no electrocardiogram"),
		"cut":     good[:len(good)-20],
		"flipped": append(append([]byte(nil), good[:300]...), append([]byte{good[300] ^ 1}, good[301:]...)...),
	} {
		if _, err := FromSCP(bytes.NewReader(data)); !errors.Is(err, ErrNoECG) && !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	short := writers()["plain"]
	short.encode = func(v []int32) []byte { return plain(v[:len(v)/2]) }
	if _, err := FromSCP(bytes.NewReader(short.bytes())); !errors.Is(err, ErrCorrupt) {
		t.Errorf("fewer samples: %v", err)
	}
}

// FuzzSCP repairs the checksums, so that what they guard is reached.
func FuzzSCP(f *testing.F) {
	for _, w := range writers() {
		f.Add(w.bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		sane(t, func() (*Recording, error) { return FromSCP(bytes.NewReader(repair(data))) })
	})
}

func repair(data []byte) []byte {
	d := append([]byte(nil), data...)
	if len(d) < 6+16 {
		return d
	}
	copy(d[2:], le32(len(d)))
	n := int(min(int64(binary.LittleEndian.Uint32(d[10:])), int64(len(d)-6)))
	for p := 6 + 16; p+10 <= 6+n; p += 10 {
		length, index := int64(binary.LittleEndian.Uint32(d[p+2:])), int64(binary.LittleEndian.Uint32(d[p+6:]))-1
		if length >= 16 && index >= 6+int64(n) && index+length <= int64(len(d)) {
			s := d[index : index+length]
			copy(s, le16(int(crc(s[2:]))))
		}
	}
	if n >= 16 {
		copy(d[6:], le16(int(crc(d[8:6+n]))))
	}
	copy(d, le16(int(crc(d[2:]))))
	return d
}

// sane: an error of this package, or a recording that can be drawn.
func sane(t *testing.T, read func() (*Recording, error)) {
	t.Helper()
	rec, err := read()
	if err != nil {
		if !errors.Is(err, ErrNoECG) && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrUnsupported) {
			t.Fatal(err)
		}
		return
	}
	if len(rec.Leads) == 0 || len(rec.Leads) > maxChannels+4 || !plausibleRate(rec.SamplingHz) {
		t.Fatalf("%d leads at %v Hz", len(rec.Leads), rec.SamplingHz)
	}
	for _, l := range rec.Leads {
		if math.IsNaN(l.Scale) || math.IsInf(l.Scale, 0) || math.IsNaN(l.Offset) || math.IsInf(l.Offset, 0) {
			t.Fatalf("scale %v, offset %v", l.Scale, l.Offset)
		}
	}
}
