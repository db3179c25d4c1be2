package cases

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

const figures = `{"call":"c1","own":{"seconds":720,"voice":700,"usable":686,"concealedMs":900,"freezes":2,"frozenMs":1400,"firstAudioMs":1650,"firstVideoMs":2900,"rttMs":310,"lossUp":12,"lossDown":20,"estimateKbps":180,"leastKbps":96,"deliveredKbps":130,"up":{"voice":1},"down":{"voice":2,"picture":3},"path":"udp","outages":1,"outageMs":8000,"longestMs":8000,"resumeMs":900},"all":{"seconds":730,"people":2,"voice":1400,"usable":1380,"outages":1,"outageMs":8000,"longestMs":8000}}`

// TestCallFigures: the server writes them into the log, where events of an
// older Sira without them stay readable; nobody else does.
func TestCallFigures(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		id := w.opened("seydou")
		old := event(CallLeft, struct{}{})
		measured := event(CallLeft, struct{}{})
		measured.Data = json.RawMessage(figures)
		w.does("aminata", id, old)
		w.does("aminata", id, measured)
		st := w.does("aminata", id, measured) // told again
		last := st.Timeline[len(st.Timeline)-2:]
		if last[0].Call != nil || last[1].Call == nil || last[1].Call.Own.Usable != 686 || last[1].Call.All.Outages != 1 || last[1].Call.Own.Down["picture"] != 3 {
			t.Errorf("timeline %+v", last)
		}
	})
	_, err := Decode([]byte(batchOf(rawEvent(CallLeft, figures))))
	refused(t, err, "server-only", "events[0].data")
	for _, bad := range []string{
		strings.Replace(figures, `"voice":700`, `"voice":-1`, 1), strings.Replace(figures, `"udp"`, `"carrier pigeon"`, 1),
		strings.Replace(figures, `{"voice":1}`, `{"":1}`, 1), strings.Replace(figures, `"people":2`, `"people":-2`, 1), strings.Replace(figures, `"c1"`, `"c\u0000"`, 1),
	} {
		var invalid *UserError
		if _, _, err := normalise(NewEvent{ID: id1, Type: CallLeft, Data: json.RawMessage(bad)}); !errors.As(err, &invalid) {
			t.Errorf("%v for %s", err, bad)
		}
	}
}
