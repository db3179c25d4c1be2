package audit

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"sira/storage"
)

// The table is the same in both dialects; the triggers that keep it from being
// changed have no common spelling.
//
//go:embed migrations/*.sql migrations/sqlite/*.sql migrations/postgres/*.sql
var migrations embed.FS

// Migrate brings the table of this package up to date.
func Migrate(ctx context.Context, db *storage.DB) error {
	for _, m := range []struct{ set, folder string }{
		{"audit", "migrations"},
		{"audit_append_only", "migrations/" + db.Dialect()},
	} {
		files, err := fs.Sub(migrations, m.folder)
		if err != nil {
			return fmt.Errorf("reading audit migrations: %w", err)
		}
		if err := db.Migrate(ctx, m.set, files); err != nil {
			return fmt.Errorf("migrating %s: %w", m.set, err)
		}
	}
	return nil
}
