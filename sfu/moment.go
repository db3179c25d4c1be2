package sfu

import "time"

// moment is a time in a third of the room: what was sent when is kept a
// thousand times for each viewer.
type moment int64 // ns since epoch

var epoch = time.Now()

func momentOf(t time.Time) moment { return moment(t.Sub(epoch)) }

func (m moment) time() time.Time { return epoch.Add(time.Duration(m)) }

// before is how long before t it was.
func (m moment) before(t time.Time) time.Duration { return time.Duration(momentOf(t) - m) }
