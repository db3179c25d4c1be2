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
	var roles []pdu.Role
	for _, offer := range rq.Contexts {
		answer := pdu.Context{ID: offer.ID}
		scu, scp, asked := rolesOf(rq, offer.AbstractSyntax)
		answer.Result, answer.TransferSyntaxes = s.judge(rq, offer, scu)
		if answer.Result == pdu.Accepted {
			accepted[offer.ID] = PresentationContext{
				ID: offer.ID, SOPClass: offer.AbstractSyntax,
				TransferSyntax: answer.TransferSyntaxes[0], RequestorSCU: true,
			}
			// The requestor may send to us; we send nothing to it, so its SCP
			// role is declined (PS3.7 annex D.3.3.4).
			role := pdu.Role{SOPClass: offer.AbstractSyntax, SCU: true}
			if asked && (scu || scp) && !slices.Contains(roles, role) {
				roles = append(roles, role)
			}
		}
		ac.Contexts = append(ac.Contexts, answer)
	}
	ac.User.Roles = roles
	return ac, accepted
}

// judge decides on one presentation context.
func (s *Server) judge(rq *pdu.Associate, offer pdu.Context, requestorSCU bool) (pdu.Result, []string) {
	if !s.serves(rq, offer.AbstractSyntax) {
		return pdu.AbstractNotSupported, nil
	}
	if !requestorSCU {
		return pdu.UserRejected, nil
	}
	ts := offer.TransferSyntaxes[0]
	if s.Choose != nil && offer.AbstractSyntax != Verification {
		ts = s.Choose(offer.AbstractSyntax, offer.TransferSyntaxes)
	}
	if !slices.Contains(offer.TransferSyntaxes, ts) {
		return pdu.TransfersNotSupported, nil
	}
	return pdu.Accepted, []string{ts}
}

// serves tells whether we provide a service for the SOP class.
func (s *Server) serves(rq *pdu.Associate, class string) bool {
	if class == Verification {
		return true
	}
	if s.Store == nil {
		return false
	}
	if _, known := StorageName(class); known {
		return true
	}
	if s.UnknownClasses && mayBeStorage(class) {
		return true
	}
	// The peer may say itself that a class is one of storage (PS3.7 annex
	// D.3.3.6).
	return slices.ContainsFunc(rq.User.CommonExtended, func(x pdu.CommonExtended) bool {
		return x.SOPClass == class && x.ServiceClass == storageServiceClass
	})
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
