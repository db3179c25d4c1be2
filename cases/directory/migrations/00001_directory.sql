-- +goose Up
CREATE TABLE directory_facilities (
    id     TEXT PRIMARY KEY,
    name   TEXT NOT NULL,
    kind   TEXT NOT NULL,
    region TEXT NOT NULL,
    code   TEXT NOT NULL,
    phone  TEXT NOT NULL
);

-- login_key is the login in lower case: one account whatever the case typed.
CREATE TABLE directory_users (
    id        TEXT PRIMARY KEY,
    login     TEXT NOT NULL,
    login_key TEXT NOT NULL UNIQUE,
    name      TEXT NOT NULL,
    title     TEXT NOT NULL,
    role      TEXT NOT NULL,
    facility  TEXT REFERENCES directory_facilities (id),
    phone     TEXT NOT NULL,
    disabled  BIGINT NOT NULL,
    password  TEXT NOT NULL,
    created   BIGINT NOT NULL
);

-- rank keeps the order in which the specialties of a user were given.
CREATE TABLE directory_specialties (
    user_id   TEXT NOT NULL REFERENCES directory_users (id),
    specialty TEXT NOT NULL,
    rank      BIGINT NOT NULL,
    PRIMARY KEY (user_id, specialty)
);
CREATE INDEX directory_specialties_by_code ON directory_specialties (specialty, user_id);

-- hash is the SHA-256 of the token, in hexadecimal.
CREATE TABLE directory_sessions (
    hash       TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES directory_users (id),
    user_agent TEXT NOT NULL,
    created    BIGINT NOT NULL,
    seen       BIGINT NOT NULL
);
CREATE INDEX directory_sessions_by_user ON directory_sessions (user_id);
CREATE INDEX directory_sessions_by_seen ON directory_sessions (seen);

CREATE TABLE directory_tokens (
    id      TEXT PRIMARY KEY,
    hash    TEXT NOT NULL UNIQUE,
    user_id TEXT NOT NULL REFERENCES directory_users (id),
    label   TEXT NOT NULL,
    created BIGINT NOT NULL,
    used    BIGINT NOT NULL
);
CREATE INDEX directory_tokens_by_user ON directory_tokens (user_id);

-- subject is the SHA-256 of "login:…" or "ip:…": what people type into the
-- login field is sometimes their password.
CREATE TABLE directory_attempts (
    subject      TEXT PRIMARY KEY,
    failures     BIGINT NOT NULL,
    last_failure BIGINT NOT NULL,
    locked_until BIGINT NOT NULL
);
CREATE INDEX directory_attempts_by_age ON directory_attempts (last_failure);

-- +goose Down
DROP TABLE directory_attempts;
DROP TABLE directory_tokens;
DROP TABLE directory_sessions;
DROP TABLE directory_specialties;
DROP TABLE directory_users;
DROP TABLE directory_facilities;
