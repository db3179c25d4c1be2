package cases

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"sira/storage"
)

// The tables are the same in both dialects; the triggers that keep the log from
// being changed have no common spelling.
//
//go:embed migrations/*.sql migrations/sqlite/*.sql migrations/postgres/*.sql
var migrations embed.FS

// Migrate brings the tables of this package up to date.
func Migrate(ctx context.Context, db *storage.DB) error {
	for _, m := range []struct{ set, folder string }{
		{"cases", "migrations"},
		{"cases_append_only", "migrations/" + db.Dialect()},
	} {
		files, err := fs.Sub(migrations, m.folder)
		if err != nil {
			return fmt.Errorf("reading case migrations: %w", err)
		}
		if err := db.Migrate(ctx, m.set, files); err != nil {
			return fmt.Errorf("migrating %s: %w", m.set, err)
		}
	}
	return nil
}
