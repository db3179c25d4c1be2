package ecg

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"sira/dicom"
	"sira/dicom/phantom"
)

// waveform describes a waveform object to be written for a test.
type waveform struct {
	channels, samples, bits  int
	kind, frequency          string
	sensitivity, unit        string
	correction, baseline     string
	code, scheme, label      string
	definitions              int // when not as many as channels
	data                     []byte
	filterLow, high, notch   string
	padding                  []byte
	acquired, date, timeOfIt string
	class                    string
}

// bytes writes it in implicit little endian.
func (w waveform) bytes() []byte {
	el := func(tag dicom.Tag, value []byte) []byte {
		if len(value)%2 == 1 {
			value = append(value, ' ')
		}
		b := append(le16(int(tag>>16)), le16(int(tag&0xFFFF))...)
		return append(append(b, le32(len(value))...), value...)
	}
	str := func(tag dicom.Tag, value string) []byte {
		if value == "" {
			return nil
		}
		return el(tag, []byte(value))
	}
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	item := func(parts ...[]byte) []byte { return el(0xFFFEE000, join(parts...)) }
	var definitions []byte
	n := w.channels
	if w.definitions > 0 {
		n = w.definitions
	}
	for range n {
		var source, units []byte
		if w.code != "" {
			source = el(tagSource, item(str(tagCodeValue, w.code), str(tagCodeScheme, w.scheme), str(tagCodeMeaning, w.label)))
		}
		if w.unit != "" {
			units = el(tagUnits, item(str(tagCodeValue, w.unit), str(tagCodeScheme, "UCUM")))
		}
		definitions = append(definitions, item(str(tagLabel, w.label), source, str(tagSensitivity, w.sensitivity), units,
			str(tagCorrection, w.correction), str(tagBaseline, w.baseline), str(tagFilterLow, w.filterLow), str(tagFilterHigh, w.high), str(tagNotch, w.notch))...)
	}
	group := item(el(tagChannels, le16(w.channels)), el(tagSamples, le32(w.samples)), str(tagFrequency, w.frequency),
		el(tagDefinitions, definitions), el(tagBits, le16(w.bits)), str(tagInterpretation, w.kind), el(tagPaddingValue, w.padding), el(tagWaveformData, w.data))
	set := join(str(0x00080016, cmp.Or(w.class, "1.2.840.10008.5.1.4.1.1.9.1.1")), str(0x00080018, "1.2.3"), str(0x00080022, w.date),
		str(0x0008002A, w.acquired), str(0x00080032, w.timeOfIt), el(tagWaveformSequence, group))
	return set
}

func words(v ...int) []byte {
	var out []byte
	for _, x := range v {
		out = binary.LittleEndian.AppendUint16(out, uint16(x))
	}
	return out
}

func value(l Lead, i int) float64 { return l.Offset + l.Scale*float64(l.Samples[i]) }

// TestSampleKinds: the same voltages in every sample form and unit.
func TestSampleKinds(t *testing.T) {
	for name, w := range map[string]waveform{
		"SS":         {bits: 16, kind: "SS", sensitivity: "5", unit: "uV", data: words(-20, 40)},
		"US":         {bits: 16, kind: "US", sensitivity: "5", unit: "uV", baseline: "-1000", data: words(180, 240)},
		"SB":         {bits: 8, kind: "SB", sensitivity: "5", unit: "uV", data: []byte{0xEC, 40}},
		"UB":         {bits: 8, kind: "UB", sensitivity: "5", unit: "uV", baseline: "-500", data: []byte{80, 140}},
		"mV":         {bits: 16, kind: "SS", sensitivity: "0.005", unit: "mV", data: words(-20, 40)},
		"correction": {bits: 16, kind: "SS", sensitivity: "2.5", correction: "2", unit: "uV", data: words(-20, 40)},
		"no unit":    {bits: 16, kind: "SS", sensitivity: "5", data: words(-20, 40)},
		"mV offset":  {bits: 16, kind: "SS", sensitivity: "0.005", baseline: "0.1", unit: "mV", data: words(-40, 20)},
		"long data":  {bits: 16, kind: "SS", sensitivity: "5", unit: "uV", data: words(-20, 40, 7, 7, 7, 7)},
	} {
		t.Run(name, func(t *testing.T) {
			w.channels, w.samples, w.frequency = 1, 2, "500"
			rec, err := fromDICOM(t, w.bytes())
			if err != nil {
				t.Fatal(err)
			}
			l := rec.Leads[0]
			if len(l.Samples) != 2 || l.Unit != "uV" || value(l, 0) != -100 || value(l, 1) != 200 {
				t.Errorf("%+v", l)
			}
		})
	}
}

