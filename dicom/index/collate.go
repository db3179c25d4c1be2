package index

import (
	"context"
	"fmt"

	"sira/storage"
)

// collate makes PostgreSQL compare what is searched by its beginning by bytes, as SQLite
// does: ranges would depend on the locale of the database otherwise.
func collate(ctx context.Context, db *storage.DB) error {
	if db.Dialect() != "postgres" {
		return nil
	}
	for table, columns := range map[string][]string{"dicom_study_find": {"name", "patient_id", "accession"}, "dicom_study_word": {"word"}} {
		for _, column := range columns {
			if err := collateColumn(ctx, db, table, column); err != nil {
				return fmt.Errorf("setting the collation of %s: %w", table, err)
			}
		}
	}
	return nil
}

func collateColumn(ctx context.Context, db *storage.DB, table, column string) error {
	var n int
	err := db.QueryRow(ctx, `SELECT COUNT(*) FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name = ? AND column_name = ? AND collation_name = 'C'`, table, column).Scan(&n)
	if err != nil || n > 0 {
		return err
	}
	_, err = db.Exec(ctx, `ALTER TABLE `+table+` ALTER COLUMN `+column+` TYPE TEXT COLLATE "C"`)
	return err
}
