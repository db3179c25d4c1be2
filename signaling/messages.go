package signaling

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// maxMessage bounds a client's message, in bytes.
const maxMessage = 64 << 10

var errMessage = errors.New("malformed message")

// Messages of the client.
type (
	joinMessage struct {
		SDP   string `json:"sdp"`
		Audio bool   `json:"audio"`
		Video bool   `json:"video"`
	}
	prepareMessage joinMessage // of a guest at the door
	readyMessage   struct {    // by HTTP only, as is enter
		SDP string `json:"sdp"`
	}
	enterMessage struct {
		Token string `json:"token"`
		Audio bool   `json:"audio"`
		Video bool   `json:"video"`
	}
	resumeMessage struct {
		Token string `json:"token"`
		SDP   string `json:"sdp,omitempty"`
		ID    int64  `json:"id,omitempty"`
		Audio bool   `json:"audio"`
		Video bool   `json:"video"`
	}
	offerMessage struct {
		SDP string `json:"sdp"`
		ID  int64  `json:"id"`
	}
	candidateMessage struct {
		Candidate *candidateInit `json:"candidate"`
	}
	stateMessage struct {
		Audio *bool `json:"audio"`
		Video *bool `json:"video"`
		// Whether the client has a camera at all; absent: as it was.
		Camera *bool `json:"camera"`
	}
	receiveMessage struct {
		Video  *bool `json:"video"`
		Stills *bool `json:"stills"`
	}
	sendMessage struct {
		Stills bool `json:"stills"`
	}
	uplinkMessage struct {
		Kbps float64 `json:"kbps"`
	}
	filesMessage struct {
		First bool `json:"first"`
	}
	freezeMessage struct {
		Of string `json:"of"`
	}
	freezingMessage struct {
		Sent   int  `json:"sent"`
		Size   int  `json:"size"`
		Failed bool `json:"failed"`
	}
	atMessage struct {
		At []int `json:"at"`
	}
	drawMessage struct {
		Still  string `json:"still"`
		Kind   string `json:"kind"`
		Points []int  `json:"points,omitempty"`
	}
	closeStillMessage struct {
		Still string `json:"still"`
	}
	gestureMessage struct {
		To        string `json:"to"`
		Move      string `json:"move"`
		Direction string `json:"direction"`
	}
	leaveMessage struct{}
	pingMessage  struct {
		T float64 `json:"t"`
	}
	pongMessage struct {
		T float64 `json:"t"`
	}
)

// candidateInit is a browser's RTCIceCandidateInit.
type candidateInit struct {
	Candidate        string  `json:"candidate"`
	SDPMid           *string `json:"sdpMid,omitempty"`
	SDPMLineIndex    *uint16 `json:"sdpMLineIndex,omitempty"`
	UsernameFragment *string `json:"usernameFragment,omitempty"`
}

// clientMessages are the messages a client may send, by type.
var clientMessages = map[string]func() any{
	"join":        func() any { return &joinMessage{} },
	"prepare":     func() any { return &prepareMessage{} },
	"ready":       func() any { return &readyMessage{} },
	"enter":       func() any { return &enterMessage{} },
	"resume":      func() any { return &resumeMessage{} },
	"offer":       func() any { return &offerMessage{} },
	"candidate":   func() any { return &candidateMessage{} },
	"state":       func() any { return &stateMessage{} },
	"receive":     func() any { return &receiveMessage{} },
	"send":        func() any { return &sendMessage{} },
	"uplink":      func() any { return &uplinkMessage{} },
	"files":       func() any { return &filesMessage{} },
	"freeze":      func() any { return &freezeMessage{} },
	"freezing":    func() any { return &freezingMessage{} },
	"at":          func() any { return &atMessage{} },
	"draw":        func() any { return &drawMessage{} },
	"close-still": func() any { return &closeStillMessage{} },
	"gesture":     func() any { return &gestureMessage{} },
	"report":      func() any { return &reportMessage{} },
	"leave":       func() any { return &leaveMessage{} },
	"ping":        func() any { return &pingMessage{} },
	"pong":        func() any { return &pongMessage{} },
}

