-- +goose Up
-- +goose StatementBegin
CREATE TRIGGER case_events_no_update BEFORE UPDATE ON case_events
BEGIN
    SELECT RAISE(ABORT, 'case_events only grows');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER case_events_no_delete BEFORE DELETE ON case_events
BEGIN
    SELECT RAISE(ABORT, 'case_events only grows');
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER case_events_no_delete;
DROP TRIGGER case_events_no_update;
