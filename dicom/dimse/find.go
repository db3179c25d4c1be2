package dimse

import (
	"context"
	"errors"
	"slices"

	"sira/dicom/dimse/identifier"
)

// FindRequest is one C-FIND. Keys are those of the request, with the level but
// without the character set; answers need not be shaped after them.
type FindRequest struct {
	CallingAET, CalledAET string
	Association           Association
	SOPClass              string // the information model
	Level                 Level  // "" for a worklist
	Keys                  *identifier.Set

	// What was negotiated: Match may go by Options, and Relational queries
	// need not name the entities above their level.
	Options    identifier.Options
	Relational bool
}

// Matches tells whether a candidate satisfies the request's keys.
func (r FindRequest) Matches(candidate *identifier.Set) bool {
	return identifier.Match(r.Keys, candidate, r.Options)
}

// FindFunc answers a query: it calls answer for each match, in any order but
// one after the other, and returns nil after the last. answer sends the attributes that were asked for,
// and blocks while the peer reads slowly. When it fails, the peer has cancelled
// (ctx ends too) or is gone, or there are too many matches: return then. A
// *StatusError becomes the status of the response; any other error is "unable
// to process" for the peer, and its text goes to the log only.
type FindFunc func(ctx context.Context, req FindRequest, answer func(match *identifier.Set) error) error

// QueryFeatures are what a server's Find can do beyond the baseline; a peer
// that wants them negotiates them (PS3.4 section C.5.1.1).
type QueryFeatures struct{ Relational, DateTime, Fuzzy bool }

// find is C-FIND (PS3.7 section 9.1.2; PS3.4 sections C.4.1 and K.4.1).
func (v *serving) find(ctx context.Context, m *message) (uint16, string) {
	model := models[m.context.SOPClass]
	provide := v.server.Find
	m.event.Kind = EventFind
	if model.service == lists {
		provide, m.event.Kind = v.server.Worklist, EventWorklist
	}
	status, comment := v.fits(m, finds, lists)
	if status == StatusSuccess && provide == nil {
		status, comment = StatusClassNotSupported, "no such service"
	}
	if status != StatusSuccess {
		m.event.Kind = EventRefused
		return status, comment
	}
	keys, status, comment := v.identifier(m)
	if status != StatusSuccess {
		return status, comment
	}
	req := FindRequest{
		CallingAET: v.info.CallingAET, CalledAET: v.info.CalledAET, Association: v.info,
		SOPClass: m.context.SOPClass, Keys: keys, Level: Level(keys.String(identifier.QueryRetrieveLevel)),
	}
	if model.service == finds {
		if !slices.Contains(model.levels, req.Level) {
			return StatusDataSetMismatch, "query level not in this information model"
		}
		features := append(v.features[req.SOPClass], 0, 0, 0)
		req.Relational = features[0] == 1
		req.Options = identifier.Options{DateTime: features[1] == 1, Fuzzy: features[2] == 1}
	}
	m.event.Level = req.Level
	return v.answerQuery(ctx, m, req, provide)
}

// fits tells whether a request came in a presentation context of its service.
func (v *serving) fits(m *message, of ...service) (uint16, string) {
	class, err := m.command.uid(tagAffectedClass)
	switch {
	case !slices.Contains(of, models[m.context.SOPClass].service) || !m.context.RequestorSCU:
		return StatusClassNotSupported, "not in this presentation context"
	case err != nil || class != m.context.SOPClass:
		return StatusClassNotSupported, "SOP class is not that of the presentation context"
	}
	return StatusSuccess, ""
}

var errTooManyAnswers = errors.New("dimse: too many matches")

func (v *serving) answerQuery(ctx context.Context, m *message, req FindRequest, provide FindFunc) (uint16, string) {
	ctx, cancel := context.WithTimeout(ctx, v.timeouts.Query)
	defer cancel()
	id, _ := m.command.uint16(tagMessageID)
	op := v.newOperation(id)
	pending := m.command.response(StatusPending, "")
	var refusal error // of answer, whatever the callback makes of it
	if err := op.run(ctx, func(ctx context.Context) error {
		ctx, release := op.untilCancelled(ctx)
		defer release()
		return provide(ctx, req, func(match *identifier.Set) error {
			if m.event.Answers == v.limits.Answers {
				refusal = errTooManyAnswers
				return refusal
			}
			b, err := v.shape(req, match).Encode(m.context.TransferSyntax)
			if err != nil {
				return err
			}
			if err = op.do(ctx, func() error { return v.sendMessage(m.context, pending, b) }); err != nil {
				refusal = err
				return err
			}
			m.event.Answers++
			return nil
		})
	}); err != nil {
		return StatusProcessingFailure, err.Error()
	}
	return v.outcome(ctx, op, refusal)
}

// shape gives the answer as it is sent: with the attributes asked for, the
// level, and our title as the place to retrieve from.
func (v *serving) shape(req FindRequest, match *identifier.Set) *identifier.Set {
	out := identifier.Answer(req.Keys, match)
	if req.Level != "" {
		out.Put(identifier.QueryRetrieveLevel, string(req.Level))
		if match.String(identifier.RetrieveAETitle) == "" && v.server.Retrieve != nil {
			out.Put(identifier.RetrieveAETitle, v.info.CalledAET)
		}
	}
	return out
}

// outcome is the status after an operation's work, while the association
// stands.
func (v *serving) outcome(ctx context.Context, op *operation, refusal error) (uint16, string) {
	var status *StatusError
	switch err := op.err; {
	case op.isCancelled() && (err != nil || refusal != nil):
		return StatusCancel, ""
	case errors.Is(refusal, errTooManyAnswers):
		return StatusOutOfResources, "too many matches: narrow the query"
	case ctx.Err() != nil:
		return StatusOutOfResources, "took too long"
	case err == nil && refusal == nil:
		return StatusSuccess, ""
	case errors.As(err, &status):
		return status.Status, status.Comment
	default:
		v.server.log().Error("dimse: callback failed", "association", v.info.ID, "err", err)
	}
	return StatusCannotUnderstand, "unable to process"
}
