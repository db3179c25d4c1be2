package conformance

import (
	"fmt"
	"slices"
	"strings"

	"sira/dicom"
	"sira/dicom/dimse"
	"sira/dicom/index"
	"sira/dicom/pixel"
	"sira/dicom/transcode"
	"sira/web/devices"
)

// asked are the services that an operator asks other entities for.
var asked = map[string]bool{dimse.Verification: true, dimse.StudyRootFind: true, dimse.PatientRootFind: true, dimse.ModalityWorklistFind: true,
	dimse.StudyRootMove: true, dimse.PatientRootMove: true}

func (s *statement) overview() {
	s.b.WriteString("# DICOM conformance statement\n\n")
	s.text(`Written by ` + "`sira dicom conformance`" + ` from the tables that the program works by, in the order of PS3.2 annex A; a test holds this page to it.`)
	s.heading(2, "1 Overview")
	s.text(`Sira is a telemedicine platform with an image archive: it takes objects in from devices, archives and browsers, keeps their bytes, finds them and gives them out by DICOM messages and DICOMweb, and offers devices their worklist.`)
	var rows [][]string
	storage := 0
	for _, o := range s.server.Offers() {
		if o.Storage {
			storage++
			continue
		}
		rows = append(rows, []string{o.Name, o.UID, roles(o.SCU || asked[o.UID], o.SCP)})
	}
	rows = append(rows, []string{fmt.Sprintf("Storage: the %d SOP classes of section 8, private ones and those of newer editions", storage), "section 8", "SCP, SCU"})
	s.table([]string{"Network service", "SOP class UID", "Role"}, rows)
	s.table([]string{"DICOMweb service", "Role"}, [][]string{{"QIDO-RS, search", "Origin server"}, {"WADO-RS, retrieve, metadata, frames, bulk data, rendered", "Origin server"}, {"STOW-RS, store", "Origin server"}})
}

func (s *statement) introduction() {
	s.heading(2, "2 Introduction")
	s.text(`For those who connect devices, archives and viewers. That both statements agree does not prove that two systems work together: the peers that are tested at each change are dcmtk (echoscu, storescu, storescp, dcmsend, findscu, movescu, getscu, dcmqrscp, wlmscpfs), Orthanc with its DICOMweb plugin, dicomweb-client and OHIF. AE: application entity; SCU, SCP: service class user, provider; PS3.x: the part of the DICOM standard.`)
}

func (s *statement) model() {
	s.heading(2, "3 Networking")
	s.heading(3, "3.1 Implementation model")
	s.text(`One AE does everything. A device associates and verifies, stores, asks for its worklist or for commitment; a workstation or archive queries and retrieves. What is stored is attached to the case it belongs to, or waits in a tray for a person. A C-STORE is answered after the object's bytes and its index entry are durable, and not before; until then nobody sees any of it. For C-MOVE and for commitment reports the AE associates with other AEs itself, and with ` + "`sira dicom echo|find|move|send`" + ` an operator does.`)
}

func (s *statement) acceptance() {
	l, t := s.server.Limits.Effective(), s.server.Timeouts.Effective()
	s.heading(3, "3.2 AE specification")
	s.heading(4, "3.2.1 Association policies")
	s.table([]string{"What", "Value"}, [][]string{
		{"Application context", "1.2.840.10008.3.1.1.1"},
		{"Implementation class UID", dimse.ImplementationUID},
		{"Implementation version name", dimse.ImplementationVersion},
		{"Maximum PDU size received", fmt.Sprint(l.PDU)},
		{"Maximum PDU size sent", "as the peer says"},
		{"Associations at once", fmt.Sprintf("%d, %d from one address", l.Associations, l.PerAddress)},
		{"Asynchronous operations window", "not negotiated: one at a time, C-CANCEL aside"},
		{"SOP class extended negotiation", fmt.Sprintf("queries: relational %s, combined date and time %s, fuzzy names %s; retrievals: relational %s",
			yes(s.server.Queries.Relational), yes(s.server.Queries.DateTime), yes(s.server.Queries.Fuzzy), yes(s.server.Queries.Relational))},
		{"SCP/SCU role selection", "accepted, for C-GET and commitment"},
		{"User identity negotiation", "not used"},
		{"Time for an association to be agreed", t.Association.String()},
		{"Time without a byte inside a message", t.Message.String()},
		{"Time at rest between messages", t.Idle.String()},
		{"Longest query, longest retrieval", t.Query.String() + ", " + t.Retrieve.String()},
	})
	s.text(`An association is rejected when the called AE title is another (rejected-permanent, called AE title not recognized), when AE title and address are not on a list of the configuration (calling AE title not recognized), and when there are too many (rejected-transient, local limit exceeded). Each presentation context is answered by itself. Storage contexts are accepted in the first transfer syntax offered, whatever it is, known or not; a peer that offers one context for each syntax decides what is sent. Queries, worklists and commitment take, the preferred one first:`)
	s.syntaxes(dimse.IdentifierSyntaxes())
}

