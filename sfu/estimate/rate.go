package estimate

import "time"

// rateWindow is how far back rates are measured.
const rateWindow = 800 * time.Millisecond

// rateMeter measures what was sent and what arrived over the last moment.
type rateMeter struct {
	packets []Packet // in the order they were sent
	array   []Packet // all that they are a part of
	latest  time.Duration
	any     bool
}

// meterMost bounds the memory, whatever is reported.
const meterMost = 4096

func (m *rateMeter) add(p Packet) {
	if full := len(m.packets) == cap(m.packets); full && 2*cap(m.array) > 3*len(m.packets) {
		m.packets = append(append(m.array[:0], m.packets...), p) // to the front again
	} else if m.packets = append(m.packets, p); full {
		m.array = m.packets
	}
	if p.Arrived && (!m.any || p.Arrival > m.latest || p.Arrival < m.latest-10*rateWindow) {
		m.latest, m.any = p.Arrival, true
	}
	drop := 0
	for drop < len(m.packets)-1 && (p.Sent.Sub(m.packets[drop].Sent) > 2*rateWindow || len(m.packets)-drop > meterMost) {
		drop++
	}
	m.packets = m.packets[drop:]
}

// sent is the rate of departures, bit/s, over the packets reported on.
func (m *rateMeter) sent() float64 {
	if len(m.packets) == 0 {
		return 0
	}
	last := m.packets[len(m.packets)-1].Sent
	bytes, from := 0, last
	for i := len(m.packets) - 1; i >= 0 && last.Sub(m.packets[i].Sent) < rateWindow; i-- {
		bytes += m.packets[i].Size
		from = m.packets[i].Sent
	}
	return perSecond(bytes, last.Sub(from))
}

// delivered is the rate of arrivals, bit/s.
func (m *rateMeter) delivered() float64 {
	bytes := 0
	oldest := m.latest
	for _, p := range m.packets {
		if p.Arrived && p.Arrival > m.latest-rateWindow && p.Arrival <= m.latest {
			bytes += p.Size
			oldest = min(oldest, p.Arrival)
		}
	}
	return perSecond(bytes, m.latest-oldest)
}

// perSecond spreads bytes over the window once it is half full.
func perSecond(bytes int, span time.Duration) float64 {
	if span < rateWindow/2 {
		span = rateWindow
	} else {
		span = max(span, rateWindow*3/4)
	}
	return float64(bytes) * 8 / span.Seconds()
}
