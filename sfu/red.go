package sfu

import "errors"

var errBadRED = errors.New("malformed redundant audio")

// A RED payload (RFC 2198, 3) is a list of block headers, the redundant
// blocks, then the primary one:
//
//	redundant header: 1 PT(7) | timestamp offset (14) | length (10)
//	primary header:   0 PT(7)

// redPrimary returns the primary block, the newest audio.
func redPrimary(payload []byte) ([]byte, error) {
	skip := 0
	for i := 0; i < len(payload); i += 4 {
		if payload[i]&0x80 == 0 {
			start := i + 1 + skip
			if start > len(payload) {
				return nil, errBadRED
			}
			return payload[start:], nil
		}
		if i+4 > len(payload) {
			return nil, errBadRED
		}
		skip += int(payload[i+2]&0x03)<<8 | int(payload[i+3])
	}
	return nil, errBadRED
}

// redRenumber gives every block the payload type that the receiver knows.
func redRenumber(payload []byte, pt uint8) error {
	for i := 0; i < len(payload); i += 4 {
		more := payload[i] & 0x80
		payload[i] = more | pt&0x7f
		if more == 0 {
			return nil
		}
		if i+4 > len(payload) {
			break
		}
	}
	return errBadRED
}
