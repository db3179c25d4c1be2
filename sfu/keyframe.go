package sfu

// startsKeyframe says whether an RTP payload is the first packet of a frame
// that can be decoded alone. mime is lower case.
func startsKeyframe(mime string, b []byte) bool {
	switch mime {
	case "video/vp8":
		return vp8Keyframe(b)
	case "video/vp9":
		return vp9Keyframe(b)
	case "video/h264":
		return h264Keyframe(b)
	case "video/av1":
		return av1Keyframe(b)
	}
	return false
}

// vp8Keyframe reads the payload descriptor (RFC 7741, 4.2) and the first
// byte of the frame header (4.3).
func vp8Keyframe(b []byte) bool {
	if len(b) < 1 || b[0]&0x10 == 0 || b[0]&0x07 != 0 { // S set, partition 0
		return false
	}
	i := 1
	if b[0]&0x80 != 0 { // X
		if len(b) < 2 {
			return false
		}
		x := b[1]
		i = 2
		if x&0x80 != 0 { // I: 7 or 15 bits of picture ID
			if len(b) <= i {
				return false
			}
			if b[i]&0x80 != 0 {
				i++
			}
			i++
		}
		if x&0x40 != 0 { // L
			i++
		}
		if x&0x30 != 0 { // T or K
			i++
		}
	}
	return len(b) > i && b[i]&0x01 == 0 // P clear: key frame
}

// vp9Keyframe reads the payload descriptor (RFC 9628, 4.2): no inter-picture
// prediction, beginning of a frame, lowest spatial layer.
func vp9Keyframe(b []byte) bool {
	if len(b) < 1 {
		return false
	}
	const (
		pictureID  = 0x80
		predicted  = 0x40
		layers     = 0x20
		frameStart = 0x08
	)
	if b[0]&predicted != 0 || b[0]&frameStart == 0 {
		return false
	}
	if b[0]&layers == 0 {
		return true
	}
	i := 1
	if b[0]&pictureID != 0 {
		if len(b) <= i {
			return false
		}
		if b[i]&0x80 != 0 {
			i++
		}
		i++
	}
	return len(b) > i && b[i]>>1&0x07 == 0 // SID 0
}

// h264Keyframe looks for a sequence parameter set (RFC 6184, 5.2), which
// encoders put before each IDR picture, alone or in a STAP-A.
func h264Keyframe(b []byte) bool {
	const sps, stapA = 7, 24
	if len(b) < 1 {
		return false
	}
	switch b[0] & 0x1f {
	case sps:
		return true
	case stapA:
		for i := 1; i+2 < len(b); {
			if b[i+2]&0x1f == sps {
				return true
			}
			i += 2 + int(b[i])<<8 + int(b[i+1])
		}
	}
	return false
}

// av1Keyframe reads the aggregation header (RTP Payload Format For AV1, 4.4):
// N, the first packet of a coded video sequence, which begins with a keyframe.
func av1Keyframe(b []byte) bool {
	const continued, first = 0x80, 0x08
	return len(b) > 1 && b[0]&(continued|first) == first
}
