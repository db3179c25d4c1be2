package index

import (
	"context"
	"fmt"

	"sira/storage"
)

// collate makes PostgreSQL compare folded names by their bytes, as SQLite
// does: ranges of names would depend on the locale of the database otherwise.
func collate(ctx context.Context, db *storage.DB) error {
	if db.Dialect() != "postgres" {
		return nil
	}
	for table, column := range map[string]string{"dicom_study_find": "name", "dicom_study_word": "word"} {
		var n int
		err := db.QueryRow(ctx, `SELECT COUNT(*) FROM information_schema.columns
			WHERE table_schema = current_schema() AND table_name = ? AND column_name = ? AND collation_name = 'C'`, table, column).Scan(&n)
		if err == nil && n == 0 {
			_, err = db.Exec(ctx, `ALTER TABLE `+table+` ALTER COLUMN `+column+` TYPE TEXT COLLATE "C"`)
		}
		if err != nil {
			return fmt.Errorf("setting the collation of %s: %w", table, err)
		}
	}
	return nil
}
