-- +goose Up
-- Examinations that wait for a device, one a case, written with the events.
CREATE TABLE case_procedures (
    case_id TEXT PRIMARY KEY,
    at      BIGINT NOT NULL,
    entry   TEXT NOT NULL
);
CREATE INDEX case_procedures_by_time ON case_procedures (at);

-- +goose Down
DROP TABLE case_procedures;
