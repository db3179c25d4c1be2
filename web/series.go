package web

import (
	"context"
	"net/http"
	"slices"
	"sort"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"sira/cases"
	"sira/cases/audit"
	"sira/dicom"
	"sira/web/problem"
)

// viewSeries groups a case's DICOM files by series: one query, however many
// slices.
func (s *Server) viewSeries(ctx context.Context, st *cases.State) ([]seriesView, error) {
	bySeries, devices := map[string][]string{}, map[string]string{}
	var sops []string
	for _, a := range st.Attachments {
		if a.DICOM != nil {
			sops = append(sops, a.DICOM.SOPUID)
			bySeries[a.DICOM.SeriesUID] = append(bySeries[a.DICOM.SeriesUID], a.DICOM.SOPUID)
			if a.Device != "" {
				devices[a.DICOM.SeriesUID] = a.Device
			}
		}
	}
	out := []seriesView{}
	if len(sops) == 0 {
		return out, nil
	}
	list, err := s.cfg.Index.SeriesOf(ctx, sops)
	if err != nil {
		return nil, problem.New("unavailable").Because(err)
	}
	for _, x := range list {
		v := seriesView{StudyUID: x.StudyUID, SeriesUID: x.UID, Modality: x.Modality, Description: x.Description,
			StudyDescription: x.StudyDescription, StudyDate: x.StudyDate, Instances: x.Instances, Frames: x.Frames,
			Size: x.Bytes, Kind: x.Kind, PatientName: x.PatientName, Device: devices[x.UID]}
		if mine := bySeries[x.UID]; len(mine) > 0 {
			v.Thumbnail = "/api/cases/" + st.ID + "/instances/" + mine[len(mine)/2] + "/thumbnail"
		}
		if patientDiffers(st.Opened.Patient, x.PatientName, x.PatientSex) {
			v.Warning = "patient-differs"
		}
		out = append(out, v)
	}
	return out, nil
}

// patientDiffers says whether a file looks like another patient's: no name in
// common, in whatever order and spelling of accents, or the other sex.
func patientDiffers(p cases.Patient, name, sex string) bool {
	if (sex == "M" || sex == "F") && (p.Sex == "M" || p.Sex == "F") && sex != p.Sex {
		return true
	}
	ours, theirs := nameTokens(p.Name), nameTokens(name)
	if len(ours) == 0 || len(theirs) == 0 {
		return false
	}
	return !slices.ContainsFunc(theirs, func(t string) bool { return slices.Contains(ours, t) })
}

// nameTokens splits a name into bare letters: "TRAORÉ^Awa" gives TRAORE, AWA.
func nameTokens(name string) []string {
	bare := strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r), r == '\'', r == '’':
			return -1
		case unicode.IsLetter(r):
			return unicode.ToUpper(r)
		}
		return ' '
	}, norm.NFD.String(name))
	return strings.Fields(bare)
}

type manifestPatient struct {
	Name      string `json:"name"`
	ID        string `json:"id"`
	Sex       string `json:"sex"`
	BirthDate string `json:"birthDate"`
}

type manifestView struct {
	StudyUID         string             `json:"studyUID"`
	SeriesUID        string             `json:"seriesUID"`
	Modality         string             `json:"modality"`
	Description      string             `json:"description"`
	StudyDate        string             `json:"studyDate"`
	StudyDescription string             `json:"studyDescription"`
	Patient          manifestPatient    `json:"patient"`
	Warning          string             `json:"warning,omitempty"`
	Instances        []instanceManifest `json:"instances"`
}

// seriesManifest answers what a viewer needs to show the attached instances of
// a series, in the order in which they are scrolled.
func (s *Server) seriesManifest(w http.ResponseWriter, r *http.Request) error {
	st, err := s.open(r, cases.View, audit.Entry{Action: actImage})
	if err != nil {
		return err
	}
	uid := r.PathValue("series")
	var mine []cases.Attachment
	for _, a := range st.Attachments {
		if a.DICOM != nil && a.DICOM.SeriesUID == uid {
			mine = append(mine, a)
		}
	}
	if len(mine) == 0 {
		return problem.New("not-found")
	}
	all, err := s.cfg.Index.Series(r.Context(), uid)
	if err != nil {
		return err
	}
	known := make(map[string]dicom.Instance, len(all))
	for _, in := range all {
		known[in.SOPUID] = in
	}
	var ins []dicom.Instance
	for _, a := range mine {
		if in, ok := known[a.DICOM.SOPUID]; ok {
			ins = append(ins, in)
		}
	}
	if len(ins) == 0 {
		return problem.New("not-found")
	}
	manifests, err := s.manifests(r.Context(), ins)
	if err != nil {
		return err
	}
	inScrollOrder(manifests)
	first := ins[0]
	v := manifestView{StudyUID: first.StudyUID, SeriesUID: uid, Modality: first.Modality, Description: first.SeriesDescription,
		StudyDate: first.StudyDate, StudyDescription: first.StudyDescription, Instances: manifests,
		Patient: manifestPatient{first.PatientName, first.PatientID, first.PatientSex, first.PatientBirthDate}}
	if patientDiffers(st.Opened.Patient, first.PatientName, first.PatientSex) {
		v.Warning = "patient-differs"
	}
	return s.writeJSON(w, r, http.StatusOK, v)
}

// manifests describes instances, a few at a time; most come from the cache.
func (s *Server) manifests(ctx context.Context, ins []dicom.Instance) ([]instanceManifest, error) {
	out := make([]instanceManifest, len(ins))
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(4, len(ins)) {
		wg.Go(func() {
			for i := range next {
				out[i] = s.manifest(ctx, ins[i])
			}
		})
	}
	for i := range ins {
		next <- i
	}
	close(next)
	wg.Wait()
	return out, ctx.Err()
}

// inScrollOrder sorts slices along their common normal when all of them say
// where they lie (PS3.3 C.7.6.2), else by instance number.
func inScrollOrder(list []instanceManifest) {
	byNumber := func(i, j int) bool {
		if list[i].Number != list[j].Number {
			return list[i].Number < list[j].Number
		}
		return list[i].SOP < list[j].SOP
	}
	sort.SliceStable(list, byNumber)
	depth := map[string]float64{}
	for _, m := range list {
		d, ok := depthAlong(list[0].Orientation, m)
		if !ok {
			return
		}
		depth[m.SOP] = d
	}
	sort.SliceStable(list, func(i, j int) bool { return depth[list[i].SOP] < depth[list[j].SOP] })
	// Keep the direction that the numbers have.
	if n := len(list); n > 1 && list[0].Number > list[n-1].Number {
		slices.Reverse(list)
	}
}

func depthAlong(o []float64, m instanceManifest) (float64, bool) {
	if len(o) != 6 || len(m.Orientation) != 6 || len(m.Position) != 3 {
		return 0, false
	}
	for i := range o {
		if d := o[i] - m.Orientation[i]; d > 0.01 || d < -0.01 {
			return 0, false
		}
	}
	n := [3]float64{o[1]*o[5] - o[2]*o[4], o[2]*o[3] - o[0]*o[5], o[0]*o[4] - o[1]*o[3]}
	return n[0]*m.Position[0] + n[1]*m.Position[1] + n[2]*m.Position[2], true
}
