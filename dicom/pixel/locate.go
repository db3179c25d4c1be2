package pixel

import (
	"fmt"
	"io"
	"sort"

	"sira/dicom"
)

// span is the fragments of one frame: indices from..to (exclusive) of the
// fragments, and the frame's true length when the object tells it.
type span struct {
	from, to int
	length   int64 // 0: all the fragments hold
}

// locate assigns fragments to frames (PS3.5 A.4): by the extended offset
// table, by the basic one, one to one, or by looking for starts of streams.
func locate(p *dicom.PixelData, frames int, data io.ReaderAt, startOfImage []byte) ([]span, error) {
	fragments := p.Fragments
	if len(fragments) == 0 {
		return nil, fmt.Errorf("no fragment: %w", ErrTruncated)
	}
	if len(p.ExtendedOffsets) >= frames {
		if spans := byOffsets(fragments, p.ExtendedOffsets[:frames], p.ExtendedLengths); spans != nil {
			return spans, nil
		}
	}
	if len(p.BasicOffsets) >= frames && (frames > 1 || len(p.BasicOffsets) == 1) {
		offsets := make([]uint64, frames)
		for i := range offsets {
			offsets[i] = uint64(p.BasicOffsets[i])
		}
		if spans := byOffsets(fragments, offsets, nil); spans != nil {
			return spans, nil
		}
	}
	switch {
	case frames == 1:
		return []span{{0, len(fragments), 0}}, nil
	case len(fragments) <= frames:
		return oneEach(len(fragments)), nil
	}
	return byStarts(fragments, frames, data, startOfImage)
}

func oneEach(n int) []span {
	spans := make([]span, n)
	for i := range spans {
		spans[i] = span{i, i + 1, 0}
	}
	return spans
}

// byOffsets finds the fragment whose item tag stands at each offset; nil when
// an offset points elsewhere or the order is not ascending.
func byOffsets(fragments []dicom.Section, offsets, lengths []uint64) []span {
	base := fragments[0].Offset
	spans := make([]span, len(offsets))
	for i, offset := range offsets {
		at := sort.Search(len(fragments), func(k int) bool { return uint64(fragments[k].Offset-base) >= offset })
		if at == len(fragments) || uint64(fragments[at].Offset-base) != offset || i > 0 && at <= spans[i-1].from {
			return nil
		}
		spans[i] = span{at, len(fragments), 0}
		if i > 0 {
			spans[i-1].to = at
		}
		if i < len(lengths) && lengths[i] > 0 && lengths[i] < 1<<62 {
			spans[i].length = int64(lengths[i])
		}
	}
	if spans[0].from != 0 {
		return nil
	}
	return spans
}

// byStarts begins a frame at each fragment that opens with the first bytes of
// a stream. Without such bytes, or when they lead to another number of frames
// than announced, the fragments cannot be told apart.
func byStarts(fragments []dicom.Section, frames int, data io.ReaderAt, start []byte) ([]span, error) {
	if start == nil {
		return nil, fmt.Errorf("%d fragments for %d frames and no offset table: %w", len(fragments), frames, ErrCorrupt)
	}
	var spans []span
	head := make([]byte, len(start))
	for i, f := range fragments {
		if f.Length >= int64(len(start)) {
			if _, err := data.ReadAt(head, f.Offset); err != nil && err != io.EOF {
				return nil, fmt.Errorf("reading fragment %d: %w", i, err)
			}
			if string(head) == string(start) {
				spans = append(spans, span{i, i, 0})
			}
		}
		if len(spans) > 0 {
			spans[len(spans)-1].to = i + 1
		}
	}
	if len(spans) != frames {
		return nil, fmt.Errorf("%d streams in %d fragments for %d frames: %w", len(spans), len(fragments), frames, ErrCorrupt)
	}
	return spans, nil
}
