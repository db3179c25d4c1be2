package dimse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"

	"sira/dicom/dimse/pdu"
)

// DialOptions say what to ask a peer for.
type DialOptions struct {
	AET       string // ours, the calling one
	CalledAET string
	Proposals []Proposal // none asks for Verification
	Limits    Limits     // PDU and Command are used
	Timeouts  Timeouts
	TLS       *tls.Config // nil for plain TCP; ServerName defaults to the host
	Extended  []pdu.Extended
	Identity  *pdu.Identity
}

// Proposal is one presentation context to offer.
type Proposal struct {
	SOPClass         string
	TransferSyntaxes []string
	SCP              bool // ask for the provider's role as well (role selection)
	OnlySCP          bool // with SCP: not for the user's role
}

// Proposals gives the contexts needed to store instances: one for each pair of
// class and transfer syntax, so that the peer cannot choose one that would need
// a conversion. It fails when there are more than 128.
func Proposals(instances ...Meta) ([]Proposal, error) {
	var all []Proposal
	seen := map[Meta]bool{}
	for _, m := range instances {
		m.SOPUID = ""
		if !seen[m] {
			seen[m] = true
			all = append(all, Proposal{SOPClass: m.SOPClass, TransferSyntaxes: []string{m.TransferSyntax}})
		}
	}
	if len(all) > pdu.MaxContexts {
		return nil, fmt.Errorf("%d presentation contexts needed, at most %d: split the instances", len(all), pdu.MaxContexts)
	}
	return all, nil
}

// Dial associates with the peer at addr (host:port). A rejection is a
// *RejectError. ctx bounds the dialling only, besides Timeouts.Association.
func Dial(ctx context.Context, addr string, o DialOptions) (*Client, error) {
	if len(o.Proposals) == 0 {
		o.Proposals = []Proposal{{SOPClass: Verification, TransferSyntaxes: []string{ImplicitVRLittleEndian}}}
	}
	rq, err := o.request()
	if err != nil {
		return nil, err
	}
	limits, timeouts := o.Limits.withDefaults(), o.Timeouts.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, timeouts.Association)
	defer cancel()
	m := machine{requestor: true}
	_, _ = m.step(localAssociate)
	conn, err := connect(ctx, addr, o.TLS)
	if err != nil {
		return nil, fmt.Errorf("dimse: connecting to %s: %w", addr, err)
	}
	_, _ = m.step(connected)
	a := newAssociation(&wire{conn: conn, timeout: timeouts.Message}, true, limits, timeouts)
	a.machine = m
	c := &Client{a: a, proposals: o.Proposals, aet: o.AET, peerAET: o.CalledAET,
		serves: map[uint16]func(PresentationContext, Command) error{}}
	stop := context.AfterFunc(ctx, a.wire.stop)
	err = c.associate(rq)
	if !stop() && err == nil {
		err = a.abort(pdu.Abort{Source: pdu.AbortByUser}, ErrStopped)
	}
	if err != nil {
		return nil, withCause(ctx, err)
	}
	return c, nil
}

func connect(ctx context.Context, addr string, config *tls.Config) (net.Conn, error) {
	if config != nil {
		return (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", addr)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", addr) // TCP_NODELAY is Go's default
}

// withCause adds why ctx ended to an error that came of it.
func withCause(ctx context.Context, err error) error {
	if errors.Is(err, ErrStopped) && ctx.Err() != nil {
		return fmt.Errorf("%w: %w", err, context.Cause(ctx))
	}
	return err
}

func (o DialOptions) request() ([]byte, error) {
	if !pdu.ValidTitle(o.AET) || !pdu.ValidTitle(o.CalledAET) {
		return nil, fmt.Errorf("dimse: AE titles %q and %q: 1 to 16 printable characters each", o.AET, o.CalledAET)
	}
	rq := &pdu.Associate{
		Version: 1, Called: o.CalledAET, Calling: o.AET,
		ApplicationContext: pdu.ApplicationContext,
		User: pdu.UserInfo{
			MaxLength:             o.Limits.withDefaults().PDU,
			ImplementationUID:     ImplementationUID,
			ImplementationVersion: ImplementationVersion,
			Extended:              o.Extended, Identity: o.Identity,
		},
	}
	roles := map[string]bool{}
	for i, p := range o.Proposals {
		rq.Contexts = append(rq.Contexts, pdu.Context{
			ID: byte(2*i + 1), AbstractSyntax: p.SOPClass, TransferSyntaxes: p.TransferSyntaxes,
		})
		if p.SCP && !roles[p.SOPClass] {
			roles[p.SOPClass] = true
			rq.User.Roles = append(rq.User.Roles, pdu.Role{SOPClass: p.SOPClass, SCU: !p.OnlySCP, SCP: true})
		}
	}
	b, err := rq.Append(nil)
	if err != nil {
		return nil, fmt.Errorf("dimse: association request: %w", err)
	}
	return b, nil
}

// associate sends the request and takes the answer.
func (c *Client) associate(rq []byte) error {
	if err := c.a.wire.by(c.a.timeouts.Association); err != nil {
		return c.a.failed(err)
	}
	if err := c.a.write(rq); err != nil {
		return err
	}
	got, err := c.a.receive()
	if err != nil {
		return err
	}
	ac := got.associate
	c.peer = ac.User
	if c.a.sendMax = ac.User.MaxLength; c.a.sendMax != 0 && c.a.sendMax < minPDU {
		return c.a.violation("maximum PDU length %d", c.a.sendMax)
	}
	c.a.contexts = map[byte]PresentationContext{}
	for _, answer := range ac.Contexts {
		if err := c.take(answer); err != nil {
			return err
		}
	}
	return nil
}

// take checks the answer to one proposal and keeps an accepted context.
func (c *Client) take(answer pdu.Context) error {
	i := int(answer.ID-1) / 2
	if i >= len(c.proposals) {
		return c.a.violation("answer to context %d, which was not offered", answer.ID)
	}
	if answer.Result != pdu.Accepted {
		return nil
	}
	p, ts := c.proposals[i], answer.TransferSyntaxes[0]
	if !slices.Contains(p.TransferSyntaxes, ts) {
		return c.a.violation("context %d answered with transfer syntax %s, which was not offered", answer.ID, ts)
	}
	pc := PresentationContext{ID: answer.ID, SOPClass: p.SOPClass, TransferSyntax: ts, RequestorSCU: true}
	for _, r := range c.peer.Roles {
		if r.SOPClass == p.SOPClass && p.SCP {
			pc.RequestorSCU, pc.RequestorSCP = r.SCU, r.SCP
		}
	}
	c.a.contexts[answer.ID] = pc
	c.accepted = append(c.accepted, pc)
	return nil
}
