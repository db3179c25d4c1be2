-- +goose Up
-- One row for each stored original. state is wait, done, none (nothing is to
-- be derived) or failed; reason says why of the last two. A row that waits is
-- worked on by owner, or put off, until the time not_before (ms). claims counts
-- how often work on it began.
CREATE TABLE derive_object (
    hash       TEXT PRIMARY KEY,
    state      TEXT NOT NULL,
    reason     TEXT NOT NULL,
    claims     BIGINT NOT NULL,
    owner      TEXT NOT NULL,
    not_before BIGINT NOT NULL,
    rank       BIGINT NOT NULL,
    kind       TEXT NOT NULL,
    blob       TEXT NOT NULL,
    size       BIGINT NOT NULL,
    pixels     TEXT NOT NULL,
    frames     TEXT NOT NULL,
    poster     TEXT NOT NULL,
    at         BIGINT NOT NULL
);

CREATE INDEX derive_object_queue ON derive_object (state, rank);
CREATE INDEX derive_object_blob ON derive_object (blob);

-- +goose Down
DROP TABLE derive_object;
