package dimse

import (
	"cmp"
	"slices"
)

// Offer is a SOP class in the roles that a Server has for it.
type Offer struct {
	UID, Name string
	Storage   bool
	SCP, SCU  bool // ours: SCU where the association's requestor may be provider
	Levels    []Level
}

// modelNames are those of PS3.6 table A-1.
var modelNames = map[string]string{
	Verification:         "Verification",
	PatientRootFind:      "Patient Root Query/Retrieve Information Model - FIND",
	PatientRootMove:      "Patient Root Query/Retrieve Information Model - MOVE",
	PatientRootGet:       "Patient Root Query/Retrieve Information Model - GET",
	StudyRootFind:        "Study Root Query/Retrieve Information Model - FIND",
	StudyRootMove:        "Study Root Query/Retrieve Information Model - MOVE",
	StudyRootGet:         "Study Root Query/Retrieve Information Model - GET",
	PatientStudyOnlyFind: "Patient/Study Only Query/Retrieve Information Model - FIND (Retired)",
	PatientStudyOnlyMove: "Patient/Study Only Query/Retrieve Information Model - MOVE (Retired)",
	PatientStudyOnlyGet:  "Patient/Study Only Query/Retrieve Information Model - GET (Retired)",
	ModalityWorklistFind: "Modality Worklist Information Model - FIND",
	StorageCommitment:    "Storage Commitment Push Model",
}

// Offers lists the SOP classes that s takes, as negotiation does: those of the
// services first, then storage by UID.
func (s *Server) Offers() []Offer {
	var out []Offer
	add := func(uid, name string, of service, levels []Level) {
		scu, scp := s.roles(of)
		if scu || scp {
			out = append(out, Offer{UID: uid, Name: name, Storage: of == stores, SCP: scu, SCU: scp, Levels: levels})
		}
	}
	for uid, m := range models {
		add(uid, modelNames[uid], m.service, m.levels)
	}
	for uid, name := range storageClasses() {
		add(uid, name, stores, nil)
	}
	slices.SortFunc(out, func(a, b Offer) int {
		return cmp.Or(cmp.Compare(b2i(a.Storage), b2i(b.Storage)), compareUID(a.UID, b.UID))
	})
	return out
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// compareUID orders UIDs by their components as numbers.
func compareUID(a, b string) int {
	x, y := uidParts(a), uidParts(b)
	return slices.Compare(x, y)
}

func uidParts(uid string) (parts []int) {
	n := 0
	for i := range len(uid) {
		if uid[i] == '.' {
			parts, n = append(parts, n), 0
		} else {
			n = n*10 + int(uid[i]-'0')
		}
	}
	return append(parts, n)
}

// IdentifierSyntaxes are the transfer syntaxes of queries, worklists and
// commitments, the preferred one first.
func IdentifierSyntaxes() []string { return slices.Clone(identifierSyntaxes) }

// Effective gives the limits that hold where fields are zero.
func (l Limits) Effective() Limits { return l.withDefaults() }

// Effective gives the time-outs that hold where fields are zero.
func (t Timeouts) Effective() Timeouts { return t.withDefaults() }
