package record

import (
	"time"

	"sira/sfu"
)

// View is a call's last minutes, as it is drawn.
type View struct {
	ID        string       `json:"id"`
	StartedAt time.Time    `json:"startedAt"`
	EndedAt   *time.Time   `json:"endedAt,omitempty"`
	At        int64        `json:"at"` // Unix ms, of the server's clock; the next "after"
	EveryMs   int64        `json:"everyMs"`
	People    []PersonView `json:"people"`
}

// PersonView is one line of it.
type PersonView struct {
	User     string       `json:"user"`
	Name     string       `json:"name"`
	Role     string       `json:"role"` // "guest" for who has no account, where names are not shown
	Facility string       `json:"facility,omitempty"`
	Via      string       `json:"via,omitempty"`
	Here     bool         `json:"here"`
	Sign     Sign         `json:"sign,omitempty"`
	JoinedAt time.Time    `json:"joinedAt"`
	LeftAt   *time.Time   `json:"leftAt,omitempty"`
	Totals   Totals       `json:"totals"`
	Received *Received    `json:"received,omitempty"` // the picture, now
	Outages  []OutageView `json:"outages"`            // the newest, oldest first; the last one may go on
	Samples  Columns      `json:"samples"`
}

// Received is the largest picture that somebody receives.
type Received struct {
	Width  int `json:"width"`
	Height int `json:"height"`
	FPS    int `json:"fps"`
}

// OutageView is an outage. ResumeMs is from when the browser was heard again
// until media passed.
type OutageView struct {
	At       int64 `json:"at"` // Unix ms
	Ms       int64 `json:"ms"`
	ResumeMs int64 `json:"resumeMs"`
	Going    bool  `json:"going,omitempty"`
}

// Columns are samples, one column for each figure, oldest first: kbit/s, ms,
// losses in ‰. A column of zeros is empty.
type Columns struct {
	At        []int64            `json:"at"` // Unix ms
	Estimate  []int32            `json:"estimate"`
	Uplink    []int32            `json:"uplink"`
	Delivered []int32            `json:"delivered"`
	Up        map[string][]int32 `json:"up"`
	Down      map[string][]int32 `json:"down"`
	RTTMs     []int32            `json:"rttMs"`
	LossUp    []int32            `json:"lossUp"`
	LossDown  []int32            `json:"lossDown"`
	FrozenMs  []int32            `json:"frozenMs"`
	Height    []int32            `json:"height"`  // lines of the picture received
	Cut       []int32            `json:"cut"`     // 1: no media passed
	Picture   []int32            `json:"picture"` // 0 whole, 1 small, 2 off, 3 unwanted, 4 stills
}

// View gives the call as it is, with the samples after a time in Unix ms.
func (c *Call) View(after int64, now time.Time) View {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := View{ID: c.ID, StartedAt: c.Started.UTC(), At: now.UnixMilli(), EveryMs: Every.Milliseconds(), People: []PersonView{}}
	if !c.ended.IsZero() {
		end := c.ended.UTC()
		v.EndedAt = &end
	}
	for _, p := range c.people {
		v.People = append(v.People, p.view(after, now))
	}
	return v
}

func (p *Person) view(after int64, now time.Time) PersonView {
	v := PersonView{User: p.key.User, Name: p.who.Name, Role: p.who.Role, Via: p.key.Via, Here: p.left.IsZero(), Sign: p.mood.sign,
		JoinedAt: p.joined.UTC(), Totals: p.totals(now), Outages: []OutageView{}, Samples: columns(p.since(after))}
	if !v.Here {
		left := p.left.UTC()
		v.LeftAt, v.Sign = &left, Unknown
	} else if p.told.Width > 0 {
		v.Received = &Received{p.told.Width, p.told.Height, p.told.FPS}
	}
	for _, o := range p.outages {
		v.Outages = append(v.Outages, OutageView{At: o.At.UnixMilli(), Ms: o.Length.Milliseconds(), ResumeMs: o.Resume.Milliseconds()})
	}
	if v.Here && !p.cutAt.IsZero() {
		v.Outages = append(v.Outages, OutageView{At: p.cutAt.UnixMilli(), Ms: now.Sub(p.cutAt).Milliseconds(), Going: true})
	}
	return v
}

func columns(list []sample) Columns {
	c := Columns{At: make([]int64, 0, len(list)), Up: map[string][]int32{}, Down: map[string][]int32{}}
	for _, s := range list {
		c.At = append(c.At, s.At)
	}
	c.Estimate = column(list, func(s *sample) int32 { return s.Estimate })
	c.Uplink = column(list, func(s *sample) int32 { return s.Uplink })
	c.Delivered = column(list, func(s *sample) int32 { return s.Delivered })
	c.RTTMs = column(list, func(s *sample) int32 { return s.RTTMs })
	c.LossUp = column(list, func(s *sample) int32 { return int32(s.LossUp) })
	c.LossDown = column(list, func(s *sample) int32 { return int32(s.LossDown) })
	c.FrozenMs = column(list, func(s *sample) int32 { return s.FrozenMs })
	c.Height = column(list, func(s *sample) int32 { return int32(s.Height) })
	c.Picture = column(list, func(s *sample) int32 { return int32(s.Picture) })
	c.Cut = column(list, func(s *sample) int32 {
		if s.Cut {
			return 1
		}
		return 0
	})
	for t := range sfu.Traffics {
		if up := column(list, func(s *sample) int32 { return s.Up[t] }); len(up) > 0 {
			c.Up[t.String()] = up
		}
		if down := column(list, func(s *sample) int32 { return s.Down[t] }); len(down) > 0 {
			c.Down[t.String()] = down
		}
	}
	return c
}

// column is empty when all of it is zero: what is not there costs no bytes.
func column(list []sample, of func(*sample) int32) []int32 {
	out := make([]int32, len(list))
	any := false
	for i := range list {
		out[i] = of(&list[i])
		any = any || out[i] != 0
	}
	if !any {
		return []int32{}
	}
	return out
}
