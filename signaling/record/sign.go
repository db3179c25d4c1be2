package record

// Sign is a link in one word, for everybody in the call.
type Sign string

// The signs.
const (
	Unknown Sign = "" // not met yet
	Good    Sign = "good"
	Weak    Sign = "weak"
	Cut     Sign = "cut"
)

// What makes a link weak: voice, which is said twice, suffers beyond it, or an
// answer comes so late that people speak at once.
const (
	weakLoss   = 50 // ‰, either way
	weakRTT    = 900
	weakPath   = 48 // kbit/s: voice said twice and little else
	lookBack   = 3  // samples
	getsBetter = 3  // looks in a row before a link is called good again
)

// mood turns looks at a link into a sign that does not flicker. What somebody
// hears is not in it: it depends on the links of others.
type mood struct {
	sign   Sign
	last   [lookBack]sample
	seen   int
	better int
}

// see takes a look; met is whether media ever flowed.
func (m *mood) see(s sample, met bool) Sign {
	if !met {
		return m.sign
	}
	if s.Cut {
		*m = mood{sign: Cut}
		return Cut
	}
	m.last[m.seen%lookBack] = s
	m.seen++
	if weak := m.weak(); weak && (m.seen >= 2 || m.sign == Cut) {
		m.sign, m.better = Weak, 0
	} else if !weak {
		if m.better++; m.better >= getsBetter || m.sign != Weak {
			m.sign = Good
		}
	}
	return m.sign
}

// thin says whether the link carries too little: an estimate that is not used,
// because nobody speaks, says nothing.
func (s *sample) thin() bool {
	var sent int32
	for _, k := range s.Down {
		sent += k
	}
	return s.Estimate > 0 && s.Estimate < weakPath && sent*2 > s.Estimate
}

func (m *mood) weak() bool {
	n := int32(min(m.seen, lookBack))
	var up, down, rtt, path int32
	for _, s := range m.last[:n] {
		up, down, rtt = up+int32(s.LossUp), down+int32(s.LossDown), rtt+s.RTTMs
		if s.thin() {
			path++
		}
	}
	return up > weakLoss*n || down > weakLoss*n || rtt > weakRTT*n || path == n
}
