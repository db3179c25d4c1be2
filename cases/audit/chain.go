package audit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"
)

const maxText = 500 // runes

// HashEntry is the hash of an entry at its place in the journal: the SHA-256
// (FIPS 180-4), in lower-case hexadecimal, of the line "sira-audit-1" and then,
// each as decimal length in bytes, ":", content, "\n", the fields
//
//	prev, seq, id, at, actor, action, case, object, outcome, surface, request ID, remote
//
// with seq in decimal and at in Unix milliseconds.
func HashEntry(seq int64, e Entry) string {
	h := sha256.New()
	io.WriteString(h, "sira-audit-1\n")
	for _, field := range []string{
		e.Prev, fmt.Sprint(seq), e.ID, fmt.Sprint(e.At.UnixMilli()), e.Actor, e.Action, e.Case,
		e.Object, e.Outcome, e.Surface, e.RequestID, e.Remote,
	} {
		fmt.Fprintf(h, "%d:%s\n", len(field), field)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Verify walks the journal from its start: sequence, every hash, and the end.
// Errors: ErrBroken.
func (j *Journal) Verify(ctx context.Context) error {
	// The end is read first: entries written meanwhile only come after it.
	var endSeq int64
	var endHash string
	err := j.db.QueryRow(ctx, `SELECT seq, hash FROM audit_head WHERE id = 1`).Scan(&endSeq, &endHash)
	if err != nil {
		return fmt.Errorf("reading the end of the journal: %w", err)
	}
	var last int64
	prev, atEnd := "", ""
	err = j.read(ctx, `ORDER BY seq`, func(seq int64, e Entry) error {
		switch {
		case seq != last+1:
			return fmt.Errorf("%w: entry %d follows %d", ErrBroken, seq, last)
		case e.Prev != prev:
			return fmt.Errorf("%w: entry %d does not follow the one before it", ErrBroken, seq)
		case HashEntry(seq, e) != e.Hash:
			return fmt.Errorf("%w: entry %d was altered", ErrBroken, seq)
		}
		last, prev = seq, e.Hash
		if seq == endSeq {
			atEnd = e.Hash
		}
		return nil
	})
	if err != nil {
		return err
	}
	if last < endSeq || atEnd != endHash {
		return fmt.Errorf("%w: its end is missing", ErrBroken)
	}
	return nil
}

// complete fills in what is empty and bounds what others sent.
func (j *Journal) complete(e Entry) Entry {
	if e.ID == "" {
		e.ID = uuid.NewString()
	}
	if e.At.IsZero() {
		e.At = j.now()
	}
	e.At = e.At.UTC().Truncate(time.Millisecond)
	for _, s := range []*string{&e.ID, &e.Actor, &e.Action, &e.Case, &e.Object, &e.Outcome, &e.Surface, &e.RequestID, &e.Remote} {
		*s = keepable(*s)
	}
	return e
}

func keepable(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	if runes := []rune(s); len(runes) > maxText {
		s = string(runes[:maxText])
	}
	return s
}
