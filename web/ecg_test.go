package web

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"
)

// aECG is a small HL7 annotated ECG: two leads at 250 Hz.
func aECG() []byte {
	return []byte(`<?xml version="1.0"?>
<AnnotatedECG xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <component><series>
  <effectiveTime><low value="20260304100000.000+0000"/></effectiveTime>
  <component><sequenceSet>
   <component><sequence><code code="TIME_RELATIVE"/><value xsi:type="GLIST_PQ"><head value="0" unit="s"/><increment value="4" unit="ms"/></value></sequence></component>
   <component><sequence><code code="MDC_ECG_LEAD_I"/><value xsi:type="SLIST_PQ"><origin value="0" unit="uV"/><scale value="5" unit="uV"/><digits>1 2 -3</digits></value></sequence></component>
   <component><sequence><code code="MDC_ECG_LEAD_II"/><value xsi:type="SLIST_PQ"><origin value="0" unit="uV"/><scale value="5" unit="uV"/><digits>4 5 6</digits></value></sequence></component>
  </sequenceSet></component>
 </series></component>
</AnnotatedECG>`)
}

func TestWaveformOfAnAECGFile(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	w.send("clin", id, "tracé.xml", aECG())
	file := w.getCase("cardio", id).Files[0]
	if file.Kind != "ecg" || file.Waveform == "" {
		t.Fatalf("%+v", file)
	}
	var v waveformView
	w.want(200, w.do("cardio", "GET", file.Waveform, nil)).json(t, &v)
	if v.SamplingHz != 250 || len(v.Leads) != 6 || v.Leads[0].Name != "I" || v.Leads[0].Scale != 5 || v.StartedAt == nil {
		t.Errorf("%+v", v)
	}
	if raw, err := base64.StdEncoding.DecodeString(v.Leads[0].Samples); err != nil || string(raw) != "\x01\x00\x02\x00\xfd\xff" {
		t.Errorf("samples %x, %v", raw, err)
	}
	w.want(404, w.do("clin2", "GET", file.Waveform, nil))
	w.want(404, w.do("cardio", "GET", "/api/cases/"+id+"/attachments/none/waveform", nil))
}

// TestWaveformIsTheSameInThreeFormats: one recording as DICOM, SCP-ECG and aECG.
func TestWaveformIsTheSameInThreeFormats(t *testing.T) {
	dir := filepath.Join(corpus(t), "ecg")
	w := newWorld(t)
	id := w.open("cardio")
	for _, name := range []string{"Example.scp", "Example.xml", "Example.dcm"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if in := w.send("clin", id, name, data); in.Files[0].State != "stored" {
			t.Fatalf("%s: %+v", name, in.Files)
		}
	}
	v := w.getCase("cardio", id)
	var m manifestView
	w.want(200, w.do("cardio", "GET", "/api/cases/"+id+"/series/"+v.Series[0].SeriesUID, nil)).json(t, &m)
	urls := []string{v.Files[0].Waveform, v.Files[1].Waveform, "/api/cases/" + id + "/instances/" + m.Instances[0].SOP + "/waveform"}
	var first map[string]bool
	for _, url := range urls {
		var wave waveformView
		w.want(200, w.do("cardio", "GET", url, nil)).json(t, &wave)
		leads := map[string]bool{}
		for _, l := range wave.Leads {
			leads[l.Name] = true
		}
		if first == nil {
			first = leads
		}
		if wave.SamplingHz != 500 || len(leads) != 12 || len(first) != 12 {
			t.Errorf("%s: %v Hz, leads %v", url, wave.SamplingHz, leads)
		}
	}
}
