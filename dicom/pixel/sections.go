package pixel

import (
	"fmt"

	"sira/dicom"
)

// Sections tells where frame n (from 1) lies in dicom.File.Data, as stored:
// one range of native data, or the fragments of an encapsulated frame, to be
// joined. ErrUnsupportedLayout when a native frame does not begin and end at
// bytes.
func (s *Source) Sections(n int) ([]dicom.Section, error) {
	if n < 1 || n > s.info.Frames {
		return nil, fmt.Errorf("frame %d of %d: %w", n, s.info.Frames, ErrNoFrame)
	}
	if s.pixel.Native != nil {
		bits := s.nativeBits()
		if bits%8 != 0 {
			return nil, fmt.Errorf("frames of %d bits: %w", bits, ErrUnsupportedLayout)
		}
		return []dicom.Section{{Offset: s.pixel.Native.Offset + int64(n-1)*bits/8, Length: bits / 8}}, nil
	}
	if s.spanErr != nil {
		return nil, s.spanErr
	}
	if n > len(s.spans) {
		return nil, fmt.Errorf("%d of %d frames present: %w", len(s.spans), s.info.Frames, ErrTruncated)
	}
	at := s.spans[n-1]
	out := append([]dicom.Section(nil), s.pixel.Fragments[at.from:at.to]...)
	if at.length > 0 {
		left := at.length
		for i := range out {
			out[i].Length = min(out[i].Length, left)
			left -= out[i].Length
		}
	}
	return out, nil
}
