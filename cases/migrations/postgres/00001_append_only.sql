-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION case_events_only_grows() RETURNS trigger AS $$
BEGIN
    RAISE EXCEPTION 'case_events only grows';
END;
$$ LANGUAGE plpgsql;
-- +goose StatementEnd
CREATE TRIGGER case_events_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON case_events
    FOR EACH STATEMENT EXECUTE FUNCTION case_events_only_grows();

-- +goose Down
DROP TRIGGER case_events_no_change ON case_events;
DROP FUNCTION case_events_only_grows();
