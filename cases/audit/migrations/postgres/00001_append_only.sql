-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION audit_entries_only_grows() RETURNS trigger AS $$
BEGIN
    RAISE EXCEPTION 'audit_entries only grows';
END;
$$ LANGUAGE plpgsql;
-- +goose StatementEnd
CREATE TRIGGER audit_entries_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_only_grows();

-- +goose Down
DROP TRIGGER audit_entries_no_change ON audit_entries;
DROP FUNCTION audit_entries_only_grows();
