package sfu

import "time"

// cut is where the distance between a source's numbers and ours changes.
type cut struct {
	from  uint64 // first extended number it holds for
	shift uint64 // added (modulo 2^64) to get ours
	pics  uint16 // numbered pictures left out before
}

// rewriter gives one outgoing stream continuous sequence numbers and
// timestamps while what feeds it changes, or leaves packets out. It is plain
// state without locks.
type rewriter struct {
	clock uint32

	sent   bool
	high   uint64 // highest number given out, extended
	highTS uint32
	highAt time.Time

	first   uint64 // where the present source began
	top     uint64 // its highest number so far
	cuts    []cut
	tsShift uint32

	pastTo uint64 // what came up to here is past: told closer together
	pastTS uint32 // its newest timestamp
}

const cutsKept = 32

// begin makes ext the first packet of a new source, following without a gap
// what was sent before.
func (w *rewriter) begin(ext uint64, ts uint32, now time.Time) {
	w.tsShift = 0
	ts = w.told(ext, ts)
	var next uint32
	if w.sent {
		ticks := now.Sub(w.highAt).Seconds() * float64(w.clock)
		next = w.highTS + uint32(max(int64(ticks), 1))
	} else {
		next = ts
	}
	w.first, w.top = ext, ext
	w.cuts = append(w.cuts[:0], cut{from: ext, shift: w.high + 1 - ext})
	w.tsShift = next - ts
}

// squeezed is how many times closer together the past is told.
const squeezed = 64

// squeeze is called before begin, when that begins with the past: what came up
// to ext, at ts, is told closer together, so that it is played at once.
func (w *rewriter) squeeze(ext uint64, ts uint32) { w.pastTo, w.pastTS = ext, ts }

// told is our timestamp for a packet of the present source.
func (w *rewriter) told(ext uint64, ts uint32) uint32 {
	if ago := int32(w.pastTS - ts); ext <= w.pastTo && ago > 0 {
		ts = w.pastTS - uint32(ago)/squeezed
	}
	return ts + w.tsShift
}

// place returns our numbers for a packet of the present source; false for
// one from before it began or too old to know.
func (w *rewriter) place(ext uint64, ts uint32, now time.Time) (seq uint64, outTS uint32, ok bool) {
	if ext < w.first {
		return 0, 0, false
	}
	for i := len(w.cuts) - 1; i >= 0; i-- {
		if ext < w.cuts[i].from {
			continue
		}
		seq, outTS = ext+w.cuts[i].shift, w.told(ext, ts)
		if ext >= w.top {
			w.top = ext
			if !w.sent || seq > w.high {
				w.high, w.highTS, w.highAt = seq, outTS, now
			}
			w.sent = true
		}
		return seq, outTS, true
	}
	return 0, 0, false
}

// skip closes the hole that leaving out ext would make. It returns false
// when ext is not ahead of what was placed: then the number is taken, and
// something must be sent with it or the subscriber will ask for it.
func (w *rewriter) skip(ext uint64) bool {
	if ext <= w.top || len(w.cuts) == 0 {
		return false
	}
	last := w.cuts[len(w.cuts)-1]
	if last.from == ext { // the one before was left out too
		w.cuts = w.cuts[:len(w.cuts)-1]
	} else if len(w.cuts) == cutsKept {
		copy(w.cuts, w.cuts[1:])
		w.cuts = w.cuts[:cutsKept-1]
		w.first = w.cuts[0].from
	}
	w.cuts = append(w.cuts, cut{from: ext + 1, shift: last.shift - 1, pics: last.pics})
	w.top = ext
	w.high = ext - 1 + last.shift
	return true
}

// append makes room for a packet of our own after the newest, so much later.
func (w *rewriter) append(after uint32, now time.Time) (seq uint64, ts uint32) {
	w.high++
	w.highTS += after
	w.highAt = now
	return w.high, w.highTS
}

// rejoin makes ext of the present source follow what was sent before it, in
// numbers; in time it is as far from that as it was spoken.
func (w *rewriter) rejoin(ext uint64) {
	w.first, w.top = ext, ext
	w.cuts = append(w.cuts[:0], cut{from: ext, shift: w.high + 1 - ext})
}

// leave is skip; starts says that a picture with a number of its own begins
// with ext.
func (w *rewriter) leave(ext uint64, starts bool) bool {
	if !w.skip(ext) {
		return false
	}
	if starts {
		w.cuts[len(w.cuts)-1].pics++
	}
	return true
}

// pics is how many numbered pictures were left out before ext.
func (w *rewriter) pics(ext uint64) uint16 {
	for i := len(w.cuts) - 1; i >= 0; i-- {
		if ext >= w.cuts[i].from {
			return w.cuts[i].pics
		}
	}
	return 0
}
