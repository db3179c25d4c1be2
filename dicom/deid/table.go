package deid

import (
	_ "embed"
	"strconv"
	"strings"

	"sira/dicom"
)

const (
	tagSOPClass    = dicom.Tag(0x00080016)
	tagSOPInstance = dicom.Tag(0x00080018)
	tagName        = dicom.Tag(0x00100010)
	tagPatientID   = dicom.Tag(0x00100020)
	tagIssuer      = dicom.Tag(0x00100021)
	tagBirthDate   = dicom.Tag(0x00100030)
	tagContent     = dicom.Tag(0x0040A730)
	tagTextValue   = dicom.Tag(0x0040A160)
	tagDocument    = dicom.Tag(0x00420011)
	tagGraphics    = dicom.Tag(0x00700001)
	tagTextObjects = dicom.Tag(0x00700008)
	tagPixelData   = dicom.Tag(0x7FE00010)
)

//go:embed table.tsv
var tableText string

// rule is one row of PS3.15 table E.1-1. Options are K, C or empty.
type rule struct {
	name, basic                           string
	uids, device, institution, patient    string
	dates, shift, text, structure, graphs string
}

// table holds the rows by tag, without those of repeating groups.
var table = parseTable(tableText)

func parseTable(text string) map[dicom.Tag]rule {
	rows := map[dicom.Tag]rule{}
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		tag, err := strconv.ParseUint(f[0], 16, 32)
		if err != nil {
			continue // the headings, 50xx and 60xx
		}
		f = append(f, make([]string, 12-len(f))...)
		rows[dicom.Tag(tag)] = rule{f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9], f[10], f[11]}
	}
	return rows
}

// classUID are the attributes of VR UI that name a class, a syntax or a coding
// scheme and no instance of anything (PS3.6 section 6).
var classUID = map[dicom.Tag]bool{
	0x00020002: true, 0x00020010: true, 0x00041510: true, 0x00041512: true, 0x0004151A: true,
	0x00080016: true, 0x0008001A: true, 0x0008001B: true, 0x0008005A: true, 0x00080062: true,
	0x0008010C: true, 0x0008010D: true, 0x00080117: true, 0x00080118: true,
	0x00081150: true, 0x0008115A: true, 0x00083002: true, 0x00400440: true,
	0x04000010: true, 0x00720052: true,
}
