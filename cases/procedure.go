package cases

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"

	"github.com/google/uuid"

	"sira/storage"
)

// Procedure is an examination asked of a device. Done is set by the first
// image or tracing of its modality that a device sends to the case.
type Procedure struct {
	ID string // of the event that scheduled it
	ScheduledData
	By   string // user ID
	Done bool
}

// StudyUID is the study that the device is asked to put its objects into: the
// procedure's ID as a UID (PS3.5 annex B.2).
func (p Procedure) StudyUID() string {
	id, err := uuid.Parse(p.ID)
	if err != nil {
		return ""
	}
	return "2.25." + new(big.Int).SetBytes(id[:]).String()
}

// Code names the procedure on devices, where 16 characters are all there is:
// Requested Procedure ID and Scheduled Procedure Step ID.
func (p Procedure) Code() string {
	hex := strings.ToUpper(strings.ReplaceAll(p.ID, "-", ""))
	if len(hex) > 14 {
		hex = hex[len(hex)-14:]
	}
	return "RP" + hex
}

// perform notes that what was asked for has come.
func (s *State) perform(a Attachment) {
	p := s.Procedure
	if p == nil || p.Done || a.Device == "" || a.DICOM == nil || a.DICOM.Modality != p.Modality {
		return
	}
	done := *p
	done.Done = true
	s.Procedure = &done
}

// WorklistEntry is an examination that waits for a device.
type WorklistEntry struct {
	Case      string
	Number    string // of the case, and accession number
	Specialty string
	Urgency   string
	Patient   Patient
	Clinician string // user ID
	Facility  string // facility ID
	Procedure Procedure
}

// projectProcedure keeps the table that Worklist reads.
func projectProcedure(ctx context.Context, tx storage.Querier, st *State) error {
	if st.Procedure == nil || st.Procedure.Done || !st.Status.Open() {
		if _, err := tx.Exec(ctx, `DELETE FROM case_procedures WHERE case_id = ?`, st.ID); err != nil {
			return fmt.Errorf("clearing a procedure: %w", err)
		}
		return nil
	}
	entry, err := json.Marshal(WorklistEntry{Case: st.ID, Number: st.Number, Specialty: st.Opened.Specialty,
		Urgency: st.Opened.Urgency, Patient: st.Opened.Patient, Clinician: st.Clinician, Facility: st.Opened.Facility, Procedure: *st.Procedure})
	if err != nil {
		return fmt.Errorf("encoding a procedure: %w", err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO case_procedures (case_id, at, entry) VALUES (?, ?, ?)
		ON CONFLICT (case_id) DO UPDATE SET at = excluded.at, entry = excluded.entry`,
		st.ID, st.Procedure.At.UnixMilli(), string(entry))
	if err != nil {
		return fmt.Errorf("writing a procedure: %w", err)
	}
	return nil
}

// maxWorklist bounds what one device can be told to do.
const maxWorklist = 5_000

// Worklist lists the examinations that wait for a device, the earliest first,
// as ByNumber for nobody's eyes but the devices'.
func (s *Service) Worklist(ctx context.Context) ([]WorklistEntry, error) {
	rows, err := s.db.Query(ctx, `SELECT entry FROM case_procedures ORDER BY at, case_id LIMIT ?`, maxWorklist)
	if err != nil {
		return nil, fmt.Errorf("reading the worklist: %w", err)
	}
	defer rows.Close()
	list := []WorklistEntry{}
	for rows.Next() {
		var raw string
		if err := rows.Scan(&raw); err != nil {
			return nil, fmt.Errorf("reading the worklist: %w", err)
		}
		var e WorklistEntry
		if err := json.Unmarshal([]byte(raw), &e); err != nil {
			return nil, fmt.Errorf("decoding the worklist: %w", err)
		}
		list = append(list, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading the worklist: %w", err)
	}
	return list, nil
}

// WorklistCase gives the case whose waiting or past procedure has this study
// UID. Errors: ErrNotFound.
func (s *Service) WorklistCase(ctx context.Context, studyUID string) (State, error) {
	rest, ok := strings.CutPrefix(studyUID, "2.25.")
	n, valid := new(big.Int).SetString(rest, 10)
	if !ok || !valid || n.Sign() <= 0 || n.BitLen() > 128 {
		return State{}, ErrNotFound
	}
	var id uuid.UUID
	n.FillBytes(id[:])
	found, err := readByID(ctx, s.db, []string{id.String()})
	if err != nil {
		return State{}, err
	}
	ev, ok := found[id.String()]
	if !ok || ev.Type != ProcedureScheduled {
		return State{}, ErrNotFound
	}
	return s.ForDevice(ctx, ev.Case)
}
