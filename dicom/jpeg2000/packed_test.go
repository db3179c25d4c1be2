package jpeg2000

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// repack moves the packet headers of a stream with SOP and EPH into PPM or PPT
// segments of at most limit bytes.
func repack(t *testing.T, data []byte, main bool, limit int) []byte {
	t.Helper()
	be := binary.BigEndian
	sot := bytes.Index(data, []byte{0xFF, 0x90, 0, 10})
	head := bytes.Clone(data[:sot])
	var parts, all []byte
	for at := sot; at+12 < len(data) && be.Uint16(data[at:]) == mSOT; {
		length := int(be.Uint32(data[at+6:]))
		part := data[at : at+length]
		sod := bytes.Index(part, []byte{0xFF, 0x93})
		var headers, body []byte
		for _, packet := range bytes.Split(part[sod+2:], []byte{0xFF, 0x91, 0, 4})[1:] {
			eph := bytes.Index(packet, []byte{0xFF, 0x92})
			if eph < 0 {
				t.Fatal("packet without EPH")
			}
			body = append(append(body, 0xFF, 0x91, 0, 4), packet[:2]...)
			headers = append(headers, packet[2:eph+2]...)
			body = append(body, packet[eph+2:]...)
		}
		tile := bytes.Clone(part[:sod])
		if main {
			all = append(be.AppendUint32(all, uint32(len(headers))), headers...)
		} else {
			tile = appendPacked(tile, mPPT, headers, limit)
		}
		tile = append(append(tile, 0xFF, 0x93), body...)
		be.PutUint32(tile[6:], uint32(len(tile)))
		parts = append(parts, tile...)
		at += length
	}
	if main {
		head = appendPacked(head, mPPM, all, limit)
	}
	return append(append(head, parts...), 0xFF, 0xD9)
}

func appendPacked(b []byte, code uint16, headers []byte, limit int) []byte {
	for z := byte(0); len(headers) > 0; z++ {
		n := min(limit, len(headers))
		b = binary.BigEndian.AppendUint16(b, code)
		b = binary.BigEndian.AppendUint16(b, uint16(3+n))
		b = append(append(b, z), headers[:n]...)
		headers = headers[n:]
	}
	return b
}

// TestPackedHeaders moves packet headers to where PPM and PPT put them.
func TestPackedHeaders(t *testing.T) {
	m := picture(131, 97, 3, 8, false, 4)
	data := openjpeg(t, m, "-SOP -EPH -t 70,50 -n 3 -TP R -p RPCL")
	for _, main := range []bool{false, true} {
		packed := repack(t, data, main, 37)
		if bytes.Equal(packed, data) {
			t.Fatal("nothing was moved")
		}
		got, err := Decode(t.Context(), packed, Options{})
		if err != nil {
			t.Errorf("in the main header %v: %v", main, err)
			continue
		}
		same(t, "packed headers", got, m)
	}
}
