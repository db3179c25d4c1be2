package cases

import (
	"context"
	"encoding/json"
	"fmt"

	"sira/storage"
)

// maxQuestion is how much of the question the list carries, in runes.
const maxQuestion = 300

// project writes the list's line of a case and who takes part in it.
func project(ctx context.Context, tx storage.Querier, st *State) error {
	line, err := json.Marshal(summarise(st))
	if err != nil {
		return fmt.Errorf("encoding a summary: %w", err)
	}
	ended := 1
	if st.Status.Open() {
		ended = 0
	}
	_, err = tx.Exec(ctx, `INSERT INTO case_summaries
		(id, number, status, ended, rank, specialty, opened, updated, search, summary, seq, head)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET status = excluded.status, ended = excluded.ended,
			updated = excluded.updated, summary = excluded.summary, seq = excluded.seq, head = excluded.head`,
		st.ID, st.Number, string(st.Status), ended, rank(st.Opened.Urgency), st.Opened.Specialty,
		st.OpenedAt.UnixMilli(), st.UpdatedAt.UnixMilli(), fold(st.Number+" "+st.Opened.Patient.Name),
		string(line), st.Seq, st.Head)
	if err != nil {
		return fmt.Errorf("writing a summary: %w", err)
	}
	if err := projectProcedure(ctx, tx, st); err != nil {
		return err
	}
	for _, id := range st.Participants {
		_, err := tx.Exec(ctx, `INSERT INTO case_members (user_id, case_id) VALUES (?, ?)
			ON CONFLICT (user_id, case_id) DO NOTHING`, id, st.ID)
		if err != nil {
			return fmt.Errorf("writing who takes part: %w", err)
		}
	}
	return nil
}

// summarise is the list's line of a state, without what depends on the reader.
func summarise(st *State) Summary {
	p := st.Opened.Patient
	return Summary{
		ID: st.ID, Number: st.Number, Status: st.Status,
		Urgency: st.Opened.Urgency, Specialty: st.Opened.Specialty, Question: shorten(st.Opened.Question),
		Patient:  PatientSummary{Name: p.Name, Sex: p.Sex, BirthDate: p.BirthDate, Age: p.Age},
		Facility: st.Opened.Facility, Clinician: st.Clinician, Assignees: st.Assignees,
		OpenedAt: st.OpenedAt, UpdatedAt: st.UpdatedAt, DueAt: st.DueAt, Owner: st.Owner, Seq: st.Seq,
		Attachments: len(st.Attachments), Opinions: len(st.Opinions),
	}
}

func shorten(s string) string {
	if runes := []rune(s); len(runes) > maxQuestion {
		return string(runes[:maxQuestion-1]) + "…"
	}
	return s
}

// rank orders by urgency, the most urgent first.
func rank(code string) int {
	for i, u := range Urgencies {
		if u.Code == code {
			return i
		}
	}
	return 0
}
