package dimse

import (
	"bytes"
	"encoding/binary"
	"io"
)

// Part10 gives the request as a DICOM file (PS3.10 section 7): preamble, file
// meta information, then Data. The meta information depends on the instance
// and its transfer syntax only, not on who sends it or when, so that the same
// instance sent twice is the same file.
func (r StoreRequest) Part10() io.Reader {
	return &part10{head: bytes.NewReader(Meta{r.SOPClass, r.SOPUID, r.TransferSyntax}.Encode()), data: r.Data}
}

// part10 is a MultiReader that hands the data set's WriteTo on.
type part10 struct {
	head *bytes.Reader
	data io.Reader
}

func (p *part10) Read(b []byte) (int, error) {
	if p.head.Len() > 0 {
		return p.head.Read(b)
	}
	return p.data.Read(b)
}

func (p *part10) WriteTo(w io.Writer) (int64, error) {
	n, err := p.head.WriteTo(w)
	if err != nil {
		return n, err
	}
	m, err := io.Copy(w, p.data)
	return n + m, err
}

// Meta is what file meta information says of an instance.
type Meta struct {
	SOPClass, SOPUID, TransferSyntax string
}

const (
	preambleSize = 128
	magic        = "DICM"
)

// Encode gives preamble, "DICM" and group 0002 (PS3.10 table 7.1-1).
func (m Meta) Encode() []byte {
	b := make([]byte, preambleSize, 512)
	b = append(b, magic...)
	b = append(b, 2, 0, 0, 0, 'U', 'L', 4, 0, 0, 0, 0, 0)
	start := len(b)
	b = append(b, 2, 0, 1, 0, 'O', 'B', 0, 0, 2, 0, 0, 0, 0, 1)
	b = appendMeta(b, 0x0002, "UI", m.SOPClass, 0)
	b = appendMeta(b, 0x0003, "UI", m.SOPUID, 0)
	b = appendMeta(b, 0x0010, "UI", m.TransferSyntax, 0)
	b = appendMeta(b, 0x0012, "UI", ImplementationUID, 0)
	b = appendMeta(b, 0x0013, "SH", ImplementationVersion, ' ')
	binary.LittleEndian.PutUint32(b[start-4:], uint32(len(b)-start))
	return b
}

func appendMeta(b []byte, element uint16, vr, value string, pad byte) []byte {
	b = append(b, 2, 0, byte(element), byte(element>>8), vr[0], vr[1])
	n := len(value) + len(value)%2
	b = binary.LittleEndian.AppendUint16(b, uint16(n))
	b = append(b, value...)
	if n > len(value) {
		b = append(b, pad)
	}
	return b
}
