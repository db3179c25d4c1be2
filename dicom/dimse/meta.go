package dimse

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"sira/dicom/dimse/pdu"
)

const maxMeta = 1 << 20 // bytes of file meta information

// ReadMeta reads preamble and file meta information of a DICOM file and leaves
// r at the first byte of the data set. It fails with ErrNotPart10 when they are
// absent, damaged or do not name class, instance and transfer syntax.
func ReadMeta(r *bufio.Reader) (Meta, error) {
	var head [preambleSize + len(magic)]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return Meta{}, notPart10(err)
	}
	if string(head[preambleSize:]) != magic {
		return Meta{}, fmt.Errorf("%w: no DICM", ErrNotPart10)
	}
	p := metaReader{r: r, announced: -1}
	for p.more() {
		if err := p.element(); err != nil {
			return p.meta, err
		}
	}
	for _, uid := range []string{p.meta.SOPClass, p.meta.SOPUID, p.meta.TransferSyntax} {
		if !pdu.ValidUID(uid) {
			return p.meta, fmt.Errorf("%w: a UID is missing or invalid", ErrNotPart10)
		}
	}
	return p.meta, nil
}

func notPart10(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("%w: it ends too early", ErrNotPart10)
	}
	return fmt.Errorf("reading file meta information: %w", err)
}

type metaReader struct {
	r         *bufio.Reader
	n         int64 // bytes after the group length element
	announced int64 // by it; -1 when absent
	meta      Meta
}

// more tells whether an element of group 0002 follows. The group length is
// wrong in some files, so the next tag decides; but a deflated data set could
// begin with any bytes, and there the length does.
func (p *metaReader) more() bool {
	if p.meta.TransferSyntax == DeflatedLittleEndian && p.n == p.announced {
		return false
	}
	next, err := p.r.Peek(2)
	return err == nil && binary.LittleEndian.Uint16(next) == 2
}

func (p *metaReader) element() error {
	var h [12]byte
	if _, err := io.ReadFull(p.r, h[:8]); err != nil {
		return notPart10(err)
	}
	size, header := int64(binary.LittleEndian.Uint16(h[6:])), int64(8)
	switch vr := string(h[4:6]); vr {
	case "OB", "OW", "OF", "OD", "OL", "OV", "SQ", "UC", "UN", "UR", "UT", "SV", "UV":
		if _, err := io.ReadFull(p.r, h[8:]); err != nil {
			return notPart10(err)
		}
		size, header = int64(binary.LittleEndian.Uint32(h[8:])), 12
	default:
		if vr[0] < 'A' || vr[0] > 'Z' || vr[1] < 'A' || vr[1] > 'Z' {
			return fmt.Errorf("%w: meta information not in explicit VR", ErrNotPart10)
		}
	}
	if p.n += header + size; p.n > maxMeta {
		return fmt.Errorf("%w: meta information over %d bytes", ErrNotPart10, maxMeta)
	}
	return p.value(binary.LittleEndian.Uint16(h[2:]), int(size))
}

func (p *metaReader) value(element uint16, size int) error {
	var uid *string
	switch element {
	case 0x0000:
		var v [4]byte
		if size != len(v) {
			break
		}
		if _, err := io.ReadFull(p.r, v[:]); err != nil {
			return notPart10(err)
		}
		p.n, p.announced = 0, int64(binary.LittleEndian.Uint32(v[:]))
		return nil
	case 0x0002:
		uid = &p.meta.SOPClass
	case 0x0003:
		uid = &p.meta.SOPUID
	case 0x0010:
		uid = &p.meta.TransferSyntax
	}
	if uid == nil || size > 2*pdu.MaxUID {
		if _, err := p.r.Discard(size); err != nil {
			return notPart10(err)
		}
		return nil
	}
	v := make([]byte, size)
	if _, err := io.ReadFull(p.r, v); err != nil {
		return notPart10(err)
	}
	*uid = strings.Trim(string(v), "\x00 ")
	return nil
}
