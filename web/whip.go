package web

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"sira/sfu"
	"sira/signaling"
	"sira/web/problem"
)

// Devices publish into a call by WHIP (RFC 9725) and screens watch it by WHEP
// (draft-ietf-wish-whep), under the same rights as a call in the browser.

const (
	sdpType  = "application/sdp"
	sdpLimit = 64 << 10
)

// endpointRoutes are those of WHIP and WHEP.
func (s *Server) endpointRoutes() []route {
	var all []route
	for _, way := range []signaling.Way{signaling.Publish, signaling.Watch} {
		at := "/" + string(way) + "/{id}"
		open := func(w http.ResponseWriter, r *http.Request) error { return s.openEndpoint(w, r, way) }
		all = append(all,
			route{pattern: "POST " + at, do: open, surface: string(way)},
			route{pattern: "OPTIONS " + at, do: s.endpointOptions, public: true, surface: string(way)},
			route{pattern: "PATCH " + at + "/{session}", do: s.patchEndpoint, surface: string(way)},
			route{pattern: "DELETE " + at + "/{session}", do: s.endEndpoint, surface: string(way)},
		)
	}
	return all
}

// openEndpoint answers the offer of a device (RFC 9725, 4.2).
func (s *Server) openEndpoint(w http.ResponseWriter, r *http.Request, way signaling.Way) error {
	room, err := s.openRoom(r)
	if err != nil {
		return err
	}
	offer, err := readText(w, r, sdpType)
	if err != nil {
		return err
	}
	e, answer, err := s.cfg.Signaling.Open(r.Context(), room, caller(r), way, offer)
	if err != nil {
		return endpointProblem(err)
	}
	h := w.Header()
	h.Set("Content-Type", sdpType)
	h.Set("Location", "/"+string(way)+"/"+r.PathValue("id")+"/"+e.ID())
	h.Set("ETag", `"`+e.Tag()+`"`)
	h.Set("Accept-Patch", signaling.FragmentType)
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, answer) // who does not hear it will fall silent and be let go
	return nil
}

func (s *Server) endpointOptions(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Accept-Post", sdpType)
	w.Header().Set("Accept-Patch", signaling.FragmentType)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// endpointOf finds the endpoint of the path, for the one who opened it.
func (s *Server) endpointOf(r *http.Request) (*signaling.Endpoint, error) {
	e := s.cfg.Signaling.Endpoint(r.PathValue("session"))
	if e == nil || e.UserID() != userOf(r).ID || !strings.EqualFold(strings.TrimPrefix(e.Room(), rehearsal), r.PathValue("id")) {
		return nil, problem.New("not-found")
	}
	return e, nil
}

// patchEndpoint takes candidates, or restarts ICE (RFC 9725, 4.3).
func (s *Server) patchEndpoint(w http.ResponseWriter, r *http.Request) error {
	e, err := s.endpointOf(r)
	if err != nil {
		return err
	}
	raw, err := readText(w, r, signaling.FragmentType)
	if err != nil {
		return err
	}
	f, err := signaling.ParseFragment(raw)
	if err != nil {
		return problem.New("bad-sdp").Because(err)
	}
	tag := strings.TrimSpace(r.Header.Get("If-Match"))
	switch tag {
	case "":
		return problem.New("tag-missing")
	case "*":
		ours, newTag, err := e.Restart(r.Context(), f)
		if err != nil {
			return endpointProblem(err)
		}
		w.Header().Set("Content-Type", signaling.FragmentType)
		w.Header().Set("ETag", `"`+newTag+`"`)
		_, _ = io.WriteString(w, ours.String())
		return nil
	}
	if err := e.Trickle(strings.Trim(tag, `"`), f); err != nil {
		return endpointProblem(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// endEndpoint takes the device out of the call.
func (s *Server) endEndpoint(w http.ResponseWriter, r *http.Request) error {
	e, err := s.endpointOf(r)
	if err != nil {
		return err
	}
	e.End()
	w.WriteHeader(http.StatusOK)
	return nil
}

// readText reads a body of one media type, of at most sdpLimit bytes.
func readText(w http.ResponseWriter, r *http.Request, want string) (string, error) {
	got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || got != want {
		return "", problem.New("media-type").Saying("Envoyez " + want + ".")
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, sdpLimit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return "", problem.New("too-large")
	case err != nil:
		return "", problem.New("bad-request").Because(err)
	}
	return string(raw), nil
}

// endpointProblem finds the words for an error of the signaling.
func endpointProblem(err error) error {
	switch {
	case errors.Is(err, sfu.ErrBadSDP):
		return problem.New("bad-sdp").Because(err)
	case errors.Is(err, signaling.ErrMessage):
		return problem.New("bad-request").Because(err)
	case errors.Is(err, signaling.ErrGone):
		return problem.New("call-gone").Because(err)
	case errors.Is(err, signaling.ErrTag):
		return problem.New("tag-differs").Because(err)
	case errors.Is(err, sfu.ErrRoomFull):
		p := problem.New("call-full").Because(err)
		p.RetryAfter = 10 * time.Second
		return p
	case errors.Is(err, signaling.ErrClosing), errors.Is(err, sfu.ErrClosed):
		p := problem.New("unavailable").Because(err)
		p.RetryAfter = 2 * time.Second
		return p
	}
	return err
}
