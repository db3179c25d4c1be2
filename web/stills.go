package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"sira/cases"
	"sira/cases/audit"
	"sira/signaling"
	"sira/web/problem"
	"sira/web/uploads"
)

// maxStillBytes bounds a still: browsers aim at 30 kB, a device with a large
// sensor may need more.
const maxStillBytes = 512 << 10

// stillTypes are the encodings of a still and the name's extension.
var stillTypes = map[string]string{"image/webp": ".webp", "image/jpeg": ".jpg"}

// putStill keeps a picture frozen in a call as a file of its case, then puts it
// before all in the call. Repeating it is the same as once. It is the camera of
// the request's user, or, with ?of=, the device of that user in the call, which
// cannot freeze its picture itself.
func (s *Server) putStill(w http.ResponseWriter, r *http.Request) error {
	st, err := s.open(r, cases.Call, audit.Entry{})
	if err != nil {
		return err
	}
	id, err := uuid.Parse(r.PathValue("still"))
	if err != nil {
		return problem.New("bad-request").Because(err)
	}
	awaited(r)
	by := caller(r)
	still := signaling.Still{By: by, Of: by}
	if of := r.URL.Query().Get("of"); of != "" {
		var there bool
		if still.Of, there = s.cfg.Signaling.Publishes(st.ID, of); !there {
			return problem.New("forbidden").Saying("Seule l’image d’un appareil présent dans l’appel peut être figée par un autre.")
		}
		still.Received = true
	}
	raw, mediaType, err := readStill(w, r)
	if err != nil {
		return err
	}
	img, err := uploads.DecodePhoto(r.Context(), bytes.NewReader(raw), int64(len(raw)))
	if r.Context().Err() != nil {
		return problem.New("unavailable").Because(err)
	}
	if err != nil {
		return problem.New("broken-file").Because(err)
	}
	still.Width, still.Height = img.Bounds().Dx(), img.Bounds().Dy()
	info, err := s.cfg.Blobs.Put(r.Context(), bytes.NewReader(raw))
	if err != nil {
		return problem.New("unavailable").Because(fmt.Errorf("storing a still: %w", err))
	}
	a, err := s.cfg.Cases.AttachStill(r.Context(), userOf(r), st.ID, cases.Attachment{
		ID: id.String(), Name: time.Now().UTC().Format("image-figee-2006-01-02-150405") + stillTypes[mediaType], Kind: "still", MediaType: mediaType,
		Size: info.Size, Hash: string(info.Hash),
		Still: &cases.StillRef{Of: still.Of.ID, Width: still.Width, Height: still.Height, Received: still.Received}})
	if err != nil {
		return err
	}
	s.record(r.Context(), audit.Entry{Action: actFreeze, Case: st.ID, Object: a.ID})
	still.ID, still.Hash = a.ID, a.Hash
	s.cfg.Signaling.Show(st.ID, still)
	return s.writeJSON(w, r, http.StatusOK, map[string]any{"id": a.ID, "hash": a.Hash, "width": still.Width, "height": still.Height, "size": a.Size})
}

func readStill(w http.ResponseWriter, r *http.Request) (raw []byte, mediaType string, err error) {
	mediaType, _, err = mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || stillTypes[mediaType] == "" {
		return nil, "", problem.New("media-type").Saying("Envoyez l’image en WebP ou en JPEG.")
	}
	raw, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxStillBytes))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, "", problem.New("too-large")
	}
	if err != nil {
		return nil, "", problem.New("bad-request").Because(err)
	}
	if got := http.DetectContentType(raw); got != mediaType {
		return nil, "", problem.New("broken-file")
	}
	return raw, mediaType, nil
}

// keepDrawing writes what somebody drew in a call into the case, as theirs.
func (s *Server) keepDrawing(room, still string, by signaling.User, marks []signaling.Mark) {
	if strings.HasPrefix(room, rehearsal) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	d := cases.StillDrawnData{Still: still}
	for _, m := range marks {
		d.Marks = append(d.Marks, cases.Mark(m))
	}
	raw, err := json.Marshal(d)
	if err == nil {
		err = s.appendDrawing(ctx, room, by.ID, raw)
	}
	entry := audit.Entry{Actor: by.ID, Action: actDraw, Case: room, Object: still, Outcome: "ok", Surface: "call"}
	if err != nil {
		s.log.Error("drawing not written into the case", "case", room, "still", still, "err", err)
		entry.Outcome = "failed"
	}
	if err := s.cfg.Audit.Record(ctx, entry); err != nil {
		s.log.Error("journal entry lost", "action", actDraw, "err", err)
	}
}

func (s *Server) appendDrawing(ctx context.Context, room, user string, data json.RawMessage) error {
	u, err := s.cfg.Directory.User(ctx, user)
	if err != nil {
		return fmt.Errorf("finding who drew: %w", err)
	}
	ev := cases.NewEvent{ID: uuid.NewString(), Type: cases.StillDrawn, At: time.Now().UTC(), Data: data}
	_, _, err = s.cfg.Cases.Append(ctx, u, room, []cases.NewEvent{ev})
	return err
}

// stillView is where a still comes from and what was drawn on it.
type stillView struct {
	Of       string        `json:"of"` // user ID
	OfName   string        `json:"ofName"`
	Width    int           `json:"width"`
	Height   int           `json:"height"`
	Received bool          `json:"received"`
	Drawings []drawingView `json:"drawings"`
}

type drawingView struct {
	By    string       `json:"by"` // user ID
	Name  string       `json:"name"`
	At    time.Time    `json:"at"`
	Marks []cases.Mark `json:"marks"`
}

func viewStill(st *cases.State, a cases.Attachment, p people) *stillView {
	if a.Still == nil {
		return nil
	}
	name := func(id string) string { who := p.of(id); return displayName(who.Title, who.Name) }
	v := &stillView{a.Still.Of, name(a.Still.Of), a.Still.Width, a.Still.Height, a.Still.Received, []drawingView{}}
	for _, d := range st.Drawings {
		if d.Still == a.ID {
			v.Drawings = append(v.Drawings, drawingView{d.By, name(d.By), d.At.UTC(), d.Marks})
		}
	}
	return v
}
