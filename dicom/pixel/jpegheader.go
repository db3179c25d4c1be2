package pixel

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// jpegHeader is what the markers before the first scan say (ITU-T T.81 B.2).
type jpegHeader struct {
	frame         byte // the SOF marker, 0xC0 for baseline
	precision     int
	width, height int
	components    []jpegComponent
	jfif, exif    bool
	adobe         int // colour transform of the Adobe segment, -1 without
}

type jpegComponent struct{ id, h, v byte }

// parseJPEG walks the markers up to the first scan.
func parseJPEG(b []byte) (jpegHeader, error) {
	h := jpegHeader{adobe: -1}
	if len(b) < 4 || b[0] != 0xFF || b[1] != 0xD8 {
		return h, fmt.Errorf("no JPEG stream: %w", ErrCorrupt)
	}
	for at := 2; at+4 <= len(b); {
		if b[at] != 0xFF {
			return h, fmt.Errorf("no JPEG marker at byte %d: %w", at, ErrCorrupt)
		}
		marker := b[at+1]
		if marker == 0xFF { // fill
			at++
			continue
		}
		length := int(binary.BigEndian.Uint16(b[at+2:]))
		if length < 2 || at+2+length > len(b) {
			break
		}
		body := b[at+4 : at+2+length]
		at += 2 + length
		switch {
		case marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC:
			if err := h.sof(marker, body); err != nil {
				return h, err
			}
		case marker == 0xE0 && bytes.HasPrefix(body, []byte("JFIF\x00")):
			h.jfif = true
		case marker == 0xE1 && bytes.HasPrefix(body, []byte("Exif\x00")):
			h.exif = true
		case marker == 0xEE && bytes.HasPrefix(body, []byte("Adobe")) && len(body) >= 12:
			h.adobe = int(body[11])
		case marker == 0xDA:
			if h.frame == 0 {
				return h, fmt.Errorf("JPEG scan before its frame: %w", ErrCorrupt)
			}
			return h, nil
		}
	}
	return h, fmt.Errorf("JPEG stream without scan: %w", ErrCorrupt)
}

func (h *jpegHeader) sof(marker byte, body []byte) error {
	if h.frame != 0 || len(body) < 6 || len(body) < 6+3*int(body[5]) {
		return fmt.Errorf("JPEG frame header: %w", ErrCorrupt)
	}
	h.frame, h.precision = marker, int(body[0])
	h.height, h.width = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
	for k := range int(body[5]) {
		c := body[6+3*k:]
		h.components = append(h.components, jpegComponent{c[0], c[1] >> 4, c[1] & 15})
	}
	return nil
}

// subsampled reports whether any component is coarser than another.
func (h *jpegHeader) subsampled() bool {
	for _, c := range h.components {
		if c.h != h.components[0].h || c.v != h.components[0].v {
			return true
		}
	}
	return false
}

// plain8 reports whether the stream is of a process that every browser knows
// and of the image's shape.
func (h *jpegHeader) plain8(img Image) bool {
	return h.frame <= 0xC2 && h.precision == 8 && img.BitsAllocated == 8 &&
		h.width == img.Cols && h.height == img.Rows && len(h.components) == img.Samples
}

// browserYBR is how libjpeg, and with it every browser, takes three
// components when nothing else is known.
func (h *jpegHeader) browserYBR() bool {
	c := h.components
	switch {
	case h.jfif:
		return true
	case h.adobe >= 0:
		return h.adobe != 0
	}
	return !(c[0].id == 'R' && c[1].id == 'G' && c[2].id == 'B')
}
