package sfu

import (
	"slices"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"sira/sfu/estimate"
)

const sampleOffer = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n" +
	"m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendonly\r\n" +
	"a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10\r\na=rtpmap:63 red/48000/2\r\n" +
	"m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=recvonly\r\na=rtpmap:96 VP8/90000\r\n"

// FuzzOffer: what readOffer lets through is bounded, and can be shaped.
func FuzzOffer(f *testing.F) {
	f.Add(sampleOffer)
	f.Add("v=0\r\n")
	f.Add(sampleOffer[:len(sampleOffer)/2])
	f.Fuzz(func(t *testing.T, raw string) {
		list, err := readOffer(raw, 3)
		if err != nil {
			return
		}
		if len(list) > 8 {
			t.Fatalf("%d sections", len(list))
		}
		for _, s := range list {
			if s.mid == "" {
				t.Fatal("section without mid")
			}
		}
		_, _ = shapeAnswer(raw, 40, func(ids []codecID) codecID { return ids[len(ids)-1] })
	})
}

// FuzzFeedback: whatever a peer says of our packets, each is reported on once
// at most.
func FuzzFeedback(f *testing.F) {
	good, err := (&rtcp.TransportLayerCC{
		Header:     rtcp.Header{Count: rtcp.FormatTCC, Type: rtcp.TypeTransportSpecificFeedback, Length: 5},
		SenderSSRC: 1, MediaSSRC: 2, BaseSequenceNumber: 0, PacketStatusCount: 2,
		PacketChunks: []rtcp.PacketStatusChunk{&rtcp.RunLengthChunk{PacketStatusSymbol: rtcp.TypeTCCPacketReceivedSmallDelta, RunLength: 2}},
		RecvDeltas:   []*rtcp.RecvDelta{{Type: rtcp.TypeTCCPacketReceivedSmallDelta, Delta: 250}, {Type: rtcp.TypeTCCPacketReceivedSmallDelta, Delta: 500}},
	}).Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	long := slices.Clone(good)
	long[16] |= 0x1f // a run longer than the packets it is about
	f.Add(long)
	f.Add([]byte{ // bits, pairs of bits with a time that goes back, a run
		0x8f, 205, 0, 8, 0, 0, 0, 1, 0, 0, 0, 2,
		0, 3, 0, 24, 0, 1, 2, 7,
		0xa8, 0x01, 0xd8, 0x40, 0x00, 0x03,
		4, 8, 12, 4, 0xff, 0xf0, 16, 0, 0, 0,
	})
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, fresh := new(sentLog), new(sentLog)
		now := time.Unix(1_700_000_000, 0)
		for range 600 {
			l.note(100, now)
			fresh.note(100, now)
		}
		first := l.take(raw, nil)
		if again := l.take(raw, nil); len(first) > 600 || len(again) > 0 {
			t.Fatalf("%d reports, then %d", len(first), len(again))
		}
		var fb rtcp.TransportLayerCC
		if fb.Unmarshal(raw) != nil {
			return
		}
		if want := fresh.told(&fb); !slices.Equal(first, want) {
			t.Fatalf("%v, as pion reads it %v", first, want)
		}
	})
}

// told is what feedback that pion read says of packets.
func (l *sentLog) told(fb *rtcp.TransportLayerCC) (out []estimate.Packet) {
	at := time.Duration(fb.ReferenceTime) * 64 * time.Millisecond
	seq, deltas := fb.BaseSequenceNumber, fb.RecvDeltas
	say := func(symbol uint16) {
		p := estimate.Packet{Size: 100}
		if symbol == rtcp.TypeTCCPacketReceivedSmallDelta || symbol == rtcp.TypeTCCPacketReceivedLargeDelta {
			at += time.Duration(deltas[0].Delta) * time.Microsecond
			deltas = deltas[1:]
			p.Arrived, p.Arrival = true, at
		}
		if e := l.of(seq); e.open && e.seq == seq {
			e.open = false
			p.Sent = e.at.time()
			out = append(out, p)
		}
		seq++
	}
	left := int(fb.PacketStatusCount)
	for _, c := range fb.PacketChunks {
		switch c := c.(type) {
		case *rtcp.RunLengthChunk:
			for n := int(c.RunLength); n > 0 && left > 0; n, left = n-1, left-1 {
				say(c.PacketStatusSymbol)
			}
		case *rtcp.StatusVectorChunk:
			for _, s := range c.SymbolList {
				if left > 0 {
					say(s)
					left--
				}
			}
		}
	}
	return out
}

