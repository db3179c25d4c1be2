package ecg

import (
	"slices"
	"strconv"
	"strings"
)

// leadNames are the lead numbers of EN 1064 table 5, which ISO/IEEE
// 11073-10101 (MDC) and DICOM CID 3001 share.
var leadNames = map[int]string{
	1: "I", 2: "II", 3: "V1", 4: "V2", 5: "V3", 6: "V4", 7: "V5", 8: "V6", 9: "V7",
	10: "V2R", 11: "V3R", 12: "V4R", 13: "V5R", 14: "V6R", 15: "V7R",
	16: "X", 17: "Y", 18: "Z", 61: "III", 62: "aVR", 63: "aVL", 64: "aVF",
	65: "-aVR", 66: "V8", 67: "V9", 68: "V8R", 69: "V9R", 70: "D", 71: "A", 72: "J",
}

// leadFromCode names a channel source: MDC "2:61", SCPECG "5.6.3-9-61".
func leadFromCode(value, scheme string) string {
	var number string
	switch strings.ToUpper(scheme) {
	case "MDC":
		number, _ = strings.CutPrefix(value, "2:")
	case "SCPECG":
		number, _ = strings.CutPrefix(value, "5.6.3-9-")
	}
	n, err := strconv.Atoi(number)
	if err != nil {
		return ""
	}
	return leadNames[n]
}

// leadFromLabel normalises what devices write: "Lead aVR (Goldberger)",
// "AVR", "MDC_ECG_LEAD_AVR", "Lead I (Einthoven)".
func leadFromLabel(label string) string {
	s := strings.TrimSpace(label)
	s, _, _ = strings.Cut(s, "(")
	s = strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(s)), "MDC_ECG_")
	s = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(s, "LEAD"), "_"))
	for _, name := range leadNames {
		if strings.ToUpper(name) == s {
			return name
		}
	}
	return strings.TrimSpace(label)
}

// completeLimbLeads adds III, aVR, aVL and aVF where a recording of I and II
// lacks them (Einthoven, Goldberger). Half a step is kept by halving the scale.
func (r *Recording) completeLimbLeads() {
	one, two := r.lead("I"), r.lead("II")
	if one == nil || two == nil || one.Scale != two.Scale || one.Unit != two.Unit ||
		one.Offset != 0 || two.Offset != 0 || one.Gap != nil || two.Gap != nil {
		return
	}
	a, b := one.Samples, two.Samples
	scale, unit := one.Scale, one.Unit
	for _, d := range []struct {
		name     string
		i, ii    int
		fraction float64
	}{{"III", -1, 1, 1}, {"aVR", -1, -1, 0.5}, {"aVL", 2, -1, 0.5}, {"aVF", -1, 2, 0.5}} {
		if r.lead(d.name) != nil || len(r.Leads) >= maxChannels {
			continue
		}
		samples := make([]int16, min(len(a), len(b)))
		for k := range samples {
			samples[k] = clamp(d.i*int(a[k]) + d.ii*int(b[k]))
		}
		r.Leads = append(r.Leads, Lead{Name: d.name, Unit: unit, Scale: scale * d.fraction, Samples: samples, Derived: true})
	}
}

func (r *Recording) lead(name string) *Lead {
	for i := range r.Leads {
		if r.Leads[i].Name == name {
			return &r.Leads[i]
		}
	}
	return nil
}

var customary = []string{"I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"}

// sortLeads brings the twelve into their customary order, others behind.
func (r *Recording) sortLeads() {
	rank := func(l Lead) int {
		if i := slices.Index(customary, l.Name); i >= 0 {
			return i
		}
		return len(customary)
	}
	slices.SortStableFunc(r.Leads, func(a, b Lead) int { return rank(a) - rank(b) })
}

func clamp(v int) int16 { return int16(min(max(v, -32768), 32767)) }
