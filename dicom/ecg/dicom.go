package ecg

import (
	"encoding/binary"
	"fmt"
	"io"

	"sira/dicom"
)

// Tags of the Waveform module (PS3.3 table C.10-8).
const (
	tagWaveformSequence dicom.Tag = 0x54000100
	tagChannels         dicom.Tag = 0x003A0005
	tagSamples          dicom.Tag = 0x003A0010
	tagFrequency        dicom.Tag = 0x003A001A
	tagDefinitions      dicom.Tag = 0x003A0200
	tagLabel            dicom.Tag = 0x003A0203
	tagSource           dicom.Tag = 0x003A0208
	tagSensitivity      dicom.Tag = 0x003A0210
	tagUnits            dicom.Tag = 0x003A0211
	tagCorrection       dicom.Tag = 0x003A0212
	tagBaseline         dicom.Tag = 0x003A0213
	tagFilterLow        dicom.Tag = 0x003A0220
	tagFilterHigh       dicom.Tag = 0x003A0221
	tagNotch            dicom.Tag = 0x003A0222
	tagBits             dicom.Tag = 0x54001004
	tagInterpretation   dicom.Tag = 0x54001006
	tagPaddingValue     dicom.Tag = 0x5400100A
	tagWaveformData     dicom.Tag = 0x54001010
	tagCodeValue        dicom.Tag = 0x00080100
	tagCodeScheme       dicom.Tag = 0x00080102
	tagCodeMeaning      dicom.Tag = 0x00080104
)

// group is one multiplex group: channels sampled together.
type group struct {
	item              *dicom.DataSet
	channels, samples int
	hz                float64
	width             int // bytes of a sample
	kind              string
	data              dicom.Section
}

// FromDICOM reads the rhythm (longest) multiplex group of a waveform object.
// Errors: ErrNoECG, ErrCorrupt, ErrUnsupported, and those of r.
func FromDICOM(f *dicom.File, r io.ReaderAt) (*Recording, error) {
	g, err := longest(f)
	if err != nil {
		return nil, err
	}
	raw := make([]byte, g.samples*g.channels*g.width)
	if _, err := f.Data(r).ReadAt(raw, g.data.Offset); err != nil && err != io.EOF {
		return nil, fmt.Errorf("reading waveform: %w", err)
	} else if err == io.EOF && g.data.Offset+int64(len(raw)) > f.Size && !f.Deflated {
		return nil, corrupt("the waveform is cut")
	}
	rec := &Recording{SamplingHz: g.hz, Device: deviceName(f.String(0x00080070), f.String(0x00081090))}
	for _, t := range [][2]dicom.Tag{{0x0008002A, 0}, {0x00080022, 0x00080032}, {0x00080023, 0x00080033}, {0x00080020, 0x00080030}} {
		s := f.String(t[0])
		if t[1] != 0 && len(s) == 8 {
			s += f.String(t[1])
		}
		if rec.StartedAt = parseTime(s); !rec.StartedAt.IsZero() {
			break
		}
	}
	if err := g.demultiplex(rec, raw, f.BigEndian); err != nil {
		return nil, err
	}
	rec.Filters = g.filters()
	rec.completeLimbLeads()
	rec.sortLeads()
	return rec, nil
}

// longest picks the readable group of the longest duration.
func longest(f *dicom.File) (group, error) {
	var best group
	var first error
	for _, item := range f.Sequence(tagWaveformSequence) {
		g, err := readGroup(item)
		if err != nil {
			if first == nil {
				first = err
			}
			continue
		}
		if best.item == nil || float64(g.samples)/g.hz > float64(best.samples)/best.hz {
			best = g
		}
	}
	if best.item == nil && first == nil {
		first = ErrNoECG
	}
	if best.item != nil {
		first = nil
	}
	return best, first
}

