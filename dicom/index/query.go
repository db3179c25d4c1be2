package index

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sira/dicom"
)

// Instance returns one instance by its SOP instance UID.
func (x *Index) Instance(ctx context.Context, sop string) (dicom.Instance, error) {
	// One row by its key: to watch for the end of ctx costs more than to read it.
	list, err := x.instances(context.WithoutCancel(ctx), `SELECT data FROM dicom_instance WHERE sop = ?`, sop)
	if err != nil || len(list) == 0 {
		return dicom.Instance{}, orNotFound(err, "instance")
	}
	return list[0], nil
}

// Series returns the instances of a series by instance number, then position.
func (x *Index) Series(ctx context.Context, uid string) ([]dicom.Instance, error) {
	list, err := x.instances(ctx, `SELECT data FROM dicom_instance WHERE series = ? ORDER BY number, place_um, sop`, uid)
	if err != nil || len(list) == 0 {
		return nil, orNotFound(err, "series")
	}
	return list, nil
}

// Study returns a study.
func (x *Index) Study(ctx context.Context, uid string) (Study, error) {
	s := Study{UID: uid}
	var stored string
	err := x.db.QueryRow(ctx, `SELECT s.patient_name, p.id, p.sex, p.birth_date, s.date, s.time, s.description, s.accession,
		s.modalities, s.series, s.instances, s.frames, s.bytes
		FROM dicom_study s JOIN dicom_patient p ON p.key = s.patient WHERE s.uid = ?`, uid).Scan(
		&s.PatientName, &s.PatientID, &s.PatientSex, &s.PatientBirthDate, &s.Date, &s.Time, &s.Description, &s.AccessionNumber,
		&stored, &s.Series, &s.Instances, &s.Frames, &s.Bytes)
	if errors.Is(err, sql.ErrNoRows) {
		return Study{}, orNotFound(nil, "study")
	}
	if err != nil {
		return Study{}, orNotFound(err, "study")
	}
	s.Modalities = modalities(stored)
	return s, nil
}

// StudySeries returns the series of a study by number.
func (x *Index) StudySeries(ctx context.Context, uid string) ([]Series, error) {
	study, err := x.Study(ctx, uid)
	if err != nil {
		return nil, err
	}
	rows, err := x.db.Query(ctx, `SELECT uid, modality, number, description, kind, instances, frames, bytes
		FROM dicom_series WHERE study = ? ORDER BY number, uid`, uid)
	if err != nil {
		return nil, fmt.Errorf("listing series: %w", err)
	}
	defer rows.Close()
	var out []Series
	for rows.Next() {
		s := Series{StudyUID: uid, StudyDescription: study.Description, StudyDate: study.Date,
			PatientName: study.PatientName, PatientID: study.PatientID,
			PatientSex: study.PatientSex, PatientBirthDate: study.PatientBirthDate}
		if err := rows.Scan(&s.UID, &s.Modality, &s.Number, &s.Description, &s.Kind, &s.Instances, &s.Frames, &s.Bytes); err != nil {
			return nil, fmt.Errorf("listing series: %w", err)
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// SeriesOf returns the series that hold the given SOP instances, counting
// only these, ordered by study date, study and series number. Unknown
// instances are left out.
func (x *Index) SeriesOf(ctx context.Context, sops []string) ([]Series, error) {
	type key struct{ study, series string }
	found := map[key]*Series{}
	wanted := slices.Compact(slices.Sorted(slices.Values(sops)))
	for chunk := range slices.Chunk(wanted, 500) {
		args := make([]any, len(chunk))
		for i, sop := range chunk {
			args[i] = sop
		}
		list, err := x.instances(ctx, `SELECT data FROM dicom_instance WHERE sop IN (?`+
			strings.Repeat(", ?", len(chunk)-1)+`) ORDER BY number, place_um, sop`, args...)
		if err != nil {
			return nil, err
		}
		for _, in := range list {
			k := key{in.StudyUID, in.SeriesUID}
			if found[k] == nil {
				found[k] = seriesFrom(in)
			}
			found[k].count(in)
		}
	}
	out := make([]Series, 0, len(found))
	for _, s := range found {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b Series) int {
		return cmp.Or(cmp.Compare(a.StudyDate, b.StudyDate), cmp.Compare(a.StudyUID, b.StudyUID),
			cmp.Compare(a.Number, b.Number), cmp.Compare(a.UID, b.UID))
	})
	return out, nil
}

func seriesFrom(in dicom.Instance) *Series {
	return &Series{
		UID: in.SeriesUID, StudyUID: in.StudyUID, Modality: in.Modality,
		Description: in.SeriesDescription, StudyDescription: in.StudyDescription, StudyDate: in.StudyDate,
		PatientName: in.PatientName, PatientID: in.PatientID, PatientSex: in.PatientSex,
		PatientBirthDate: in.PatientBirthDate, Kind: in.Kind, Number: in.SeriesNumber,
	}
}

func (s *Series) count(in dicom.Instance) {
	s.Instances++
	s.Frames += in.Frames
	s.Bytes += in.Size
	if s.Kind != in.Kind {
		s.Kind = "other"
	}
}

func (x *Index) instances(ctx context.Context, query string, args ...any) ([]dicom.Instance, error) {
	rows, err := x.db.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("reading DICOM index: %w", err)
	}
	defer rows.Close()
	var out []dicom.Instance
	for rows.Next() {
		var data string
		if err := rows.Scan(&data); err != nil {
			return nil, fmt.Errorf("reading DICOM index: %w", err)
		}
		var in dicom.Instance
		if err := json.Unmarshal([]byte(data), &in); err != nil {
			return nil, fmt.Errorf("reading DICOM index: %w", err)
		}
		out = append(out, in)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading DICOM index: %w", err)
	}
	return out, nil
}

func orNotFound(err error, what string) error {
	if err != nil {
		return fmt.Errorf("reading DICOM %s: %w", what, err)
	}
	return fmt.Errorf("reading DICOM %s: %w", what, ErrNotFound)
}
