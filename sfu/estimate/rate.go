package estimate

import "time"

// rateWindow is how far back rates are measured.
const rateWindow = 800 * time.Millisecond

// What leaves beside the packets reported on does so in few pieces: a window as
// short would see none or two of them. It is kept until reports can come.
const (
	besideSpan = 2 * time.Second
	besideKept = 8 * time.Second
)

// rateMeter measures what was sent and what arrived over the last moment.
type rateMeter struct {
	packets []Packet // in the order they were sent
	array   []Packet // all that they are a part of
	latest  time.Duration
	any     bool
	beside  []Packet // what nobody reports on, in the order it was sent
}

// Bounds of the memory, whatever is reported.
const (
	meterMost  = 4096
	besideMost = 512
)

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

// addBeside takes bytes that left and that no report will name.
func (m *rateMeter) addBeside(now time.Time, size int) {
	drop := 0
	for drop < len(m.beside) && (now.Sub(m.beside[drop].Sent) > besideKept || len(m.beside)-drop >= besideMost) {
		drop++
	}
	m.beside = append(m.beside[:0], m.beside[drop:]...)
	m.beside = append(m.beside, Packet{Sent: now, Size: size})
}

// besideIn is how many bytes left beside between two times.
func (m *rateMeter) besideIn(from, to time.Time) (bytes int) {
	for _, p := range m.beside {
		if !p.Sent.Before(from) && p.Sent.Before(to) {
			bytes += p.Size
		}
	}
	return bytes
}

// besideRate is the rate of what left beside the packets last reported on. All
// of it is taken to have come through: it is sent until it does.
func (m *rateMeter) besideRate() float64 {
	if len(m.packets) == 0 || len(m.beside) == 0 {
		return 0
	}
	last := m.packets[len(m.packets)-1].Sent
	return float64(m.besideIn(last.Add(-besideSpan), last)) * 8 / besideSpan.Seconds()
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
	return perSecond(bytes, last.Sub(from)) + m.besideRate()
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
	return perSecond(bytes, m.latest-oldest) + m.besideRate()
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
