package index

// Visible is what one user may see. A nil *Visible is everything, an empty one
// nothing. It is filled once and then only read, by any number of goroutines.
type Visible struct{ studies map[string]*visibleStudy }

type visibleStudy struct {
	whole  bool
	series map[string]*visibleSeries
}

type visibleSeries struct {
	whole bool
	sops  map[string]struct{}
}

// NewVisible sees nothing yet.
func NewVisible() *Visible { return &Visible{studies: map[string]*visibleStudy{}} }

func (v *Visible) study(uid string) *visibleStudy {
	s := v.studies[uid]
	if s == nil {
		s = &visibleStudy{series: map[string]*visibleSeries{}}
		v.studies[uid] = s
	}
	return s
}

func (s *visibleStudy) part(uid string) *visibleSeries {
	p := s.series[uid]
	if p == nil {
		p = &visibleSeries{sops: map[string]struct{}{}}
		s.series[uid] = p
	}
	return p
}

// AddStudy shows all of a study, also what comes later.
func (v *Visible) AddStudy(study string) { v.study(study).whole = true }

// AddSeries shows all of a series.
func (v *Visible) AddSeries(study, series string) { v.study(study).part(series).whole = true }

// AddInstance shows one instance, which must belong to this study and series.
func (v *Visible) AddInstance(study, series, sop string) {
	v.study(study).part(series).sops[sop] = struct{}{}
}

// Study reports whether at least a part of the study may be seen.
func (v *Visible) Study(study string) bool {
	if v == nil {
		return true
	}
	s := v.studies[study]
	return s != nil && (s.whole || len(s.series) > 0)
}

// Series reports whether at least a part of the series may be seen.
func (v *Visible) Series(study, series string) bool {
	if v == nil {
		return true
	}
	s := v.studies[study]
	return s != nil && (s.whole || s.series[series] != nil)
}

// Instance reports whether the instance may be seen.
func (v *Visible) Instance(study, series, sop string) bool {
	if v == nil {
		return true
	}
	s := v.studies[study]
	if s == nil {
		return false
	}
	if s.whole {
		return true
	}
	p := s.series[series]
	if p == nil {
		return false
	}
	_, ok := p.sops[sop]
	return ok || p.whole
}

// partial returns the study's parts, nil when all of it may be seen.
func (v *Visible) partial(study string) *visibleStudy {
	if v == nil {
		return nil
	}
	if s := v.studies[study]; s != nil && s.whole {
		return nil
	} else if s != nil {
		return s
	}
	return &visibleStudy{}
}

// count is how many of a series' instances may be seen, of all it has.
func (s *visibleStudy) count(series string, all int) int {
	p := s.series[series]
	switch {
	case p == nil:
		return 0
	case p.whole:
		return all
	}
	return min(len(p.sops), all)
}
