package sfu

import (
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

const mimeRED = "audio/red" // RFC 2198

// codecID names a codec such that two peers with the same codecID understand
// each other, whatever their payload types.
type codecID string

// identify reduces negotiated parameters to what decides compatibility:
// H.264's profile and packetization mode (RFC 6184, 8.1; the level is no
// obstacle between peers that allow asymmetry), VP9's profile.
func identify(c webrtc.RTPCodecCapability) codecID {
	mime := strings.ToLower(c.MimeType)
	f := parseFmtp(c.SDPFmtpLine)
	switch mime {
	case "video/h264":
		mode := f["packetization-mode"]
		if mode == "" {
			mode = "0"
		}
		profile := strings.ToLower(f["profile-level-id"])
		if len(profile) == 6 {
			profile = profile[:4]
		}
		// Constrained baseline has two spellings.
		if profile == "42e0" || profile == "42c0" {
			profile = "4240"
		}
		return codecID(mime + ";" + mode + ";" + profile)
	case "video/vp9":
		profile := f["profile-id"]
		if profile == "" {
			profile = "0"
		}
		return codecID(mime + ";" + profile)
	case "video/av1":
		profile := f["profile"]
		if profile == "" {
			profile = "0"
		}
		return codecID(mime + ";" + profile)
	}
	return codecID(mime)
}

// sdpCodec identifies a payload type of a description's video section.
func sdpCodec(m *sdp.MediaDescription, pt string) codecID {
	c := webrtc.RTPCodecCapability{}
	for _, a := range m.Attributes {
		num, value, ok := strings.Cut(a.Value, " ")
		if !ok || num != pt {
			continue
		}
		switch a.Key {
		case "rtpmap":
			name, _, _ := strings.Cut(value, "/")
			c.MimeType = "video/" + name
		case "fmtp":
			c.SDPFmtpLine = value
		}
	}
	return identify(c)
}

const (
	idOpus codecID = "audio/opus"
	idRED  codecID = mimeRED
)

// parseFmtp splits "a=1;b=2".
func parseFmtp(line string) map[string]string {
	out := map[string]string{}
	for part := range strings.SplitSeq(line, ";") {
		k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		out[strings.ToLower(k)] = v
	}
	return out
}

// format is one payload type of a negotiated section.
type format struct {
	id    codecID
	mime  string // lower case, "video/vp8"
	pt    uint8
	rtx   uint8 // payload type of its retransmissions, 0 without
	clock uint32
}

// formats lists the payload types of a section, retransmissions folded into
// the types they repair.
func formats(codecs []webrtc.RTPCodecParameters) []format {
	var out []format
	rtx := map[uint8]uint8{}
	for _, c := range codecs {
		if !strings.EqualFold(c.MimeType, webrtc.MimeTypeRTX) {
			out = append(out, format{
				id: identify(c.RTPCodecCapability), mime: strings.ToLower(c.MimeType),
				pt: uint8(c.PayloadType), clock: c.ClockRate,
			})
			continue
		}
		apt, err := strconv.ParseUint(parseFmtp(c.SDPFmtpLine)["apt"], 10, 8)
		if err == nil {
			rtx[uint8(apt)] = uint8(c.PayloadType)
		}
	}
	for i := range out {
		out[i].rtx = rtx[out[i].pt]
	}
	return out
}

func findFormat(list []format, id codecID) (format, bool) {
	for _, f := range list {
		if f.id == id {
			return f, true
		}
	}
	return format{}, false
}

func findPT(list []format, pt uint8) (format, bool) {
	for _, f := range list {
		if f.pt == pt {
			return f, true
		}
	}
	return format{}, false
}