func (s *statement) storage() {
	s.heading(4, "3.2.2 Verification and storage, SCP")
	s.text(`Storage level 2 (full): every attribute, private ones included, is kept, and the bytes of the data set are those that came. No attribute is coerced. An object that comes again is answered with success and kept once; another data set under a UID that is known is kept apart, answered with 0x0111 and decided about by a person. Up to %d bytes of text in one element, %d nested sequences and %d elements are read; what goes beyond is refused.`,
		dicom.DefaultLimits.ElementBytes, dicom.DefaultLimits.Depth, dicom.DefaultLimits.Elements)
	s.table([]string{"Status", "Meaning"}, [][]string{
		status(dimse.StatusSuccess, "durable, indexed, and noted for its case or the tray"),
		status(dimse.StatusDuplicateInstance, "the UID is known with another data set; this one is in quarantine"),
		status(dimse.StatusOutOfResources, "no space is left"),
		status(dimse.StatusDataSetMismatch, "the SOP class is not that of the presentation context"),
		status(dimse.StatusCannotUnderstand, "the data set is truncated, malformed, beyond a limit, or names no study, series and instance"),
		status(dimse.StatusMissingAttribute, "no SOP class or instance UID in the command, or no data set"),
		status(dimse.StatusInvalidInstance, "a UID of the command is none"),
		status(dimse.StatusClassNotSupported, "the presentation context is not one of storage"),
		status(dimse.StatusNotAuthorized, "the peer may not store"),
		status(dimse.StatusProcessingFailure, "a fault of the server; send again"),
	})
	s.text(`Objects are kept in any transfer syntax. Those listed are understood beyond that:`)
	all := append([]string{dimse.ImplicitVRLittleEndian, dimse.ExplicitVRLittleEndian, dimse.DeflatedLittleEndian, dimse.ExplicitVRBigEndian}, pixel.Syntaxes()...)
	s.syntaxes(all, func(string) string { return "Yes" }, func(uid string) string { return yes(slices.Contains(transcode.Targets(), uid)) })
}

func status(code uint16, meaning string) []string {
	return []string{fmt.Sprintf("0x%04X", code), meaning}
}

var levelNames = map[index.Level]string{index.StudyLevel: "Study", index.SeriesLevel: "Series", index.InstanceLevel: "Instance"}

var matchings = map[index.Matching]string{index.Text: "single value, wildcard", index.Name: "single value, wildcard; letter case and accents do not count",
	index.Date: "single value, range", index.Time: "single value, range", index.UID: "single value, list of UIDs", index.Number: "single value",
	index.Modality: "single value, wildcard, list"}

func (s *statement) queries() {
	s.heading(4, "3.2.3 Query, SCP")
	s.text(`C-FIND in the models below, for peers of ` + "`--dicom-query`" + `. Besides what the table lists, empty keys match everything (universal matching). Keys that are not in the table match everything and are answered with what the index has. Patient level keys are those of the study.`)
	s.models("FIND")
	var rows [][]string
	for _, k := range index.Keys() {
		name, number := attribute(k.Tag)
		rows = append(rows, []string{name, number, levelNames[k.Level], matchings[k.Match]})
	}
	s.table([]string{"Attribute matched", "Tag", "From level", "Matching"}, rows)
	s.text(`At most %d answers. Patient's Name is matched fuzzily (each word of the key begins a word of the name) when that was negotiated, and by QIDO-RS with fuzzymatching=true.`, s.server.Limits.Effective().Answers)
	s.table([]string{"Status", "Meaning"}, [][]string{
		status(dimse.StatusPending, "a match"), status(dimse.StatusSuccess, "no more"), status(dimse.StatusCancel, "cancelled by C-CANCEL"),
		status(dimse.StatusOutOfResources, "too many matches, or the query took too long"),
		status(dimse.StatusDataSetMismatch, "the level is not one of the model, or the identifier cannot be read"),
		status(dimse.StatusNotAuthorized, "the peer may not query"), status(dimse.StatusCannotUnderstand, "a fault of the server"),
	})
}

