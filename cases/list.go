package cases

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"sira/cases/directory"
	"sira/storage"
)

// Filter narrows a list. Zero means all.
type Filter struct {
	Statuses []Status
	Query    string // words of a number or a patient's name; accents and case do not matter
	Limit    int    // 0 means 500, at most 2000
}

const (
	defaultLimit = 500
	maxLimit     = 2000
)

// unreadSQL counts what others did since the reader's mark: each event is one,
// all files together are one, comings and goings in a call are none. Its
// arguments are the reader's ID, twice.
const unreadSQL = `(SELECT COUNT(*) FROM case_events e
		WHERE e.case_id = s.id AND e.seq > COALESCE(r.seq, 0) AND e.actor <> ?
		AND e.type NOT IN ('attachment-added', 'call-joined', 'call-left'))
	+ CASE WHEN EXISTS (SELECT 1 FROM case_events e
		WHERE e.case_id = s.id AND e.seq > COALESCE(r.seq, 0) AND e.actor <> ?
		AND e.type = 'attachment-added') THEN 1 ELSE 0 END`

// List gives the cases that u may view: the open ones by urgency, then the
// oldest first; after them the ended ones, the latest first.
func (s *Service) List(ctx context.Context, u directory.User, f Filter) ([]Summary, error) {
	var where []string
	var args []any
	if len(f.Statuses) > 0 {
		where = append(where, `s.status IN (?`+strings.Repeat(`, ?`, len(f.Statuses)-1)+`)`)
		for _, st := range f.Statuses {
			args = append(args, string(st))
		}
	}
	for _, p := range patterns(f.Query) {
		where = append(where, `s.search LIKE ? ESCAPE '!'`)
		args = append(args, p)
	}
	limit := defaultLimit
	if f.Limit > 0 {
		limit = min(f.Limit, maxLimit)
	}
	return s.summaries(ctx, u, where, args, limit)
}

// Counts says how many cases there are in each status, all users together.
func (s *Service) Counts(ctx context.Context) (map[Status]int64, error) {
	rows, err := s.db.Query(ctx, `SELECT status, COUNT(*) FROM case_summaries GROUP BY status`)
	if err != nil {
		return nil, fmt.Errorf("counting cases: %w", err)
	}
	defer rows.Close()
	out := map[Status]int64{}
	for rows.Next() {
		var st Status
		var n int64
		if err := rows.Scan(&st, &n); err != nil {
			return nil, fmt.Errorf("counting cases: %w", err)
		}
		out[st] = n
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("counting cases: %w", err)
	}
	return out, nil
}

// Summary gives the list's line of one case. Errors: ErrNotFound, also when u
// may not view it.
func (s *Service) Summary(ctx context.Context, u directory.User, caseID string) (Summary, error) {
	found, err := s.summaries(ctx, u, []string{`s.id = ?`}, []any{caseID}, 1)
	if err != nil {
		return Summary{}, err
	}
	if len(found) == 0 {
		return Summary{}, ErrNotFound
	}
	return found[0], nil
}

// summaries reads lines; where is never made of input.
func (s *Service) summaries(ctx context.Context, u directory.User, where []string, args []any, limit int) ([]Summary, error) {
	visible, visibleArgs := visibility(u)
	where = append(where, visible)
	all := append([]any{u.ID, u.ID, u.ID}, args...)
	all = append(append(all, visibleArgs...), limit)
	rows, err := s.db.Query(ctx, `SELECT s.summary, `+unreadSQL+`
		FROM case_summaries s LEFT JOIN case_reads r ON r.case_id = s.id AND r.user_id = ?
		WHERE `+strings.Join(where, ` AND `)+`
		ORDER BY s.ended, CASE WHEN s.ended = 0 THEN s.rank ELSE 0 END,
			CASE WHEN s.ended = 0 THEN s.opened ELSE -s.updated END, s.id
		LIMIT ?`, all...)
	if err != nil {
		return nil, fmt.Errorf("listing cases: %w", err)
	}
	defer rows.Close()
	found := []Summary{}
	for rows.Next() {
		var line string
		var unread int
		if err := rows.Scan(&line, &unread); err != nil {
			return nil, fmt.Errorf("reading a summary: %w", err)
		}
		var sum Summary
		if err := json.Unmarshal([]byte(line), &sum); err != nil {
			return nil, fmt.Errorf("decoding a summary: %w", err)
		}
		sum.Unread = unread
		// The condition only preselects; the policy has the last word.
		if Allow(u, View, sum.policyState()) == nil {
			found = append(found, sum)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("listing cases: %w", err)
	}
	return found, nil
}

// visibility is the condition on s for what Allow lets u view.
func visibility(u directory.User) (string, []any) {
	cond := `EXISTS (SELECT 1 FROM case_members m WHERE m.case_id = s.id AND m.user_id = ?)`
	args := []any{u.ID}
	if u.Role == directory.Dispatcher && len(u.Specialties) > 0 {
		cond = `(` + cond + ` OR s.specialty IN (?` + strings.Repeat(`, ?`, len(u.Specialties)-1) + `))`
		for _, sp := range u.Specialties {
			args = append(args, sp)
		}
	}
	return cond, args
}

// policyState is as much of a state as the policy looks at.
func (s Summary) policyState() *State {
	return &State{ID: s.ID, Status: s.Status, Clinician: s.Clinician, Assignees: s.Assignees,
		Opened: OpenedData{Specialty: s.Specialty}}
}

// MarkRead notes that u has seen a case up to seq; an earlier mark is never
// restored. Errors: ErrNotFound, ErrForbidden.
func (s *Service) MarkRead(ctx context.Context, u directory.User, caseID string, seq int64) error {
	return s.db.Tx(ctx, func(tx storage.Querier) error {
		st, err := s.policyState(ctx, tx, caseID)
		if err != nil {
			return err
		}
		if err := Allow(u, View, st); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO case_reads (user_id, case_id, seq) VALUES (?, ?, ?)
			ON CONFLICT (user_id, case_id) DO UPDATE SET seq = excluded.seq WHERE case_reads.seq < excluded.seq`,
			u.ID, caseID, min(max(seq, 0), st.Seq))
		if err != nil {
			return fmt.Errorf("marking a case as read: %w", err)
		}
		return nil
	})
}

// policyState reads as much of a case as the policy looks at, without its log.
func (s *Service) policyState(ctx context.Context, q storage.Querier, caseID string) (*State, error) {
	rows, err := q.Query(ctx, `SELECT summary, seq FROM case_summaries WHERE id = ?`, caseID)
	if err != nil {
		return nil, fmt.Errorf("reading a summary: %w", err)
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return nil, fmt.Errorf("reading a summary: %w", err)
		}
		return nil, ErrNotFound
	}
	var line string
	var seq int64
	if err := rows.Scan(&line, &seq); err != nil {
		return nil, fmt.Errorf("reading a summary: %w", err)
	}
	var sum Summary
	if err := json.Unmarshal([]byte(line), &sum); err != nil {
		return nil, fmt.Errorf("decoding a summary: %w", err)
	}
	st := sum.policyState()
	st.Seq = seq
	return st, rows.Err()
}

// viewers lists who may view a case: its participants and the dispatchers of its
// specialty.
func (s *Service) viewers(ctx context.Context, st *State) ([]string, error) {
	ids, err := s.dir.DispatchersOf(ctx, st.Opened.Specialty)
	if err != nil {
		return nil, err
	}
	for _, id := range st.Participants {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}
