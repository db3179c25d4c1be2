package dicomweb

import (
	"errors"
	"io"

	"sira/dicom"
)

// pieces reads sections of an object one after the other, from any place.
type pieces struct {
	r        io.ReaderAt
	sections []dicom.Section
	size, at int64
}

func newPieces(r io.ReaderAt, sections []dicom.Section) *pieces {
	p := &pieces{r: r, sections: sections}
	for _, s := range sections {
		p.size += s.Length
	}
	return p
}

func (p *pieces) Read(b []byte) (int, error) {
	if p.at >= p.size {
		return 0, io.EOF
	}
	start := int64(0)
	for _, s := range p.sections {
		if p.at >= start+s.Length {
			start += s.Length
			continue
		}
		into := p.at - start
		n, err := p.r.ReadAt(b[:min(int64(len(b)), s.Length-into)], s.Offset+into)
		p.at += int64(n)
		if n > 0 {
			return n, nil
		}
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return 0, err
	}
	return 0, io.EOF
}

func (p *pieces) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += p.at
	case io.SeekEnd:
		offset += p.size
	}
	if offset < 0 {
		return 0, errors.New("seeking before the start of an object")
	}
	p.at = offset
	return offset, nil
}
