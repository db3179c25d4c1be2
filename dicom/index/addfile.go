package index

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"sync"

	"sira/dicom"
	"sira/dicom/index/jsonmodel"
	"sira/storage"
)

// maxMeta bounds what is kept of one instance's metadata, deflated and in
// base64. Longer ones are made from the object when asked for.
const maxMeta = 1 << 20

// AddFile is Add that also keeps the DICOM JSON of f (PS3.18 Annex F), from
// which in was described, and what searches look at. also, when not nil, writes
// more in the same transaction when the instance is new; as storage.DB.Tx says,
// it may run again from the start.
func (x *Index) AddFile(ctx context.Context, in dicom.Instance, f *dicom.File, also func(tx storage.Querier) error) (added bool, err error) {
	if f == nil {
		return x.add(ctx, in, also)
	}
	in.SOPClass, in.TransferSyntax = plainUID(in.SOPClass), plainUID(in.TransferSyntax)
	r, err := describe(in, f)
	if err != nil {
		return false, err
	}
	return x.add(ctx, in, func(tx storage.Querier) error {
		if err := r.write(ctx, tx); err != nil || also == nil {
			return err
		}
		return also(tx)
	})
}

// record is everything AddFile writes beside the rows of Add.
type record struct {
	in                     dicom.Instance
	referrer               string
	studyBrief, studyMore  string
	seriesBrief            string
	seriesMore             string
	stepDate, stepTime     string
	instanceBrief, meta    string
	modality, date, moment string
}

// plainUID leaves what is a UID, and nothing of what is not.
func plainUID(s string) string {
	if len(s) > 64 || strings.Trim(s, "0123456789.") != "" {
		return ""
	}
	return s
}

func describe(in dicom.Instance, f *dicom.File) (record, error) {
	r := record{in: in, date: day(in.StudyDate), moment: clock(in.StudyTime), modality: in.Modality}
	r.referrer = foldName(f.String(0x00080090))
	r.stepDate, r.stepTime = day(f.String(0x00400244)), clock(f.String(0x00400245))
	r.studyBrief, r.studyMore = studyJSON(in, f)
	r.seriesBrief, r.seriesMore = seriesJSON(in, f)
	r.instanceBrief = instanceJSON(in, f)
	var err error
	r.meta, err = pack(jsonmodel.File(f))
	return r, err
}

func (r *record) write(ctx context.Context, tx storage.Querier) error {
	in := r.in
	first, err := fresh(tx.Exec(ctx, `INSERT INTO dicom_study_find
		(study, date, time, name, patient_id, birth_date, sex, accession, study_id, description, referrer)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		in.StudyUID, r.date, r.moment, foldName(in.PatientName), in.PatientID, day(in.PatientBirthDate), in.PatientSex,
		in.AccessionNumber, in.StudyID, in.StudyDescription, r.referrer))
	if err != nil {
		return err
	}
	if first {
		if _, err := tx.Exec(ctx, `INSERT INTO dicom_study_json (study, brief, more) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
			in.StudyUID, r.studyBrief, r.studyMore); err != nil {
			return err
		}
		for _, word := range nameWords(in.PatientName) {
			if _, err := tx.Exec(ctx, `INSERT INTO dicom_study_word (study, word, date, time) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
				in.StudyUID, word, r.date, r.moment); err != nil {
				return err
			}
		}
	}
	newSeries, err := fresh(tx.Exec(ctx, `INSERT INTO dicom_series_json (study, series, body, step_date, step_time, brief, more)
		VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		in.StudyUID, in.SeriesUID, in.BodyPart, r.stepDate, r.stepTime, r.seriesBrief, r.seriesMore))
	if err != nil {
		return err
	}
	if newSeries && r.modality != "" {
		if err := addModality(ctx, tx, in.StudyUID, r.modality); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, `INSERT INTO dicom_instance_json (sop, syntax, frames, brief, meta) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		in.SOPUID, in.TransferSyntax, in.Frames, r.instanceBrief, r.meta)
	return err
}

// addModality takes date and time from the study's first instance, so that
// all its rows stand at one place of a list.
func addModality(ctx context.Context, tx storage.Querier, study, modality string) error {
	_, err := tx.Exec(ctx, `INSERT INTO dicom_study_modality (study, modality, date, time)
		SELECT study, ?, date, time FROM dicom_study_find WHERE study = ? ON CONFLICT DO NOTHING`, modality, study)
	return err
}

var deflaters = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.BestSpeed) // a fifth longer than the best, for a fraction of its time
	if err != nil {
		return nil
	}
	return w
}}

// pack deflates and encodes metadata for a text column; "" when it is too long.
func pack(raw []byte) (string, error) {
	if len(raw) > 32*maxMeta {
		return "", nil
	}
	var b bytes.Buffer
	w, ok := deflaters.Get().(*flate.Writer)
	if !ok {
		return "", fmt.Errorf("packing metadata: no deflater")
	}
	defer deflaters.Put(w)
	w.Reset(&b)
	if _, err := w.Write(raw); err != nil {
		return "", fmt.Errorf("packing metadata: %w", err)
	}
	if err := w.Close(); err != nil {
		return "", fmt.Errorf("packing metadata: %w", err)
	}
	if base64.StdEncoding.EncodedLen(b.Len()) > maxMeta {
		return "", nil
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

// unpack undoes pack.
func unpack(packed string) (string, error) {
	var out strings.Builder
	r := flate.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(packed)))
	if _, err := io.Copy(&out, io.LimitReader(r, 32*maxMeta)); err != nil {
		return "", fmt.Errorf("unpacking metadata: %w", err)
	}
	return out.String(), nil
}
