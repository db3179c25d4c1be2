-- +goose Up
-- What devices sent, instance by instance. state: new (not tried yet), waiting
-- (for a person), attached, discarded. decided_by is a user, or empty when the
-- accession number decided.
CREATE TABLE tray_instances (
    sop         TEXT NOT NULL,
    aet         TEXT NOT NULL,
    study       TEXT NOT NULL,
    state       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    case_id     TEXT NOT NULL,
    decided_by  TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    decided_at  BIGINT NOT NULL,
    PRIMARY KEY (sop, aet)
);
CREATE INDEX tray_by_state ON tray_instances (state, received_at);
CREATE INDEX tray_by_study ON tray_instances (study, aet, state);

-- +goose Down
DROP TABLE tray_instances;
