package storage

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"github.com/pressly/goose/v3"
)

// ErrNewerSchema says that a newer Sira has already changed this database.
var ErrNewerSchema = errors.New("storage: the database was changed by a newer version of Sira")

var setName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// Migrate brings the tables of one set up to date: it applies, in order and each
// in its own transaction, the goose migrations NNNNN_name.sql in the root of
// files that the database does not have yet. What was applied is kept in table
// "goose_"+set. Several processes may start at once: one migrates, the others
// wait. Errors: ErrNewerSchema.
func (db *DB) Migrate(ctx context.Context, set string, files fs.FS) (err error) {
	if !setName.MatchString(set) {
		return fmt.Errorf("migrating: set name %q must be lower-case letters, digits and _", set)
	}
	unlock, err := db.lockMigrations(ctx)
	if err != nil {
		return fmt.Errorf("migrating %s: waiting for other processes: %w", set, err)
	}
	defer func() { err = errors.Join(err, unlock()) }()

	dialect := goose.DialectSQLite3
	if db.dialect == dialectPostgres {
		dialect = goose.DialectPostgres
	}
	provider, err := goose.NewProvider(dialect, db.writer, files,
		goose.WithTableName("goose_"+set), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("migrating %s: %w", set, err)
	}
	current, newest, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("migrating %s: reading its version: %w", set, err)
	}
	if current > newest {
		return fmt.Errorf("migrating %s: at version %d, this program knows %d: %w", set, current, newest, ErrNewerSchema)
	}
	if _, err := provider.Up(ctx); err != nil {
		if partial, ok := errors.AsType[*goose.PartialError](err); ok && partial.Failed != nil {
			return fmt.Errorf("migrating %s: %s: %w", set, filepath.Base(partial.Failed.Source.Path), partial.Err)
		}
		return fmt.Errorf("migrating %s: %w", set, err)
	}
	return nil
}

// lockMigrations excludes other processes and other DBs of this one. goose has
// a lock for PostgreSQL only, which polls every few seconds.
func (db *DB) lockMigrations(ctx context.Context) (unlock func() error, err error) {
	if db.dialect == dialectPostgres {
		return db.lockAdvisory(ctx)
	}
	// The folder is locked, not the file: closing any descriptor of the file
	// would drop the POSIX locks that SQLite holds on it.
	dir, err := os.Open(filepath.Dir(db.path))
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return dir.Close, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			dir.Close()
			return nil, err
		}
		select {
		case <-ctx.Done():
			dir.Close()
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (db *DB) lockAdvisory(ctx context.Context) (unlock func() error, err error) {
	conn, err := db.writer.Conn(ctx)
	if err != nil {
		return nil, err
	}
	sum := fnv.New64a()
	sum.Write([]byte("sira migrations"))
	key := int64(sum.Sum64())
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", key); err != nil {
		conn.Close()
		return nil, err
	}
	return func() error {
		_, err := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", key)
		return errors.Join(err, conn.Close())
	}, nil
}