// decode reads one message of a client: a pointer to one of the types above,
// or nil for a type that a newer client may know.
func decode(raw []byte) (any, error) {
	if len(raw) > maxMessage || !utf8.Valid(raw) {
		return nil, errMessage
	}
	var head struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return nil, fmt.Errorf("%w: %w", errMessage, err)
	}
	if head.Type == "" {
		return nil, fmt.Errorf("%w: no type", errMessage)
	}
	blank, ok := clientMessages[head.Type]
	if !ok {
		return nil, nil
	}
	m := blank()
	if err := json.Unmarshal(raw, m); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errMessage, head.Type, err)
	}
	switch m := m.(type) {
	case *joinMessage:
		if m.SDP == "" {
			return nil, fmt.Errorf("%w: join without sdp", errMessage)
		}
	case *prepareMessage:
		if m.SDP == "" {
			return nil, fmt.Errorf("%w: prepare without sdp", errMessage)
		}
	case *readyMessage:
		if m.SDP == "" {
			return nil, fmt.Errorf("%w: ready without sdp", errMessage)
		}
	case *enterMessage:
		if m.Token == "" {
			return nil, fmt.Errorf("%w: enter without token", errMessage)
		}
	case *resumeMessage:
		if m.Token == "" {
			return nil, fmt.Errorf("%w: resume without token", errMessage)
		}
	case *offerMessage:
		if m.SDP == "" {
			return nil, fmt.Errorf("%w: offer without sdp", errMessage)
		}
	case interface{ check() error }:
		if err := m.check(); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", errMessage, head.Type, err)
		}
	}
	return m, nil
}

// Messages of the server.
type (
	joinedMessage struct {
		Type         string        `json:"type"` // joined
		Self         string        `json:"self"`
		Token        string        `json:"token"`         // for resume
		SDP          string        `json:"sdp,omitempty"` // none for who stood ready: they have it
		Participants []Participant `json:"participants"`
		Slots        []slot        `json:"slots"`
		Relay        *Relay        `json:"relay,omitempty"`
	}
	readyTold struct {
		Type  string `json:"type"`  // ready
		Token string `json:"token"` // for enter
		SDP   string `json:"sdp"`
		Relay *Relay `json:"relay,omitempty"`
	}
	resumedMessage struct {
		Type         string        `json:"type"` // resumed
		Self         string        `json:"self"`
		SDP          string        `json:"sdp,omitempty"` // answer to the offer that came along
		ID           int64         `json:"id,omitempty"`
		Participants []Participant `json:"participants"`
		Slots        []slot        `json:"slots"`
		Relay        *Relay        `json:"relay,omitempty"`
	}
	answerMessage struct {
		Type string `json:"type"` // answer
		SDP  string `json:"sdp"`
		ID   int64  `json:"id"`
	}
	participantsMessage struct {
		Type         string        `json:"type"` // participants
		Participants []Participant `json:"participants"`
	}
	slotsMessage struct {
		Type  string `json:"type"` // slots
		Slots []slot `json:"slots"`
	}
	renegotiateMessage struct {
		Type  string `json:"type"` // renegotiate
		Audio int    `json:"audio"`
		Video int    `json:"video"`
	}
	qualityMessage struct {
		Type      string  `json:"type"`      // quality
		Connected bool    `json:"connected"` // media flows
		RTTMs     float64 `json:"rttMs"`
		LossUp    float64 `json:"lossUp"`
		LossDown  float64 `json:"lossDown"`
		KbpsUp    float64 `json:"kbpsUp"`
		KbpsDown  float64 `json:"kbpsDown"`
		KbpsPath  float64 `json:"kbpsPath,omitempty"`
		Picture   string  `json:"picture,omitempty"`
		Others    []seen  `json:"others,omitempty"`
	}
	seen struct {
		Participant string `json:"participant"`
		Picture     string `json:"picture"`
		Why         string `json:"why"`
	}
	targetMessage struct {
		Type   string `json:"type"` // target
		Kbps   int    `json:"kbps"`
		Height int    `json:"height"`
		FPS    int    `json:"fps"`
		Voice  int    `json:"voice"`
		Packet int    `json:"packet"`          // ms
		Again  int    `json:"again,omitempty"` // ms
		Codec  string `json:"codec,omitempty"`
		Mode   string `json:"mode,omitempty"`
		Low    *rung  `json:"low,omitempty"`
	}
	rung struct {
		Kbps   int `json:"kbps"`
		Height int `json:"height"`
		FPS    int `json:"fps"`
	}
	pointerMessage struct {
		Type  string `json:"type"`  // pointer
		Every int64  `json:"every"` // ms between two places
	}
	holdMessage struct {
		Type string   `json:"type"` // hold
		Ms   int64    `json:"ms"`
		Mids []string `json:"mids"`
	}
	stillsMessage struct {
		Type  string  `json:"type"` // stills
		Bytes int     `json:"bytes"`
		Every float64 `json:"every"` // seconds
	}
	grantMessage struct {
		Type string `json:"type"` // grant
		Up   *int   `json:"up,omitempty"`
		Down *int   `json:"down,omitempty"`
	}
	freezeAsked struct {
		Type string `json:"type"` // freeze
		By   string `json:"by"`
	}
	freezingTold struct {
		Type   string `json:"type"` // freezing
		Of     string `json:"of"`
		Sent   int    `json:"sent"` // bytes
		Size   int    `json:"size"`
		Failed bool   `json:"failed,omitempty"`
	}
	stillMessage struct {
		Type     string `json:"type"` // still
		ID       string `json:"id"`
		Hash     string `json:"hash"`
		Width    int    `json:"width"`
		Height   int    `json:"height"`
		By       string `json:"by"`
		ByName   string `json:"byName"`
		Of       string `json:"of"`
		OfName   string `json:"ofName"`
		Received bool   `json:"received"`
		Marks    []mark `json:"marks"`
	}
	atTold struct {
		Type string `json:"type"` // at
		By   string `json:"by"`
		At   []int  `json:"at"`
	}
	drawnMessage struct {
		Type  string `json:"type"` // draw
		Still string `json:"still"`
		mark
	}
	stillClosed struct {
		Type  string `json:"type"` // still-closed
		Still string `json:"still"`
		By    string `json:"by"`
	}
	gestureShown struct {
		Type      string `json:"type"` // gesture
		By        string `json:"by"`
		To        string `json:"to"`
		Move      string `json:"move"`
		Direction string `json:"direction"`
	}
	timeMessage struct {
		Type string  `json:"type"` // ping, pong
		T    float64 `json:"t"`
	}
	doorMessage struct {
		Type   string         `json:"type"`             // waiting, admitted
		Joined *joinedMessage `json:"joined,omitempty"` // with admitted: by the offer left at the door
	}
	errorMessage struct {
		Type    string `json:"type"` // error
		Code    code   `json:"code"`
		Message string `json:"message"`
	}
)

