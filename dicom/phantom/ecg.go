package phantom

import (
	"math"
	"math/rand/v2"
	"strconv"
)

const (
	ecgClass   = "1.2.840.10008.5.1.4.1.1.9.1.1"
	ecgRate    = 500 // Hz
	ecgSeconds = 10
	ecgUnit    = 2.5 // µV per stored unit
)

// lead is the shape of one beat in one measured lead, in mV.
type lead struct {
	p, q, r, s, t, st float64
	f                 float64 // share of atrial fibrillation waves
}

// measured are the eight leads an electrocardiograph measures; the other four
// follow from I and II.
var measured = [8]lead{
	{p: 0.10, q: -0.05, r: 0.70, s: -0.12, t: 0.22, f: 0.4},           // I
	{p: 0.16, q: -0.08, r: 1.10, s: -0.16, t: 0.32, f: 0.9},           // II
	{p: 0.06, r: 0.25, s: -1.00, t: -0.06, f: 1.6},                    // V1
	{p: 0.07, r: 0.50, s: -1.55, t: 0.42, st: 0.06, f: 0.8},           // V2
	{p: 0.08, r: 0.90, s: -1.05, t: 0.50, st: 0.05, f: 0.5},           // V3
	{p: 0.08, q: -0.05, r: 1.50, s: -0.50, t: 0.45, st: 0.02, f: 0.4}, // V4
	{p: 0.08, q: -0.08, r: 1.40, s: -0.24, t: 0.38, f: 0.4},           // V5
	{p: 0.08, q: -0.08, r: 1.10, s: -0.10, t: 0.30, f: 0.4},           // V6
}

// inferiorInjury changes them as an inferior infarction does.
var inferiorInjury = [8]lead{
	{st: -0.12, t: -0.24},
	{st: 0.24, q: -0.14, t: 0.16},
	{st: 0.02},
	{st: -0.20, t: -0.20},
	{st: -0.16, t: -0.18},
	{st: -0.06},
	{st: 0.02},
	{st: 0.05},
}

// ECG12 returns 10 s of a 12-lead ECG at 500 Hz as a 12-Lead ECG Waveform
// (PS3.3 A.34.3). Leads in the order I II III aVR aVL aVF V1–V6; the limb
// leads hold III = II − I exactly and the augmented ones within half a unit.
func ECG12(s Study, rhythm Rhythm) []byte {
	d, sop := common(s, series{
		class: ecgClass, modality: "ECG", number: 1, description: "ECG 12 derivations",
		protocol: "Repos 10 s", studyDefault: "Electrocardiogramme",
		manufacturer: "Sira", model: "Phantom ECG",
	}, 1)
	at := examinedAt(s)
	d.text(0x0008002A, "DT", at.Format("20060102150405"))
	d.sequence(0x00400555)
	d.sequence(0x54000100, waveform(ecgSamples(s.Seed, rhythm)))
	return part10(d, ecgClass, sop, explicitLE)
}

// ecgLeads are the twelve leads with their codes in context group 3001.
var ecgLeads = [12]struct{ code, name, meaning string }{
	{"2:1", "I", "Lead I"}, {"2:2", "II", "Lead II"}, {"2:61", "III", "Lead III"},
	{"2:62", "aVR", "Lead aVR"}, {"2:63", "aVL", "Lead aVL"}, {"2:64", "aVF", "Lead aVF"},
	{"2:3", "V1", "Lead V1"}, {"2:4", "V2", "Lead V2"}, {"2:5", "V3", "Lead V3"},
	{"2:6", "V4", "Lead V4"}, {"2:7", "V5", "Lead V5"}, {"2:8", "V6", "Lead V6"},
}

// waveform is the one item of the Waveform Sequence (PS3.3 C.10.9).
func waveform(samples [][12]int16) *dataset {
	w := &dataset{}
	w.text(0x003A0004, "CS", "ORIGINAL")
	w.us(0x003A0005, 12)
	w.ul(0x003A0010, uint32(len(samples)))
	w.decimal(0x003A001A, ecgRate)
	w.text(0x003A0020, "SH", "RHYTHM")
	channels := make([]*dataset, 12)
	for i, l := range ecgLeads {
		c := &dataset{}
		c.text(0x003A0203, "SH", l.name)
		c.sequence(0x003A0208, code(l.code, "MDC", l.meaning))
		c.decimal(0x003A0210, ecgUnit)
		c.sequence(0x003A0211, code("uV", "UCUM", "microvolt"))
		c.decimal(0x003A0212, 1)
		c.decimal(0x003A0213, 0)
		c.decimal(0x003A0215, 0)
		c.us(0x003A021A, 16)
		c.decimal(0x003A0220, 0.05)
		c.decimal(0x003A0221, 150)
		c.decimal(0x003A0222, 50)
		c.decimal(0x003A0223, 2)
		channels[i] = c
	}
	w.sequence(0x003A0200, channels...)
	w.us(0x54001004, 16)
	w.text(0x54001006, "CS", "SS")
	data := make([]uint16, 0, 12*len(samples))
	for _, row := range samples {
		for _, v := range row {
			data = append(data, uint16(v))
		}
	}
	w.put(0x54001010, "OW", le16(data), 0)
	return w
}

