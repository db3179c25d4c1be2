package directory

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"sira/storage"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the tables of this package up to date.
func Migrate(ctx context.Context, db *storage.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("reading directory migrations: %w", err)
	}
	if err := db.Migrate(ctx, "directory", files); err != nil {
		return fmt.Errorf("migrating directory: %w", err)
	}
	return nil
}
