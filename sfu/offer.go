package sfu

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// maxOffer bounds a session description, in bytes.
const maxOffer = 64 << 10

// section is one audio or video section of an offer.
type section struct {
	mid  string
	kind kind
	way  string // as offered: "sendrecv", "sendonly", "recvonly" or "inactive"
	both bool   // it publishes and receives
}

// readOffer checks what pion would trip over and lists the sections of
// sound and picture. most bounds them for each kind.
func readOffer(raw string, most int) ([]section, error) {
	if len(raw) > maxOffer {
		return nil, fmt.Errorf("%w: %d bytes", ErrBadSDP, len(raw))
	}
	var d sdp.SessionDescription
	if err := d.UnmarshalString(raw); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadSDP, err)
	}
	if len(d.MediaDescriptions) == 0 {
		return nil, fmt.Errorf("%w: no media section", ErrBadSDP)
	}
	var out []section
	var count [kinds]int
	channels := 0
	seen := map[string]bool{}
	for _, m := range d.MediaDescriptions {
		mid, _ := m.Attribute(sdp.AttrKeyMID)
		if mid == "" || len(mid) > 32 || seen[mid] {
			return nil, fmt.Errorf("%w: media section without its own mid", ErrBadSDP)
		}
		seen[mid] = true
		s := section{mid: mid, kind: audio}
		switch m.MediaName.Media {
		case "audio":
		case "video":
			s.kind = video
		case "application":
			if channels++; channels > 1 {
				return nil, fmt.Errorf("%w: too many application sections", ErrBadSDP)
			}
			continue
		default:
			continue
		}
		count[s.kind]++
		if count[s.kind] > most+1 { // and the one in which it publishes
			return nil, fmt.Errorf("%w: too many %s sections", ErrBadSDP, s.kind)
		}
		if len(m.MediaName.Formats) > 64 {
			return nil, fmt.Errorf("%w: too many payload types", ErrBadSDP)
		}
		if err := checkRIDs(m); err != nil {
			return nil, err
		}
		s.way = direction(m, &d)
		out = append(out, s)
	}
	return out, nil
}

// direction of a section; sendrecv is the default (RFC 8866, 6.7).
func direction(m *sdp.MediaDescription, d *sdp.SessionDescription) string {
	for _, attrs := range [][]sdp.Attribute{m.Attributes, d.Attributes} {
		for _, a := range attrs {
			switch a.Key {
			case "sendrecv", "recvonly", "sendonly", "inactive":
				return a.Key
			}
		}
	}
	return "sendrecv"
}

// What browsers are asked to send as sound: mono speech for slow links, in
// packets as long as the link wants them (ptime.go), each said twice (RED),
// silent when nobody speaks (RFC 7587, 6.1). Twice 16 kbit/s in long packets
// costs less than once 24 in short ones, and no single loss is heard.
const (
	opusBitrate = 16000 // bit/s at most; a target says how much
	opusPtime   = 60    // ms, of a link that is thin, or not known
)

// shapeAnswer adds to pion's answer what the peer's encoders should do. ptime is
// how long their packets of voice are to be, ms; codec chooses that of their
// picture.
func shapeAnswer(raw string, ptime int, codec func([]codecID) codecID) (string, error) {
	var d sdp.SessionDescription
	if err := d.UnmarshalString(raw); err != nil {
		return "", fmt.Errorf("reading our own answer: %w", err)
	}
	for _, m := range d.MediaDescriptions {
		m.Attributes = slices.DeleteFunc(m.Attributes, needless)
		dropRIDs(m)
		shapeFeedback(m, &d)
		if way := direction(m, &d); way != "recvonly" && way != "sendrecv" {
			continue
		}
		switch m.MediaName.Media {
		case "audio":
			shapeOpus(m, ptime)
			preferRED(m)
		case "video":
			preferCodec(m, codec)
		}
	}
	b, err := d.Marshal()
	if err != nil {
		return "", fmt.Errorf("writing the answer: %w", err)
	}
	return string(b), nil
}

