package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"sira/storage"
)

// copies say how the index's rows of a study become those of another one:
// each ? is what is appended to what must differ. It is the only place outside
// dicom/index that knows these tables; its test fails when they change.
var copies = []string{
	`INSERT INTO dicom_patient (key, id, name, sex, birth_date, studies)
		SELECT p.key || ?, p.id || ?, p.name, p.sex, p.birth_date, 1 FROM dicom_patient p JOIN bench_study b ON b.patient = p.key`,
	`INSERT INTO dicom_study (uid, patient, patient_name, date, time, description, accession, modalities, series, instances, frames, bytes, added_at)
		SELECT s.uid || ?, s.patient || ?, patient_name, date, time, description, accession, modalities, series, instances, frames, bytes, added_at
		FROM dicom_study s JOIN bench_study b ON b.uid = s.uid`,
	`INSERT INTO dicom_study_find (study, date, time, name, patient_id, birth_date, sex, accession, study_id, description, referrer)
		SELECT study || ?, date, time, name, patient_id || ?, birth_date, sex, accession, study_id, description, referrer
		FROM dicom_study_find JOIN bench_study b ON b.uid = study`,
	`INSERT INTO dicom_study_json (study, brief, more)
		SELECT study || ?, replace(brief, study, study || ?), more FROM dicom_study_json JOIN bench_study b ON b.uid = study`,
	`INSERT INTO dicom_study_modality (study, modality, date, time)
		SELECT study || ?, modality, date, time FROM dicom_study_modality JOIN bench_study b ON b.uid = study`,
	`INSERT INTO dicom_study_word (study, word, date, time)
		SELECT study || ?, word, date, time FROM dicom_study_word JOIN bench_study b ON b.uid = study`,
}

// enlarge makes the small studies of a stopped server's database as many as
// total, with rows of studies alone: lists of studies read nothing else.
func enlarge(ctx context.Context, dir string, total int) error {
	db, err := storage.OpenDB(ctx, "sqlite:"+filepath.Join(dir, "sira.db"))
	if err != nil {
		return fmt.Errorf("generating rows: %w", err)
	}
	return errors.Join(multiply(ctx, db, total), db.Close())
}

func multiply(ctx context.Context, db *storage.DB, total int) error {
	var n int
	err := db.Tx(ctx, func(tx storage.Querier) error {
		if _, err := tx.Exec(ctx, `CREATE TABLE bench_study AS SELECT uid, patient FROM dicom_study WHERE uid LIKE ?`, tinyStudy+"%"); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT count(*) FROM bench_study`).Scan(&n)
	})
	if err == nil && n == 0 {
		err = errors.New("no study to copy")
	}
	for k := 1; err == nil && k < total/n; k++ {
		err = db.Tx(ctx, func(tx storage.Querier) error { return again(ctx, tx, fmt.Sprintf(".%d", k)) })
	}
	if err == nil {
		_, err = db.Exec(ctx, `DROP TABLE bench_study`)
	}
	if err != nil {
		return fmt.Errorf("generating rows: %w", err)
	}
	return nil
}

// again copies every study of bench_study once, with suffix.
func again(ctx context.Context, tx storage.Querier, suffix string) error {
	for _, statement := range copies {
		var args []any
		for range strings.Count(statement, "?") {
			args = append(args, suffix)
		}
		if _, err := tx.Exec(ctx, statement, args...); err != nil {
			return err
		}
	}
	return nil
}
