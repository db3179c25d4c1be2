package conformance

import (
	"fmt"
	"strings"

	"sira/dicom"
	"sira/dicom/index"
	"sira/web/dicomweb"
)

func (s *statement) dicomweb() {
	s.heading(3, "3.3 DICOMweb")
	s.text(`Origin server of the Studies Service (PS3.18 section 10). A session or ` + "`Authorization: Bearer`" + ` is needed; a user sees the objects attached to cases that they may see, a login of ` + "`--dicomweb-service`" + ` all. What may not be seen is answered like what is not there (404).`)
	what := map[string]string{
		"search": "QIDO-RS; application/dicom+json", "retrieve": "WADO-RS; multipart/related of application/dicom, or one object as application/dicom, as kept or in the transfer syntax asked for",
		"metadata": "WADO-RS; application/dicom+json, bulk data by address", "frames": "WADO-RS; as kept, decoded as application/octet-stream, or coded anew without loss; one part a frame",
		"bulkdata": "WADO-RS; application/octet-stream, or the media type of an encapsulated document", "rendered": "WADO-RS; image/jpeg or image/png, video/mp4 of films; window, viewport, quality",
		"thumbnail": "WADO-RS; image/jpeg or image/png", "store": "STOW-RS; multipart/related of application/dicom, or one object as application/dicom",
	}
	var rows [][]string
	for _, r := range s.web.Routes() {
		method, path, _ := strings.Cut(r.Pattern, " ")
		rows = append(rows, []string{method, "`" + path + "`", what[r.Action]})
	}
	s.table([]string{"Method", "Resource", "Service and media types"}, rows)
	s.text(`Searches match the attributes of section 3.2.3, by keyword or tag; limit and offset page through answers of at most %d studies, %d series or %d instances; includefield names further attributes or "all"; fuzzymatching is for Patient's Name. Parameters that cannot be matched are ignored and named in a Warning header (299). Answers without any match are 204.`,
		dicomweb.MaxRows(index.StudyLevel), dicomweb.MaxRows(index.SeriesLevel), dicomweb.MaxRows(index.InstanceLevel))
	s.text(`STOW-RS answers 200 when all objects are stored, 202 when some are, 409 when none is, with a Failure Reason for each that is not: the codes of section 3.2.2, and 0xA900 for an object of another study than the address names. There is no delete, no UPS-RS, no XML and no WADO-URI.`)
}

func (s *statement) interfaces() {
	s.heading(3, "3.4 Network interfaces and configuration")
	s.text(`TCP/IP, version 4 and 6; ports as configured, 104, 11112 (and 2762 with TLS) being usual. TCP_NODELAY is set.`)
	var rows [][]string
	for _, x := range s.settings {
		rows = append(rows, []string{"`--" + x.Name + "`", x.Default, strings.ReplaceAll(x.Text, "|", "\\|")})
	}
	s.table([]string{"Setting", "Default", "What it says"}, rows)
}

func (s *statement) media() {
	s.heading(2, "4 Media interchange")
	s.text(`Files of media (PS3.10) are read from uploads: single files, folders with a DICOMDIR, ZIP archives of them. Preamble and file meta information may be missing. As file-set creator see the packages of ` + "`docs/architecture.md`" + `; no application profile of PS3.11 is claimed.`)
}

func (s *statement) characters() {
	s.heading(2, "5 Character sets")
	s.text(`Text is understood in the sets below, other spellings of the terms included; text in no or another set is read as UTF-8 when it is valid, else as ISO 8859-1, and marked as guessed. Answers to queries, worklists and DICOMweb are in ISO_IR 192 (UTF-8); a message that holds ASCII alone need not declare it.`)
	var rows [][]string
	for _, term := range dicom.CharacterSets() {
		rows = append(rows, []string{term})
	}
	s.table([]string{"Defined term"}, rows)
}

func (s *statement) security() {
	s.heading(2, "6 Security")
	s.text(`TLS 1.2 and 1.3 (BCP 195, PS3.15 annex B.12) on the DICOM port with ` + "`--dicom-tls-cert`" + `, and towards destinations that are configured so; with ` + "`--dicom-tls-ca`" + ` the device shows a certificate too. DICOMweb is on the HTTPS port. Who may associate is a list of AE titles with addresses or networks; who may query and retrieve is another, empty one unless configured. Each association, store, query and retrieval leaves an entry in the journal, which holds no patient's name; it is not in the format of PS3.15 annex A.5. Objects are encrypted at rest by the disk, if at all.`)
}

func (s *statement) annexes() {
	s.heading(2, "7 Objects made here")
	s.text(`The program writes secondary captures of photographs, encapsulated PDF, basic text and comprehensive reports and key object selections by way of its packages; see ` + "`docs/limits.md`" + ` for which of them have a surface. No private attribute is written. Every UID made here begins with 2.25.`)
	s.heading(2, "8 Storage SOP classes")
	var rows [][]string
	for _, o := range s.server.Offers() {
		if o.Storage {
			rows = append(rows, []string{o.Name, o.UID, roles(true, o.SCP)})
		}
	}
	s.table([]string{"SOP class", "UID", "Role"}, rows)
	s.text(`%s`, fmt.Sprintf("%d classes. Private classes and those of newer editions of the standard are accepted as well.", len(rows)))
}
