-- +goose Up
-- Whom images were sent to without the identity. secret (hexadecimal) makes the
-- replacements of UIDs, numbers and dates: the same for one recipient for ever,
-- comparable between no two. folded is the name without case and accents.
CREATE TABLE export_recipients (
    id      TEXT PRIMARY KEY,
    folded  TEXT NOT NULL UNIQUE,
    name    TEXT NOT NULL,
    secret  TEXT NOT NULL,
    created BIGINT NOT NULL
);

-- Exports that were decided on and wait to be fetched, for a day. order_json is
-- what was asked for.
CREATE TABLE export_orders (
    id         TEXT PRIMARY KEY,
    case_id    TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    recipient  TEXT NOT NULL,
    order_json TEXT NOT NULL,
    created    BIGINT NOT NULL
);
CREATE INDEX export_orders_by_time ON export_orders (created);

-- +goose Down
DROP TABLE export_orders;
DROP TABLE export_recipients;
