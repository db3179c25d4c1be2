package sfu

import (
	"io"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/transport/v4/packetio"
)

// What pion may hold of a stream that is read too slowly, in bytes.
const (
	rtpHeld  = 1 << 20
	rtcpHeld = 100 << 10
)

// bufferOf makes the buffer between pion's decryption of a stream and its
// reader.
func (p *Peer) bufferOf(kind packetio.BufferPacketType, ssrc uint32) io.ReadWriteCloser {
	if kind == packetio.RTPBufferPacket {
		return newBuffer(rtpHeld)
	}
	return &feedbackBuffer{Buffer: newBuffer(rtcpHeld), peer: p, ssrc: ssrc}
}

func newBuffer(most int) *packetio.Buffer {
	b := packetio.NewBuffer()
	b.SetLimitSize(most)
	return b
}

// feedbackBuffer is the buffer of what a peer says of one stream. If that is one
// of ours the outlet hears it where it was decrypted: a subscriber says
// something ten times a second, and to wake a goroutine for it costs more than
// to take it. What a publisher says of its own waits to be read.
type feedbackBuffer struct {
	*packetio.Buffer
	peer *Peer
	ssrc uint32
	of   *outlet // once found: it stays
}

// Write implements io.Writer, for one whole packet.
func (f *feedbackBuffer) Write(b []byte) (int, error) {
	if f.of == nil {
		o, ok := f.peer.heard.Load(f.ssrc)
		if !ok {
			return f.Buffer.Write(b)
		}
		f.of = o.(*outlet)
	}
	f.of.hearPacket(b, time.Now())
	return len(b), nil
}

// hearPacket takes what the subscriber says of the outlet.
func (o *outlet) hearPacket(b []byte, now time.Time) {
	o.peer.box.Hold()
	defer o.peer.box.Release()
	if isNumbers(b) { // pion hands on each packet of a compound one by itself
		o.peer.down.hear(b, now)
		return
	}
	pkts, err := rtcp.Unmarshal(b)
	if err != nil {
		return
	}
	for _, pkt := range pkts {
		o.feedback(pkt, now)
	}
}
