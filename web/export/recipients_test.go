package export

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"sira/storage"
	"sira/storage/storagetest"
)

// TestRecipients: whoever writes a name a little differently hits the same
// secret, after a restart too; another recipient has another one.
func TestRecipients(t *testing.T) {
	storagetest.EachDB(t, func(t *testing.T, db *storage.DB) {
		ctx, now := context.Background(), time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
		dir := t.TempDir()
		start := func() *Service {
			s, err := Open(ctx, Config{DB: db, Dir: dir, Now: func() time.Time { return now }})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		s := start()
		id, key, err := s.recipient(ctx, "Équipe Thèse, Bamako")
		if err != nil || len(key) != 32 {
			t.Fatalf("%d bytes, %v", len(key), err)
		}
		s = start()
		same, again, err := s.recipient(ctx, "  equipe  these BAMAKO ")
		if err != nil || same != id || !bytes.Equal(again, key) {
			t.Errorf("the same recipient: %s, %v", same, err)
		}
		if byID, err := s.key(ctx, id); err != nil || !bytes.Equal(byID, key) {
			t.Errorf("by ID: %v", err)
		}
		other, strange, err := s.recipient(ctx, "Équipe Thèse, Ségou")
		if err != nil || other == id || bytes.Equal(strange, key) {
			t.Errorf("another recipient: %s, %v", other, err)
		}
		if _, _, err := s.recipient(ctx, " .,- "); !errors.Is(err, ErrRecipient) {
			t.Errorf("no name: %v", err)
		}

		var ids []string
		for i, to := range []string{id, other, id} {
			o := &Order{Case: "c", User: "u", Mode: Anonymous, Purpose: "thèse", recipient: to}
			now = now.Add(time.Duration(i) * time.Minute)
			if err := s.keep(ctx, o); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, o.ID)
		}
		names, err := s.Recipients(ctx, "u")
		if err != nil || !slices.Equal(names, []string{"Équipe Thèse, Bamako", "Équipe Thèse, Ségou"}) {
			t.Errorf("%q, %v", names, err)
		}
		if names, err := s.Recipients(ctx, "another"); err != nil || len(names) != 0 {
			t.Errorf("another user sees %q, %v", names, err)
		}
		s = start()
		o, err := s.Order(ctx, ids[2])
		if err != nil || o.Case != "c" || o.User != "u" || o.Purpose != "thèse" || o.recipient != id || !o.Created.Equal(now) {
			t.Errorf("%+v, %v", o, err)
		}
		now = now.Add(lasts + time.Minute)
		for _, gone := range []string{ids[0], ids[2], "none"} {
			if _, err := s.Order(ctx, gone); !errors.Is(err, ErrNotFound) {
				t.Errorf("after a day: %v", err)
			}
		}
	})
}