// shapeFeedback asks for feedback of RFC 8888 where we send and the peer offered it
// but no transport-wide numbers, and in the form that the RFC wants. Where we
// receive we do not send it.
func shapeFeedback(m *sdp.MediaDescription, d *sdp.SessionDescription) {
	was := len(m.Attributes)
	m.Attributes = slices.DeleteFunc(m.Attributes, func(a sdp.Attribute) bool {
		return a.Key == "rtcp-fb" && strings.HasSuffix(a.Value, " ack ccfb")
	})
	numbered := slices.ContainsFunc(m.Attributes, func(a sdp.Attribute) bool {
		return a.Key == "extmap" && strings.Contains(a.Value, sdp.TransportCCURI)
	})
	if was > len(m.Attributes) && !numbered && direction(m, d) == "sendonly" {
		m.Attributes = append(m.Attributes, sdp.NewAttribute("rtcp-fb", "* ack ccfb"))
	}
}

// needless says whether an attribute only costs bytes: names of streams from
// before a=msid, candidates of the component that RTCP does not use, a second
// way of asking for a keyframe.
func needless(a sdp.Attribute) bool {
	switch a.Key {
	case "rtcp-fb": // a keyframe is asked for by PLI
		return strings.HasSuffix(a.Value, " ccm fir")
	case "ssrc":
		return strings.Contains(a.Value, " mslabel:") || strings.Contains(a.Value, " label:")
	case "candidate":
		fields := strings.Fields(a.Value)
		return len(fields) > 1 && fields[1] == "2"
	}
	return false
}

// preferRED puts redundant audio first among a section's formats: the first is
// what a browser sends.
func preferRED(m *sdp.MediaDescription) {
	for _, a := range m.Attributes {
		pt, codec, ok := strings.Cut(a.Value, " ")
		if a.Key != "rtpmap" || !ok || !strings.HasPrefix(strings.ToLower(codec), "red/") {
			continue
		}
		if i := slices.Index(m.MediaName.Formats, pt); i > 0 {
			m.MediaName.Formats = slices.Insert(slices.Delete(m.MediaName.Formats, i, i+1), 0, pt)
		}
		return
	}
}

func shapeOpus(m *sdp.MediaDescription, ptime int) {
	pt, fec := "", 1
	for _, a := range m.Attributes {
		if a.Key != "rtpmap" {
			continue
		}
		if num, codec, ok := strings.Cut(a.Value, " "); ok && strings.HasPrefix(strings.ToLower(codec), "opus/") {
			pt = num
		} else if ok && strings.HasPrefix(strings.ToLower(codec), "red/") {
			fec = 0 // what is said twice need not be hinted at a third time
		}
	}
	if pt == "" {
		return
	}
	fmtp := fmt.Sprintf("%s minptime=10;useinbandfec=%d;usedtx=1;stereo=0;maxaveragebitrate=%d", pt, fec, opusBitrate)
	found := false
	for i, a := range m.Attributes {
		if a.Key == "fmtp" && strings.HasPrefix(a.Value, pt+" ") {
			m.Attributes[i].Value = fmtp
			found = true
		}
	}
	if !found {
		m.Attributes = append(m.Attributes, sdp.NewAttribute("fmtp", fmtp))
	}
	m.Attributes = append(m.Attributes,
		sdp.NewAttribute("ptime", strconv.Itoa(ptime)),
		sdp.NewAttribute("maxptime", strconv.Itoa(ptime)))
}

// OffersREMB says whether who makes an offer follows a limit that it is told
// (draft-alvestrand-rmcat-remb-03) and says when its packets left, by which we
// find that limit: each section that sends pictures offers both, as those of
// browsers do.
func OffersREMB(offer string) bool {
	d := &sdp.SessionDescription{}
	if err := d.UnmarshalString(offer); err != nil {
		return false
	}
	any := false
	for _, m := range d.MediaDescriptions {
		if way := direction(m, d); m.MediaName.Media != "video" || way != "sendonly" && way != "sendrecv" {
			continue
		}
		has := func(key, end string) bool {
			return slices.ContainsFunc(m.Attributes, func(a sdp.Attribute) bool { return a.Key == key && strings.HasSuffix(a.Value, end) })
		}
		if !has("rtcp-fb", " goog-remb") || !has("extmap", sdp.ABSSendTimeURI) {
			return false
		}
		any = true
	}
	return any
}
