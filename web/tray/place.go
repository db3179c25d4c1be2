package tray

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sira/cases"
	"sira/dicom"
	"sira/dicom/index"
	"sira/storage"
)

// passSize bounds how many instances one step attaches.
const passSize = 1000

// group is what one device sent of one study.
type group struct {
	study, aet string
	sops       []string
}

// pass tries what is new. more says that there may be more. An error is the
// server's fault; what it concerns stays new.
func (t *Tray) pass(ctx context.Context) (more bool, err error) {
	groups, n, err := t.fresh(ctx)
	if err != nil {
		return false, err
	}
	var errs []error
	for _, g := range groups {
		if ctx.Err() != nil {
			break
		}
		if err := t.place(ctx, g); err != nil {
			errs = append(errs, err)
		}
	}
	return n == passSize, errors.Join(errs...)
}

func (t *Tray) fresh(ctx context.Context) ([]group, int, error) {
	rows, err := t.cfg.DB.Query(ctx, `SELECT study, aet, sop FROM tray_instances WHERE state = 'new'
		ORDER BY received_at, sop LIMIT ?`, passSize)
	if err != nil {
		return nil, 0, fmt.Errorf("reading what devices sent: %w", err)
	}
	defer rows.Close()
	var out []group
	at := map[[2]string]int{}
	n := 0
	for ; rows.Next(); n++ {
		var study, aet, sop string
		if err := rows.Scan(&study, &aet, &sop); err != nil {
			return nil, 0, fmt.Errorf("reading what devices sent: %w", err)
		}
		key := [2]string{study, aet}
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, group{study: study, aet: aet})
		}
		out[i].sops = append(out[i].sops, sop)
	}
	return out, n, rows.Err()
}

// place attaches a group to its case, or leaves it to a person.
func (t *Tray) place(ctx context.Context, g group) error {
	t.placing.Lock()
	defer t.placing.Unlock()
	g, err := t.stillNew(ctx, g)
	if err != nil || len(g.sops) == 0 {
		return err
	}
	ins, err := t.instances(ctx, g.sops)
	if err != nil {
		return err
	}
	caseID, reason, err := t.caseFor(ctx, g, ins)
	if err != nil {
		return err
	}
	if caseID != "" {
		_, err = t.cfg.Cases.AttachFromDevice(ctx, g.aet, caseID, attachments(g.aet, ins))
		if reason, err = refusal(err); err != nil {
			return err
		}
	}
	if reason != "" {
		if err := t.decide(ctx, g, "waiting", reason, "", ""); err != nil {
			return err
		}
		t.cfg.Changed(ctx, g.aet)
		return nil
	}
	if err := t.decide(ctx, g, "attached", "", caseID, ""); err != nil {
		return err
	}
	t.cfg.Attached(ctx, g.aet, caseID, g.study, len(ins))
	return nil
}

// stillNew leaves out what a person decided about meanwhile.
func (t *Tray) stillNew(ctx context.Context, g group) (group, error) {
	left, err := t.sops(ctx, g.study, g.aet, `state = 'new'`)
	if err != nil {
		return g, err
	}
	known := map[string]bool{}
	for _, sop := range left {
		known[sop] = true
	}
	still := group{study: g.study, aet: g.aet}
	for _, sop := range g.sops {
		if known[sop] {
			still.sops = append(still.sops, sop)
		}
	}
	return still, nil
}

// caseFor finds the case a group belongs to: the one to which a person took
// the rest of the study, the one whose procedure gave the study its UID, or the
// one whose number is the accession number.
func (t *Tray) caseFor(ctx context.Context, g group, ins []dicom.Instance) (caseID string, reason Reason, err error) {
	st, trusted, err := t.followed(ctx, g)
	if errors.Is(err, cases.ErrNotFound) {
		st, err = t.cfg.Cases.WorklistCase(ctx, g.study)
	}
	if errors.Is(err, cases.ErrNotFound) {
		reason = NoAccession
		for _, in := range ins {
			if in.AccessionNumber != "" {
				reason = UnknownAccession
				st, err = t.cfg.Cases.ByNumber(ctx, in.AccessionNumber)
				break
			}
		}
	}
	if errors.Is(err, cases.ErrNotFound) {
		return "", reason, nil
	}
	if err != nil {
		return "", "", err
	}
	if cases.AllowDevice(cases.Attach, &st) != nil {
		return "", CaseClosed, nil
	}
	if !trusted && t.differs(st, ins) {
		return "", PatientDiffers, nil
	}
	return st.ID, "", nil
}

