package web

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"sira/cases"
	"sira/cases/directory"
	"sira/web/problem"
)

// people looks up names for one answer: who is asked for is gathered first,
// then read at once.
type people struct {
	known map[string]directory.Person
}

func (s *Server) people(ctx context.Context, ids []string) (people, error) {
	seen := map[string]bool{}
	var want []string
	for _, id := range ids {
		if id != "" && !seen[id] {
			seen[id] = true
			want = append(want, id)
		}
	}
	known, err := s.cfg.Directory.Persons(ctx, want)
	if err != nil {
		return people{}, problem.New("unavailable").Because(err)
	}
	return people{known}, nil
}

// of gives the person, or one with only the ID when the directory has none.
func (p people) of(id string) directory.Person {
	if v, ok := p.known[id]; ok {
		return v
	}
	if aet, ok := cases.DeviceOf(id); ok {
		return directory.Person{ID: id, Name: "Appareil " + aet}
	}
	return directory.Person{ID: id}
}

func (p people) all(ids []string) []directory.Person {
	out := make([]directory.Person, 0, len(ids))
	for _, id := range ids {
		out = append(out, p.of(id))
	}
	return out
}

// places remembers the facilities' names for a minute.
type places struct {
	mu    sync.Mutex
	names map[string]string
	at    time.Time
}

func (s *Server) placeNames(ctx context.Context) (map[string]string, error) {
	s.places.mu.Lock()
	defer s.places.mu.Unlock()
	if s.places.names != nil && time.Since(s.places.at) < time.Minute {
		return s.places.names, nil
	}
	fs, err := s.cfg.Directory.Facilities(ctx)
	if err != nil {
		return nil, problem.New("unavailable").Because(err)
	}
	names := make(map[string]string, len(fs))
	for _, f := range fs {
		names[f.ID] = f.Name
	}
	s.places.names, s.places.at = names, time.Now()
	return names, nil
}

type specialistView struct {
	directory.Person
	Specialties []string `json:"specialties"`
}

type urgencyView struct {
	Code    string `json:"code"`
	Label   string `json:"label"`
	Minutes int    `json:"minutes"`
}

// directory answers what a new request needs to be addressed: places, fields,
// urgencies, experts.
func (s *Server) directory(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	facilities, err := s.cfg.Directory.Facilities(ctx)
	if err != nil {
		return problem.New("unavailable").Because(err)
	}
	if facilities == nil {
		facilities = []directory.Facility{}
	}
	users, err := s.cfg.Directory.Users(ctx)
	if err != nil {
		return problem.New("unavailable").Because(err)
	}
	experts := []specialistView{}
	for _, u := range users {
		if u.Disabled || (u.Role != directory.Specialist && u.Role != directory.Radiologist) {
			continue
		}
		p := directory.Person{ID: u.ID, Name: u.Name, Title: u.Title, Role: u.Role, Facility: u.Facility.Name, Phone: u.Phone}
		experts = append(experts, specialistView{p, orEmpty(u.Specialties)})
	}
	urgencies := make([]urgencyView, 0, len(cases.Urgencies))
	for _, u := range cases.Urgencies {
		urgencies = append(urgencies, urgencyView{u.Code, u.Label, int(u.Opinion / time.Minute)})
	}
	return s.writeJSON(w, r, http.StatusOK, map[string]any{"facilities": facilities, "specialties": directory.Specialties,
		"urgencies": urgencies, "specialists": experts, "devices": s.devicesOf(userOf(r))})
}

// devicesOf lists the AE titles of the DICOM devices at a person's facility.
func (s *Server) devicesOf(u directory.User) []string {
	out := []string{}
	for aet, facility := range s.cfg.Devices {
		if facility != "" && facility == u.Facility.ID {
			out = append(out, aet)
		}
	}
	slices.Sort(out)
	return out
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
