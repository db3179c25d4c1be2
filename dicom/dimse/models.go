package dimse

import (
	"slices"

	"sira/dicom/dimse/pdu"
)

// SOP classes of queries, retrievals and storage commitment (PS3.4 annexes C,
// J and K). PatientStudyOnly is retired, and older devices still use it.
const (
	PatientRootFind      = "1.2.840.10008.5.1.4.1.2.1.1"
	PatientRootMove      = "1.2.840.10008.5.1.4.1.2.1.2"
	PatientRootGet       = "1.2.840.10008.5.1.4.1.2.1.3"
	StudyRootFind        = "1.2.840.10008.5.1.4.1.2.2.1"
	StudyRootMove        = "1.2.840.10008.5.1.4.1.2.2.2"
	StudyRootGet         = "1.2.840.10008.5.1.4.1.2.2.3"
	PatientStudyOnlyFind = "1.2.840.10008.5.1.4.1.2.3.1"
	PatientStudyOnlyMove = "1.2.840.10008.5.1.4.1.2.3.2"
	PatientStudyOnlyGet  = "1.2.840.10008.5.1.4.1.2.3.3"
	ModalityWorklistFind = "1.2.840.10008.5.1.4.31"
	StorageCommitment    = "1.2.840.10008.1.20.1"
)

// Level is a Query/Retrieve Level (0008,0052).
type Level string

// The levels of a query, from the top.
const (
	LevelPatient Level = "PATIENT"
	LevelStudy   Level = "STUDY"
	LevelSeries  Level = "SERIES"
	LevelImage   Level = "IMAGE"
)

type service uint8

const (
	noService service = iota
	verifies
	stores
	finds
	lists // modality worklist
	moves
	gets
	commits
)

// model is what a SOP class other than storage stands for.
type model struct {
	service service
	levels  []Level
}

var (
	patientRoot  = []Level{LevelPatient, LevelStudy, LevelSeries, LevelImage}
	studyRoot    = []Level{LevelStudy, LevelSeries, LevelImage}
	patientStudy = []Level{LevelPatient, LevelStudy}
)

var models = map[string]model{
	Verification:         {verifies, nil},
	PatientRootFind:      {finds, patientRoot},
	PatientRootMove:      {moves, patientRoot},
	PatientRootGet:       {gets, patientRoot},
	StudyRootFind:        {finds, studyRoot},
	StudyRootMove:        {moves, studyRoot},
	StudyRootGet:         {gets, studyRoot},
	PatientStudyOnlyFind: {finds, patientStudy},
	PatientStudyOnlyMove: {moves, patientStudy},
	PatientStudyOnlyGet:  {gets, patientStudy},
	ModalityWorklistFind: {lists, nil},
	StorageCommitment:    {commits, nil},
}

// serviceOf gives the service of a SOP class for this server; that of storage
// depends on what the peer says of unknown classes.
func (s *Server) serviceOf(rq *pdu.Associate, class string) service {
	if m, ok := models[class]; ok {
		return m.service
	}
	if _, known := StorageName(class); known || s.UnknownClasses && mayBeStorage(class) {
		return stores
	}
	// The peer may say itself that a class is one of storage (PS3.7 annex
	// D.3.3.6).
	if slices.ContainsFunc(rq.User.CommonExtended, func(x pdu.CommonExtended) bool {
		return x.SOPClass == class && x.ServiceClass == storageServiceClass
	}) {
		return stores
	}
	return noService
}

// roles tells which roles a requestor may have for a service here.
func (s *Server) roles(of service) (scu, scp bool) {
	switch of {
	case verifies:
		return true, false
	case stores:
		return s.Store != nil, s.Retrieve != nil // we send to it in C-GET
	case finds:
		return s.Find != nil, false
	case lists:
		return s.Worklist != nil, false
	case moves:
		return s.Retrieve != nil && s.Nodes != nil, false
	case gets:
		return s.Retrieve != nil, false
	case commits:
		// Some peers report without asking for the provider's role.
		return s.Commit != nil || s.Committed != nil, s.Committed != nil
	}
	return false, false
}

// identifierSyntaxes are those of all data sets but instances, best first.
var identifierSyntaxes = []string{ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian}

// extended answers what a peer offers by SOP class extended negotiation of
// queries and retrievals (PS3.4 sections C.5.1.1, C.5.2.1 and C.5.3.1): one
// byte a feature, both sides must say 1.
func (s *Server) extended(rq *pdu.Associate, class string) *pdu.Extended {
	i := slices.IndexFunc(rq.User.Extended, func(x pdu.Extended) bool { return x.SOPClass == class })
	if i < 0 {
		return nil
	}
	var able []bool
	switch models[class].service {
	case finds:
		able = []bool{s.Queries.Relational, s.Queries.DateTime, s.Queries.Fuzzy}
	case moves, gets:
		able = []bool{s.Queries.Relational}
	default:
		return nil
	}
	answer := &pdu.Extended{SOPClass: class}
	for i, offered := range rq.User.Extended[i].Info {
		if i == maxFeatures {
			break
		}
		yes := i < len(able) && able[i] && offered == 1
		answer.Info = append(answer.Info, map[bool]byte{true: 1}[yes])
	}
	return answer
}

const maxFeatures = 8 // bytes of extended negotiation the standard has, with room
