package dimse

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"sira/dicom/dimse/pdu"
)

// Client is an association this side asked for. Its methods may be called from
// several goroutines; messages go one after the other. When a method fails with
// anything but a *StatusError, ErrNoContext or ErrNotPart10, the association is
// over.
type Client struct {
	mu        sync.Mutex
	a         *association
	proposals []Proposal
	accepted  []PresentationContext
	peer      pdu.UserInfo
	aet       string // ours
	peerAET   string
	messageID uint16

	// What the peer may ask for, by command field; set within an exchange.
	serves map[uint16]func(PresentationContext, Command) error
	// Reports of storage commitment that came during other exchanges.
	commits []CommitResult
}

// Contexts gives the presentation contexts the peer accepted.
func (c *Client) Contexts() []PresentationContext { return slices.Clone(c.accepted) }

// Peer gives the peer's user information.
func (c *Client) Peer() pdu.UserInfo { return c.peer }

// Echo is C-ECHO (PS3.7 section 9.1.5).
func (c *Client) Echo(ctx context.Context) error {
	pc, ok := c.find(func(pc PresentationContext) bool { return pc.SOPClass == Verification })
	if !ok {
		return fmt.Errorf("%w: verification", ErrNoContext)
	}
	status := uint16(0)
	err := c.do(ctx, func() error {
		var rq Command
		rq.setUID(tagAffectedClass, Verification)
		rq.setUint16(tagCommandField, fieldEcho)
		rq.setUint16(tagMessageID, c.nextID())
		rq.setUint16(tagDataSetType, noDataSet)
		if err := c.a.sendCommand(pc.ID, rq.Encode()); err != nil {
			return err
		}
		var err error
		status, err = c.response(pc.ID, rq)
		return err
	})
	if err == nil && status != StatusSuccess {
		err = &StatusError{Status: status}
	}
	return err
}

// Store sends one DICOM file (PS3.10) as it comes from r, without conversion
// (PS3.7 section 9.1.1); only an odd deflated data set gets the byte it lacks.
// It answers the status, which may be a warning; a failure is a *StatusError too. Before anything is sent it fails with
// ErrNotPart10, or with ErrNoContext when the peer accepted no context for the
// file's class and transfer syntax.
func (c *Client) Store(ctx context.Context, r io.Reader) (status uint16, err error) {
	return c.store(ctx, r, origin{}, nil)
}

// origin names the C-MOVE an instance is sent for; zero for none.
type origin struct {
	aet       string
	messageID uint16
}

// storeRequest is the command set of C-STORE.
func storeRequest(m Meta, id uint16, o origin) Command {
	var rq Command
	rq.setUID(tagAffectedClass, m.SOPClass)
	rq.setUint16(tagCommandField, fieldStore)
	rq.setUint16(tagMessageID, id)
	rq.setUint16(tagPriority, 0)
	rq.setUint16(tagDataSetType, withDataSet)
	rq.setUID(tagAffectedInstance, m.SOPUID)
	if o.aet != "" {
		rq.setText(tagMoveOriginator, o.aet, ' ')
		rq.setUint16(tagMoveOriginatorMsgID, o.messageID)
	}
	return rq
}

// store is Store with what a C-MOVE adds: its origin, and a check of the file.
func (c *Client) store(ctx context.Context, r io.Reader, o origin, check func(Meta) error) (status uint16, err error) {
	br := bufio.NewReaderSize(r, 4096) // larger reads pass it by
	meta, err := ReadMeta(br)
	if err == nil && check != nil {
		err = check(meta)
	}
	if err != nil {
		return 0, err
	}
	pc, ok := c.find(func(pc PresentationContext) bool {
		return pc.SOPClass == meta.SOPClass && pc.TransferSyntax == meta.TransferSyntax && pc.RequestorSCU
	})
	if !ok {
		return 0, fmt.Errorf("%w: class %s in %s", ErrNoContext, meta.SOPClass, meta.TransferSyntax)
	}
	err = c.do(ctx, func() error {
		rq := storeRequest(meta, c.nextID(), o)
		if err := c.a.sendCommand(pc.ID, rq.Encode()); err != nil {
			return err
		}
		if err := c.a.sendData(pc.ID, evened(br, meta.TransferSyntax)); err != nil {
			return err
		}
		var err error
		status, err = c.response(pc.ID, rq)
		return err
	})
	return status, err
}

// evened adds the zero byte a deflated data set of odd length must end with
// (PS3.5 annex A.5) and some files lack: peers refuse odd fragments.
func evened(r io.Reader, transferSyntax string) io.Reader {
	if transferSyntax != DeflatedLittleEndian {
		return r
	}
	return &evenReader{r: r}
}

type evenReader struct {
	r   io.Reader
	odd bool
}

func (e *evenReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := e.r.Read(p)
	e.odd = e.odd != (n%2 == 1)
	if err != io.EOF || !e.odd {
		return n, err
	}
	if n < len(p) {
		p[n], e.odd = 0, false
		n++
	}
	return n, nil // the next read gives the end
}

func (c *Client) find(fits func(PresentationContext) bool) (PresentationContext, bool) {
	i := slices.IndexFunc(c.accepted, fits)
	if i < 0 {
		return PresentationContext{}, false
	}
	return c.accepted[i], true
}

// do runs one exchange; when ctx ends, the association is aborted.
func (c *Client) do(ctx context.Context, exchange func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if c.a.over != nil {
		return c.a.over
	}
	defer context.AfterFunc(ctx, c.a.wire.stop)()
	return withCause(ctx, exchange())
}

func (c *Client) nextID() uint16 {
	c.messageID++
	return c.messageID
}

// response reads the answer to rq; a failure status is a *StatusError.
func (c *Client) response(context byte, rq Command) (uint16, error) {
	rsp, err := c.reply(rq)
	if err != nil {
		return 0, err
	}
	status, _ := rsp.uint16(tagStatus)
	if rsp.hasData() {
		if err := c.a.data(context).drain(); err != nil {
			return 0, err
		}
	}
	if StatusFailed(status) {
		return status, &StatusError{Status: status, Comment: rsp.comment()}
	}
	return status, nil
}

// Release ends the association in order (A-RELEASE). nil means that the peer
// agreed, or had asked for it itself.
func (c *Client) Release(ctx context.Context) error {
	err := c.do(ctx, c.a.release)
	if errors.Is(err, ErrReleased) {
		return nil
	}
	return err
}

// Abort ends the association at once (A-ABORT) when it still stands. A method
// under way fails.
func (c *Client) Abort() {
	c.a.wire.stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.a.abort(pdu.Abort{Source: pdu.AbortByUser}, ErrStopped)
}
