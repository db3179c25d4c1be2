package cases

import (
	"fmt"
	"slices"
)

// CallLeftData is what a call was like, written by the server when somebody
// leaves; empty in the logs of an older Sira. Figures are as in package
// signaling/record: seconds (s), milliseconds (Ms), kbit/s, bytes, losses in ‰.
type CallLeftData struct {
	Call string       `json:"call,omitempty"` // names the call
	Own  *CallFigures `json:"own,omitempty"`  // of who left
	All  *CallSum     `json:"all,omitempty"`  // of the whole call, with the last to leave
}

// CallFigures are one person's.
type CallFigures struct {
	Seconds       int              `json:"seconds"` // in the call
	Voice         int              `json:"voice"`   // of these, with somebody to hear
	Usable        int              `json:"usable"`  // of these, with usable speech
	ConcealedMs   int              `json:"concealedMs"`
	Freezes       int              `json:"freezes"`
	FrozenMs      int              `json:"frozenMs"`
	FirstAudioMs  int              `json:"firstAudioMs"`
	FirstVideoMs  int              `json:"firstVideoMs"`
	RTTMs         int              `json:"rttMs"`
	LossUp        int              `json:"lossUp"`
	LossDown      int              `json:"lossDown"`
	EstimateKbps  int              `json:"estimateKbps"`
	LeastKbps     int              `json:"leastKbps"`
	DeliveredKbps int              `json:"deliveredKbps"`
	Up            map[string]int64 `json:"up"` // bytes by what they were for
	Down          map[string]int64 `json:"down"`
	Path          string           `json:"path"` // "udp", "tcp", "relay" or ""
	Outages       int              `json:"outages"`
	OutageMs      int              `json:"outageMs"`
	LongestMs     int              `json:"longestMs"`
	ResumeMs      int              `json:"resumeMs"`
}

// CallSum is that of a call.
type CallSum struct {
	Seconds   int `json:"seconds"`
	People    int `json:"people"`
	Voice     int `json:"voice"`
	Usable    int `json:"usable"`
	Outages   int `json:"outages"`
	OutageMs  int `json:"outageMs"`
	LongestMs int `json:"longestMs"`
}

// maxTraffics bounds the kinds of bytes that figures tell apart.
const maxTraffics = 12

func (d *CallLeftData) empty() bool { return d.Call == "" && d.Own == nil && d.All == nil }

func (d *CallLeftData) check() error {
	if err := line("call", &d.Call, false, maxShort); err != nil {
		return err
	}
	if o := d.Own; o != nil {
		if err := positive("own", o.Seconds, o.Voice, o.Usable, o.ConcealedMs, o.Freezes, o.FrozenMs, o.FirstAudioMs, o.FirstVideoMs, o.RTTMs,
			o.LossUp, o.LossDown, o.EstimateKbps, o.LeastKbps, o.DeliveredKbps, o.Outages, o.OutageMs, o.LongestMs, o.ResumeMs); err != nil {
			return err
		}
		if !slices.Contains([]string{"", "udp", "tcp", "relay"}, o.Path) {
			return refuse("bad-value", "own.path")
		}
		for name, m := range map[string]*map[string]int64{"own.up": &o.Up, "own.down": &o.Down} {
			if err := checkBytes(name, m); err != nil {
				return err
			}
		}
	}
	if a := d.All; a != nil {
		return positive("all", a.Seconds, a.People, a.Voice, a.Usable, a.Outages, a.OutageMs, a.LongestMs)
	}
	return nil
}

func checkBytes(field string, m *map[string]int64) error {
	if *m == nil {
		*m = map[string]int64{}
	}
	if len(*m) > maxTraffics {
		return refuse("too-many", field, "max", fmt.Sprint(maxTraffics))
	}
	for name, n := range *m {
		if n < 0 || name == "" || len(name) > 20 {
			return refuse("bad-value", field)
		}
	}
	return nil
}

func positive(field string, list ...int) error {
	for _, n := range list {
		if n < 0 {
			return refuse("bad-value", field)
		}
	}
	return nil
}
