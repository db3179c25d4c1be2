package dimse

import (
	"slices"

	"sira/dicom/dimse/pdu"
)

// negotiate answers each offered presentation context and role, and gives the
// accepted ones by ID.
func (s *Server) negotiate(rq *pdu.Associate) (*pdu.Associate, map[byte]PresentationContext) {
	ac := &pdu.Associate{
		Answer: true, Version: 1,
		Called: rq.Called, Calling: rq.Calling,
		ApplicationContext: pdu.ApplicationContext,
		User: pdu.UserInfo{
			MaxLength:             s.Limits.withDefaults().PDU,
			ImplementationUID:     ImplementationUID,
			ImplementationVersion: ImplementationVersion,
		},
	}
	accepted := map[byte]PresentationContext{}
	for _, offer := range rq.Contexts {
		answer := pdu.Context{ID: offer.ID}
		var pc PresentationContext
		if answer.Result, pc = s.judge(rq, offer); answer.Result == pdu.Accepted {
			answer.TransferSyntaxes = []string{pc.TransferSyntax}
			accepted[offer.ID] = pc
			s.agree(rq, ac, pc)
		}
		ac.Contexts = append(ac.Contexts, answer)
	}
	return ac, accepted
}

// agree answers, once for each SOP class, what the peer proposes besides the
// context: roles, where it proposes any (PS3.7 annex D.3.3.4), and features.
func (s *Server) agree(rq, ac *pdu.Associate, pc PresentationContext) {
	scu, scp, asked := rolesOf(rq, pc.SOPClass)
	role := pdu.Role{SOPClass: pc.SOPClass, SCU: pc.RequestorSCU, SCP: pc.RequestorSCP}
	if asked && (scu || scp) && !slices.Contains(ac.User.Roles, role) {
		ac.User.Roles = append(ac.User.Roles, role)
	}
	if x := s.extended(rq, pc.SOPClass); x != nil &&
		!slices.ContainsFunc(ac.User.Extended, func(y pdu.Extended) bool { return y.SOPClass == x.SOPClass }) {
		ac.User.Extended = append(ac.User.Extended, *x)
	}
}

// judge decides on one presentation context.
func (s *Server) judge(rq *pdu.Associate, offer pdu.Context) (pdu.Result, PresentationContext) {
	of := s.serviceOf(rq, offer.AbstractSyntax)
	maySCU, maySCP := s.roles(of)
	if !maySCU && !maySCP {
		return pdu.AbstractNotSupported, PresentationContext{}
	}
	scu, scp, _ := rolesOf(rq, offer.AbstractSyntax)
	pc := PresentationContext{
		ID: offer.ID, SOPClass: offer.AbstractSyntax,
		RequestorSCU: scu && maySCU, RequestorSCP: scp && maySCP,
	}
	if !pc.RequestorSCU && !pc.RequestorSCP {
		return pdu.UserRejected, pc
	}
	pc.TransferSyntax = s.chooseSyntax(of, offer)
	if !slices.Contains(offer.TransferSyntaxes, pc.TransferSyntax) {
		return pdu.TransfersNotSupported, pc
	}
	return pdu.Accepted, pc
}

func (s *Server) chooseSyntax(of service, offer pdu.Context) string {
	switch {
	case of == verifies, of == stores && s.Choose == nil:
		return offer.TransferSyntaxes[0]
	case of == stores:
		return s.Choose(offer.AbstractSyntax, offer.TransferSyntaxes)
	}
	for _, ts := range identifierSyntaxes {
		if slices.Contains(offer.TransferSyntaxes, ts) {
			return ts
		}
	}
	return ""
}

// rolesOf gives the roles the requestor proposes for a class; without a
// proposal it is SCU.
func rolesOf(rq *pdu.Associate, class string) (scu, scp, asked bool) {
	for _, r := range rq.User.Roles {
		if r.SOPClass == class {
			return r.SCU, r.SCP, true
		}
	}
	return true, false, false
}

// allows tells whether the allow-list has the peer, and when not, what to
// reject it with: a known title from a wrong address is not recognised either.
func (s *Server) allows(a Association) bool {
	if len(s.Allowed) == 0 {
		return true
	}
	return slices.ContainsFunc(s.Allowed, func(p Peer) bool {
		return (p.AET == "" || p.AET == a.CallingAET) &&
			(!p.Network.IsValid() || p.Network.Contains(a.Remote.Addr()))
	})
}
