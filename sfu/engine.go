package sfu

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/sdp/v3"
	"github.com/pion/stun/v4"
	"github.com/pion/webrtc/v4"
)

// Time limits of ICE. A link that is cut for long must not cost the call:
// the transport is kept and comes back when the link does, and whoever
// drives the peer decides when a participant is gone.
const (
	iceDisconnected = 4 * time.Second // without any packet
	iceFailed       = 10 * time.Minute
	iceKeepalive    = 5 * time.Second
)

// replayWindow is how many packets back SRTP accepts. A publisher that
// repairs a loss over a slow link sends packets that old once more.
const replayWindow = 2048

// newSettings are pion's settings shared by all peers.
func newSettings(p *port, publicIPs []string, log *slog.Logger) (webrtc.SettingEngine, error) {
	var se webrtc.SettingEngine
	se.LoggerFactory = pionLogs{log}
	se.SetLite(true)
	networks := []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6}
	if p.tcp != nil {
		se.SetICETCPMux(p.tcp)
		networks = append(networks, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
	}
	se.SetNetworkTypes(networks)
	se.SetIncludeLoopbackCandidate(p.loopbackToo())
	se.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	se.SetICETimeouts(iceDisconnected, iceFailed, iceKeepalive)
	se.DetachDataChannels()
	se.SetSCTPMaxReceiveBufferSize(sctpBuffer)
	se.SetSCTPMaxMessageSize(headerMost + pieceMost)
	se.SetSCTPRTOMax(sctpTimeout)
	se.SetSRTPReplayProtectionWindow(replayWindow)
	if len(publicIPs) > 0 {
		err := se.SetICEAddressRewriteRules(webrtc.ICEAddressRewriteRule{
			External:        publicIPs,
			AsCandidateType: webrtc.ICECandidateTypeHost,
			Mode:            webrtc.ICEAddressRewriteReplace,
		})
		if err != nil {
			return se, fmt.Errorf("announcing public addresses: %w", err)
		}
	}
	return se, nil
}

// newConnection makes the transport of one peer.
func (s *SFU) newConnection(p *Peer) (*webrtc.PeerConnection, error) {
	m := &webrtc.MediaEngine{}
	if err := registerCodecs(m, p.led()); err != nil {
		return nil, fmt.Errorf("registering codecs: %w", err)
	}
	reg := &interceptor.Registry{}
	reg.Add(fixedInterceptor{&repairTap{peer: p}})
	settings := s.settings
	settings.SetICEBindingRequestHandler(firstPath(&p.silent))
	settings.SetICEUDPMux(boxedMux{s.port.mux, p.box})
	settings.BufferFactory = p.bufferOf
	api := webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(settings),
		webrtc.WithInterceptorRegistry(reg))
	pc, err := api.NewPeerConnection(webrtc.Configuration{
		Certificates:  []webrtc.Certificate{s.cert},
		BundlePolicy:  webrtc.BundlePolicyMaxBundle,
		RTCPMuxPolicy: webrtc.RTCPMuxPolicyRequire,
	})
	if err != nil {
		return nil, fmt.Errorf("making a peer connection: %w", err)
	}
	return pc, nil
}

// firstPath takes, in each ICE session, the first path by which an
// authenticated check arrives until the client nominates one (RFC 8445, 8.1.1
// leaves it to the client when). Chromium nominates with a later check, up to
// three seconds later on a slow link, for which DTLS would wait. After an outage
// it is the path by which the first check arrives again: by itself pion would
// look every two seconds whether something came.
func firstPath(silent *atomic.Bool) func(*stun.Message, ice.Candidate, ice.Candidate, *ice.CandidatePair) bool {
	var mu sync.Mutex
	var session string
	return func(m *stun.Message, _, _ ice.Candidate, _ *ice.CandidatePair) bool {
		var name stun.Username // new in each ICE session
		if name.GetFrom(m) != nil {
			return false
		}
		mu.Lock()
		defer mu.Unlock()
		first := session != name.String()
		session = name.String()
		return first || silent.Load()
	}
}

// fixedInterceptor is the factory of an interceptor that exists already.
type fixedInterceptor struct{ interceptor.Interceptor }

// NewInterceptor implements interceptor.Factory.
func (f fixedInterceptor) NewInterceptor(string) (interceptor.Interceptor, error) {
	return f.Interceptor, nil
}

