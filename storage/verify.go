package storage

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
)

// Verify reads a blob and compares it to its name. Errors: ErrNotFound,
// ErrCorrupt, and what reading may give. Putting the right bytes again mends.
func Verify(ctx context.Context, blobs Blobs, h Hash) error {
	r, err := blobs.Open(ctx, h)
	if err != nil {
		return err
	}
	defer r.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, r); err != nil {
		return fmt.Errorf("verifying blob %s: %w", h, err)
	}
	if got := sumOf(sum); got != h {
		return fmt.Errorf("verifying blob %s: its %d bytes hash to %s: %w", h, r.Size(), got, ErrCorrupt)
	}
	return nil
}
