package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	postgresConns       = 16
	postgresConnLife    = 30 * time.Minute
	postgresConnTimeout = 10 * time.Second
)

func openPostgres(ctx context.Context, url string) (*DB, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		// pgx masks the password when it can read the address; when it cannot,
		// nothing of the address is safe to repeat.
		return nil, errors.New("opening PostgreSQL: the address is malformed")
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = postgresConnTimeout
	}
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = "sira"
	}
	pool := stdlib.OpenDB(*cfg)
	pool.SetMaxOpenConns(postgresConns)
	pool.SetMaxIdleConns(postgresConns / 2)
	pool.SetConnMaxLifetime(postgresConnLife)
	if err := readyPostgres(ctx, pool); err != nil {
		pool.Close()
		return nil, fmt.Errorf("opening PostgreSQL at %s:%d: %w", cfg.Host, cfg.Port, err)
	}
	return &DB{writer: pool, reader: pool, dialect: dialectPostgres}, nil
}

// readyPostgres also refuses a standby, which answers but keeps nothing.
func readyPostgres(ctx context.Context, pool *sql.DB) error {
	var standby bool
	err := pool.QueryRowContext(ctx, "SELECT pg_is_in_recovery()").Scan(&standby)
	switch {
	case err != nil:
		return fmt.Errorf("asking PostgreSQL: %w", err)
	case standby:
		return errors.New("PostgreSQL is a read-only standby")
	}
	return nil
}

func postgresCode(err error) string {
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pe.Code
	}
	return ""
}
