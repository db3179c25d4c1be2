package cases

import (
	"testing"

	"github.com/google/uuid"

	"sira/storage"
	"sira/storage/storagetest"
)

func openSQLite(t *testing.T) *storage.DB { return storagetest.NewDB(t) }

// The canonical encoding is for ever: logs written today are verified by it in
// twenty years.
func TestHashEventKnown(t *testing.T) {
	ev := Event{ID: id1, Case: id2, Seq: 2, Type: MessagePosted, Actor: "u-1", At: start, Received: start, Data: []byte(`{"text":"ɲɛ"}`), Prev: "abc"}
	const want = "5af6b01e45373155fcac92eabe09e30b6db7e114de522f693e7a3d7f7c32890b"
	if got := HashEvent(ev); got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
}

// The database itself refuses to change the log.
func TestLogOnlyGrows(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		id := w.opened()
		for _, stmt := range []string{`UPDATE case_events SET actor = 'x'`, `DELETE FROM case_events`} {
			if _, err := w.db.Exec(t.Context(), stmt); err == nil {
				t.Errorf("%s was carried out", stmt)
			}
		}
		must(t, w.svc.Verify(t.Context(), id))
	})
}

// Whoever gets past the triggers is still seen.
func TestVerifyFindsTampering(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		disarm(t, w.db)
		for name, stmt := range map[string]string{
			"opinion changed": `UPDATE case_events SET data = '{"conclusion":"y"}' WHERE case_id = ? AND seq = 3`,
			"author changed":  `UPDATE case_events SET actor = 'mariam' WHERE case_id = ? AND seq = 3`,
			"back-dated":      `UPDATE case_events SET received = received - 1 WHERE case_id = ? AND seq = 3`,
			"dropped":         `DELETE FROM case_events WHERE case_id = ? AND seq = 2`,
			"end cut":         `DELETE FROM case_events WHERE case_id = ? AND seq = 3`,
			"all dropped":     `DELETE FROM case_events WHERE case_id = ?`,
		} {
			id := w.opened("seydou")
			w.does("aminata", id, message("x"))
			w.does("seydou", id, opinion("x"))
			must(t, w.svc.Verify(t.Context(), id))
			_, err := w.db.Exec(t.Context(), stmt, id)
			must(t, err)
			t.Log(name)
			wantErr(t, w.svc.Verify(t.Context(), id), ErrBroken)
		}
		wantErr(t, w.svc.Verify(t.Context(), uuid.NewString()), ErrNotFound)
	})
}

func disarm(t *testing.T, db *storage.DB) {
	t.Helper()
	drop := []string{`DROP TRIGGER case_events_no_update`, `DROP TRIGGER case_events_no_delete`}
	if db.Dialect() == "postgres" {
		drop = []string{`DROP TRIGGER case_events_no_change ON case_events`}
	}
	for _, stmt := range drop {
		_, err := db.Exec(t.Context(), stmt)
		must(t, err)
	}
}
