-- +goose Up
-- The log. id is unique over all cases: an event belongs to one case for ever.
-- Times are Unix milliseconds; data is JSON as it was hashed.
CREATE TABLE case_events (
    id       TEXT PRIMARY KEY,
    case_id  TEXT NOT NULL,
    seq      BIGINT NOT NULL,
    type     TEXT NOT NULL,
    actor    TEXT NOT NULL,
    at       BIGINT NOT NULL,
    received BIGINT NOT NULL,
    data     TEXT NOT NULL,
    prev     TEXT NOT NULL,
    hash     TEXT NOT NULL,
    UNIQUE (case_id, seq)
);

-- The projection that the list is read from, written with the events. search is
-- the folded number and name; ended is 0 or 1; rank is 0 for U0 and so on.
CREATE TABLE case_summaries (
    id        TEXT PRIMARY KEY,
    number    TEXT NOT NULL UNIQUE,
    status    TEXT NOT NULL,
    ended     BIGINT NOT NULL,
    rank      BIGINT NOT NULL,
    specialty TEXT NOT NULL,
    opened    BIGINT NOT NULL,
    updated   BIGINT NOT NULL,
    search    TEXT NOT NULL,
    summary   TEXT NOT NULL,
    seq       BIGINT NOT NULL,
    head      TEXT NOT NULL
);
CREATE INDEX case_summaries_by_rank ON case_summaries (ended, rank, opened);
CREATE INDEX case_summaries_by_specialty ON case_summaries (specialty);

-- Who takes part in which case; nobody is ever removed.
CREATE TABLE case_members (
    user_id TEXT NOT NULL,
    case_id TEXT NOT NULL,
    PRIMARY KEY (user_id, case_id)
);

-- How far each user has read.
CREATE TABLE case_reads (
    user_id TEXT NOT NULL,
    case_id TEXT NOT NULL,
    seq     BIGINT NOT NULL,
    PRIMARY KEY (user_id, case_id)
);

-- Files that arrived before the case they belong to.
CREATE TABLE case_pending (
    case_id    TEXT NOT NULL,
    owner      TEXT NOT NULL,
    position   BIGINT NOT NULL,
    attachment TEXT NOT NULL,
    PRIMARY KEY (case_id, owner, position)
);

-- The last number given for each prefix.
CREATE TABLE case_numbers (
    prefix TEXT PRIMARY KEY,
    last   BIGINT NOT NULL
);

-- +goose Down
DROP TABLE case_numbers;
DROP TABLE case_pending;
DROP TABLE case_reads;
DROP TABLE case_members;
DROP TABLE case_summaries;
DROP TABLE case_events;