// models lists the classes of one kind with their levels.
func (s *statement) models(kind string) {
	var rows [][]string
	for _, o := range s.server.Offers() {
		if !o.Storage && len(o.Levels) > 0 && strings.Contains(o.Name, kind) {
			var levels []string
			for _, l := range o.Levels {
				levels = append(levels, string(l))
			}
			rows = append(rows, []string{o.Name, o.UID, strings.Join(levels, ", ")})
		}
	}
	s.table([]string{"SOP class", "UID", "Levels"}, rows)
}

func (s *statement) worklist() {
	s.heading(4, "3.2.4 Modality worklist, SCP")
	s.text(`A device reads the procedures asked of it by its AE title and, when it stands at a facility, those asked of any device there. Every attribute can be matched (single value, wildcard, range of dates and times, sequence). An entry goes when an object of its modality has come, when it is taken back or when the case ends; there is no modality performed procedure step.`)
	entry, step := devices.WorklistAttributes()
	var rows [][]string
	add := func(tags []dicom.Tag, in string) {
		for _, t := range tags {
			name, number := attribute(t)
			rows = append(rows, []string{in + name, number})
		}
	}
	add(entry, "")
	add(step, "> ")
	s.table([]string{"Attribute answered (> of the Scheduled Procedure Step Sequence)", "Tag"}, rows)
}

func (s *statement) retrieval() {
	s.heading(4, "3.2.5 Retrieval, SCP")
	s.text(`C-MOVE to AEs of `+"`--dicom-destinations`"+` and C-GET, in the models below, for peers of `+"`--dicom-query`"+`. The unique key of the level is needed, exactly; lists of UIDs are taken. Up to %d instances at once.`, s.server.Limits.Effective().Instances)
	s.models("MOVE")
	s.models("GET")
	s.text(`Objects are sent in the transfer syntax they are kept in, byte for byte. When the receiver does not take it, they are transcoded, never with loss, to the first of these that it takes:`)
	s.syntaxes(devices.Targets())
	s.table([]string{"Status", "Meaning"}, [][]string{
		status(dimse.StatusPending, "under way, with the counts of sub-operations"), status(dimse.StatusSuccess, "all were sent"),
		status(dimse.StatusWarningIncomplete, "some were not; Failed SOP Instance UID List names them"), status(dimse.StatusSubOperationsFailed, "none was sent"),
		status(dimse.StatusUnknownDestination, "the destination is not configured"), status(dimse.StatusCannotCount, "too many instances: ask for less"),
		status(dimse.StatusDataSetMismatch, "a unique key is missing or no exact value"), status(dimse.StatusNotAuthorized, "the peer may not retrieve"),
		status(dimse.StatusCancel, "cancelled by C-CANCEL"),
	})
}

func (s *statement) commitment() {
	s.heading(4, "3.2.6 Storage commitment, SCP")
	s.text(`N-ACTION (Request Storage Commitment) is answered at once and checked then: an instance is committed when it is indexed under the SOP class named and its bytes are in the store with their size. The N-EVENT-REPORT comes in the same association while it stands and the peer has the SCU's role, else in one of our own to the AE's address in ` + "`--dicom-destinations`" + `, tried several times.`)
	s.table([]string{"Failure reason", "Meaning"}, [][]string{
		status(dimse.ReasonNoSuchInstance, "not kept here"), status(dimse.ReasonClassConflict, "kept under another SOP class"), status(dimse.ReasonProcessingFailure, "indexed, and its bytes are not in the store"),
	})
}

func (s *statement) initiation() {
	s.heading(4, "3.2.7 Association initiation, SCU")
	s.text(`The AE associates for the C-STORE sub-operations of C-MOVE (one presentation context for each pair of SOP class and transfer syntax) and for commitment reports. An operator verifies, queries, has objects sent (C-MOVE) and stores files with ` + "`sira dicom echo`, `find`, `move` and `send`" + `. A file is sent as it is, never converted; the status of each is shown.`)
}
