package uploads

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"

	"sira/dicom"
)

// Kind is what a file is by its content; names and declared types are not
// asked.
type Kind string

// The kinds of files. The last is everything that isn't taken.
const (
	KindEmpty Kind = "empty"
	KindZIP   Kind = "zip"
	KindDICOM Kind = "dicom"
	KindJPEG  Kind = "jpeg"
	KindPNG   Kind = "png"
	KindPDF   Kind = "pdf"
	KindMP4   Kind = "mp4"
	KindMOV   Kind = "mov"
	KindHEIC  Kind = "heic"
	KindSCP   Kind = "scp-ecg"
	KindAECG  Kind = "aecg"
	KindOther Kind = "other"
)

// headBytes is what Detect looks at first.
const headBytes = 4096

// Detect tells what the content is. Errors are those of r.
func Detect(r io.ReaderAt, size int64) (Kind, error) {
	if size == 0 {
		return KindEmpty, nil
	}
	head := make([]byte, min(size, headBytes))
	if _, err := r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading a file's head: %w", err)
	}
	has := func(at int, sig string) bool {
		return len(head) >= at+len(sig) && string(head[at:at+len(sig)]) == sig
	}
	switch {
	case has(128, "DICM"):
		return KindDICOM, nil
	case has(0, "PK\x03\x04"), has(0, "PK\x05\x06"):
		return KindZIP, nil
	case has(0, "\xFF\xD8\xFF"):
		return KindJPEG, nil
	case has(0, "\x89PNG\r\n\x1a\n"):
		return KindPNG, nil
	case bytes.Contains(head[:min(len(head), 1024)], []byte("%PDF-")):
		return KindPDF, nil
	case has(4, "ftyp") && len(head) >= 12:
		return movieKind(head), nil
	case isSCP(head, size):
		return KindSCP, nil
	case isAECG(r, size, head):
		return KindAECG, nil
	case dicom.Sniff(head):
		return KindDICOM, nil
	}
	return KindOther, nil
}

// movieKind reads the major and compatible brands of an ISO base media file
// (ISO/IEC 14496-12, section 4.3).
func movieKind(head []byte) Kind {
	switch string(head[8:12]) {
	case "heic", "heix", "hevc", "mif1", "msf1", "avif", "avis":
		return KindHEIC
	case "qt  ":
		return KindMOV
	}
	return KindMP4
}

// isSCP checks the record's length and the mark of section 0 (EN 1064,
// section 5.2): CRC, length, then a section header that ends in "SCPECG".
func isSCP(head []byte, size int64) bool {
	if len(head) < 32 || string(head[16:22]) != "SCPECG" {
		return false
	}
	length := int64(binary.LittleEndian.Uint32(head[2:6]))
	return length >= 32 && length <= size+1
}

// isAECG looks for the root element of an HL7 annotated ECG.
func isAECG(r io.ReaderAt, size int64, head []byte) bool {
	trimmed := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xEF\xBB\xBF")), " \t\r\n")
	if !bytes.HasPrefix(trimmed, []byte("<")) {
		return false
	}
	d := xml.NewDecoder(io.NewSectionReader(r, 0, min(size, 64<<10)))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	for {
		tok, err := d.RawToken()
		if err != nil {
			return false
		}
		if el, ok := tok.(xml.StartElement); ok {
			return el.Name.Local == "AnnotatedECG"
		}
	}
}
