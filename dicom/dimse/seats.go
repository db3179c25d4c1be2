package dimse

import "net/netip"

// seats counts connections in total and per address. Beyond the limit a few
// more are let in only to be rejected politely; beyond those, dropped.
type seats struct {
	total int
	from  map[netip.Addr]int
}

type seat uint8

const (
	seatTaken seat = iota
	seatRejected
	seatDropped
)

func (s *seats) take(a netip.Addr, l Limits) seat {
	key := seatKey(a)
	if s.total >= l.Associations+l.Associations/4+4 || s.from[key] >= l.PerAddress+l.PerAddress/4+4 {
		return seatDropped
	}
	over := s.total >= l.Associations || s.from[key] >= l.PerAddress
	if s.from == nil {
		s.from = map[netip.Addr]int{}
	}
	s.total++
	s.from[key]++
	if over {
		return seatRejected
	}
	return seatTaken
}

func (s *seats) leave(a netip.Addr) {
	key := seatKey(a)
	s.total--
	if s.from[key]--; s.from[key] <= 0 {
		delete(s.from, key)
	}
}

// seatKey is the address, or for IPv6 its /64: one site has all of that.
func seatKey(a netip.Addr) netip.Addr {
	if a.Is6() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}
