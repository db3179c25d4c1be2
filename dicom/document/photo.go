package document

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/jpeg"

	"sira/dicom/write"
)

const (
	maxPhotoBytes  = 64 << 20
	maxPhotoPixels = 100 << 20
)

// Photograph makes of a JPEG a secondary capture image (or, with visibleLight,
// a VL photographic image) in JPEG baseline. A baseline stream stays as it is,
// less its metadata, which may hold a place and a name; what is progressive, turned
// by EXIF or in colours other than YCbCr and grey is decoded and compressed
// anew. ErrImage when it is no JPEG or too large, ErrIncomplete without study
// or time.
func Photograph(c Context, id Identity, data []byte, visibleLight bool) (*write.Object, error) {
	if len(data) > maxPhotoBytes {
		return nil, fmt.Errorf("taking photograph in: %d bytes: %w", len(data), ErrImage)
	}
	h, stripped, err := inspect(data)
	if err != nil {
		return nil, fmt.Errorf("taking photograph in: %w", err)
	}
	if !h.asIs() {
		if stripped, err = recompress(data, h.orientation); err != nil {
			return nil, fmt.Errorf("taking photograph in: %w", err)
		}
		if h, _, err = inspect(stripped); err != nil {
			return nil, fmt.Errorf("taking photograph in: %w", err)
		}
	}
	class, modality := SecondaryCapture, "OT"
	if visibleLight {
		class, modality = VLPhotographic, "XC"
	}
	o, err := begin(class, jpegBaseline, modality, c, id)
	if err != nil {
		return nil, fmt.Errorf("taking photograph in: %w", err)
	}
	s := o.Set
	s.Text(0x00080008, "CS", "DERIVED", "PRIMARY")
	if visibleLight {
		s.Text(0x00080008, "CS", "ORIGINAL", "PRIMARY")
		s.Sequence(0x00400555) // acquisition context: type 2
		s.Text(0x0008002A, "DT", id.At.Format("20060102150405-0700"))
	} else {
		s.Text(0x00080064, "CS", "DI")
	}
	s.Text(0x00080023, "DA", id.At.Format("20060102"))
	s.Text(0x00080033, "TM", id.At.Format("150405"))
	s.Text(0x00200020, "CS", "") // which way the patient lies and which side it is, nobody has said
	s.Text(0x00200060, "CS", "")
	h.pixelModule(s)
	s.Text(0x00280301, "CS", "NO")
	s.Text(0x00282110, "CS", "01")
	s.Decimal(0x00282112, float64(int64(10*h.width*h.height*h.components/max(len(stripped), 1)))/10)
	s.Text(0x00282114, "CS", "ISO_10918_1")
	s.Put(write.Element{Tag: 0x7FE00010, VR: "OB", Body: write.Encapsulated(1, func(context.Context, int) ([]byte, error) { return stripped, nil })})
	return o, nil
}

func (h jpegHead) pixelModule(s *write.Set) {
	s.US(0x00280002, uint16(h.components))
	s.Text(0x00280004, "CS", "MONOCHROME2")
	if h.components == 3 {
		s.Text(0x00280004, "CS", "YBR_FULL_422")
		if !h.subsampled {
			s.Text(0x00280004, "CS", "YBR_FULL")
		}
		s.US(0x00280006, 0)
	}
	s.US(0x00280010, uint16(h.height))
	s.US(0x00280011, uint16(h.width))
	s.US(0x00280100, 8)
	s.US(0x00280101, 8)
	s.US(0x00280102, 7)
	s.US(0x00280103, 0)
}

// jpegHead is what a JPEG stream says before its first scan.
type jpegHead struct {
	frame                    byte
	precision, width, height int
	components               int
	subsampled               bool
	adobe                    int // -1 without
	rgbIDs                   bool
	orientation              int // of EXIF, 1 without
}

// asIs: JPEG baseline, grey or YCbCr, upright.
func (h jpegHead) asIs() bool {
	return h.frame == 0xC0 && h.precision == 8 && h.orientation == 1 &&
		(h.components == 1 || h.components == 3 && h.adobe != 0 && (h.adobe > 0 || !h.rgbIDs))
}

