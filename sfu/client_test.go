package sfu

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
	"go.uber.org/goleak"
)

// patience is how long a test waits for something that must happen.
const patience = 60 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// eventually polls until ok, or fails the test.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not in %s: %s", patience, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func startSFU(t *testing.T, cfg Config) *SFU {
	t.Helper()
	if cfg.UDPAddr == "" {
		cfg.UDPAddr = "127.0.0.1:0"
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// received is what a client got in one of its sections.
type received struct {
	mid     string
	ssrc    uint32
	mime    string
	packets []rtp.Packet // in order of arrival
	reports []rtcp.SenderReport
}

// client is a real pion peer: what a browser is to the SFU.
type client struct {
	t      *testing.T
	id     string
	peer   *Peer
	pc     *webrtc.PeerConnection
	sends  [kinds]*webrtc.TrackLocalStaticRTP
	rungs  map[string]*rungOut // encodings of one section
	nack   bool                // ask for what is missing
	wg     sync.WaitGroup
	closed sync.Once
	dim    atomic.Bool // film sends no picture

	mu     sync.Mutex
	got    map[string]*received // by mid
	plis   int
	slots  []Slot
	codecs []webrtc.RTPCodecParameters // of pictures that it receives
	more   [2]int                      // last OnRenegotiate

	album   *album // of stills
	target  Target // last OnTarget
	targets int
}

type clientOptions struct {
	id     string
	room   string
	slots  int                                  // recvonly sections of each kind
	video  string                               // mime; VP8 when empty
	nack   bool                                 // asks for lost packets and repairs its own
	twcc   bool                                 // tells when packets arrive
	ccfb   bool                                 // the same by RFC 8888
	levels bool                                 // tells how loud its voice is
	part   Participant                          // what else it is
	stills bool                                 // offers the stills channel
	edit   func(offer string) string            // what the SFU is told instead
	only   string                               // the one codec of pictures that it has
	noRTX  bool                                 // repairs by sending the same packet again
	rids   []string                             // of its encodings
	direct func(addr *net.UDPAddr) *net.UDPAddr // replaces the SFU's address, for a proxy between
}

// join makes a client and brings it into the room.
func join(t *testing.T, s *SFU, o clientOptions) *client {
	t.Helper()
	c := newClient(t, s, o)
	c.negotiate(o)
	return c
}

// shown is a publisher a, silent by now, and b who sees the last of it.
func shown(t *testing.T, s *SFU) (a, b *client) {
	t.Helper()
	a = join(t, s, clientOptions{id: "a", room: "r", slots: 1})
	b = join(t, s, clientOptions{id: "b", room: "r", slots: 1})
	a.waitConnected()
	b.waitConnected()
	stop := a.speak()
	eventually(t, "b sees a", func() bool { return len(b.from("a", video)) > 5 })
	stop()
	return a, b
}

func newClient(t *testing.T, s *SFU, o clientOptions) *client {
	t.Helper()
	m := &webrtc.MediaEngine{}
	if o.noRTX {
		registerWithoutRTX(t, m)
	} else if o.only != "" {
		registerOnly(t, m, o.only)
	} else if err := m.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	var se webrtc.SettingEngine
	se.SetIncludeLoopbackCandidate(true)
	se.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	se.SetSRTPReplayProtectionWindow(replayWindow)
	reg := &interceptor.Registry{}
	if o.nack {
		if err := webrtc.ConfigureNack(m, reg); err != nil {
			t.Fatal(err)
		}
	}
	if o.twcc {
		if err := webrtc.ConfigureTWCCSender(m, reg); err != nil {
			t.Fatal(err)
		}
	}
	if o.ccfb {
		if err := webrtc.ConfigureCongestionControlFeedback(m, reg); err != nil {
			t.Fatal(err)
		}
	}
	if o.rids != nil {
		if err := webrtc.ConfigureSimulcastExtensionHeaders(m); err != nil {
			t.Fatal(err)
		}
	}
	if o.levels {
		if err := m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: sdp.AudioLevelURI}, webrtc.RTPCodecTypeAudio); err != nil {
			t.Fatal(err)
		}
	}
	if err := webrtc.ConfigureRTCPReports(reg); err != nil {
		t.Fatal(err)
	}
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(se),
		webrtc.WithInterceptorRegistry(reg)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, id: o.id, pc: pc, nack: o.nack, got: map[string]*received{}}
	t.Cleanup(c.leave)
	pc.OnTrack(c.onTrack)
	if o.video == "" {
		o.video = webrtc.MimeTypeVP8
		if o.only != "" {
			o.video = "video/" + o.only
		}
	}
	for k, codec := range map[kind]webrtc.RTPCodecCapability{
		audio: {MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2},
		video: {MimeType: o.video, ClockRate: 90000},
	} {
		var more []func(*webrtc.TrackLocalStaticRTP)
		if k == video && o.rids != nil {
			more = append(more, webrtc.WithRTPStreamID(o.rids[0]))
		}
		if c.sends[k], err = webrtc.NewTrackLocalStaticRTP(codec, k.String(), "own", more...); err != nil {
			t.Fatal(err)
		}
	}
	for k := range kinds {
		tr, err := pc.AddTransceiverFromTrack(c.sends[k],
			webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
		if err != nil {
			t.Fatal(err)
		}
		if k == video && o.rids != nil {
			c.addRungs(tr, o)
			continue
		}
		c.wg.Go(func() { c.readRTCP(tr.Sender()) })
	}
	c.addSlots(o.slots)
	if o.stills {
		c.album = openAlbum(t, pc)
	}
	part := o.part
	part.ID = o.id
	part.OnSlots = func(list []Slot) { c.mu.Lock(); c.slots = list; c.mu.Unlock() }
	part.OnTarget = func(x Target) { c.mu.Lock(); c.target, c.targets = x, c.targets+1; c.mu.Unlock() }
	part.OnPointer = func(time.Duration) {} // it may point
	part.OnRenegotiate = func(a, v int) { c.mu.Lock(); c.more = [2]int{a, v}; c.mu.Unlock() }
	c.peer, err = s.Join(context.Background(), o.room, part)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func registerWithoutRTX(t *testing.T, m *webrtc.MediaEngine) {
	t.Helper()
	for _, c := range []webrtc.RTPCodecParameters{
		{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, PayloadType: 109},
		{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}, PayloadType: 120},
	} {
		k := webrtc.RTPCodecTypeAudio
		if c.ClockRate == 90000 {
			k = webrtc.RTPCodecTypeVideo
		}
		if err := m.RegisterCodec(c, k); err != nil {
			t.Fatal(err)
		}
	}
}

