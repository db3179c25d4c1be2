package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"runtime"
	"slices"
	"time"

	"sira/cases/audit"
	"sira/cases/directory"
	"sira/web/problem"
)

// DICOMSettings are what configuration says about the DICOM port, for
// administrators to read. Nothing here is enforced by web.
type DICOMSettings struct {
	Listen       string // address of the port, "" when there is none
	AET          string
	TLS          string // "off", "on", "mutual" (devices show a certificate)
	Everybody    bool   // any device may send
	Peers        []DICOMPeer
	Destinations []DICOMDestination
}

// DICOMPeer is a line of the allow-lists.
type DICOMPeer struct {
	AET     string
	Network string // address or network; "" is any
	Send    bool   // store, verify, worklist, commitment
	Query   bool   // query and retrieve everything
}

// DICOMDestination is where C-MOVE and commitment reports may go.
type DICOMDestination struct {
	AET     string `json:"aet"`
	Address string `json:"address"`
	TLS     bool   `json:"tls"`
}

type peerView struct {
	AET      string `json:"aet"`
	Address  string `json:"address"` // "" is any
	Store    bool   `json:"store"`
	Worklist bool   `json:"worklist"`
	Query    bool   `json:"query"`
	// Facility is the name of the device's place, or the ID that nobody has.
	Facility string `json:"facility"`
	Unknown  bool   `json:"unknownFacility,omitempty"`
}

type dicomView struct {
	Address      string             `json:"address"`
	AET          string             `json:"aet"`
	TLS          string             `json:"tls"`
	Everybody    bool               `json:"everybody"`
	Peers        []peerView         `json:"peers"`
	Destinations []DICOMDestination `json:"destinations"`
	Services     []string           `json:"services"` // logins of --dicomweb-service
}

type nodeView struct {
	Version   string    `json:"version"`
	Go        string    `json:"go"`
	Platform  string    `json:"platform"`
	StartedAt time.Time `json:"startedAt"`
	Database  storeView `json:"database"`
	Blobs     storeView `json:"blobs"`
	// FreeBytes is what the disk of the data folder still takes, -1 when it
	// cannot be told; uploads leave MinFreeBytes of it.
	FreeBytes    int64            `json:"freeBytes"`
	MinFreeBytes int64            `json:"minFreeBytes"`
	Counts       map[string]int64 `json:"counts"`
	DICOM        dicomView        `json:"dicom"`
}

type storeView struct {
	Kind  string `json:"kind"`
	Ready bool   `json:"ready"`
}

// adminOnly lets administrators through and journals the others' attempt.
func (s *Server) adminOnly(r *http.Request, e audit.Entry) error {
	if userOf(r).Role == directory.Admin {
		return nil
	}
	e.Outcome = "denied"
	s.record(r.Context(), e)
	return problem.New("forbidden")
}

// adminNode answers what this server is, what it holds, and which devices it
// talks to, for administrators. It names no patient and no secret.
func (s *Server) adminNode(w http.ResponseWriter, r *http.Request) error {
	entry := audit.Entry{Action: actNode}
	if err := s.adminOnly(r, entry); err != nil {
		return err
	}
	ctx := r.Context()
	counts, err := s.counts(ctx)
	if err != nil {
		return problem.New("unavailable").Because(err)
	}
	dicom, err := s.dicomSettings(ctx)
	if err != nil {
		return err
	}
	if err := s.recordRead(ctx, entry); err != nil {
		return err
	}
	v := nodeView{Version: s.cfg.Version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, StartedAt: s.started.UTC(),
		Database:  storeView{s.cfg.DB.Dialect(), s.cfg.DB.Ready(ctx) == nil},
		Blobs:     storeView{s.cfg.BlobKind, s.cfg.Blobs.Ready(ctx) == nil},
		FreeBytes: -1, MinFreeBytes: max(s.cfg.MinFreeBytes, 0), Counts: counts, DICOM: dicom}
	if free, err := s.uploads.Free(); err == nil {
		v.FreeBytes = free
	}
	return s.writeJSON(w, r, http.StatusOK, v)
}

// counts says how much there is of what, never of whom.
func (s *Server) counts(ctx context.Context) (map[string]int64, error) {
	users, err1 := s.cfg.Directory.Users(ctx)
	places, err2 := s.cfg.Directory.Facilities(ctx)
	byStatus, err3 := s.cfg.Cases.Counts(ctx)
	held, err4 := s.cfg.Index.Totals(ctx)
	waiting, err5 := s.tray.Count(ctx, func(string) bool { return true })
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return nil, err
	}
	out := map[string]int64{"users": int64(len(users)), "facilities": int64(len(places)), "studies": held.Studies,
		"instances": held.Instances, "imageBytes": held.Bytes, "quarantined": held.Quarantined, "tray": int64(waiting),
		"live": int64(s.hub.Count()), "calls": int64(len(s.cfg.Signaling.Rooms())), "cases": 0, "openCases": 0}
	for status, n := range byStatus {
		out["cases"] += n
		if status.Open() {
			out["openCases"] += n
		}
	}
	return out, nil
}

// dicomSettings joins the allow-lists and the devices' facilities by AE title.
func (s *Server) dicomSettings(ctx context.Context) (dicomView, error) {
	names, err := s.placeNames(ctx)
	if err != nil {
		return dicomView{}, err
	}
	c := s.cfg.DICOM
	v := dicomView{Address: c.Listen, AET: c.AET, TLS: cmp.Or(c.TLS, "off"), Everybody: c.Everybody, Peers: []peerView{},
		Destinations: append([]DICOMDestination{}, c.Destinations...), Services: orEmpty(s.cfg.DICOMWebService)}
	known := map[string]bool{}
	for _, p := range c.Peers {
		known[p.AET] = true
		v.Peers = append(v.Peers, s.viewPeer(p, names))
	}
	for aet := range s.cfg.Devices {
		if !known[aet] { // stands somewhere, and is let in when everybody is
			v.Peers = append(v.Peers, s.viewPeer(DICOMPeer{AET: aet, Send: c.Everybody}, names))
		}
	}
	slices.SortFunc(v.Peers, func(a, b peerView) int {
		return cmp.Or(cmp.Compare(a.AET, b.AET), cmp.Compare(a.Address, b.Address))
	})
	return v, nil
}

func (s *Server) viewPeer(p DICOMPeer, names map[string]string) peerView {
	v := peerView{AET: p.AET, Address: p.Network, Store: p.Send, Worklist: p.Send || p.Query, Query: p.Query}
	if id := s.cfg.Devices[p.AET]; id != "" {
		v.Facility = cmp.Or(names[id], id)
		v.Unknown = names[id] == ""
	}
	return v
}