// readGroup checks a multiplex group's counts against its data.
func readGroup(item *dicom.DataSet) (group, error) {
	g := group{item: item, kind: item.String(tagInterpretation)}
	g.channels, _ = item.Int(tagChannels)
	g.samples, _ = item.Int(tagSamples)
	g.hz, _ = item.Float(tagFrequency)
	switch g.kind {
	case "SB", "UB":
		g.width = 1
	case "SS", "US":
		g.width = 2
	default:
		return g, fmt.Errorf("%w: sample interpretation", ErrUnsupported)
	}
	if bits, ok := item.Int(tagBits); ok && bits != 8*g.width {
		return g, corrupt("%d bits allocated for %d-byte samples", bits, g.width)
	}
	data := item.Element(tagWaveformData)
	switch {
	case data == nil || data.Fragments != nil:
		return g, ErrNoECG
	case g.channels < 1 || g.channels > maxChannels || g.samples < 1 || !plausibleRate(g.hz):
		return g, corrupt("implausible channels, samples or frequency")
	case len(item.Sequence(tagDefinitions)) < g.channels:
		return g, corrupt("fewer channel definitions than channels")
	case int64(g.samples) > maxBytes/int64(g.channels*g.width):
		return g, corrupt("more samples than any ECG has")
	case int64(g.samples)*int64(g.channels)*int64(g.width) > data.Section.Length:
		return g, corrupt("less waveform data than announced")
	}
	g.data = data.Section
	return g, nil
}

func (g *group) demultiplex(rec *Recording, raw []byte, big bool) error {
	var order binary.ByteOrder = binary.LittleEndian
	if big {
		order = binary.BigEndian
	}
	for c, def := range g.item.Sequence(tagDefinitions)[:g.channels] {
		l, err := describeChannel(def, c)
		if err != nil {
			return err
		}
		shift := 0
		if g.kind == "US" {
			shift = 32768 // unsigned samples are moved into int16 and back by the offset
			l.Offset += l.Scale * float64(shift)
		}
		l.Samples = make([]int16, g.samples)
		for i := range l.Samples {
			l.Samples[i] = sample(g.kind, order, raw[(i*g.channels+c)*g.width:], shift)
		}
		if pad := g.item.Bytes(tagPaddingValue); len(pad) >= g.width {
			gap := sample(g.kind, order, pad, shift)
			l.Gap = &gap
		}
		rec.Leads = append(rec.Leads, l)
	}
	return nil
}

func sample(kind string, order binary.ByteOrder, b []byte, shift int) int16 {
	switch kind {
	case "SB":
		return int16(int8(b[0]))
	case "UB":
		return int16(b[0])
	}
	v := order.Uint16(b)
	return int16(int(v) - shift) // SS: shift is 0 and the conversion wraps as it should
}

// describeChannel reads a channel definition (PS3.3 section C.10.9.1.4):
// value = sample × sensitivity × correction + baseline, in the units given.
func describeChannel(def *dicom.DataSet, index int) (Lead, error) {
	l := Lead{Scale: 1, Unit: "uV"}
	if s, ok := def.Float(tagSensitivity); ok && s != 0 {
		l.Scale = s
	}
	if c, ok := def.Float(tagCorrection); ok && c != 0 {
		l.Scale *= c
	}
	l.Offset, _ = def.Float(tagBaseline)
	if units := def.Sequence(tagUnits); len(units) > 0 {
		var factor float64
		l.Unit, factor = microvolts(units[0].String(tagCodeValue))
		l.Scale, l.Offset = l.Scale*factor, l.Offset*factor
	}
	if !reasonable(l.Scale) || !reasonable(l.Offset) {
		return l, corrupt("sensitivity or baseline of a channel")
	}
	if source := def.Sequence(tagSource); len(source) > 0 {
		l.Name = leadFromCode(source[0].String(tagCodeValue), source[0].String(tagCodeScheme))
		if l.Name == "" {
			l.Name = leadFromLabel(source[0].String(tagCodeMeaning))
		}
	}
	if l.Name == "" {
		l.Name = leadFromLabel(def.String(tagLabel))
	}
	if l.Name == "" {
		l.Name = fmt.Sprintf("%d", index+1)
	}
	return l, nil
}

// filters are stated per channel; devices state one for all.
func (g *group) filters() []string {
	def := g.item.Sequence(tagDefinitions)[0]
	low, _ := def.Float(tagFilterLow)
	high, _ := def.Float(tagFilterHigh)
	notch, _ := def.Float(tagNotch)
	return filters(low, high, notch)
}
