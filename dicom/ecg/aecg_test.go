package ecg

import (
	"errors"
	"strings"
	"testing"
	"time"
)

const aecgSample = `<?xml version="1.0" encoding="ISO-8859-1"?>
<AnnotatedECG xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <effectiveTime><center value="20260115093000"/></effectiveTime>
 <component><series>
  <effectiveTime><low value="20260115093001.250+0000"/></effectiveTime>
  <controlVariable><controlVariable><code code="MDC_ECG_CTL_VBL_ATTR_FILTER_HIGH_PASS"/>
   <component><controlVariable><value value="0.05" unit="Hz"/></controlVariable></component></controlVariable></controlVariable>
  <controlVariable><controlVariable><code code="MDC_ECG_CTL_VBL_ATTR_FILTER_LOW_PASS"/>
   <component><controlVariable><value value="40" unit="Hz"/></controlVariable></component></controlVariable></controlVariable>
  <component><sequenceSet>
   <component><sequence><code code="TIME_RELATIVE"/><value xsi:type="GLIST_PQ"><head value="0" unit="s"/><increment value="4" unit="ms"/></value></sequence></component>
   <component><sequence><code code="MDC_ECG_LEAD_II"/><value xsi:type="SLIST_PQ"><origin value="0" unit="mV"/><scale value="0.005" unit="mV"/><digits>4 5
    -6</digits></value></sequence></component>
   <component><sequence><code code="MDC_ECG_LEAD_I"/><value xsi:type="SLIST_PQ"><origin value="0" unit="uV"/><scale value="5" unit="uV"/><digits>1 2 3</digits></value></sequence></component>
  </sequenceSet></component>
 </series></component>
</AnnotatedECG>`

func TestAECG(t *testing.T) {
	rec, err := FromAECG(strings.NewReader(aecgSample))
	if err != nil {
		t.Fatal(err)
	}
	if rec.SamplingHz != 250 || !rec.StartedAt.Equal(time.Date(2026, 1, 15, 9, 30, 1, 0, time.UTC)) ||
		len(rec.Filters) != 1 || rec.Filters[0] != "0.05–40 Hz" || len(rec.Leads) != 6 {
		t.Errorf("%+v", rec)
	}
	if l := rec.Leads[1]; l.Name != "II" || l.Unit != "uV" || value(l, 2) != -30 {
		t.Errorf("%+v", l)
	}
}

func TestAECGRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		from, to string
		want     error
	}{
		"sample":    {"4 5", "4 x", ErrCorrupt},
		"overflow":  {"4 5", "4 99999", ErrCorrupt},
		"step":      {`increment value="4"`, `increment value="0"`, ErrCorrupt},
		"scale":     {`scale value="5"`, `scale value="NaN"`, ErrCorrupt},
		"root":      {"AnnotatedECG", "Recipe", ErrNoECG},
		"cut":       {"</AnnotatedECG>", "", ErrNoECG},
		"no leads":  {"MDC_ECG_LEAD", "MDC_EEG_LEAD", ErrNoECG},
		"encoding":  {"ISO-8859-1", "EBCDIC", ErrNoECG},
		"no series": {"series>", "serial>", ErrNoECG},
	} {
		if _, err := FromAECG(strings.NewReader(strings.ReplaceAll(aecgSample, c.from, c.to))); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func FuzzAECG(f *testing.F) {
	f.Add(aecgSample)
	f.Add(strings.ReplaceAll(aecgSample, "\n", ""))
	f.Fuzz(func(t *testing.T, data string) {
		sane(t, func() (*Recording, error) { return FromAECG(strings.NewReader(data)) })
	})
}
