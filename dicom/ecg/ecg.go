// Package ecg brings electrocardiograms of several formats into one model:
// DICOM waveform objects (PS3.3 C.10.9), SCP-ECG (EN 1064) and HL7 aECG. It
// interprets nothing; drawing and measuring happen elsewhere.
package ecg

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

var (
	// ErrNoECG: the object holds no waveform that can be read as an ECG.
	ErrNoECG = errors.New("ecg: no readable waveform")
	// ErrCorrupt: lengths, counts or checksums contradict the content.
	ErrCorrupt = errors.New("ecg: corrupt")
	// ErrUnsupported: a valid ECG in a form that is not handled.
	ErrUnsupported = errors.New("ecg: unsupported form")
)

const (
	maxChannels = 64
	maxBytes    = 64 << 20 // of one recording's samples, or of one file
)

// Lead is one channel.
type Lead struct {
	Name    string  // "I", "aVR", "V1", …, or the source's own label
	Unit    string  // "uV" (also when the source says mV), else the source's unit
	Scale   float64 // Unit per step: value = Offset + Scale × sample
	Offset  float64 // baseline, in Unit
	Samples []int16
	Gap     *int16 // the sample that means "no data here", nil when there is none
	Derived bool   // computed from I and II, not stored in the source
}

// Recording is a set of leads sampled together.
type Recording struct {
	SamplingHz float64
	StartedAt  time.Time // zero when unknown; local time of the device, as UTC
	Filters    []string  // "0.05–150 Hz", "notch 50 Hz", as the source states them
	Device     string    // maker and model, "" when unknown
	Leads      []Lead
}

// Duration of the longest lead.
func (r *Recording) Duration() time.Duration {
	n := 0
	for _, l := range r.Leads {
		n = max(n, len(l.Samples))
	}
	if r.SamplingHz <= 0 {
		return 0
	}
	return time.Duration(float64(n) / r.SamplingHz * float64(time.Second))
}

// deviceName joins maker and model; what says nothing is left out.
func deviceName(parts ...string) string {
	var out []string
	for _, p := range parts {
		p = strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7F {
				return -1
			}
			return r
		}, strings.ToValidUTF8(p, ""))
		if p = strings.TrimSpace(p); p != "" && !strings.EqualFold(p, "unknown") && len(p) <= 64 {
			out = append(out, p)
		}
	}
	return strings.Join(out, " ")
}

func plausibleRate(hz float64) bool { return hz >= 1 && hz <= 100_000 }

// filters writes a pass band and a notch, 0 meaning unknown.
func filters(low, high, notch float64) []string {
	var out []string
	n := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	switch {
	case low > 0 && high > 0:
		out = append(out, n(low)+"–"+n(high)+" Hz")
	case low > 0:
		out = append(out, "≥ "+n(low)+" Hz")
	case high > 0:
		out = append(out, "≤ "+n(high)+" Hz")
	}
	if notch > 0 {
		out = append(out, "notch "+n(notch)+" Hz")
	}
	return out
}

// microvolts gives the factor from a UCUM unit to its normal form.
func microvolts(unit string) (name string, factor float64) {
	switch unit {
	case "uV", "µV", "μV", "MICROVOLT":
		return "uV", 1
	case "mV", "MILLIVOLT":
		return "uV", 1000
	case "nV":
		return "uV", 0.001
	case "V":
		return "uV", 1e6
	}
	return unit, 1
}

// parseTime reads YYYYMMDDHHMMSS[.f][zone], possibly shortened; the zone is
// left aside because every other time of an ECG is local.
func parseTime(s string) time.Time {
	digits := 0
	for digits < len(s) && digits < 14 && s[digits] >= '0' && s[digits] <= '9' {
		digits++
	}
	const layout = "20060102150405"
	for _, n := range []int{14, 12, 10, 8} {
		if digits >= n {
			if t, err := time.Parse(layout[:n], s[:n]); err == nil {
				return t
			}
		}
	}
	return time.Time{}
}

// reasonable keeps scales and offsets drawable: nothing infinite, no NaN.
func reasonable(v float64) bool { return math.Abs(v) < 1e12 }

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}