// registerOnly registers Opus and one codec of pictures, with payload types of
// its own.
func registerOnly(t *testing.T, m *webrtc.MediaEngine, codec string) {
	t.Helper()
	fmtp := map[string]string{"H264": "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f", "VP9": "profile-id=0"}[codec]
	for pt, c := range map[webrtc.PayloadType]webrtc.RTPCodecCapability{
		109: {MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2},
		120: {MimeType: "video/" + codec, ClockRate: 90000, SDPFmtpLine: fmtp},
		121: {MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: "apt=120"},
	} {
		k := webrtc.RTPCodecTypeVideo
		if pt == 109 {
			k = webrtc.RTPCodecTypeAudio
		}
		if err := m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: c, PayloadType: pt}, k); err != nil {
			t.Fatal(err)
		}
	}
}

func (c *client) addSlots(n int) {
	c.t.Helper()
	for range n {
		for k := range kinds {
			_, err := c.pc.AddTransceiverFromKind(k.codecType(),
				webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
			if err != nil {
				c.t.Fatal(err)
			}
		}
	}
}

func (c *client) negotiate(o clientOptions) {
	c.t.Helper()
	offer, err := c.pc.CreateOffer(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(c.pc)
	if err := c.pc.SetLocalDescription(offer); err != nil {
		c.t.Fatal(err)
	}
	<-gathered
	told := c.pc.LocalDescription().SDP
	if o.edit != nil {
		told = o.edit(told)
	}
	answer, err := c.peer.Negotiate(context.Background(), told)
	if err != nil {
		c.t.Fatal(err)
	}
	if o.edit != nil {
		answer, _, _ = strings.Cut(answer, "m=application")
		answer = strings.Replace(answer, " data", "", 1)
	}
	if o.direct != nil {
		answer = redirect(c.t, answer, o.direct)
	}
	err = c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer})
	if err != nil {
		c.t.Fatalf("%v\n%s", err, answer)
	}
}

