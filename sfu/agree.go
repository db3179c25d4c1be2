package sfu

import (
	"slices"
	"strings"
	"sync/atomic"

	"github.com/pion/sdp/v3"
)

// codecRank is in what order codecs of pictures are preferred: what says the
// same in fewer bytes and in layers first, then what everybody has; AV1 last,
// for it asks much of a cheap tablet.
var codecRank = []codecID{"video/vp9;0", "video/vp8", "video/h264;1;4240", "video/av1;0"}

// whyCodec is the reason of a slot that stays empty: no codec is common.
const whyCodec = "codec"

// agreement is the codec in which a peer is to send its picture, so that all
// others can be shown it: places in codecRank from 1 on, 0 as long as nothing
// is known.
type agreement struct {
	wanted atomic.Int32 // by the room
	told   atomic.Int32 // by a description or a target
	again  atomic.Bool  // the room is about to look once more

	sends []codecID // owned by the room: what the peer can send
}

// tell returns the name of the wanted codec, and whether it is news.
func (a *agreement) tell() (name string, news bool) {
	w := a.wanted.Load()
	if w == 0 {
		return "", false
	}
	_, name, _ = strings.Cut(string(codecRank[w-1]), "/")
	name, _, _ = strings.Cut(strings.ToUpper(name), ";")
	return name, a.told.Swap(w) != w
}

// agree finds for each peer the codec that most of the others can be shown.
func (r *room) agree() {
	for _, p := range r.peers {
		p.agreed.wanted.Store(r.codecFor(p))
	}
}

// codecFor is the place in codecRank, plus 1, of the codec that p can send and
// that most of the others can be shown, the better one of equals.
func (r *room) codecFor(p *Peer) (best int32) {
	most := -1
	for i, id := range codecRank {
		if !slices.Contains(p.agreed.sends, id) {
			continue
		}
		n := 0
		for _, q := range r.peers {
			if q != p && q.shows(id) {
				n++
			}
		}
		if n > most {
			best, most = int32(i+1), n
		}
	}
	return best
}

// shows says whether the peer negotiated to receive a codec.
func (p *Peer) shows(id codecID) bool {
	for _, o := range p.outlets[video] {
		o.mu.Lock()
		_, ok := findFormat(o.formats, id)
		o.mu.Unlock()
		return ok
	}
	return false
}

// hopeless says whether q's picture will not be shown to p: either q cannot be
// told to send another codec, or there is none.
func (p *Peer) hopeless(q *Peer) bool {
	w := q.agreed.wanted.Load()
	return q.part.OnTarget == nil || w == 0 || !p.shows(codecRank[w-1])
}

// chooseCodec notes what the peer can send and says which of it is wanted.
func (p *Peer) chooseCodec(sends []codecID) (id codecID) {
	p.room.do(func() {
		p.agreed.sends = sends
		w := p.room.codecFor(p)
		p.agreed.wanted.Store(w)
		p.agreed.told.Store(w)
		if w > 0 {
			id = codecRank[w-1]
		}
	})
	return id
}

// reformed is called when a publisher's picture comes in another codec.
func (p *Peer) reformed() {
	if p.agreed.again.CompareAndSwap(false, true) {
		p.spawn(func() {
			p.agreed.again.Store(false)
			p.room.do(p.room.arrange)
		})
	}
}

// preferCodec puts the chosen one of a section's formats first: the first is
// what a browser sends.
func preferCodec(m *sdp.MediaDescription, choose func([]codecID) codecID) {
	byPT := map[string]codecID{}
	var ids []codecID
	for _, pt := range m.MediaName.Formats {
		c := sdpCodec(m, pt)
		byPT[pt] = c
		ids = append(ids, c)
	}
	want := choose(ids)
	if want == "" {
		return
	}
	slices.SortStableFunc(m.MediaName.Formats, func(x, y string) int {
		rank := func(pt string) int {
			if byPT[pt] == want {
				return 0
			}
			return 1
		}
		return rank(x) - rank(y)
	})
}
