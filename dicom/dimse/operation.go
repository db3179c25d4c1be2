package dimse

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// watcher tells when the peer says something, while its association's goroutine
// is free to write. Only Peek runs beside that goroutine, and nobody else reads
// meanwhile.
type watcher struct {
	a        *association
	patience time.Duration // 0: without end
	arrived  chan error    // nil: something is there to read
	armed    bool
}

func (a *association) watch() *watcher { return a.watchFor(0) }

// watchFor watches an association at rest for a time, as rest does.
func (a *association) watchFor(patience time.Duration) *watcher {
	w := &watcher{a: a, patience: patience, arrived: make(chan error, 1)}
	w.arm()
	return w
}

func (w *watcher) arm() {
	a := w.a
	if a.over != nil {
		return
	}
	w.armed = true
	if a.dataLeft > 0 || a.in.Buffered() > 0 {
		w.arrived <- nil
		return
	}
	begin := a.wire.vigil
	if w.patience > 0 {
		begin = func() error { return a.wire.rest(w.patience) }
	}
	if err := begin(); err != nil {
		w.arrived <- err
		return
	}
	go func() {
		_, err := a.in.Peek(1)
		w.arrived <- err
	}()
}

// disarm waits until nobody reads. What came meanwhile stays in the buffer, and
// an error of the connection comes again to the next reader.
func (w *watcher) disarm() {
	if w.armed {
		w.a.wire.interrupt()
		<-w.arrived
		w.armed = false
	}
}

// operation is a request that takes its time: a query, a retrieval. Its work
// runs in a goroutine of its own and hands what it has to say to the
// association's goroutine, which says it and listens to the peer: to C-CANCEL,
// to answers to sub-operations, to the end of the association. Each piece is
// written before the work goes on, so a slow peer slows the work down.
type operation struct {
	a         *association
	id        uint16 // of the request
	calls     chan call
	cancelled chan struct{} // closed by C-CANCEL
	awaited   uint16        // message ID of the sub-operation under way, 0 when none
	replies   chan Command  // the answer to it
	// answered, when set, is asked whether a response is one to something sent
	// before the operation.
	answered func(Command) bool
	ended    chan struct{} // closed when run returns
	err      error         // of the work
}

type call struct {
	do     func() error
	result chan error
}

// errCancelled is the cause of the work's context after C-CANCEL.
var errCancelled = errors.New("dimse: cancelled by the peer")

func (a *association) operation(id uint16) *operation {
	return &operation{
		a: a, id: id, calls: make(chan call),
		cancelled: make(chan struct{}), ended: make(chan struct{}), replies: make(chan Command, 1),
	}
}

// run lets work run to its end; op.err is what it returned. An error of run
// means that the association is over.
func (op *operation) run(ctx context.Context, work func(ctx context.Context) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	defer close(op.ended)
	done := make(chan struct{})
	go func() {
		defer close(done)
		op.err = shielded(func() error { return work(ctx) })
	}()
	w := op.a.watch()
	defer w.disarm()
	for {
		select {
		case c := <-op.calls:
			err := op.a.over
			if err == nil {
				err = c.do()
			}
			c.result <- err
		case err := <-w.arrived:
			w.armed = false
			if err != nil {
				_ = op.a.failed(err)
			} else if op.take() == nil {
				w.arm()
			}
		case <-done:
			return op.a.over
		}
		if op.a.over != nil {
			stop(op.a.over)
		}
	}
}

var errOperationOver = errors.New("dimse: the operation is over")

// do runs f in the association's goroutine. Only the work may call it.
func (op *operation) do(ctx context.Context, f func() error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	c := call{f, make(chan error, 1)}
	select {
	case op.calls <- c:
		return <-c.result
	case <-op.ended: // a callback that left something running behind it
		return errOperationOver
	}
}

func (op *operation) isCancelled() bool {
	select {
	case <-op.cancelled:
		return true
	default:
		return false
	}
}

// take reads what the peer says during the operation.
func (op *operation) take() error {
	_, c, err := op.a.readCommand(op.a.timeouts.Message)
	if err != nil {
		return err
	}
	to, _ := c.uint16(tagRespondedTo)
	switch field := c.field(); {
	case c.hasData():
		return op.a.violation("command %#04x with a data set during an operation", field)
	case field == fieldCancel:
		if to == op.id && !op.isCancelled() {
			close(op.cancelled)
		}
	case field == fieldStore|responseBit && op.awaited != 0 && to == op.awaited:
		op.awaited = 0
		op.replies <- c
	case field&responseBit != 0 && op.answered != nil && op.answered(c):
	default:
		return op.a.violation("command %#04x during an operation", field)
	}
	return nil
}

// untilCancelled gives a context for the part of the work that C-CANCEL may
// interrupt anywhere.
func (op *operation) untilCancelled(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	over := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-op.cancelled:
			cancel(errCancelled)
		case <-over:
		}
	}()
	return ctx, func() { close(over); <-ended; cancel(nil) }
}

// errPanic is a callback that panicked.
var errPanic = errors.New("dimse: callback panicked")

func shielded(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, r, debug.Stack())
		}
	}()
	return f()
}
