package signaling

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pion/sdp/v3"

	"sira/sfu"
)

// FragmentType is the media type of a Fragment (RFC 8840, section 9).
const FragmentType = "application/trickle-ice-sdpfrag"

var errFragment = errors.New("malformed SDP fragment")

// Fragment is what travels when only the transport changes: ICE credentials
// and candidates, of the one transport that all sections share (RFC 8840).
type Fragment struct {
	Ufrag, Password string
	Mid, Media      string // the first section: "0", "audio 9 UDP/TLS/RTP/SAVPF 0"
	Candidates      []sfu.Candidate
	last            bool // no more candidates follow
}

// ParseFragment reads a fragment of at most 64 KiB. Attributes that it does
// not know are left out.
func ParseFragment(raw string) (Fragment, error) {
	var f Fragment
	if len(raw) > maxMessage {
		return f, errFragment
	}
	for line := range strings.Lines(raw) {
		line = strings.TrimRight(line, "\r\n")
		switch key, value, _ := strings.Cut(line, ":"); key {
		case "a=ice-ufrag":
			f.Ufrag = value
		case "a=ice-pwd":
			f.Password = value
		case "a=mid":
			if f.Mid == "" {
				f.Mid = value
			}
		case "a=candidate":
			c := sfu.Candidate{Candidate: "candidate:" + value}
			if mid := f.Mid; mid != "" {
				c.SDPMid = &mid
			}
			f.Candidates = append(f.Candidates, c)
		case "a=end-of-candidates":
			f.last = true
		default:
			if media, ok := strings.CutPrefix(line, "m="); ok && f.Media == "" {
				f.Media = media
			}
		}
	}
	// RFC 8839, 5.4: 4 to 256 and 22 to 256 characters.
	if n, m := len(f.Ufrag), len(f.Password); n < 4 || n > 256 || m < 22 || m > 256 {
		return f, fmt.Errorf("%w: ICE credentials of %d and %d characters", errFragment, n, m)
	}
	return f, nil
}

// String writes the fragment.
func (f Fragment) String() string {
	var b strings.Builder
	line := func(parts ...string) {
		for _, p := range parts {
			b.WriteString(p)
		}
		b.WriteString("\r\n")
	}
	line("a=ice-lite")
	line("a=ice-ufrag:", f.Ufrag)
	line("a=ice-pwd:", f.Password)
	if f.Media != "" {
		line("m=", f.Media)
		line("a=mid:", f.Mid)
	}
	for _, c := range f.Candidates {
		line("a=", c.Candidate)
	}
	if f.last {
		line("a=end-of-candidates")
	}
	return b.String()
}

// into gives the description with the transport of the fragment in place of
// its own.
func (f Fragment) into(description string) (string, error) {
	var d sdp.SessionDescription
	if err := d.UnmarshalString(description); err != nil {
		return "", err
	}
	transport := func(a sdp.Attribute) bool {
		return slices.Contains([]string{"ice-ufrag", "ice-pwd", "candidate", "end-of-candidates"}, a.Key)
	}
	d.Attributes = slices.DeleteFunc(d.Attributes, transport)
	for _, m := range d.MediaDescriptions {
		m.Attributes = append(slices.DeleteFunc(m.Attributes, transport),
			sdp.NewAttribute("ice-ufrag", f.Ufrag), sdp.NewAttribute("ice-pwd", f.Password))
	}
	if len(d.MediaDescriptions) > 0 {
		m := d.MediaDescriptions[0]
		for _, c := range f.Candidates {
			m.Attributes = append(m.Attributes, sdp.NewAttribute("candidate", strings.TrimPrefix(c.Candidate, "candidate:")))
		}
	}
	out, err := d.Marshal()
	return string(out), err
}

// fragmentOf takes the transport out of a description.
func fragmentOf(description string) (Fragment, error) {
	var d sdp.SessionDescription
	if err := d.UnmarshalString(description); err != nil {
		return Fragment{}, err
	}
	f := Fragment{last: true}
	for i, m := range d.MediaDescriptions {
		for _, a := range m.Attributes {
			switch a.Key {
			case "ice-ufrag":
				f.Ufrag = a.Value
			case "ice-pwd":
				f.Password = a.Value
			case "mid":
				if i == 0 {
					f.Mid = a.Value
				}
			case "candidate":
				if i == 0 {
					f.Candidates = append(f.Candidates, sfu.Candidate{Candidate: "candidate:" + a.Value})
				}
			}
		}
	}
	if len(d.MediaDescriptions) > 0 {
		f.Media = d.MediaDescriptions[0].MediaName.String()
	}
	return f, nil
}
