package pdu

import "encoding/binary"

// fields reads big-endian fields one after the other. Once short of bytes it
// stays so and gives zeros.
type fields struct {
	b     []byte
	short bool
}

func (f *fields) take(n int) []byte {
	if f.short || n > len(f.b) {
		f.short = true
		return make([]byte, min(n, 4))
	}
	b := f.b[:n]
	f.b = f.b[n:]
	return b
}

func (f *fields) u8() byte    { return f.take(1)[0] }
func (f *fields) u16() uint16 { return binary.BigEndian.Uint16(f.take(2)) }
func (f *fields) u32() uint32 { return binary.BigEndian.Uint32(f.take(4)) }

// bytes reads a value that has its 16-bit length before it; a copy.
func (f *fields) bytes() []byte {
	n := int(f.u16())
	b := f.take(n)
	if f.short {
		return nil
	}
	return append([]byte{}, b...)
}

func (f *fields) rest() []byte {
	b := append([]byte{}, f.b...)
	f.b = nil
	return b
}

func (f *fields) uid() (string, error) {
	b := f.bytes()
	if f.short {
		return "", invalid("short UID field")
	}
	return uid(b)
}

func (f *fields) common() (x CommonExtended, err error) {
	if x.SOPClass, err = f.uid(); err != nil {
		return x, err
	}
	if x.ServiceClass, err = f.uid(); err != nil {
		return x, err
	}
	related := fields{b: f.bytes()}
	for len(related.b) > 0 {
		r, err := related.uid()
		if err != nil {
			return x, err
		}
		x.Related = append(x.Related, r)
	}
	return x, nil
}
