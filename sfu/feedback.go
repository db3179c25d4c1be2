package sfu

import (
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

// readReports reads the publisher's RTCP about the inlet.
func (in *inlet) readReports(recv *webrtc.RTPReceiver, rid string) {
	read := recv.Read
	if rid != "" {
		read = func(b []byte) (int, interceptor.Attributes, error) { return recv.ReadSimulcast(b, rid) }
	}
	buf := make([]byte, 1600)
	for {
		n, _, err := read(buf)
		if err != nil {
			return
		}
		now := time.Now()
		pkts, err := rtcp.Unmarshal(buf[:n])
		if err != nil {
			continue
		}
		for _, pkt := range pkts {
			if sr, ok := pkt.(*rtcp.SenderReport); ok && sr.SSRC == in.ssrc {
				in.learnReport(sr, now)
			}
		}
	}
}

// feedback takes what the subscriber says.
func (o *outlet) feedback(pkt rtcp.Packet, now time.Time) {
	c := &o.peer.sfu.counters
	switch pkt := pkt.(type) {
	case *rtcp.TransportLayerNack:
		if pkt.MediaSSRC != o.ssrc {
			return
		}
		for _, pair := range pkt.Nacks {
			seqs := pair.PacketList()
			c.nacksIn.Add(uint64(len(seqs)))
			o.resend(seqs, now)
		}
	case *rtcp.PictureLossIndication:
		if pkt.MediaSSRC == o.ssrc {
			o.wantKeyframe(now)
		}
	case *rtcp.FullIntraRequest:
		for _, e := range pkt.FIR {
			if e.SSRC == o.ssrc {
				o.wantKeyframe(now)
			}
		}
	case *rtcp.CCFeedbackReport:
		o.peer.down.hearAcks(pkt, now)
	case *rtcp.ReceiverReport:
		o.hearAll(pkt.Reports, now)
	case *rtcp.SenderReport:
		o.hearAll(pkt.Reports, now)
	}
}

func (o *outlet) wantKeyframe(now time.Time) {
	o.peer.sfu.counters.plisIn.Add(1)
	o.mu.Lock()
	in := o.in
	o.mu.Unlock()
	if in != nil && in.kind == video && !o.begins(now) {
		in.requestKeyframe(now)
	}
}

func (o *outlet) hearAll(blocks []rtcp.ReceptionReport, now time.Time) {
	for _, b := range blocks {
		if b.SSRC != o.ssrc {
			continue
		}
		if rtt := o.hear(b, now); rtt > 0 {
			o.peer.link.measured(rtt)
		}
	}
}
