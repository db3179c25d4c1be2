package cases

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// Bounds of one call of Decode.
const (
	maxBatch      = 200      // events
	maxBatchBytes = 16 << 20 // of JSON
	maxDataBytes  = 2 << 20  // of one event's data: three full texts of four-byte runes escaped, and room
)

// Decode reads {"events":[…]} as clients send it. It is strict: unknown fields,
// unknown event types, trailing bytes, invalid UTF-8 (RFC 3629), lone surrogate
// escapes and control characters are refused. The data it gives is normalised:
// one spelling for one meaning. Errors are *UserError.
func Decode(raw []byte) ([]NewEvent, error) {
	if len(raw) > maxBatchBytes {
		return nil, refuse("too-large", "", "max", fmt.Sprint(maxBatchBytes))
	}
	var batch struct {
		Events []NewEvent `json:"events"`
	}
	if err := strictJSON(raw, &batch); err != nil {
		return nil, err
	}
	if len(batch.Events) == 0 {
		return nil, refuse("empty", "events")
	}
	if len(batch.Events) > maxBatch {
		return nil, refuse("too-many-events", "events", "max", fmt.Sprint(maxBatch))
	}
	for i, ev := range batch.Events {
		normal, data, err := normalise(ev)
		if d, ok := data.(*CallLeftData); ok && err == nil && !d.empty() {
			err = refuse("server-only", "data")
		}
		if err != nil {
			return nil, within(fmt.Sprintf("events[%d]", i), err)
		}
		batch.Events[i] = normal
	}
	return batch.Events, nil
}

// normalise checks one event on its own and gives it with its data in the one
// spelling that is stored and hashed, and the data itself.
func normalise(ev NewEvent) (NewEvent, any, error) {
	if !isUUID(ev.ID) {
		return ev, nil, refuse("bad-id", "id")
	}
	if len(ev.Data) > maxDataBytes {
		return ev, nil, refuse("too-large", "data", "max", fmt.Sprint(maxDataBytes))
	}
	data := newData(ev.Type)
	if data == nil {
		return ev, nil, refuse("unknown-type", "type")
	}
	if len(ev.Data) == 0 || string(ev.Data) == "null" {
		ev.Data = json.RawMessage("{}")
	}
	if err := strictJSON(ev.Data, data); err != nil {
		return ev, nil, within("data", err)
	}
	if err := data.check(); err != nil {
		return ev, nil, within("data", err)
	}
	normal, err := encode(data)
	if err != nil {
		return ev, nil, refuse("bad-json", "data")
	}
	ev.Data = normal
	return ev, data, nil
}

// eventData is what every kind of data can do: check itself, and bring itself
// into its normal form while at it.
type eventData interface{ check() error }

// noData is the data of events that say all by their type.
type noData struct{}

// newData gives an empty struct for the data of a type, nil for unknown types.
func newData(t EventType) eventData {
	switch t {
	case Opened:
		return new(OpenedData)
	case AttachmentAdded:
		return new(AttachmentData)
	case MessagePosted, ClarificationAsked, ClarificationAnswered:
		return new(TextData)
	case Assigned:
		return new(AssignedData)
	case OpinionGiven:
		return new(OpinionData)
	case Closed:
		return new(ClosedData)
	case Reopened, Cancelled:
		return new(ReasonData)
	case ProcedureScheduled:
		return new(ScheduledData)
	case ProcedureCancelled:
		return new(UnscheduledData)
	case KeyImageMarked, KeyImageUnmarked:
		return new(KeyImageData)
	case StillDrawn:
		return new(StillDrawnData)
	case CallJoined:
		return new(noData)
	case CallLeft:
		return new(CallLeftData)
	}
	return nil
}

// encode writes data as it is stored: no HTML escapes, no line end.
func encode(data any) (json.RawMessage, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(data); err != nil {
		return nil, fmt.Errorf("encoding event data: %w", err)
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}

// strictJSON reads exactly one value without unknown fields.
func strictJSON(raw []byte, into any) error {
	if !utf8.Valid(raw) || loneSurrogate(raw) {
		return refuse("invalid-utf8", "")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return refuse("bad-json", wrong.Field)
		}
		return refuse("bad-json", "")
	}
	if _, err := dec.Token(); err != io.EOF {
		return refuse("bad-json", "")
	}
	return nil
}

// loneSurrogate finds \uD800 to \uDFFF that is no half of a pair, which
// encoding/json would silently replace. raw need not be well-formed.
func loneSurrogate(raw []byte) bool {
	high := false // the last escape was a high half, right before i
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			if high {
				return true
			}
			continue
		}
		unit, ok := unicodeEscape(raw[i:])
		switch isLow := ok && unit >= 0xDC00 && unit <= 0xDFFF; {
		case high != isLow:
			return true
		case isLow:
			high = false
		default:
			high = ok && unit >= 0xD800 && unit <= 0xDBFF
		}
		if ok {
			i += 5
		} else {
			i++ // skips what is escaped, a second backslash above all
		}
	}
	return high
}

// unicodeEscape reads \uXXXX at the start of raw.
func unicodeEscape(raw []byte) (unit uint32, ok bool) {
	if len(raw) < 6 || raw[1] != 'u' {
		return 0, false
	}
	for _, c := range raw[2:6] {
		unit <<= 4
		switch {
		case c >= '0' && c <= '9':
			unit |= uint32(c - '0')
		case c >= 'a' && c <= 'f':
			unit |= uint32(c-'a') + 10
		case c >= 'A' && c <= 'F':
			unit |= uint32(c-'A') + 10
		default:
			return 0, false
		}
	}
	return unit, true
}