// FuzzAcks: the same for feedback of RFC 8888, and nothing is remembered for it.
func FuzzAcks(f *testing.F) {
	metrics := []rtcp.CCFeedbackMetricBlock{{Received: true, ArrivalTimeOffset: 100}, {}, {Received: true, ArrivalTimeOffset: ackUnknown}, {Received: true, ArrivalTimeOffset: ackOld}}
	good := func(blocks ...rtcp.CCFeedbackReportBlock) []byte {
		b, err := rtcp.CCFeedbackReport{SenderSSRC: 1, ReportBlocks: blocks, ReportTimestamp: 1 << 31}.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		return b
	}
	one := rtcp.CCFeedbackReportBlock{MediaSSRC: 1, BeginSequence: 65_530, MetricBlocks: metrics}
	f.Add(good(one), uint32(0))
	f.Add(good(one, one, rtcp.CCFeedbackReportBlock{MediaSSRC: 9, BeginSequence: 1, MetricBlocks: metrics}), uint32(1<<31))
	long := good(one)
	long[14] = 0xff // more packets than the block has
	f.Add(long, uint32(1))
	f.Add(good(one)[:len(good(one))-6], uint32(1))
	f.Fuzz(func(t *testing.T, raw []byte, last uint32) {
		pkts, err := rtcp.Unmarshal(raw)
		if err != nil {
			return
		}
		l := ackLog{last: last, begun: true}
		e := estimate.New(estimate.Config{})
		now := time.Unix(1_700_000_000, 0)
		for i := range 2 * ackKept {
			l.note(1, uint16(65_400+i), 100, now.Add(time.Duration(i)*time.Millisecond))
		}
		for _, p := range pkts {
			fb, ok := p.(*rtcp.CCFeedbackReport)
			if !ok {
				continue
			}
			first := l.take(fb)
			if !slices.IsSortedFunc(first, func(a, b estimate.Packet) int { return a.Sent.Compare(b.Sent) }) {
				t.Fatal("not in the order they left")
			}
			if again := l.take(fb); len(first) > ackKept || len(again) > 0 || len(l.streams) != 1 {
				t.Fatalf("%d reports, then %d, %d streams", len(first), len(again), len(l.streams))
			}
			e.OnReport(now.Add(time.Second), first)
			if v := e.Target(); !(v >= estimate.DefaultMin && v <= estimate.DefaultMax) {
				t.Fatalf("%v bit/s", v)
			}
		}
	})
}

// FuzzPacket: no payload breaks what looks into packets.
func FuzzPacket(f *testing.F) {
	f.Add([]byte{0x90, 0x60, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xbe, 0xde, 0, 1, 0x10, 1, 0, 0, 0x10, 0x00})
	f.Add([]byte{0xa0, 0x6f, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0x80 | 111, 0, 0, 1, 111, 1, 2, 1})
	f.Add([]byte{0xa0, 0x6f, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0x80 | 111, 225, 0, 1, 0x80 | 111, 45, 0, 1, 111, 1, 2, 3, 1}) // 300 and 60 ms back
	f.Add([]byte{0xa0, 0x6f, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xff, 0xff, 0xff, 0xff, 111, 1})                               // a block longer than the packet
	f.Fuzz(func(t *testing.T, raw []byte) {
		var h rtp.Header
		payload, ok := splitPacket(raw, &h)
		if !ok {
			return
		}
		for _, mime := range []string{"video/vp8", "video/vp9", "video/h264", "video/av1"} {
			in, p := &inlet{ring: newRing(ringVideo)}, packet{ext: 1, payload: payload}
			in.describe(&p, mime)
			if p.tid >= layersMost {
				t.Fatal("layer", p.tid)
			}
		}
		vp8Renumber(slices.Clone(payload), 7)
		if p, err := redPrimary(payload); err == nil && len(p) > len(payload) {
			t.Fatal("primary block larger than its packet")
		}
		if b, ok := redLast(payload); ok && len(b.data) > len(payload) {
			t.Fatal("redundant block larger than its packet")
		}
		for b := range redBlocks(payload) {
			if b.offset > redOffsetMost || len(b.data) > redLengthMost || len(b.data) > len(payload) {
				t.Fatalf("a block of %d bytes, %d units back, in %d bytes", len(b.data), b.offset, len(payload))
			}
		}
		in := &inlet{ring: newRing(ringAudio), length: packetLength{ms: 60}}
		in.ring.put(&packet{ext: 1, ts: 1, pt: 63, payload: payload})
		if got := in.deepen(&packet{ext: 2, ts: 2881, pt: 63, payload: payload}, 111, true); len(got) > 3*len(payload)+9 {
			t.Fatalf("%d bytes of %d", len(got), len(payload))
		}
		_ = redRenumber(payload, 111)
	})
}