// slot is a media section and whose media it carries.
type slot struct {
	Mid         string `json:"mid"`
	Participant string `json:"participant"`
	Kind        string `json:"kind"`
	Why         string `json:"why,omitempty"` // it is empty
}

// serverMessages are the messages of the server, by type.
var serverMessages = map[string]func() any{
	"joined":       func() any { return &joinedMessage{} },
	"ready":        func() any { return &readyTold{} },
	"resumed":      func() any { return &resumedMessage{} },
	"answer":       func() any { return &answerMessage{} },
	"participants": func() any { return &participantsMessage{} },
	"slots":        func() any { return &slotsMessage{} },
	"renegotiate":  func() any { return &renegotiateMessage{} },
	"quality":      func() any { return &qualityMessage{} },
	"target":       func() any { return &targetMessage{} },
	"stills":       func() any { return &stillsMessage{} },
	"grant":        func() any { return &grantMessage{} },
	"freeze":       func() any { return &freezeAsked{} },
	"freezing":     func() any { return &freezingTold{} },
	"still":        func() any { return &stillMessage{} },
	"at":           func() any { return &atTold{} },
	"draw":         func() any { return &drawnMessage{} },
	"still-closed": func() any { return &stillClosed{} },
	"gesture":      func() any { return &gestureShown{} },
	"hold":         func() any { return &holdMessage{} },
	"pointer":      func() any { return &pointerMessage{} },
	"ping":         func() any { return &timeMessage{} },
	"pong":         func() any { return &timeMessage{} },
	"waiting":      func() any { return &doorMessage{} },
	"admitted":     func() any { return &doorMessage{} },
	"error":        func() any { return &errorMessage{} },
}
