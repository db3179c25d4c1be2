package sfu

import (
	"encoding/binary"
	"time"
)

// Bounds of a still of a picture that no video carries.
const (
	pieceMost  = 1000 // bytes of picture in a message: a packet, that no voice waits long for
	piecesMost = 16
	stillApart = 1500 * time.Millisecond // between two of a publisher
	headerMost = 10 + 255
)

// piece is one message of the stills channel (docs/signaling.md): a still's
// number, which of how many pieces this is, and how old the picture was when
// the piece left. From the server it also names whose picture it is.
type piece struct {
	number       uint16
	index, count uint8
	age          time.Duration
	from         string
	data         []byte
}

const pieceVersion = 1

func parsePiece(b []byte) (p piece, ok bool) {
	if len(b) < 10 || b[0] != pieceVersion || len(b) < 10+int(b[9]) {
		return p, false
	}
	p = piece{
		number: binary.BigEndian.Uint16(b[1:]), index: b[3], count: b[4],
		age:  time.Duration(binary.BigEndian.Uint32(b[5:])) * time.Millisecond,
		from: string(b[10 : 10+int(b[9])]), data: b[10+int(b[9]):],
	}
	return p, p.index < p.count && p.count <= piecesMost && len(p.data) > 0 && len(p.data) <= pieceMost
}

func (p piece) append(b []byte) []byte {
	from := p.from[:min(len(p.from), 255)]
	b = append(b, pieceVersion)
	b = binary.BigEndian.AppendUint16(b, p.number)
	b = append(b, p.index, p.count)
	b = binary.BigEndian.AppendUint32(b, uint32(min(max(p.age.Milliseconds(), 0), 1<<31)))
	b = append(b, byte(len(from)))
	b = append(b, from...)
	return append(b, p.data...)
}

// still is a whole picture. Its bytes are not changed once it is made.
type still struct {
	number uint16
	data   []byte
	taken  time.Time // as far as is known
}

func (s *still) pieces() int { return (len(s.data) + pieceMost - 1) / pieceMost }

func (s *still) piece(i int, from string, now time.Time) piece {
	return piece{
		number: s.number, index: uint8(i), count: uint8(s.pieces()), age: now.Sub(s.taken), from: from,
		data: s.data[i*pieceMost : min(len(s.data), (i+1)*pieceMost)],
	}
}

// assembler puts a publisher's pieces together. What comes out of order, too
// soon or is no picture is left out.
type assembler struct {
	part  still
	next  uint8 // the piece that is due; 0: none
	count uint8
	begun time.Time
}

func (a *assembler) add(p piece, now time.Time) (*still, bool) {
	if p.index == 0 {
		a.next = 0
		if !a.begun.IsZero() && now.Sub(a.begun) < stillApart {
			return nil, false
		}
		a.begun = now
		a.part = still{number: p.number, taken: now.Add(-min(max(p.age, 0), time.Minute)), data: make([]byte, 0, int(p.count)*len(p.data))}
		a.count = p.count
	} else if a.next == 0 || p.index != a.next || p.number != a.part.number || p.count != a.count {
		a.next = 0
		return nil, false
	}
	a.part.data = append(a.part.data, p.data...)
	a.next = p.index + 1
	if a.next < a.count {
		return nil, false
	}
	a.next = 0
	whole := a.part
	a.part = still{}
	return &whole, isPicture(whole.data)
}

// isPicture knows what may be relayed by its first bytes: WebP, AVIF, JPEG.
func isPicture(b []byte) bool {
	if len(b) < 16 {
		return false
	}
	return string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP" ||
		string(b[4:12]) == "ftypavif" ||
		string(b[:3]) == "\xff\xd8\xff"
}
