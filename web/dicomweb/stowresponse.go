package dicomweb

import (
	"net/http"
	"strconv"

	"sira/dicom/index/jsonmodel"
)

// status is 200 when all is stored, 202 when some is, 409 when none is
// (PS3.18 section 10.5.3).
func (t *storing) status() int {
	switch {
	case len(t.failed)+len(t.unknown) == 0:
		return http.StatusOK
	case len(t.done) > 0:
		return http.StatusAccepted
	}
	return http.StatusConflict
}

// response is the Store Instances Response module (PS3.18 annex I).
func (t *storing) response() []byte {
	out := []byte{'{'}
	attribute := func(tag, vr string, values func()) {
		if len(out) > 1 && out[len(out)-1] != '{' {
			out = append(out, ',')
		}
		out = append(out, `"`+tag+`":{"vr":"`+vr+`","Value":[`...)
		values()
		out = append(out, `]}`...)
	}
	text := func(tag, vr, v string) {
		if v != "" {
			attribute(tag, vr, func() { out = jsonmodel.AppendString(out, v) })
		}
	}
	item := func(i int, write func()) {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, '{')
		write()
		out = append(out, '}')
	}
	reason := func(v int) {
		attribute("00081197", "US", func() { out = strconv.AppendInt(out, int64(v), 10) })
	}
	if len(t.done) > 0 && t.oneStudy() {
		text("00081190", "UR", t.base+"/studies/"+t.done[0].StudyUID)
	}
	if len(t.failed) > 0 {
		attribute("00081198", "SQ", func() {
			for i, f := range t.failed {
				item(i, func() {
					text("00081150", "UI", f.class)
					text("00081155", "UI", f.sop)
					reason(f.reason)
				})
			}
		})
	}
	if len(t.done) > 0 {
		attribute("00081199", "SQ", func() {
			for i, in := range t.done {
				item(i, func() {
					text("00081150", "UI", plainUID(in.SOPClass))
					text("00081155", "UI", in.SOPUID)
					text("00081190", "UR", t.base+"/studies/"+in.StudyUID+"/series/"+in.SeriesUID+"/instances/"+in.SOPUID)
				})
			}
		})
	}
	if len(t.unknown) > 0 {
		attribute("0008119A", "SQ", func() {
			for i, v := range t.unknown {
				item(i, func() { reason(v) })
			}
		})
	}
	return append(out, '}')
}

func (t *storing) oneStudy() bool {
	for _, in := range t.done {
		if in.StudyUID != t.done[0].StudyUID {
			return false
		}
	}
	return true
}
