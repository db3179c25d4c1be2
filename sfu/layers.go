package sfu

import "slices"

// describe reads what a picture's packet is: the beginning of a keyframe, of
// which temporal layer, and whether a decoder may go up to that layer from it
// on. The lock is held.
func (in *inlet) describe(p *packet, mime string) {
	p.keyStart = startsKeyframe(mime, p.payload)
	switch mime {
	case "video/vp8":
		p.tid, p.up, p.starts = vp8Layer(p.payload)
	case "video/vp9":
		p.tid, p.sid, p.up, p.end = vp9Layer(p.payload)
	case "video/av1":
		tid, known := av1Layer(p.payload)
		if before, ok := in.ring.get(p.ext - 1); !known && ok && before.ts == p.ts {
			tid = before.tid
		}
		p.tid, p.up = tid, true // libaom's layers lean on lower ones only
	}
}

// vp8Layer reads RFC 7741, 4.2: TID, and Y, by which a layer leans on the
// lowest only.
func vp8Layer(b []byte) (tid uint8, up, starts bool) {
	const extended, pictureID, tl0, tidPresent = 0x80, 0x80, 0x40, 0x20
	if len(b) < 1 {
		return 0, false, false
	}
	starts = b[0]&0x17 == 0x10 // S, partition 0
	if len(b) < 2 || b[0]&extended == 0 || b[1]&tidPresent == 0 {
		return 0, false, starts
	}
	i := 2
	if b[1]&pictureID != 0 {
		if len(b) > i && b[i]&0x80 != 0 {
			i++
		}
		i++
	}
	if b[1]&tl0 != 0 {
		i++
	}
	if len(b) <= i {
		return 0, false, starts
	}
	return min(b[i]>>6, layersMost-1), b[i]&0x20 != 0, starts
}

// vp8Renumber takes n from a packet's picture number, for pictures before it
// that were left out: a gap would be taken for a loss. It writes into b.
func vp8Renumber(b []byte, n uint16) {
	if len(b) < 3 || b[0]&0x80 == 0 || b[1]&0x80 == 0 {
		return
	}
	if b[2]&0x80 == 0 {
		b[2] = (b[2] - uint8(n)) & 0x7f
	} else if len(b) > 3 {
		id := (uint16(b[2]&0x7f)<<8 | uint16(b[3])) - n
		b[2], b[3] = 0x80|byte(id>>8), byte(id)
	}
}

// renumber makes up for VP8 pictures that were left out, in a copy: the payload
// may be other viewers' too. The outlet's lock is held.
func (o *outlet) renumber(p *packet, payload []byte) []byte {
	if !o.routes[p.pt&0x7f].vp8 || len(payload) == 0 {
		return payload
	}
	n := o.rw.pics(p.ext)
	if n == 0 {
		return payload
	}
	own := slices.Clone(payload)
	vp8Renumber(own, n)
	return own
}

// vp9Layer reads RFC 9628, 4.2: TID, SID, U and E.
func vp9Layer(b []byte) (tid, sid uint8, up, end bool) {
	const pictureID, layers, frameEnd = 0x80, 0x20, 0x04
	if len(b) < 2 || b[0]&layers == 0 {
		return 0, 0, false, false
	}
	i := 1
	if b[0]&pictureID != 0 {
		if b[i]&0x80 != 0 {
			i++
		}
		i++
	}
	if len(b) <= i {
		return 0, 0, false, false
	}
	return min(b[i]>>5, layersMost-1), min(b[i]>>1&7, spacesMost-1), b[i]&0x10 != 0, b[0]&frameEnd != 0
}

// av1Layer reads the temporal layer from the header of a packet's first OBU
// (RTP Payload Format For AV1, 4.4; AV1, 5.3.3). A packet that begins amid an
// OBU does not tell.
func av1Layer(b []byte) (tid uint8, known bool) {
	if len(b) < 2 || b[0]&0x80 != 0 { // Z
		return 0, false
	}
	i := 1
	if b[0]>>4&3 != 1 { // W: not the only element, its size comes first (LEB128)
		for i < len(b) && b[i]&0x80 != 0 {
			i++
		}
		i++
	}
	if len(b) <= i {
		return 0, false
	}
	if b[i]&0x04 == 0 {
		return 0, true // a sequence header or no layers: the lowest
	}
	if len(b) <= i+1 {
		return 0, false
	}
	return min(b[i+1]>>5, layersMost-1), true
}
