package signaling

import (
	"encoding/json"
	"testing"
)

// FuzzMessage: no bytes break the decoder, and what it accepts it accepts
// again in its own words.
func FuzzMessage(f *testing.F) {
	for _, s := range []string{
		`{"type":"join","sdp":"v=0\r\n","audio":true,"video":true}`,
		`{"type":"offer","sdp":"v=0","id":3}`,
		`{"type":"candidate","candidate":{"candidate":"","sdpMid":"0","sdpMLineIndex":0}}`,
		`{"type":"candidate","candidate":null}`,
		`{"type":"state","audio":false}`,
		`{"type":"leave"}`, `{"type":"ping","t":1e300}`, `{"type":"pong","t":-1}`,
		`{"type":"later"}`, `{}`, `[]`, `null`, `"`, "\xff\xfe", `{"type":{"type":"join"}}`,
		`{"type":"offer","sdp":"v=0","id":1e99}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := decode(raw)
		if err != nil {
			if m != nil {
				t.Fatalf("both %v and %v", m, err)
			}
			return
		}
		if m == nil {
			return
		}
		if _, err := json.Marshal(m); err != nil {
			t.Fatalf("%+v: %v", m, err)
		}
	})
}
