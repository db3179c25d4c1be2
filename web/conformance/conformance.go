// Package conformance writes the DICOM conformance statement (PS3.2) from the
// tables that the services work by: what negotiation takes, what the index
// matches, which addresses DICOMweb has. It holds the words between them and
// must not say what no table or test does.
package conformance

import (
	"fmt"
	"io"
	"strings"

	"github.com/suyashkumar/dicom/pkg/tag"

	"sira/dicom"
	"sira/dicom/dimse"
	"sira/dicom/ingest"
	"sira/web/devices"
	"sira/web/dicomweb"
)

// Setting is one line of configuration: flag, default, what it says.
type Setting struct{ Name, Default, Text string }

// Write writes the statement as Markdown, in the order of PS3.2 annex A.
func Write(w io.Writer, settings []Setting) error {
	s := &statement{settings: settings, server: &dimse.Server{UnknownClasses: true, Nodes: dimse.KnownNodes(nil)},
		web: dicomweb.New(dicomweb.Config{Ingest: new(ingest.Ingest)})}
	// As `sira serve` equips it when devices may send, query and retrieve.
	devices.New(devices.Config{Readers: []dimse.Peer{{}}}).Equip(s.server)
	for _, section := range []func(){s.overview, s.introduction, s.model, s.acceptance, s.storage, s.queries, s.worklist, s.retrieval, s.commitment,
		s.initiation, s.dicomweb, s.interfaces, s.media, s.characters, s.security, s.annexes} {
		section()
	}
	_, err := io.WriteString(w, s.b.String())
	if err != nil {
		return fmt.Errorf("writing the conformance statement: %w", err)
	}
	return nil
}

type statement struct {
	b        strings.Builder
	settings []Setting
	server   *dimse.Server
	web      *dicomweb.Service
}

func (s *statement) heading(level int, title string) {
	fmt.Fprintf(&s.b, "%s %s\n\n", strings.Repeat("#", level), title)
}

func (s *statement) text(format string, args ...any) {
	fmt.Fprintf(&s.b, strings.TrimSpace(format)+"\n\n", args...)
}

// table writes rows under a head of columns.
func (s *statement) table(head []string, rows [][]string) {
	fmt.Fprintf(&s.b, "| %s |\n|%s\n", strings.Join(head, " | "), strings.Repeat("---|", len(head)))
	for _, row := range rows {
		fmt.Fprintf(&s.b, "| %s |\n", strings.ReplaceAll(strings.Join(row, " | "), "\n", " "))
	}
	s.b.WriteString("\n")
}

// attribute is the name and tag of an attribute.
func attribute(t dicom.Tag) (name, number string) {
	name = "?"
	if info, err := tag.Find(tag.Tag{Group: uint16(t >> 16), Element: uint16(t)}); err == nil {
		name = info.Name
	}
	return name, t.String()
}

func yes(b bool) string {
	if b {
		return "Yes"
	}
	return "No"
}

func roles(scu, scp bool) string {
	switch {
	case scu && scp:
		return "SCP, SCU"
	case scp:
		return "SCP"
	case scu:
		return "SCU"
	}
	return "–"
}

// syntaxNames are those of PS3.6 table A-1.
var syntaxNames = map[string]string{
	dimse.ImplicitVRLittleEndian: "Implicit VR Little Endian", dimse.ExplicitVRLittleEndian: "Explicit VR Little Endian",
	dimse.DeflatedLittleEndian: "Deflated Explicit VR Little Endian", dimse.ExplicitVRBigEndian: "Explicit VR Big Endian (Retired)",
	"1.2.840.10008.1.2.5": "RLE Lossless", "1.2.840.10008.1.2.4.50": "JPEG Baseline (Process 1)", "1.2.840.10008.1.2.4.51": "JPEG Extended (Process 2 & 4)",
	"1.2.840.10008.1.2.4.53": "JPEG Spectral Selection (Process 6 & 8, Retired)", "1.2.840.10008.1.2.4.55": "JPEG Full Progression (Process 10 & 12, Retired)",
	"1.2.840.10008.1.2.4.57": "JPEG Lossless (Process 14)", "1.2.840.10008.1.2.4.70": "JPEG Lossless, First-Order Prediction",
	"1.2.840.10008.1.2.4.80": "JPEG-LS Lossless", "1.2.840.10008.1.2.4.81": "JPEG-LS Near-Lossless",
	"1.2.840.10008.1.2.4.90": "JPEG 2000 Lossless Only", "1.2.840.10008.1.2.4.91": "JPEG 2000",
	"1.2.840.10008.1.2.4.92": "JPEG 2000 Part 2 Multi-component Lossless Only", "1.2.840.10008.1.2.4.93": "JPEG 2000 Part 2 Multi-component",
	"1.2.840.10008.1.2.4.201": "HTJ2K Lossless Only", "1.2.840.10008.1.2.4.202": "HTJ2K Lossless RPCL", "1.2.840.10008.1.2.4.203": "HTJ2K",
}

func syntaxName(uid string) string {
	if name, ok := syntaxNames[uid]; ok {
		return name
	}
	return uid
}

func (s *statement) syntaxes(uids []string, columns ...func(uid string) string) {
	head := []string{"Transfer syntax", "UID"}
	var rows [][]string
	for _, uid := range uids {
		row := []string{syntaxName(uid), uid}
		for _, c := range columns {
			row = append(row, c(uid))
		}
		rows = append(rows, row)
	}
	if len(columns) > 0 {
		head = append(head, "Images decoded", "Written")
	}
	s.table(head, rows)
}
