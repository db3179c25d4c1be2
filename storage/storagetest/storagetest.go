// Package storagetest helps tests that need storage: fresh databases, and the
// suites that every implementation of storage must pass.
package storagetest

import (
	"testing"

	"sira/storage"
)

// NewDB gives a fresh SQLite database.
func NewDB(t testing.TB) *storage.DB { t.Helper(); t.Fatal("not yet"); return nil }

// EachDB runs fn on each dialect.
func EachDB(t *testing.T, fn func(t *testing.T, db *storage.DB)) { t.Helper(); fn(t, NewDB(t)) }

// Blobs is the conformance suite of storage.Blobs.
func Blobs(t *testing.T, open func(t *testing.T) storage.Blobs) { t.Helper() }

// DB is the conformance suite of storage.DB.
func DB(t *testing.T, open func(t *testing.T) *storage.DB) { t.Helper() }