// ecgSamples computes stored units, one row of twelve leads each 2 ms.
func ecgSamples(seed uint64, rhythm Rhythm) [][12]int16 {
	r := newRand(seed, 3)
	beats := beatTimes(r, rhythm)
	leads := measured
	if rhythm == InferiorSTEMI {
		for i, change := range inferiorInjury {
			leads[i].st += change.st
			leads[i].q += change.q
			leads[i].t += change.t
		}
	}
	scale, drift := 0.9+0.2*r.Float64(), r.Float64()*6
	rows := make([][12]int16, ecgRate*ecgSeconds)
	for i := range rows {
		t := float64(i) / ecgRate
		var values [8]int
		for k := range leads {
			mv := scale * beatsAt(&leads[k], beats, t, rhythm)
			if rhythm == AtrialFibrillation {
				mv += leads[k].f * fibrillation(t, drift)
			}
			phase := float64(k) * 0.7
			mv += 0.03*math.Sin(2*math.Pi*0.23*t+drift+phase) + 0.006*r.NormFloat64() + 0.002*math.Sin(2*math.Pi*50*t+phase)
			values[k] = int(math.Round(mv * 1000 / ecgUnit))
		}
		rows[i] = twelve(values)
	}
	return rows
}

// twelve derives III, aVR, aVL and aVF (Einthoven, Goldberger).
func twelve(v [8]int) [12]int16 {
	one, two := v[0], v[1]
	half := func(x int) int { return int(math.Round(float64(x) / 2)) }
	all := [12]int{one, two, two - one, half(-one - two), half(2*one - two), half(2*two - one)}
	copy(all[6:], v[2:])
	var out [12]int16
	for i, x := range all {
		out[i] = int16(min(max(x, math.MinInt16), math.MaxInt16))
	}
	return out
}

// beat is one heart beat: when its R wave peaks and how long after the last.
type beat struct{ at, interval float64 }

func beatTimes(r *rand.Rand, rhythm Rhythm) []beat {
	var beats []beat
	mean := 0.76 + 0.12*r.Float64()
	for t := -0.9 + 0.4*r.Float64(); t < ecgSeconds+1; {
		interval := mean * (1 + 0.025*math.Sin(2*math.Pi*0.24*t) + 0.008*r.NormFloat64())
		switch rhythm {
		case AtrialFibrillation:
			interval = min(max(0.62+0.16*r.NormFloat64(), 0.36), 1.15)
		case InferiorSTEMI:
			interval *= 1.12 // a slow pulse is usual in inferior infarction
		}
		t += interval
		beats = append(beats, beat{t, interval})
	}
	return beats
}

// beatsAt sums the beats near time t, in mV.
func beatsAt(l *lead, beats []beat, t float64, rhythm Rhythm) float64 {
	mv := 0.0
	for _, b := range beats {
		u := t - b.at
		if u < -0.4 || u > 0.8 {
			continue
		}
		if rhythm != AtrialFibrillation {
			mv += l.p * bump(u, -0.165, 0.022)
		}
		mv += l.q*bump(u, -0.028, 0.008) + l.r*bump(u, 0, 0.0105) + l.s*bump(u, 0.029, 0.0105)
		peak := 0.29 * math.Sqrt(math.Min(b.interval, 1.0)/0.85)
		width := 0.058
		if u > peak {
			width = 0.036
		}
		mv += l.t * bump(u, peak, width)
		mv += l.st * (step(0.030, 0.065, u) - step(peak-0.02, peak+0.10, u))
	}
	return mv
}

// fibrillation is the restless baseline of the atria, 5 to 8 Hz.
func fibrillation(t, phase float64) float64 {
	swell := 0.7 + 0.3*math.Sin(2*math.Pi*0.41*t+phase)
	return 0.045 * swell * (math.Sin(2*math.Pi*6.1*t+1.6*math.Sin(2*math.Pi*0.33*t)+phase) + 0.5*math.Sin(2*math.Pi*7.7*t+2*phase))
}

// String names the rhythm in English.
func (r Rhythm) String() string {
	switch r {
	case Sinus:
		return "sinus"
	case InferiorSTEMI:
		return "inferior ST elevation"
	case AtrialFibrillation:
		return "atrial fibrillation"
	}
	return "rhythm " + strconv.Itoa(int(r))
}
