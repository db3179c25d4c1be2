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
		`{"type":"resume","token":"KX7C","sdp":"v=0","id":2,"audio":true}`, `{"type":"resume","token":""}`,
		`{"type":"offer","sdp":"v=0","id":3}`,
		`{"type":"candidate","candidate":{"candidate":"","sdpMid":"0","sdpMLineIndex":0}}`,
		`{"type":"candidate","candidate":null}`,
		`{"type":"state","audio":false}`,
		`{"type":"leave"}`, `{"type":"ping","t":1e300}`, `{"type":"pong","t":-1}`,
		`{"type":"freeze","of":"p1"}`, `{"type":"freezing","sent":5,"size":9}`, `{"type":"freezing","sent":5,"size":-9}`,
		`{"type":"at","at":[0,9999]}`, `{"type":"at","at":[0,10000]}`, `{"type":"at"}`, `{"type":"at","at":[1e9,-1]}`,
		`{"type":"draw","still":"s","kind":"stroke","points":[1,2,3,4]}`, `{"type":"draw","still":"s","kind":"arrow","points":[1,2,3]}`,
		`{"type":"draw","still":"s","kind":"undo"}`, `{"type":"draw","kind":"clear","points":null}`, `{"type":"close-still","still":""}`,
		`{"type":"gesture","to":"p1","move":"rotate","direction":"left"}`, `{"type":"gesture","move":"press","direction":"up"}`,
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

// FuzzFragment: a fragment that is read survives being written and read again,
// and merging it into a description never breaks that.
func FuzzFragment(f *testing.F) {
	const own = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n" +
		"a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=mid:0\r\na=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n"
	f.Add(own)
	f.Add("a=ice-ufrag:EsAw\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\nm=audio RTP/AVP 0\na=mid:0\na=candidate:x\na=end-of-candidates")
	f.Add("")
	f.Fuzz(func(t *testing.T, raw string) {
		x, err := ParseFragment(raw)
		if err != nil {
			return
		}
		again, err := ParseFragment(x.String())
		if err != nil || again.Ufrag != x.Ufrag || len(again.Candidates) != len(x.Candidates) {
			t.Fatalf("%v: %+v became %+v", err, x, again)
		}
		merged, err := x.into(own)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fragmentOf(merged); err != nil {
			t.Fatalf("%v in %q", err, merged)
		}
	})
}