// registerCodecs lists what may be forwarded. Payload types are those of
// common browsers; what is used are the types that each peer offers. led is a
// publisher whose rate we find.
func registerCodecs(m *webrtc.MediaEngine, led bool) error {
	const audio, video = webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo
	transportCC := webrtc.RTCPFeedback{Type: webrtc.TypeRTCPFBTransportCC}
	audioFB := []webrtc.RTCPFeedback{transportCC, ackFeedback}
	videoFB := []webrtc.RTCPFeedback{
		transportCC, ackFeedback,
		{Type: webrtc.TypeRTCPFBNACK},
		{Type: webrtc.TypeRTCPFBNACK, Parameter: "pli"},
		{Type: webrtc.TypeRTCPFBCCM, Parameter: "fir"},
	}
	type entry struct {
		kind     webrtc.RTPCodecType
		mime     string
		fmtp     string
		pt, rtx  webrtc.PayloadType
		clock    uint32
		channels uint16
	}
	// Every codec is some hundred bytes in each section of each description:
	// only profiles that every browser has.
	const h264 = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id="
	for _, e := range []entry{
		{audio, webrtc.MimeTypeOpus, "minptime=10;useinbandfec=1", 111, 0, 48000, 2},
		{audio, mimeRED, "111/111", 63, 0, 48000, 2},
		{video, webrtc.MimeTypeVP8, "", 96, 97, 90000, 0},
		{video, webrtc.MimeTypeVP9, "profile-id=0", 98, 99, 90000, 0},
		{video, webrtc.MimeTypeH264, h264 + "42e01f", 102, 103, 90000, 0},
		{video, webrtc.MimeTypeH264, h264 + "42001f", 104, 105, 90000, 0},
		{video, webrtc.MimeTypeAV1, "profile=0", 45, 46, 90000, 0},
	} {
		fb := audioFB
		if e.kind == video {
			fb = videoFB
		}
		err := m.RegisterCodec(webrtc.RTPCodecParameters{
			RTPCodecCapability: webrtc.RTPCodecCapability{
				MimeType: e.mime, ClockRate: e.clock, Channels: e.channels, SDPFmtpLine: e.fmtp, RTCPFeedback: fb,
			},
			PayloadType: e.pt,
		}, e.kind)
		if err == nil && e.rtx != 0 {
			err = m.RegisterCodec(webrtc.RTPCodecParameters{
				RTPCodecCapability: webrtc.RTPCodecCapability{
					MimeType: webrtc.MimeTypeRTX, ClockRate: e.clock, SDPFmtpLine: fmt.Sprintf("apt=%d", e.pt),
				},
				PayloadType: e.rtx,
			}, e.kind)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", e.mime, err)
		}
	}
	for _, kind := range []webrtc.RTPCodecType{audio, video} {
		// What we send is told apart by its SSRC and needs no mid: header
		// extensions cost bytes on the slowest links. The transport-wide
		// number costs 8 a packet and is worth it: by it we know the link.
		const receive, send = webrtc.RTPTransceiverDirectionRecvonly, webrtc.RTPTransceiverDirectionSendonly
		numbered := []webrtc.RTPTransceiverDirection{send}
		if !led { // a browser that counts packets waits for reports on them, and sends next to nothing without
			numbered = append(numbered, receive)
		}
		for uri, dirs := range map[string][]webrtc.RTPTransceiverDirection{
			sdp.SDESMidURI: {receive}, sdp.TransportCCURI: numbered, sdp.ABSSendTimeURI: {receive}, playoutURI: {send},
		} {
			ext := webrtc.RTPHeaderExtensionCapability{URI: uri}
			if err := m.RegisterHeaderExtension(ext, kind, dirs...); err != nil {
				return fmt.Errorf("%s: %w", uri, err)
			}
		}
	}
	for _, uri := range []string{sdp.SDESRTPStreamIDURI, sdp.SDESRepairRTPStreamIDURI} { // of encodings in one section
		ext := webrtc.RTPHeaderExtensionCapability{URI: uri}
		if err := m.RegisterHeaderExtension(ext, video, webrtc.RTPTransceiverDirectionRecvonly); err != nil {
			return fmt.Errorf("%s: %w", uri, err)
		}
	}
	level := webrtc.RTPHeaderExtensionCapability{URI: sdp.AudioLevelURI}
	if err := m.RegisterHeaderExtension(level, audio, webrtc.RTPTransceiverDirectionRecvonly); err != nil {
		return fmt.Errorf("%s: %w", level.URI, err)
	}
	return nil
}
