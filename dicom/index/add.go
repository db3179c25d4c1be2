package index

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"sira/dicom"
	"sira/storage"
)

// Add records an instance whose blob is durable, in one transaction. It is
// idempotent: false when this very instance was there already.
func (x *Index) Add(ctx context.Context, in dicom.Instance) (added bool, err error) {
	return x.add(ctx, in, nil)
}

// add is Add with more to write in the same transaction when the instance is new.
func (x *Index) add(ctx context.Context, in dicom.Instance, more func(tx storage.Querier) error) (added bool, err error) {
	if _, err := storage.ParseHash(in.Hash); err != nil {
		return false, fmt.Errorf("indexing instance: %w", err)
	}
	if in.SOPUID == "" || in.SeriesUID == "" || in.StudyUID == "" {
		return false, errors.New("indexing instance: without UIDs")
	}
	err = x.db.Tx(ctx, func(tx storage.Querier) error {
		added = false
		known, err := hashOf(ctx, tx, in.SOPUID)
		switch {
		case err != nil:
			return err
		case known == in.Hash:
			return nil
		case known != "":
			return ErrConflictingBytes
		}
		added = true
		if err := insert(ctx, tx, in, time.Now().UnixMilli()); err != nil || more == nil {
			return err
		}
		return more(tx)
	})
	if err != nil {
		return false, fmt.Errorf("indexing instance: %w", err)
	}
	return added, nil
}

func hashOf(ctx context.Context, q storage.Querier, sop string) (string, error) {
	var hash string
	err := q.QueryRow(ctx, `SELECT hash FROM dicom_instance WHERE sop = ?`, sop).Scan(&hash)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return hash, err
}

func insert(ctx context.Context, tx storage.Querier, in dicom.Instance, now int64) error {
	if err := insertStudy(ctx, tx, in, now); err != nil {
		return err
	}
	newSeries, err := fresh(tx.Exec(ctx, `INSERT INTO dicom_series
		(study, uid, modality, number, description, kind, instances, frames, bytes)
		VALUES (?, ?, ?, ?, ?, ?, 0, 0, 0) ON CONFLICT DO NOTHING`,
		in.StudyUID, in.SeriesUID, in.Modality, in.SeriesNumber, in.SeriesDescription, in.Kind))
	if err != nil {
		return err
	}
	data, err := json.Marshal(in)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO dicom_instance
		(sop, study, series, number, place_um, class, hash, size, data, added_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		in.SOPUID, in.StudyUID, in.SeriesUID, in.InstanceNumber, place(in), in.SOPClass, in.Hash, in.Size, string(data), now); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE dicom_series SET instances = instances + 1, frames = frames + ?, bytes = bytes + ?,
		kind = CASE WHEN kind = ? THEN kind ELSE 'other' END WHERE study = ? AND uid = ?`,
		in.Frames, in.Size, in.Kind, in.StudyUID, in.SeriesUID); err != nil {
		return err
	}
	return countStudy(ctx, tx, in, newSeries)
}

func insertStudy(ctx context.Context, tx storage.Querier, in dicom.Instance, now int64) error {
	patient := patientKey(in)
	if _, err := tx.Exec(ctx, `INSERT INTO dicom_patient (key, id, name, sex, birth_date, studies)
		VALUES (?, ?, ?, ?, ?, 0) ON CONFLICT DO NOTHING`,
		patient, in.PatientID, in.PatientName, in.PatientSex, in.PatientBirthDate); err != nil {
		return err
	}
	first, err := fresh(tx.Exec(ctx, `INSERT INTO dicom_study
		(uid, patient, patient_name, date, time, description, accession, modalities, series, instances, frames, bytes, added_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, '', 0, 0, 0, 0, ?) ON CONFLICT DO NOTHING`,
		in.StudyUID, patient, in.PatientName, in.StudyDate, in.StudyTime, in.StudyDescription, in.AccessionNumber, now))
	if err != nil || !first {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE dicom_patient SET studies = studies + 1 WHERE key = ?`, patient)
	return err
}

func countStudy(ctx context.Context, tx storage.Querier, in dicom.Instance, newSeries bool) error {
	var known string
	if err := tx.QueryRow(ctx, `SELECT modalities FROM dicom_study WHERE uid = ?`, in.StudyUID).Scan(&known); err != nil {
		return err
	}
	series := 0
	if newSeries {
		series = 1
	}
	_, err := tx.Exec(ctx, `UPDATE dicom_study SET instances = instances + 1, frames = frames + ?, bytes = bytes + ?,
		series = series + ?, modalities = ? WHERE uid = ?`,
		in.Frames, in.Size, series, withModality(known, in.Modality), in.StudyUID)
	return err
}

// withModality keeps a sorted list in DICOM form, CT\SR.
func withModality(known, add string) string {
	list := modalities(known)
	if add != "" && !slices.Contains(list, add) {
		list = append(list, add)
		slices.Sort(list)
	}
	return strings.Join(list, `\`)
}

func modalities(stored string) []string {
	if stored == "" {
		return nil
	}
	return strings.Split(stored, `\`)
}

func fresh(result sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// patientKey tells patients apart. A Patient ID alone is only unique where it
// was given, and may be missing.
func patientKey(in dicom.Instance) string {
	name := strings.ToUpper(strings.TrimRight(in.PatientName, "^ ="))
	parts := []string{in.PatientID, name, in.PatientBirthDate}
	if in.PatientID == "" && name == "" {
		parts = append(parts, in.StudyUID)
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// place is where a slice lies along the normal of its plane, in micrometres,
// 0 when unknown.
func place(in dicom.Instance) int64 {
	p, o := in.Position, in.Orientation
	if len(p) != 3 {
		return 0
	}
	normal := [3]float64{0, 0, 1}
	if len(o) == 6 {
		normal = [3]float64{o[1]*o[5] - o[2]*o[4], o[2]*o[3] - o[0]*o[5], o[0]*o[4] - o[1]*o[3]}
	}
	mm := p[0]*normal[0] + p[1]*normal[1] + p[2]*normal[2]
	if math.IsNaN(mm) || math.Abs(mm) > 1e9 {
		return 0
	}
	return int64(math.Round(mm * 1000))
}
