package phantom

import (
	"bytes"
	"fmt"
	"strings"
)

const pdfLinesPerPage = 48

// PDF returns an A4 document with a title and lines of French text in
// Helvetica, as many pages as needed. Lines are cut, not wrapped; characters
// outside Windows code page 1252 become "?".
func PDF(title string, lines []string) []byte {
	pages := [][]string{}
	for len(lines) > pdfLinesPerPage {
		pages, lines = append(pages, lines[:pdfLinesPerPage]), lines[pdfLinesPerPage:]
	}
	pages = append(pages, lines)

	kids := make([]string, len(pages))
	for i := range pages {
		kids[i] = fmt.Sprintf("%d 0 R", 6+2*i)
	}
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R /Lang (fr) >>",
		fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count %d >>", strings.Join(kids, " "), len(pages)),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
		fmt.Sprintf("<< /Title (%s) /Producer (Sira) >>", pdfText(title)),
	}
	for i, page := range pages {
		content := pdfPage(title, page, i+1, len(pages))
		objects = append(objects,
			fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> /Contents %d 0 R >>", 7+2*i),
			fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(content), content))
	}
	return pdfFile(objects)
}

func pdfFile(objects []string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
	offsets := make([]int, len(objects))
	for i, o := range objects {
		offsets[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, at := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R /Info 5 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, start)
	return b.Bytes()
}

func pdfPage(title string, lines []string, page, of int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "BT /F2 16 Tf 56 780 Td (%s) Tj ET\n", pdfText(title))
	b.WriteString("0.6 w 56 770 m 539 770 l S\n")
	b.WriteString("BT /F1 11 Tf 14.5 TL 56 748 Td\n")
	for _, line := range lines {
		fmt.Fprintf(&b, "(%s) Tj T*\n", pdfText(line))
	}
	b.WriteString("ET\n")
	fmt.Fprintf(&b, "BT /F1 9 Tf 500 32 Td (%d / %d) Tj ET", page, of)
	return b.String()
}

// cp1252 are the characters of that code page that are not in Latin-1.
var cp1252 = map[rune]byte{
	'€': 0x80, '‚': 0x82, '„': 0x84, '…': 0x85, 'Œ': 0x8c, '‘': 0x91, '’': 0x92, '“': 0x93, '”': 0x94,
	'•': 0x95, '–': 0x96, '—': 0x97, 'œ': 0x9c, 'Ÿ': 0x9f,
}

// pdfText encodes and escapes a literal string (ISO 32000-1 7.3.4.2).
func pdfText(s string) string {
	var b strings.Builder
	for _, r := range s {
		c, special := cp1252[r]
		switch {
		case special:
			b.WriteByte(c)
		case r == '(' || r == ')' || r == '\\':
			b.WriteByte('\\')
			b.WriteByte(byte(r))
		case r >= 0x20 && r < 0x7f || r >= 0xa0 && r <= 0xff:
			b.WriteByte(byte(r))
		case r == '\u202f' || r == '\t':
			b.WriteByte(0xa0)
		default:
			b.WriteByte('?')
		}
	}
	return b.String()
}
