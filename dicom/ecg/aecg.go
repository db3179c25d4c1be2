package ecg

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"golang.org/x/text/encoding/htmlindex"
)

// The parts of HL7 V3 Annotated ECG (ANSI/HL7 V3 ECG, R1-2004) that hold the
// rhythm waveforms. Derived series (representative beats) are left out.
type aecgFile struct {
	XMLName xml.Name
	Time    aecgTime     `xml:"effectiveTime"`
	Series  []aecgSeries `xml:"component>series"`
}

type aecgTime struct {
	Low    aecgValue `xml:"low"`
	Center aecgValue `xml:"center"`
}

type aecgValue struct {
	Value string `xml:"value,attr"`
	Unit  string `xml:"unit,attr"`
}

type aecgCode struct {
	Code string `xml:"code,attr"`
}

type aecgSeries struct {
	Time     aecgTime      `xml:"effectiveTime"`
	Model    string        `xml:"author>seriesAuthor>manufacturedSeriesDevice>manufacturerModelName"`
	Maker    string        `xml:"author>seriesAuthor>manufacturerOrganization>name"`
	Controls []aecgControl `xml:"controlVariable>controlVariable"`
	Sets     []aecgSet     `xml:"component>sequenceSet"`
}

type aecgControl struct {
	Code       aecgCode    `xml:"code"`
	Components []aecgLimit `xml:"component>controlVariable"`
}

type aecgLimit struct {
	Code  aecgCode  `xml:"code"`
	Value aecgValue `xml:"value"`
}

type aecgSet struct {
	Sequences []aecgSequence `xml:"component>sequence"`
}

type aecgSequence struct {
	Code  aecgCode `xml:"code"`
	Value struct {
		Head      aecgValue `xml:"head"`
		Increment aecgValue `xml:"increment"`
		Origin    aecgValue `xml:"origin"`
		Scale     aecgValue `xml:"scale"`
		Digits    string    `xml:"digits"`
	} `xml:"value"`
}

// FromAECG reads the longest rhythm sequence set of an HL7 annotated ECG.
// Errors: ErrNoECG, ErrCorrupt, and those of r.
func FromAECG(r io.Reader) (*Recording, error) {
	limited := &io.LimitedReader{R: r, N: maxBytes}
	d := xml.NewDecoder(limited)
	d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		e, err := htmlindex.Get(label)
		if err != nil {
			return nil, fmt.Errorf("character set: %w", ErrUnsupported)
		}
		return e.NewDecoder().Reader(in), nil
	}
	var file aecgFile
	if err := d.Decode(&file); err != nil {
		if limited.N <= 0 {
			return nil, corrupt("larger than %d bytes", maxBytes)
		}
		return nil, fmt.Errorf("%w: no readable XML", ErrNoECG) // the decoder's own text may quote the file
	}
	if file.XMLName.Local != "AnnotatedECG" {
		return nil, ErrNoECG
	}
	var best *Recording
	for _, series := range file.Series {
		for _, set := range series.Sets {
			rec, err := set.recording()
			if err != nil {
				return nil, err
			}
			if rec == nil || best != nil && rec.Duration() <= best.Duration() {
				continue
			}
			best = rec
			best.Filters, best.Device = series.filters(), deviceName(series.Maker, series.Model)
			for _, s := range []string{series.Time.Low.Value, series.Time.Center.Value, file.Time.Low.Value, file.Time.Center.Value} {
				if best.StartedAt.IsZero() {
					best.StartedAt = parseTime(s)
				}
			}
		}
	}
	if best == nil {
		return nil, ErrNoECG
	}
	best.completeLimbLeads()
	best.sortLeads()
	return best, nil
}

// recording makes the leads of one set; nil when it has none.
func (s aecgSet) recording() (*Recording, error) {
	rec := &Recording{}
	for _, q := range s.Sequences {
		code := q.Code.Code
		switch {
		case strings.HasPrefix(code, "TIME_"):
			step, err := strconv.ParseFloat(q.Value.Increment.Value, 64)
			if err != nil || step <= 0 {
				return nil, corrupt("time step")
			}
			rec.SamplingHz = math.Round(1/(step*seconds(q.Value.Increment.Unit))*1e6) / 1e6
			rec.StartedAt = parseTime(q.Value.Head.Value)
		case strings.HasPrefix(code, "MDC_ECG_LEAD_"):
			if len(rec.Leads) == maxChannels {
				return nil, corrupt("more than %d leads", maxChannels)
			}
			l, err := q.lead()
			if err != nil {
				return nil, err
			}
			rec.Leads = append(rec.Leads, l)
		}
	}
	if len(rec.Leads) == 0 {
		return nil, nil
	}
	if !plausibleRate(rec.SamplingHz) {
		return nil, corrupt("sampling frequency")
	}
	return rec, nil
}

func seconds(unit string) float64 {
	switch unit {
	case "ms":
		return 1e-3
	case "us":
		return 1e-6
	}
	return 1
}

func (q aecgSequence) lead() (Lead, error) {
	l := Lead{Name: leadFromLabel(q.Code.Code), Unit: "uV"}
	scale, err := strconv.ParseFloat(q.Value.Scale.Value, 64)
	if err != nil || scale == 0 || !reasonable(scale) {
		return l, corrupt("scale of a lead")
	}
	unit, factor := microvolts(q.Value.Scale.Unit)
	l.Unit, l.Scale = unit, scale*factor
	if origin, err := strconv.ParseFloat(q.Value.Origin.Value, 64); err == nil && reasonable(origin) {
		_, factor := microvolts(q.Value.Origin.Unit)
		l.Offset = origin * factor
	}
	for field := range strings.FieldsSeq(q.Value.Digits) {
		v, err := strconv.ParseInt(field, 10, 16)
		if err != nil {
			return l, corrupt("a sample of a lead")
		}
		l.Samples = append(l.Samples, int16(v))
	}
	return l, nil
}

func (s aecgSeries) filters() []string {
	var low, high, notch float64
	for _, c := range s.Controls {
		for _, limit := range c.Components {
			v, err := strconv.ParseFloat(limit.Value.Value, 64)
			if err != nil || v <= 0 || v > 1e5 {
				continue
			}
			switch c.Code.Code { // a high-pass filter sets the low end
			case "MDC_ECG_CTL_VBL_ATTR_FILTER_HIGH_PASS":
				low = v
			case "MDC_ECG_CTL_VBL_ATTR_FILTER_LOW_PASS":
				high = v
			case "MDC_ECG_CTL_VBL_ATTR_FILTER_NOTCH":
				notch = v
			}
		}
	}
	return filters(low, high, notch)
}
