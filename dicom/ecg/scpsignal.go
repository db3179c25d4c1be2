package ecg

import (
	"encoding/binary"
	"fmt"
)

// scpSignal is section 5 (reference beat) or 6 (rhythm) decoded.
type scpSignal struct {
	nanovolts  int // per step
	intervalUs int
	bimodal    bool
	leads      [][]int32
}

// signal decodes a section of samples. Rhythm leads are as long as section 3
// says; a reference beat has its own length, given in its first two bytes'
// place by the number of samples its time allows.
func (f *scpFile) signal(id uint16, leads []scpLead, code *huffmanCode) (*scpSignal, error) {
	s := f.sections[id]
	if len(s) < 6+2*len(leads) {
		return nil, fmt.Errorf("%w: section %d", ErrNoECG, id)
	}
	sig := &scpSignal{
		nanovolts:  int(binary.LittleEndian.Uint16(s)),
		intervalUs: int(binary.LittleEndian.Uint16(s[2:])),
		bimodal:    id == 6 && s[5] != 0,
	}
	if sig.nanovolts == 0 || sig.intervalUs == 0 || s[4] > 2 {
		return nil, corrupt("scale, interval or difference order of section %d", id)
	}
	body := s[6+2*len(leads):]
	for i, l := range leads {
		n := int(binary.LittleEndian.Uint16(s[6+2*i:]))
		if n > len(body) {
			return nil, corrupt("data length of a lead in section %d", id)
		}
		want := int(l.end - l.start + 1)
		if id == 5 {
			want = f.beatSamples(sig.intervalUs)
		}
		values, err := samples(body[:n], want, code)
		if err != nil {
			return nil, err
		}
		if len(values) < want && id == 6 && !sig.bimodal {
			return nil, corrupt("fewer samples than announced")
		}
		integrate(values, int(s[4]))
		sig.leads = append(sig.leads, values)
		body = body[n:]
	}
	return sig, nil
}

// beatSamples is the length of the reference beat (section 4, milliseconds).
func (f *scpFile) beatSamples(intervalUs int) int {
	s := f.sections[4]
	if len(s) < 2 {
		return 0
	}
	return int(binary.LittleEndian.Uint16(s)) * 1000 / intervalUs
}

func samples(b []byte, want int, code *huffmanCode) ([]int32, error) {
	if code != nil {
		return code.decode(b, want)
	}
	out := make([]int32, 0, min(want, len(b)/2))
	for ; len(b) >= 2 && len(out) < want; b = b[2:] {
		out = append(out, int32(int16(binary.LittleEndian.Uint16(b))))
	}
	return out, nil
}

// integrate undoes first or second differences (EN 1064 section 5.9.2).
// Values wrap as 32-bit numbers; those beyond 16 bits are clamped later.
func integrate(v []int32, order int) {
	switch order {
	case 1:
		for i := 1; i < len(v); i++ {
			v[i] += v[i-1]
		}
	case 2:
		for i := 2; i < len(v); i++ {
			v[i] += 2*v[i-1] - v[i-2]
		}
	}
}

// addReferenceBeat puts back the reference beat that was subtracted around
// each QRS complex of type 0 (EN 1064 sections 5.7 and 5.8).
func (f *scpFile) addReferenceBeat(rhythm *scpSignal, leads []scpLead, code *huffmanCode) error {
	beat, err := f.signal(5, leads, code)
	if err != nil {
		return err
	}
	if beat.intervalUs != rhythm.intervalUs {
		return fmt.Errorf("%w: reference beat sampled otherwise", ErrUnsupported)
	}
	s := f.sections[4]
	if len(s) < 6 {
		return corrupt("section 4")
	}
	centre, n := int64(binary.LittleEndian.Uint16(s[2:])), int(binary.LittleEndian.Uint16(s[4:]))
	if len(s) < 6+14*n {
		return corrupt("number of beats")
	}
	for k := range n {
		b := s[6+14*k:]
		if binary.LittleEndian.Uint16(b) != 0 {
			continue
		}
		from, fiducial, to := int64(binary.LittleEndian.Uint32(b[2:])), int64(binary.LittleEndian.Uint32(b[6:])), int64(binary.LittleEndian.Uint32(b[10:]))
		for i, lead := range rhythm.leads {
			beat.addTo(lead, i, max(from, 1), min(to, int64(len(lead))), centre-fiducial, rhythm.nanovolts)
		}
	}
	return nil
}

// addTo adds beat sample (p+shift) to rhythm sample p, both counted from 1.
func (s *scpSignal) addTo(lead []int32, i int, from, to, shift int64, nanovolts int) {
	ref := s.leads[i]
	for p := from; p <= to; p++ {
		if q := p + shift; q >= 1 && q <= int64(len(ref)) {
			lead[p-1] += int32(int64(ref[q-1]) * int64(s.nanovolts) / int64(nanovolts))
		}
	}
}

func (s *scpSignal) recording(leads []scpLead) *Recording {
	rec := &Recording{SamplingHz: 1e6 / float64(s.intervalUs)}
	for i, values := range s.leads {
		l := Lead{Name: leadNames[int(leads[i].id)], Unit: "uV", Scale: float64(s.nanovolts) / 1000, Samples: make([]int16, len(values))}
		if l.Name == "" {
			l.Name = fmt.Sprintf("%d", leads[i].id)
		}
		for k, v := range values {
			l.Samples[k] = clamp(int(v))
		}
		rec.Leads = append(rec.Leads, l)
	}
	return rec
}