func (c *client) readRTCP(s *webrtc.RTPSender) {
	for {
		pkts, _, err := s.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range pkts {
			if _, ok := p.(*rtcp.PictureLossIndication); ok {
				c.mu.Lock()
				c.plis++
				c.mu.Unlock()
			}
		}
	}
}

func (c *client) onTrack(track *webrtc.TrackRemote, recv *webrtc.RTPReceiver) {
	mid := ""
	for _, tr := range c.pc.GetTransceivers() {
		if tr.Receiver() == recv {
			mid = tr.Mid()
		}
	}
	c.mu.Lock()
	r := &received{mid: mid, ssrc: uint32(track.SSRC()), mime: track.Codec().MimeType}
	c.got[mid] = r
	if track.Kind() == webrtc.RTPCodecTypeVideo {
		c.codecs = recv.GetParameters().Codecs
	}
	c.mu.Unlock()
	go func() {
		for {
			pkts, _, err := recv.ReadRTCP()
			if err != nil {
				return
			}
			c.mu.Lock()
			for _, p := range pkts {
				if sr, ok := p.(*rtcp.SenderReport); ok && sr.SSRC == r.ssrc {
					r.reports = append(r.reports, *sr)
				}
			}
			c.mu.Unlock()
		}
	}()
	for {
		p, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		c.mu.Lock()
		r.packets = append(r.packets, *p)
		c.mu.Unlock()
	}
}

func (c *client) leave() {
	c.closed.Do(func() {
		_ = c.pc.GracefulClose()
		c.wg.Wait()
		if c.peer != nil {
			_ = c.peer.Close()
		}
	})
}

func (c *client) waitConnected() {
	c.t.Helper()
	eventually(c.t, c.id+" connected", func() bool {
		return c.pc.ConnectionState() == webrtc.PeerConnectionStateConnected && c.peer.Connected()
	})
}

func (c *client) keyframesAsked() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.plis
}

// from lists the packets of a kind that came from a participant, by the
// slots that the SFU announced.
func (c *client) from(id string, k kind) []rtp.Packet {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.slots {
		if s.Participant == id && s.Kind == k.String() {
			if r := c.got[s.Mid]; r != nil {
				return append([]rtp.Packet(nil), r.packets...)
			}
		}
	}
	return nil
}

// speak publishes audio and video until stop: a marked packet of each every
// few milliseconds, a keyframe whenever the SFU asks for one.
func (c *client) speak() (stop func()) {
	quit := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		t := time.NewTicker(5 * time.Millisecond)
		defer t.Stop()
		asked := 0
		for n := uint32(0); ; n++ {
			select {
			case <-quit:
				return
			case <-t.C:
			}
			key := n == 0
			if now := c.keyframesAsked(); now > asked {
				asked, key = now, true
			}
			c.send(n, key)
		}
	})
	var once sync.Once
	stop = func() { once.Do(func() { close(quit); wg.Wait() }) }
	c.t.Cleanup(stop)
	return stop
}

// send publishes the n-th packet of each kind.
func (c *client) send(n uint32, key bool) {
	_ = c.sends[audio].WriteRTP(&rtp.Packet{
		Header:  rtp.Header{Version: 2, SequenceNumber: uint16(n), Timestamp: n * 240},
		Payload: content(nil, n),
	})
	_ = c.sends[video].WriteRTP(&rtp.Packet{
		Header:  rtp.Header{Version: 2, SequenceNumber: uint16(n), Timestamp: n * 450, Marker: true},
		Payload: content(vp8Start(key), n),
	})
}

// vp8Start is a payload descriptor and the first byte of a frame header.
func vp8Start(key bool) []byte {
	if key {
		return []byte{0x10, 0x00}
	}
	return []byte{0x10, 0x01}
}

func content(head []byte, n uint32) []byte {
	return append(binary.BigEndian.AppendUint32(head, n), []byte("some media that is long enough to look like it")...)
}

// number reads back which packet it was.
func number(p rtp.Packet, k kind) (uint32, error) {
	b := p.Payload
	if k == video {
		if len(b) < 2 {
			return 0, fmt.Errorf("short payload %x", b)
		}
		b = b[2:]
	}
	if len(b) < 4 {
		return 0, fmt.Errorf("short payload %x", b)
	}
	return binary.BigEndian.Uint32(b), nil
}
