package dimse

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"
)

// message is one request being served.
type message struct {
	context PresentationContext
	command Command
	data    *dataSet // nil when none follows
	event   Event
	// finish, when set, completes the final response and gives its data set.
	finish func(*Command) []byte
	// after, when set, runs once the response was sent, or failed to be.
	after func(error)
}

// services gives the provider of each request. A provider answers with its
// status and a comment. It runs in the association's goroutine and may
// send pending responses itself.
var services = map[uint16]func(*serving, context.Context, *message) (status uint16, comment string){
	fieldEcho:  (*serving).echo,
	fieldStore: (*serving).store,
	fieldFind:  (*serving).find,
	fieldMove:  (*serving).move,
	fieldGet:   (*serving).get,

	fieldAction: (*serving).action,
	fieldReport: (*serving).eventReport,
}

// serveMessage reads one request and answers it. An error ends the association.
func (v *serving) serveMessage(ctx context.Context) error {
	patience := v.timeouts.Idle
	if v.reporting != nil {
		patience = v.timeouts.Message
	} else if err := v.attend(); err != nil {
		return err
	} else if v.reporting != nil {
		return nil
	}
	pc, command, err := v.readCommand(patience)
	if err != nil {
		return err
	}
	m := &message{context: pc, command: command, event: Event{Kind: EventRefused, SOPClass: pc.SOPClass, TransferSyntax: pc.TransferSyntax}}
	field := command.field()
	if v.answered(command) {
		return nil
	}
	if _, ok := command.uint16(tagMessageID); !ok && field != fieldCancel {
		return v.violation("command %#04x without message ID", field)
	}
	if field == fieldCancel {
		return nil // what it would cancel has been answered already
	}
	if field&responseBit != 0 {
		return v.violation("response %#04x to no request", field)
	}
	if command.hasData() {
		m.data = v.data(pc.ID)
	}
	return v.answer(ctx, m)
}

func (v *serving) answer(ctx context.Context, m *message) error {
	start := time.Now()
	status, comment := StatusUnrecognized, "operation not supported"
	if provide, ok := services[m.command.field()]; ok {
		status, comment = provide(v, ctx, m)
	}
	err := v.respond(m, status, comment)
	if m.after != nil {
		m.after(err)
	}
	m.event.Status, m.event.Detail, m.event.Took = status, comment, time.Since(start)
	if m.data != nil {
		m.event.Bytes = m.data.n
	}
	if err != nil {
		m.event.Detail = err.Error()
		if !StatusFailed(status) && m.data != nil && m.data.err != nil {
			m.event.Status = StatusProcessingFailure // it did not come whole
		}
	}
	v.tell(m.event)
	return err
}

// respond sends the response once all of the request has been read.
func (v *serving) respond(m *message, status uint16, comment string) error {
	if m.data != nil {
		if err := m.data.drain(); err != nil {
			return err
		}
	}
	rsp := m.command.response(status, comment)
	var b []byte
	if m.finish != nil {
		b = m.finish(&rsp)
	}
	return v.sendMessage(m.context, rsp, b)
}

// echo is C-ECHO (PS3.7 section 9.1.5).
func (v *serving) echo(_ context.Context, m *message) (uint16, string) {
	if m.context.SOPClass != Verification {
		return StatusClassNotSupported, "not in this presentation context"
	}
	m.event.Kind = EventEcho
	return StatusSuccess, ""
}

// store is C-STORE (PS3.7 section 9.1.1).
func (v *serving) store(ctx context.Context, m *message) (status uint16, comment string) {
	class, errClass := m.command.uid(tagAffectedClass)
	instance, errInstance := m.command.uid(tagAffectedInstance)
	m.event.SOPUID = instance
	switch {
	case !v.takesInstances(m.context):
		return StatusClassNotSupported, "not in this presentation context"
	case errClass != nil || errInstance != nil:
		return StatusInvalidInstance, "invalid UID"
	case class == "" || instance == "":
		return StatusMissingAttribute, "no SOP class or instance UID"
	case class != m.context.SOPClass:
		return StatusDataSetMismatch, "SOP class is not that of the presentation context"
	case m.data == nil:
		return StatusMissingAttribute, "no data set"
	}
	m.event.Kind = EventStore
	return v.callStore(ctx, m, StoreRequest{
		CallingAET: v.info.CallingAET, CalledAET: v.info.CalledAET,
		SOPClass: class, SOPUID: instance,
		TransferSyntax: m.context.TransferSyntax,
		Data:           m.data, Association: v.info,
		MoveOriginator: m.command.title(tagMoveOriginator),
		MoveMessageID:  first(m.command.uint16(tagMoveOriginatorMsgID)),
	})
}

// takesInstances tells whether the peer may store in a context.
func (v *serving) takesInstances(pc PresentationContext) bool {
	_, other := models[pc.SOPClass]
	return !other && pc.RequestorSCU && v.server.Store != nil
}

func first(v uint16, _ bool) uint16 { return v }

// callStore shields the server from a callback that panics. A callback that
// says success without having read to the end is not believed when the rest
// does not come: respond fails then.
func (v *serving) callStore(ctx context.Context, m *message, req StoreRequest) (status uint16, comment string) {
	defer func() {
		if r := recover(); r != nil {
			v.server.log().Error("dimse: store callback panicked",
				"association", v.info.ID, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			status, comment = StatusProcessingFailure, "internal error"
		}
	}()
	return v.server.Store(ctx, req), ""
}