func TestDICOMNamesFiltersTime(t *testing.T) {
	w := waveform{channels: 2, samples: 2, bits: 16, kind: "SS", frequency: "250", data: words(1, 2, 3, 4),
		filterLow: "0.05", high: "150", notch: "50", acquired: "20260115093000.5+0000", padding: words(-32768)}
	for _, c := range []struct{ code, scheme, label, want string }{
		{"2:61", "MDC", "", "III"}, {"5.6.3-9-62", "SCPECG", "", "aVR"}, {"x", "99X", "Lead aVL (Goldberger)", "aVL"},
		{"x", "99X", "Lead I (Einthoven)", "I"}, {"", "", "AVF", "aVF"}, {"", "", "V3R", "V3R"}, {"", "", "Bipolaire", "Bipolaire"}, {"", "", "", "1"},
	} {
		w.code, w.scheme, w.label = c.code, c.scheme, c.label
		rec, err := fromDICOM(t, w.bytes())
		if err != nil {
			t.Fatal(err)
		}
		if rec.Leads[0].Name != c.want {
			t.Errorf("%+v is named %q", c, rec.Leads[0].Name)
		}
		if rec.Leads[0].Samples[1] != 3 || rec.Leads[1].Samples[0] != 2 || *rec.Leads[0].Gap != -32768 {
			t.Errorf("not interleaved by sample: %+v", rec.Leads)
		}
		if len(rec.Filters) != 2 || rec.Filters[0] != "0.05–150 Hz" || !rec.StartedAt.Equal(time.Date(2026, 1, 15, 9, 30, 0, 0, time.UTC)) {
			t.Errorf("filters %q, start %v", rec.Filters, rec.StartedAt)
		}
	}
	w.acquired, w.date, w.timeOfIt = "", "20260115", "0930"
	if rec, err := fromDICOM(t, w.bytes()); err != nil || rec.StartedAt.Hour() != 9 || rec.StartedAt.Minute() != 30 {
		t.Errorf("%v", err)
	}
}

