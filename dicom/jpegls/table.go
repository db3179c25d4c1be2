package jpegls

import "fmt"

// Mapped gives the image that the mapping tables of m make of its indices:
// entries of one byte, or of two where Bits then is 16. Components without a
// table stay as they are. An image without tables is returned itself. Errors:
// ErrCorrupt for an index beyond its table, ErrUnsupported for wider entries.
func (m *Image) Mapped() (*Image, error) {
	if m.Tables == nil {
		return m, nil
	}
	out := *m
	out.Tables = nil
	for _, t := range m.Tables {
		if t == nil {
			continue
		}
		if t.EntryBytes > 2 {
			return nil, fmt.Errorf("mapping table of %d bytes an entry: %w", t.EntryBytes, ErrUnsupported)
		}
		out.Bits = max(out.Bits, 8*t.EntryBytes)
	}
	from, to := m.SampleBytes(), out.SampleBytes()
	out.Data = make([]byte, m.Width*m.Height*m.Components*to)
	for k := range m.Width * m.Height * m.Components {
		v := int(m.Data[k*from])
		if from == 2 {
			v |= int(m.Data[2*k+1]) << 8
		}
		if t := m.Tables[k%m.Components]; t != nil {
			at := v * t.EntryBytes
			if at+t.EntryBytes > len(t.Values) {
				return nil, fmt.Errorf("index %d beyond its mapping table: %w", v, ErrCorrupt)
			}
			v = int(t.Values[at])
			if t.EntryBytes == 2 {
				v = v<<8 | int(t.Values[at+1])
			}
		}
		out.Data[k*to] = byte(v)
		if to == 2 {
			out.Data[2*k+1] = byte(v >> 8)
		}
	}
	return &out, nil
}
