package tray

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sira/cases"
	"sira/cases/directory"
	"sira/dicom"
)

// maxWaiting bounds one list of studies.
const maxWaiting = 200

// Study is what one device sent of one study and nobody has taken.
type Study struct {
	UID, AET    string
	First, Last time.Time
	Reason      Reason
	Count       int
	Size        int64
	Modalities  []string
	Sample      dicom.Instance // one of its instances
}

// Waiting lists the studies that wait, of the devices that see allows, the
// latest first.
func (t *Tray) Waiting(ctx context.Context, see func(aet string) bool) ([]Study, error) {
	rows, err := t.cfg.DB.Query(ctx, `SELECT study, aet, MIN(received_at), MAX(received_at), MAX(reason), COUNT(*)
		FROM tray_instances WHERE state = 'waiting' GROUP BY study, aet ORDER BY MAX(received_at) DESC, study, aet`)
	if err != nil {
		return nil, fmt.Errorf("reading the tray: %w", err)
	}
	defer rows.Close()
	list := []Study{}
	for rows.Next() && len(list) < maxWaiting {
		var s Study
		var first, last int64
		if err := rows.Scan(&s.UID, &s.AET, &first, &last, &s.Reason, &s.Count); err != nil {
			return nil, fmt.Errorf("reading the tray: %w", err)
		}
		s.First, s.Last = time.UnixMilli(first).UTC(), time.UnixMilli(last).UTC()
		if see(s.AET) {
			list = append(list, s)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading the tray: %w", err)
	}
	rows.Close()
	for i := range list {
		if err := t.describe(ctx, &list[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Count tells how many studies wait, of the devices that see allows.
func (t *Tray) Count(ctx context.Context, see func(aet string) bool) (int, error) {
	rows, err := t.cfg.DB.Query(ctx, `SELECT aet, COUNT(DISTINCT study) FROM tray_instances WHERE state = 'waiting' GROUP BY aet`)
	if err != nil {
		return 0, fmt.Errorf("counting the tray: %w", err)
	}
	defer rows.Close()
	total := 0
	for rows.Next() {
		var aet string
		var n int
		if err := rows.Scan(&aet, &n); err != nil {
			return 0, fmt.Errorf("counting the tray: %w", err)
		}
		if see(aet) {
			total += n
		}
	}
	if err := rows.Err(); err != nil {
		return 0, fmt.Errorf("counting the tray: %w", err)
	}
	return total, nil
}

// samples bounds how many instances Picture looks at.
const samples = 24

// Picture gives an instance to show a waiting study by: an image from its
// middle, else any. Errors: ErrNotFound.
func (t *Tray) Picture(ctx context.Context, study string, see func(aet string) bool) (dicom.Instance, error) {
	groups, err := t.open(ctx, study, see)
	if err != nil {
		return dicom.Instance{}, err
	}
	var first dicom.Instance
	for _, g := range groups {
		for _, in := range g.sops[len(g.sops)/2 : min(len(g.sops)/2+samples, len(g.sops))] {
			got, err := t.instances(ctx, []string{in})
			if err != nil {
				return dicom.Instance{}, err
			}
			if len(got) == 0 {
				continue
			}
			if got[0].Kind == "image" {
				return got[0], nil
			}
			if first.SOPUID == "" {
				first = got[0]
			}
		}
	}
	if first.SOPUID == "" {
		return first, ErrNotFound
	}
	return first, nil
}

// describe adds what the index knows of a study's waiting instances.
func (t *Tray) describe(ctx context.Context, s *Study) error {
	sops, err := t.sops(ctx, s.UID, s.AET, `state = 'waiting'`)
	if err != nil || len(sops) == 0 {
		return err
	}
	series, err := t.cfg.Index.SeriesOf(ctx, sops)
	if err != nil {
		return err
	}
	for _, x := range series {
		s.Size += x.Bytes
		if !slices.Contains(s.Modalities, x.Modality) {
			s.Modalities = append(s.Modalities, x.Modality)
		}
	}
	slices.Sort(s.Modalities)
	ins, err := t.instances(ctx, sops[:1])
	if err == nil && len(ins) > 0 {
		s.Sample = ins[0]
	}
	return err
}

// sops lists instances of a study from a device; where is never made of input.
func (t *Tray) sops(ctx context.Context, study, aet, where string) ([]string, error) {
	rows, err := t.cfg.DB.Query(ctx, `SELECT sop FROM tray_instances WHERE study = ? AND aet = ? AND `+where+` ORDER BY received_at, sop`, study, aet)
	if err != nil {
		return nil, fmt.Errorf("reading the tray: %w", err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var sop string
		if err := rows.Scan(&sop); err != nil {
			return nil, fmt.Errorf("reading the tray: %w", err)
		}
		out = append(out, sop)
	}
	return out, rows.Err()
}

// open finds what is undecided of a study on the devices that see allows, what
// has just come included.
func (t *Tray) open(ctx context.Context, study string, see func(aet string) bool) ([]group, error) {
	rows, err := t.cfg.DB.Query(ctx, `SELECT DISTINCT aet FROM tray_instances WHERE study = ? AND state IN ('new', 'waiting')`, study)
	if err != nil {
		return nil, fmt.Errorf("reading the tray: %w", err)
	}
	defer rows.Close()
	var groups []group
	for rows.Next() {
		g := group{study: study}
		if err := rows.Scan(&g.aet); err != nil {
			return nil, fmt.Errorf("reading the tray: %w", err)
		}
		if see(g.aet) {
			groups = append(groups, g)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading the tray: %w", err)
	}
	rows.Close()
	for i, g := range groups {
		if groups[i].sops, err = t.sops(ctx, study, g.aet, `state IN ('new', 'waiting')`); err != nil {
			return nil, err
		}
	}
	if len(groups) == 0 {
		return nil, ErrNotFound
	}
	return groups, nil
}

// Take attaches a study to a case in the name of u; what the device still sends
// of it follows. ErrPatientDiffers unless anyway; else the errors of
// cases.AttachStudy, and ErrNotFound. The answer is how many were attached.
func (t *Tray) Take(ctx context.Context, u directory.User, study, caseID string, anyway bool, see func(aet string) bool) (int, error) {
	t.placing.Lock()
	defer t.placing.Unlock()
	groups, err := t.open(ctx, study, see)
	if err != nil {
		return 0, err
	}
	st, err := t.cfg.Cases.Get(ctx, u, caseID)
	if err != nil {
		return 0, err
	}
	if err := cases.Allow(u, cases.AttachStudy, &st); err != nil {
		return 0, err
	}
	n := 0
	for _, g := range groups {
		ins, err := t.instances(ctx, g.sops)
		if err != nil {
			return n, err
		}
		if !anyway && t.differs(st, ins) {
			return n, ErrPatientDiffers
		}
		for part := range slices.Chunk(attachments(g.aet, ins), passSize) {
			if _, err := t.cfg.Cases.AttachStudy(ctx, u, caseID, part); err != nil {
				return n, err
			}
		}
		if err := t.decide(ctx, g, "attached", "", caseID, u.ID); err != nil {
			return n, err
		}
		n += len(ins)
		t.cfg.Changed(ctx, g.aet)
	}
	return n, nil
}

// Discard takes a study out of the tray. Its objects stay where they are
// stored; sent again, they come back.
func (t *Tray) Discard(ctx context.Context, u directory.User, study string, see func(aet string) bool) error {
	t.placing.Lock()
	defer t.placing.Unlock()
	groups, err := t.open(ctx, study, see)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if err := t.decide(ctx, g, "discarded", "", "", u.ID); err != nil {
			return err
		}
		t.cfg.Changed(ctx, g.aet)
	}
	return nil
}
