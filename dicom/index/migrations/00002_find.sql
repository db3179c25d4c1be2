-- +goose Up
-- What searches look at, narrow. Names are folded: lower case, no accents.
-- Dates are YYYYMMDD or empty, times HHMMSS[.f] or empty.
CREATE TABLE dicom_study_find (
    study       TEXT PRIMARY KEY,
    date        TEXT NOT NULL,
    time        TEXT NOT NULL,
    name        TEXT NOT NULL,
    patient_id  TEXT NOT NULL,
    birth_date  TEXT NOT NULL,
    sex         TEXT NOT NULL,
    accession   TEXT NOT NULL,
    study_id    TEXT NOT NULL,
    description TEXT NOT NULL,
    referrer    TEXT NOT NULL
);

CREATE INDEX dicom_find_date ON dicom_study_find (date DESC, time DESC, study DESC);
CREATE INDEX dicom_find_name ON dicom_study_find (name, date DESC, time DESC, study DESC);
CREATE INDEX dicom_find_patient ON dicom_study_find (patient_id, date DESC, time DESC, study DESC);
CREATE INDEX dicom_find_accession ON dicom_study_find (accession, date DESC, time DESC, study DESC);
CREATE INDEX dicom_find_birth ON dicom_study_find (birth_date, date DESC, time DESC, study DESC);

CREATE TABLE dicom_study_modality (
    study    TEXT NOT NULL,
    modality TEXT NOT NULL,
    date     TEXT NOT NULL,
    time     TEXT NOT NULL,
    PRIMARY KEY (study, modality)
);

CREATE INDEX dicom_find_modality ON dicom_study_modality (modality, date DESC, time DESC, study DESC);

CREATE TABLE dicom_study_word (
    study TEXT NOT NULL,
    word  TEXT NOT NULL,
    date  TEXT NOT NULL,
    time  TEXT NOT NULL,
    PRIMARY KEY (study, word)
);

CREATE INDEX dicom_find_word ON dicom_study_word (word, date DESC, time DESC, study DESC);

-- DICOM JSON ready to be sent: what a search answers by itself, and more.
CREATE TABLE dicom_study_json (
    study TEXT PRIMARY KEY,
    brief TEXT NOT NULL,
    more  TEXT NOT NULL
);

CREATE TABLE dicom_series_json (
    study      TEXT NOT NULL,
    series     TEXT NOT NULL,
    body       TEXT NOT NULL,
    step_date  TEXT NOT NULL,
    step_time  TEXT NOT NULL,
    brief      TEXT NOT NULL,
    more       TEXT NOT NULL,
    PRIMARY KEY (study, series)
);

-- meta is the whole data set without bulk, deflated, in base64; empty when it
-- is too large to be kept here.
CREATE TABLE dicom_instance_json (
    sop    TEXT PRIMARY KEY,
    syntax TEXT NOT NULL,
    frames BIGINT NOT NULL,
    brief  TEXT NOT NULL,
    meta   TEXT NOT NULL
);

CREATE INDEX dicom_instance_study ON dicom_instance (study, series, number, place_um, sop);

-- +goose Down
DROP INDEX dicom_instance_study;
DROP TABLE dicom_instance_json;
DROP TABLE dicom_series_json;
DROP TABLE dicom_study_json;
DROP TABLE dicom_study_word;
DROP TABLE dicom_study_modality;
DROP TABLE dicom_study_find;