// inspect walks the markers of a stream and returns it without application
// segments and comments, but for Adobe's, which tells the colours (ITU-T T.81
// annex B).
func inspect(b []byte) (jpegHead, []byte, error) {
	h := jpegHead{adobe: -1, orientation: 1}
	if len(b) < 4 || b[0] != 0xFF || b[1] != 0xD8 {
		return h, nil, fmt.Errorf("no JPEG: %w", ErrImage)
	}
	out := append(make([]byte, 0, len(b)), b[:2]...)
	for at := 2; at+4 <= len(b); {
		if b[at] != 0xFF {
			return h, nil, fmt.Errorf("no JPEG marker: %w", ErrImage)
		}
		marker := b[at+1]
		if marker == 0xFF {
			at++
			continue
		}
		length := int(binary.BigEndian.Uint16(b[at+2:]))
		if length < 2 || at+2+length > len(b) {
			break
		}
		segment, body := b[at:at+2+length], b[at+4:at+2+length]
		if marker == 0xDA {
			if h.frame == 0 || h.width == 0 || h.height == 0 || h.width*h.height > min(maxPhotoPixels, 1024*len(b)) {
				return h, nil, fmt.Errorf("JPEG of %d×%d: %w", h.width, h.height, ErrImage)
			}
			return h, append(out, untilEnd(b[at:])...), nil
		}
		at += 2 + length
		if h.segment(marker, body) {
			out = append(out, segment...)
		}
	}
	return h, nil, fmt.Errorf("JPEG without picture: %w", ErrImage)
}

// untilEnd cuts off what follows the end of the picture: phones hang further
// pictures and texts behind it.
func untilEnd(scan []byte) []byte {
	for i := 2; i+1 < len(scan); i++ {
		if scan[i] == 0xFF && scan[i+1] == 0xD9 {
			return scan[:i+2]
		}
	}
	return scan
}

// segment takes note of a segment and reports whether it stays.
func (h *jpegHead) segment(marker byte, body []byte) bool {
	switch {
	case marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC:
		if len(body) < 6 || len(body) < 6+3*int(body[5]) {
			return true
		}
		h.frame, h.precision, h.components = marker, int(body[0]), int(body[5])
		h.height, h.width = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
		for k := range h.components {
			h.subsampled = h.subsampled || body[7+3*k] != body[7]
		}
		h.rgbIDs = h.components == 3 && body[6] == 'R' && body[9] == 'G' && body[12] == 'B'
	case marker == 0xE1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")):
		h.orientation = orientation(body[6:])
		return false
	case marker == 0xEE && bytes.HasPrefix(body, []byte("Adobe")) && len(body) >= 12:
		h.adobe = int(body[11])
		return true
	case marker >= 0xE0 && marker <= 0xEF, marker == 0xFE:
		return false
	}
	return true
}

// orientation finds tag 0x0112 in the first directory of a TIFF header.
func orientation(b []byte) int {
	if len(b) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	if string(b[:2]) == "MM" {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(b[4:]))
	if at < 8 || at+2 > int64(len(b)) {
		return 1
	}
	entries := b[at+2:]
	for range order.Uint16(b[at:]) {
		if len(entries) < 12 {
			break
		}
		if order.Uint16(entries) == 0x0112 {
			if v := int(order.Uint16(entries[8:])); v >= 1 && v <= 8 {
				return v
			}
			break
		}
		entries = entries[12:]
	}
	return 1
}

// recompress decodes a stream and makes it upright, baseline and YCbCr.
func recompress(stream []byte, turned int) ([]byte, error) {
	m, err := jpeg.Decode(bytes.NewReader(stream))
	if err != nil {
		return nil, fmt.Errorf("decoding: %w: %w", ErrImage, err)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, upright(m, turned), &jpeg.Options{Quality: 92}); err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	_, out, err := inspect(b.Bytes())
	return out, err
}

// upright undoes an EXIF orientation (CIPA DC-008, tag Orientation).
func upright(m image.Image, turned int) image.Image {
	if turned == 1 {
		return m
	}
	w, h := m.Bounds().Dx(), m.Bounds().Dy()
	size := image.Rect(0, 0, w, h)
	if turned >= 5 {
		size = image.Rect(0, 0, h, w)
	}
	out := image.NewRGBA(size)
	for y := range h {
		for x := range w {
			to := [9]image.Point{1: {x, y}, 2: {w - 1 - x, y}, 3: {w - 1 - x, h - 1 - y}, 4: {x, h - 1 - y},
				5: {y, x}, 6: {h - 1 - y, x}, 7: {h - 1 - y, w - 1 - x}, 8: {y, w - 1 - x}}[turned]
			out.Set(to.X, to.Y, m.At(m.Bounds().Min.X+x, m.Bounds().Min.Y+y))
		}
	}
	return out
}
