-- +goose Up
-- SHA-256 of the data set alone, without preamble and file meta information;
-- computed when an instance comes a second time.
CREATE TABLE dicom_data_set (
    sop  TEXT PRIMARY KEY,
    hash TEXT NOT NULL
);

-- Objects whose UID is taken by other bytes. Their blobs are kept until a
-- person has decided. device is an AE title, sender a user; times is how often
-- the same bytes came.
CREATE TABLE dicom_quarantine (
    id       TEXT PRIMARY KEY,
    sop      TEXT NOT NULL,
    hash     TEXT NOT NULL,
    size     BIGINT NOT NULL,
    data     TEXT NOT NULL,
    device   TEXT NOT NULL,
    sender   TEXT NOT NULL,
    remote   TEXT NOT NULL,
    case_id  TEXT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at  BIGINT NOT NULL,
    times    BIGINT NOT NULL,
    UNIQUE (sop, hash)
);

CREATE INDEX dicom_quarantine_hash ON dicom_quarantine (hash);

-- +goose Down
DROP TABLE dicom_quarantine;
DROP TABLE dicom_data_set;