// followed gives the case to which this device's study went so far. trusted
// says that a person put it there.
func (t *Tray) followed(ctx context.Context, g group) (st cases.State, trusted bool, err error) {
	rows, err := t.cfg.DB.Query(ctx, `SELECT case_id, decided_by FROM tray_instances
		WHERE study = ? AND aet = ? AND state = 'attached' ORDER BY decided_at DESC LIMIT 1`, g.study, g.aet)
	if err != nil {
		return st, false, fmt.Errorf("reading what became of a study: %w", err)
	}
	defer rows.Close()
	if !rows.Next() {
		return st, false, errors.Join(rows.Err(), cases.ErrNotFound)
	}
	var caseID, by string
	if err := rows.Scan(&caseID, &by); err != nil {
		return st, false, fmt.Errorf("reading what became of a study: %w", err)
	}
	rows.Close()
	st, err = t.cfg.Cases.ForDevice(ctx, caseID)
	return st, by != "", err
}

func (t *Tray) differs(st cases.State, ins []dicom.Instance) bool {
	for _, in := range ins {
		if t.cfg.Differs(st.Opened.Patient, in.PatientName, in.PatientSex) {
			return true
		}
	}
	return false
}

// refusal tells what the case refuses from faults of the server.
func refusal(err error) (Reason, error) {
	var invalid *cases.UserError
	switch {
	case err == nil:
		return "", nil
	case errors.As(err, &invalid) && invalid.Code == "case-full":
		return CaseFull, nil
	case errors.As(err, &invalid), errors.Is(err, cases.ErrConflict), errors.Is(err, cases.ErrNotFound), errors.Is(err, cases.ErrForbidden):
		return CaseClosed, nil
	}
	return "", fmt.Errorf("attaching what a device sent: %w", err)
}

// instances reads what the index knows. One that it lacks is left out.
func (t *Tray) instances(ctx context.Context, sops []string) ([]dicom.Instance, error) {
	out := make([]dicom.Instance, 0, len(sops))
	for _, sop := range sops {
		in, err := t.cfg.Index.Instance(ctx, sop)
		if errors.Is(err, index.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, in)
	}
	return out, nil
}

func attachments(aet string, ins []dicom.Instance) []cases.Attachment {
	out := make([]cases.Attachment, 0, len(ins))
	for _, in := range ins {
		out = append(out, cases.Attachment{Name: fmt.Sprintf("%s-%04d.dcm", in.Modality, in.InstanceNumber), Kind: "dicom",
			MediaType: "application/dicom", Size: in.Size, Hash: in.Hash, Device: aet,
			DICOM: &cases.DICOMRef{StudyUID: in.StudyUID, SeriesUID: in.SeriesUID, SOPUID: in.SOPUID, Modality: in.Modality, Frames: in.Frames}})
	}
	return out
}

// decide writes what became of a group.
func (t *Tray) decide(ctx context.Context, g group, state string, reason Reason, caseID, by string) error {
	now := time.Now().UnixMilli()
	err := t.cfg.DB.Tx(ctx, func(tx storage.Querier) error {
		for _, sop := range g.sops {
			_, err := tx.Exec(ctx, `UPDATE tray_instances SET state = ?, reason = ?, case_id = ?, decided_by = ?, decided_at = ?
				WHERE sop = ? AND aet = ?`, state, string(reason), caseID, by, now, sop, g.aet)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("noting what became of a study: %w", err)
	}
	return nil
}
