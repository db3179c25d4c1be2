package ecg

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"time"
)

// scpFile is an SCP-ECG record (EN 1064:2020, ISO/IEEE 11073-91064) cut into
// its sections; numbers are little endian throughout.
type scpFile struct {
	sections map[uint16][]byte // payload behind the 16-byte section header
}

// FromSCP reads the rhythm data of an SCP-ECG record: Huffman coded (default
// and own tables) or plain, first and second differences, reference beat
// subtracted or not. Bimodal compression, which decimates between the QRS
// complexes, is ErrUnsupported. Other errors: ErrNoECG, ErrCorrupt, those of r.
func FromSCP(r io.Reader) (*Recording, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxBytes/4+1))
	if err != nil {
		return nil, fmt.Errorf("reading SCP-ECG: %w", err)
	}
	f, err := openSCP(data)
	if err != nil {
		return nil, err
	}
	leads, flags, err := f.leads()
	if err != nil {
		return nil, err
	}
	code, err := f.huffman()
	if err != nil {
		return nil, err
	}
	rhythm, err := f.signal(6, leads, code)
	if err != nil {
		return nil, err
	}
	if rhythm.bimodal {
		return nil, fmt.Errorf("%w: bimodal compression", ErrUnsupported)
	}
	if flags&1 != 0 {
		if err := f.addReferenceBeat(rhythm, leads, code); err != nil {
			return nil, err
		}
	}
	rec := rhythm.recording(leads)
	f.header(rec)
	rec.completeLimbLeads()
	rec.sortLeads()
	return rec, nil
}

// openSCP checks length and checksum and follows the pointers of section 0.
func openSCP(data []byte) (*scpFile, error) {
	if len(data) < 6+16 || string(data[16:22]) != "SCPECG" {
		return nil, ErrNoECG
	}
	size := int64(binary.LittleEndian.Uint32(data[2:]))
	if size < 22 || size > int64(len(data)) {
		return nil, corrupt("record length")
	}
	data = data[:size]
	if crc(data[2:]) != binary.LittleEndian.Uint16(data) {
		return nil, corrupt("checksum of the record")
	}
	f := &scpFile{sections: map[uint16][]byte{}}
	zero, err := section(data, 0, 6, binary.LittleEndian.Uint32(data[10:]))
	if err != nil {
		return nil, err
	}
	for ; len(zero) >= 10; zero = zero[10:] {
		id := binary.LittleEndian.Uint16(zero)
		length, index := binary.LittleEndian.Uint32(zero[2:]), binary.LittleEndian.Uint32(zero[6:])
		if length == 0 || id == 0 {
			continue
		}
		if index == 0 {
			return nil, corrupt("place of section %d", id)
		}
		if f.sections[id], err = section(data, id, int64(index)-1, length); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// section returns the payload of the section at off after checking it.
func section(data []byte, id uint16, off int64, length uint32) ([]byte, error) {
	if length < 16 || off < 0 || off > int64(len(data)) || int64(length) > int64(len(data))-off {
		return nil, corrupt("length of section %d", id)
	}
	s := data[off : off+int64(length)]
	if crc(s[2:]) != binary.LittleEndian.Uint16(s) {
		return nil, corrupt("checksum of section %d", id)
	}
	if binary.LittleEndian.Uint16(s[2:]) != id || binary.LittleEndian.Uint32(s[4:]) != length {
		return nil, corrupt("header of section %d", id)
	}
	return s[16:], nil
}

// crc is CRC-CCITT with x^16+x^12+x^5+1 from all ones (EN 1064 section 5.3).
func crc(data []byte) uint16 {
	sum := uint16(0xFFFF)
	for _, b := range data {
		sum ^= uint16(b) << 8
		for range 8 {
			if sum&0x8000 != 0 {
				sum = sum<<1 ^ 0x1021
			} else {
				sum <<= 1
			}
		}
	}
	return sum
}

type scpLead struct {
	start, end uint32 // sample numbers from 1
	id         byte
}

// leads reads section 3.
func (f *scpFile) leads() ([]scpLead, byte, error) {
	s := f.sections[3]
	if len(s) < 2 {
		return nil, 0, ErrNoECG
	}
	n, flags := int(s[0]), s[1]
	if n == 0 || n > maxChannels || len(s) < 2+9*n {
		return nil, 0, corrupt("number of leads")
	}
	leads := make([]scpLead, n)
	for i := range leads {
		b := s[2+9*i:]
		l := scpLead{binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:]), b[8]}
		if l.start == 0 || l.end < l.start || l.end-l.start >= 1<<18 {
			return nil, 0, corrupt("sample numbers of a lead")
		}
		leads[i] = l
	}
	return leads, flags, nil
}

// header reads what section 1 tells about time, filters and the machine.
func (f *scpFile) header(rec *Recording) {
	var low, high, notch float64
	var year, month, day, hour, minute, second int
	for s := f.sections[1]; len(s) >= 3; {
		tag, n := s[0], int(binary.LittleEndian.Uint16(s[1:]))
		if tag == 255 || n > len(s)-3 {
			break
		}
		v := s[3 : 3+n]
		switch {
		case tag == 14 && n >= 14: // the acquiring machine: its model is text of 6 bytes
			model, _, _ := strings.Cut(string(v[8:14]), "\x00")
			rec.Device = deviceName(model)
		case tag == 25 && n >= 4:
			year, month, day = int(binary.LittleEndian.Uint16(v)), int(v[2]), int(v[3])
		case tag == 26 && n >= 3:
			hour, minute, second = int(v[0]), int(v[1]), int(v[2])
		case tag == 27 && n >= 2:
			low = float64(binary.LittleEndian.Uint16(v)) / 100
		case tag == 28 && n >= 2:
			high = float64(binary.LittleEndian.Uint16(v))
		case tag == 29 && n >= 1 && v[0]&1 != 0:
			notch = 60
		case tag == 29 && n >= 1 && v[0]&2 != 0:
			notch = 50
		}
		s = s[3+n:]
	}
	rec.Filters = filters(low, high, notch)
	if year > 1900 && month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour < 24 && minute < 60 && second < 60 {
		rec.StartedAt = time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	}
}
