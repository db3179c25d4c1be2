// Package storage keeps bytes and rows for the rest of Sira, and knows no
// medicine.
//
// Bytes are blobs named by the SHA-256 of their content, in a local folder or
// in an S3 bucket (see Blobs and OpenBlobs). Rows live in SQLite or PostgreSQL
// behind one small set of calls (see DB and OpenDB), so that the other packages
// write their SQL once. It must not know what a blob holds, what a table means,
// nor any name a user gave to a file.
package storage

import "errors"

// Errors that callers tell apart with errors.Is.
var (
	// ErrNotFound says that no blob has the hash asked for.
	ErrNotFound = errors.New("storage: not found")
	// ErrNoSpace says that the disk or the bucket has no room for more bytes.
	// Nothing of the refused blob is kept.
	ErrNoSpace = errors.New("storage: no space left")
	// ErrCorrupt says that stored bytes are not those their name promises.
	ErrCorrupt = errors.New("storage: stored bytes do not match their hash")
	// ErrDenied says that the server refused our credentials, or that they do
	// not allow what was asked.
	ErrDenied = errors.New("storage: access denied, check the credentials")
)
