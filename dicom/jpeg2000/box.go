package jpeg2000

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// The signature box that begins every JP2 file (T.800 I.5.1).
var jp2Signature = []byte{0, 0, 0, 12, 'j', 'P', ' ', ' ', 0x0D, 0x0A, 0x87, 0x0A}

// locate finds the codestream in data, which is either bare or wrapped in JP2
// boxes (T.800 Annex I), and the enumerated colour space if boxes tell it.
func locate(data []byte) (offset int, colour uint32, err error) {
	if len(data) >= 4 && data[0] == 0xFF && data[1] == 0x4F && data[2] == 0xFF && data[3] == 0x51 {
		return 0, 0, nil
	}
	if !bytes.HasPrefix(data, jp2Signature) {
		return 0, 0, fmt.Errorf("finding the codestream: %w", ErrNotJPEG2000)
	}
	at := 0
	for {
		kind, from, to, ok := box(data, at, len(data))
		if !ok {
			return 0, 0, fmt.Errorf("no codestream box: %w", ErrNotJPEG2000)
		}
		switch kind {
		case "jp2c":
			if to-from < 4 || data[from] != 0xFF || data[from+1] != 0x4F {
				return 0, 0, fmt.Errorf("codestream box: %w", ErrNotJPEG2000)
			}
			return from, colour, nil
		case "jp2h":
			colour = colourSpace(data, from, to)
		}
		at = to
	}
}

// colourSpace looks for an enumerated colour space in the header box.
func colourSpace(data []byte, at, end int) uint32 {
	for {
		kind, from, to, ok := box(data, at, end)
		if !ok {
			return 0
		}
		if kind == "colr" && to-from >= 7 && data[from] == 1 {
			return binary.BigEndian.Uint32(data[from+3:])
		}
		at = to
	}
}

// box reads the box at data[at:end]: its type and where its content lies. A
// content that goes past the end is cut there.
func box(data []byte, at, end int) (kind string, from, to int, ok bool) {
	if end-at < 8 {
		return "", 0, 0, false
	}
	length := int64(binary.BigEndian.Uint32(data[at:]))
	kind, from = string(data[at+4:at+8]), at+8
	switch {
	case length == 1 && end-at >= 16:
		extended := binary.BigEndian.Uint64(data[at+8:])
		length, from = int64(min(extended, 1<<62)), at+16
	case length == 0:
		length = int64(end - at)
	}
	if length < int64(from-at) {
		return "", 0, 0, false
	}
	return kind, from, int(min(int64(at)+length, int64(end))), true
}
