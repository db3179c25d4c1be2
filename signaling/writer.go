package signaling

import (
	"context"
	"encoding/json"
	"time"

	"github.com/gorilla/websocket"
)

// write sends what is queued, pings and quality, until the end.
func (x *session) write(ctx context.Context) {
	defer close(x.closed)
	t := x.srv.opts.Timing
	ping, quality, right := time.NewTicker(t.Ping), time.NewTicker(t.Quality), time.NewTicker(authorizeEvery)
	defer ping.Stop()
	defer quality.Stop()
	defer right.Stop()
	for {
		var err error
		select {
		case m := <-x.out:
			err = x.put(m, t.Write)
		case <-ping.C:
			now, _ := time.Now().MarshalText()
			err = x.conn.WriteControl(websocket.PingMessage, now, time.Now().Add(t.Write))
		case <-quality.C:
			err = x.putQuality(t.Write)
		case <-right.C:
			x.stillAllowed(ctx)
		case <-x.stop:
			x.sayGoodbye()
			return
		}
		if err != nil {
			x.finish(codeNone)
			return
		}
	}
}

func (x *session) put(m any, limit time.Duration) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_ = x.conn.SetWriteDeadline(time.Now().Add(limit))
	x.conn.EnableWriteCompression(len(b) >= compressFrom)
	return x.conn.WriteMessage(websocket.TextMessage, b)
}

func (x *session) putQuality(limit time.Duration) error {
	g := x.opened.Load()
	if g == nil {
		return nil
	}
	q := g.peer.Quality()
	x.srv.mediaIs(g, q.Connected)
	var others []seen
	for _, s := range q.Others {
		others = append(others, seen{s.Participant, s.Picture, string(s.Why)})
	}
	return x.put(qualityMessage{
		Type: "quality", Connected: q.Connected, RTTMs: round(q.RTTMs, 1), LossUp: round(q.LossUp, 1000), LossDown: round(q.LossDown, 1000),
		KbpsUp: round(q.KbpsUp, 10), KbpsDown: round(q.KbpsDown, 10),
		KbpsPath: round(q.KbpsPath, 1), Picture: q.Picture, Others: others,
	}, limit)
}

// round keeps the message short: f to 1/per.
func round(f, per float64) float64 { return float64(int64(f*per+0.5)) / per }

func (x *session) stillAllowed(ctx context.Context) {
	if x.srv.opts.Authorize == nil {
		return
	}
	if err := x.srv.opts.Authorize(ctx, x.who(), x.room); err != nil && ctx.Err() == nil {
		x.finish(codeForbidden)
	}
}

// sayGoodbye sends what is still queued, why it ends, and the close frame.
func (x *session) sayGoodbye() {
	deadline := time.Now().Add(farewell)
	for len(x.out) > 0 {
		if x.put(<-x.out, time.Until(deadline)) != nil {
			return
		}
	}
	if x.why != codeNone {
		if x.put(errorMessage{"error", x.why, text(x.why)}, time.Until(deadline)) != nil {
			return
		}
	}
	msg := websocket.FormatCloseMessage(reasons[x.why].close, string(x.why))
	_ = x.conn.WriteControl(websocket.CloseMessage, msg, deadline)
}
