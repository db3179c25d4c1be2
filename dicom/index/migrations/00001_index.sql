-- +goose Up
CREATE TABLE dicom_patient (
    key        TEXT PRIMARY KEY,
    id         TEXT NOT NULL,
    name       TEXT NOT NULL,
    sex        TEXT NOT NULL,
    birth_date TEXT NOT NULL,
    studies    BIGINT NOT NULL
);

CREATE TABLE dicom_study (
    uid          TEXT PRIMARY KEY,
    patient      TEXT NOT NULL REFERENCES dicom_patient (key),
    patient_name TEXT NOT NULL,
    date         TEXT NOT NULL,
    time         TEXT NOT NULL,
    description  TEXT NOT NULL,
    accession    TEXT NOT NULL,
    modalities   TEXT NOT NULL,
    series       BIGINT NOT NULL,
    instances    BIGINT NOT NULL,
    frames       BIGINT NOT NULL,
    bytes        BIGINT NOT NULL,
    added_at     BIGINT NOT NULL
);

CREATE INDEX dicom_study_date ON dicom_study (date);
CREATE INDEX dicom_study_patient ON dicom_study (patient);
CREATE INDEX dicom_study_accession ON dicom_study (accession);

CREATE TABLE dicom_series (
    study       TEXT NOT NULL REFERENCES dicom_study (uid),
    uid         TEXT NOT NULL,
    modality    TEXT NOT NULL,
    number      BIGINT NOT NULL,
    description TEXT NOT NULL,
    kind        TEXT NOT NULL,
    instances   BIGINT NOT NULL,
    frames      BIGINT NOT NULL,
    bytes       BIGINT NOT NULL,
    PRIMARY KEY (study, uid)
);

CREATE TABLE dicom_instance (
    sop       TEXT PRIMARY KEY,
    study     TEXT NOT NULL,
    series    TEXT NOT NULL,
    number    BIGINT NOT NULL,
    place_um  BIGINT NOT NULL,
    class     TEXT NOT NULL,
    hash      TEXT NOT NULL,
    size      BIGINT NOT NULL,
    data      TEXT NOT NULL,
    added_at  BIGINT NOT NULL,
    FOREIGN KEY (study, series) REFERENCES dicom_series (study, uid)
);

CREATE INDEX dicom_instance_series ON dicom_instance (series, number, place_um);
CREATE INDEX dicom_instance_hash ON dicom_instance (hash);

-- +goose Down
DROP TABLE dicom_instance;
DROP TABLE dicom_series;
DROP TABLE dicom_study;
DROP TABLE dicom_patient;
