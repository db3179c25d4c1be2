-- +goose Up
-- hash and session are the SHA-256 of the link's secret and of the token of the
-- browser that used it, in hexadecimal. Times of zero have not come.
CREATE TABLE guest_invitations (
    id            TEXT PRIMARY KEY,
    case_id       TEXT NOT NULL,
    hash          TEXT NOT NULL UNIQUE,
    kind          TEXT NOT NULL,
    name          TEXT NOT NULL,
    invited_by    TEXT NOT NULL,
    created       BIGINT NOT NULL,
    expires       BIGINT NOT NULL,
    used          BIGINT NOT NULL,
    session       TEXT UNIQUE,
    session_ends  BIGINT NOT NULL,
    ended         BIGINT NOT NULL,
    ended_how     TEXT NOT NULL
);
CREATE INDEX guest_invitations_by_case ON guest_invitations (case_id, created);

-- +goose Down
DROP TABLE guest_invitations;
