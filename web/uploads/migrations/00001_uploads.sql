-- +goose Up
CREATE TABLE uploads (
  id TEXT NOT NULL PRIMARY KEY,
  spool TEXT NOT NULL,
  owner TEXT NOT NULL,
  case_id TEXT NOT NULL,
  name TEXT NOT NULL,
  length BIGINT NOT NULL,
  state TEXT NOT NULL,
  starts BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  touched_at BIGINT NOT NULL,
  done_at BIGINT NOT NULL
);
CREATE INDEX uploads_by_case ON uploads (case_id, owner, created_at);
CREATE INDEX uploads_by_state ON uploads (state, spool, created_at);
CREATE TABLE upload_files (
  upload_id TEXT NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
  position BIGINT NOT NULL,
  name TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  message TEXT NOT NULL,
  attachment_id TEXT NOT NULL,
  PRIMARY KEY (upload_id, position)
);

-- +goose Down
DROP TABLE upload_files;
DROP TABLE uploads;
