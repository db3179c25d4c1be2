package index

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sira/dicom"
	"sira/storage"
)

// Quarantined is an object that was not taken in because its SOP instance is
// known with other content. Its bytes are the blob Instance.Hash.
type Quarantined struct {
	ID       string
	Instance dicom.Instance // as received
	Known    dicom.Instance // the one that was first; zero when it is gone
	Device   string         // AE title of the sender, or
	Sender   string         // ID of the user
	Remote   string         // address of a device
	Case     string         // case it was sent to, "" when to none
	First    time.Time
	Last     time.Time
	Times    int // how often these bytes came
}

// Quarantine keeps a refused object for a person to decide. The same bytes
// again are the same entry. Known, ID, First, Last and Times are not read.
func (x *Index) Quarantine(ctx context.Context, q Quarantined) error {
	if _, err := storage.ParseHash(q.Instance.Hash); err != nil {
		return fmt.Errorf("quarantining an instance: %w", err)
	}
	data, err := json.Marshal(q.Instance)
	if err != nil {
		return fmt.Errorf("quarantining an instance: %w", err)
	}
	sum := sha256.Sum256([]byte(q.Instance.SOPUID + "\x00" + q.Instance.Hash))
	now := time.Now().UnixMilli()
	_, err = x.db.Exec(ctx, `INSERT INTO dicom_quarantine
		(id, sop, hash, size, data, device, sender, remote, case_id, first_at, last_at, times)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)
		ON CONFLICT (sop, hash) DO UPDATE SET last_at = excluded.last_at, times = dicom_quarantine.times + 1,
			device = excluded.device, sender = excluded.sender, remote = excluded.remote, case_id = excluded.case_id`,
		hex.EncodeToString(sum[:16]), q.Instance.SOPUID, q.Instance.Hash, q.Instance.Size, string(data),
		q.Device, q.Sender, q.Remote, q.Case, now, now)
	if err != nil {
		return fmt.Errorf("quarantining an instance: %w", err)
	}
	return nil
}

// Totals is how much the index knows.
type Totals struct{ Studies, Instances, Bytes, Quarantined int64 }

// Totals counts what is indexed and what is in quarantine.
func (x *Index) Totals(ctx context.Context) (Totals, error) {
	var t Totals
	err := x.db.QueryRow(ctx, `SELECT (SELECT COUNT(*) FROM dicom_study), COUNT(*), COALESCE(SUM(size), 0),
		(SELECT COUNT(*) FROM dicom_quarantine) FROM dicom_instance`).Scan(&t.Studies, &t.Instances, &t.Bytes, &t.Quarantined)
	if err != nil {
		return t, fmt.Errorf("counting the DICOM index: %w", err)
	}
	return t, nil
}

// maxQuarantined bounds one list.
const maxQuarantined = 500

// InQuarantine lists what waits for a decision, the latest first.
func (x *Index) InQuarantine(ctx context.Context) ([]Quarantined, error) {
	rows, err := x.db.Query(ctx, `SELECT q.id, q.data, q.device, q.sender, q.remote, q.case_id, q.first_at, q.last_at, q.times,
		COALESCE(i.data, '') FROM dicom_quarantine q LEFT JOIN dicom_instance i ON i.sop = q.sop
		ORDER BY q.last_at DESC, q.id LIMIT ?`, maxQuarantined)
	if err != nil {
		return nil, fmt.Errorf("listing the quarantine: %w", err)
	}
	defer rows.Close()
	list := []Quarantined{}
	for rows.Next() {
		var q Quarantined
		var data, known string
		var first, last int64
		if err := rows.Scan(&q.ID, &data, &q.Device, &q.Sender, &q.Remote, &q.Case, &first, &last, &q.Times, &known); err != nil {
			return nil, fmt.Errorf("listing the quarantine: %w", err)
		}
		q.First, q.Last = time.UnixMilli(first).UTC(), time.UnixMilli(last).UTC()
		if err := json.Unmarshal([]byte(data), &q.Instance); err != nil {
			return nil, fmt.Errorf("reading the quarantine: %w", err)
		}
		if known != "" {
			if err := json.Unmarshal([]byte(known), &q.Known); err != nil {
				return nil, fmt.Errorf("reading the quarantine: %w", err)
			}
		}
		list = append(list, q)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("listing the quarantine: %w", err)
	}
	return list, nil
}

// Release removes an entry of the quarantine and gives the hash of its blob,
// with orphan true when nothing else names that blob. Errors: ErrNotFound.
func (x *Index) Release(ctx context.Context, id string) (hash string, orphan bool, err error) {
	err = x.db.Tx(ctx, func(tx storage.Querier) error {
		err := tx.QueryRow(ctx, `SELECT hash FROM dicom_quarantine WHERE id = ?`, id).Scan(&hash)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNotFound
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM dicom_quarantine WHERE id = ?`, id); err != nil {
			return err
		}
		var named int
		err = tx.QueryRow(ctx, `SELECT (SELECT COUNT(*) FROM dicom_instance WHERE hash = ?) +
			(SELECT COUNT(*) FROM dicom_quarantine WHERE hash = ?)`, hash, hash).Scan(&named)
		orphan = named == 0
		return err
	})
	if err != nil {
		return "", false, fmt.Errorf("releasing from quarantine: %w", err)
	}
	return hash, orphan, nil
}

// DataSetHash gives what SetDataSetHash noted of an instance, "" when nothing.
func (x *Index) DataSetHash(ctx context.Context, sop string) (string, error) {
	var hash string
	err := x.db.QueryRow(ctx, `SELECT hash FROM dicom_data_set WHERE sop = ?`, sop).Scan(&hash)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading the hash of a data set: %w", err)
	}
	return hash, nil
}

// SetDataSetHash notes the SHA-256 of an instance's data set alone.
func (x *Index) SetDataSetHash(ctx context.Context, sop, hash string) error {
	_, err := x.db.Exec(ctx, `INSERT INTO dicom_data_set (sop, hash) VALUES (?, ?)
		ON CONFLICT (sop) DO UPDATE SET hash = excluded.hash`, sop, hash)
	if err != nil {
		return fmt.Errorf("noting the hash of a data set: %w", err)
	}
	return nil
}
