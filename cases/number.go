package cases

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"sira/cases/directory"
	"sira/storage"
)

// nextNumber gives the number that people say on the telephone: the place, the
// year and a count, "KAT-2026-0001". It says nothing of the patient.
func nextNumber(ctx context.Context, tx storage.Querier, f directory.Facility, now time.Time) (string, error) {
	prefix := fmt.Sprintf("%s-%d", placeCode(f), now.Year())
	var last int64
	err := tx.QueryRow(ctx, `INSERT INTO case_numbers (prefix, last) VALUES (?, 1)
		ON CONFLICT (prefix) DO UPDATE SET last = case_numbers.last + 1
		RETURNING last`, prefix).Scan(&last)
	if err != nil {
		return "", fmt.Errorf("numbering a case: %w", err)
	}
	return fmt.Sprintf("%s-%04d", prefix, last), nil
}

// placeCode is the facility's code when it is 2 to 5 letters, else three letters
// of the last word of its name that has as many. Places that share one share a
// count.
func placeCode(f directory.Facility) string {
	if code := letters(f.Code); len(code) >= 2 && len(code) <= 5 && len(code) == len(f.Code) {
		return code
	}
	words := strings.FieldsFunc(f.Name, func(r rune) bool { return !unicode.IsLetter(r) })
	for i := len(words) - 1; i >= 0; i-- {
		if w := letters(words[i]); len(w) >= 3 {
			return w[:3]
		}
	}
	return "SIRA"
}

// letters keeps A to Z of s, folded and in capitals.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 'A' || r > 'Z' {
			return -1
		}
		return r
	}, strings.ToUpper(fold(s)))
}