func TestLyingCounts(t *testing.T) {
	good := waveform{channels: 1, samples: 2, bits: 16, kind: "SS", frequency: "500", data: words(1, 2)}
	for name, c := range map[string]struct {
		change func(*waveform)
		want   error
	}{
		"samples":     {func(w *waveform) { w.samples = 3 }, ErrCorrupt},
		"many":        {func(w *waveform) { w.samples = -1 }, ErrCorrupt},
		"none":        {func(w *waveform) { w.samples = 0 }, ErrCorrupt},
		"channels":    {func(w *waveform) { w.channels, w.definitions = 65535, 1 }, ErrCorrupt},
		"definitions": {func(w *waveform) { w.channels, w.definitions = 2, 1 }, ErrCorrupt},
		"frequency":   {func(w *waveform) { w.frequency = "0" }, ErrCorrupt},
		"words":       {func(w *waveform) { w.frequency = "fast" }, ErrCorrupt},
		"bits":        {func(w *waveform) { w.bits = 8 }, ErrCorrupt},
		"mu-law":      {func(w *waveform) { w.kind = "MB" }, ErrUnsupported},
	} {
		w := good
		c.change(&w)
		if _, err := fromDICOM(t, w.bytes()); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := fromDICOM(t, good.bytes()); err != nil {
		t.Error(err)
	}
}

func TestCorpusRhythmGroup(t *testing.T) {
	rec, err := fromDICOM(t, corpus(t, "pydicom/waveform_ecg.dcm"))
	if err != nil {
		t.Fatal(err)
	}
	if len(rec.Leads) != 12 || rec.SamplingHz != 1000 || rec.Duration() != 10*time.Second || rec.Leads[0].Scale != 1.25 {
		t.Errorf("%d leads at %v Hz, %v", len(rec.Leads), rec.SamplingHz, rec.Duration())
	}
	limbs(t, rec, 4)
}

// limbs checks Einthoven: I + III = II, within so many steps.
func limbs(t *testing.T, rec *Recording, steps float64) {
	t.Helper()
	one, two, three := rec.lead("I"), rec.lead("II"), rec.lead("III")
	for i := range one.Samples {
		if d := value(*one, i) + value(*three, i) - value(*two, i); d > steps*one.Scale || d < -steps*one.Scale {
			t.Fatalf("sample %d breaks Einthoven's law by %v uV", i, d)
		}
	}
}

func TestPhantom(t *testing.T) {
	rec, err := fromDICOM(t, phantom.ECG12(phantom.Study{Seed: 1}, phantom.Sinus))
	if err != nil {
		t.Fatal(err)
	}
	if len(rec.Leads) != 12 || rec.Duration() != 10*time.Second {
		t.Errorf("%d leads, %v", len(rec.Leads), rec.Duration())
	}
	limbs(t, rec, 1)
}

func TestLimbLeadsAreCompleted(t *testing.T) {
	rec := &Recording{SamplingHz: 500, Leads: []Lead{
		{Name: "I", Unit: "uV", Scale: 2, Samples: []int16{10, -3}}, {Name: "II", Unit: "uV", Scale: 2, Samples: []int16{4, 5}},
	}}
	rec.completeLimbLeads()
	for name, want := range map[string][2]float64{"III": {-12, 16}, "aVR": {-14, -2}, "aVL": {16, -11}, "aVF": {-2, 13}} {
		l := rec.lead(name)
		if l == nil || !l.Derived || value(*l, 0) != want[0] || value(*l, 1) != want[1] {
			t.Errorf("%s is %+v, want %v uV", name, l, want)
		}
	}
}

func FuzzDICOM(f *testing.F) {
	f.Add(waveform{channels: 2, samples: 2, bits: 16, kind: "SS", frequency: "500", sensitivity: "5", unit: "mV", code: "2:1", scheme: "MDC", data: words(1, 2, 3, 4)}.bytes())
	f.Add(waveform{channels: 1, samples: 2, bits: 8, kind: "UB", frequency: "1e3", data: words(1, 2)}.bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bytes.NewReader(data)
		file, err := dicom.Read(context.Background(), r, r.Size(), dicom.Limits{ModelBytes: -1})
		if err == nil {
			sane(t, func() (*Recording, error) { return FromDICOM(file, r) })
		}
	})
}

// TestWaveformClasses: 12-lead, general and ambulatory ECG objects are read
// alike (PS3.3 A.34.3 to A.34.5); of a day's recording all of it.
func TestWaveformClasses(t *testing.T) {
	for class, w := range map[string]waveform{
		"1.2.840.10008.5.1.4.1.1.9.1.1": {channels: 1, samples: 5000, bits: 16, kind: "SS", frequency: "500"},
		"1.2.840.10008.5.1.4.1.1.9.1.2": {channels: 1, samples: 7000, bits: 16, kind: "US", frequency: "1000"},
		"1.2.840.10008.5.1.4.1.1.9.1.3": {channels: 1, samples: 86400 * 2, bits: 8, kind: "SB", frequency: "128"},
	} {
		w.class, w.code, w.scheme, w.sensitivity, w.unit = class, "2:7", "MDC", "10", "uV"
		for k := range w.samples {
			if w.data = append(w.data, byte(k)); w.bits == 16 {
				w.data = append(w.data, byte(k>>8))
			}
		}
		rec, err := fromDICOM(t, w.bytes())
		if err != nil {
			t.Errorf("%s: %v", class, err)
			continue
		}
		if l := rec.Leads[0]; l.Name != "V5" || l.Unit != "uV" || len(l.Samples) != w.samples || value(l, 100) != 1000 || value(l, 7)-value(l, 6) != 10 {
			t.Errorf("%s: %s in %s, %d samples, %v", class, l.Name, l.Unit, len(l.Samples), value(l, 100))
		}
	}
}
