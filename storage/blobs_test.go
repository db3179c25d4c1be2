package storage_test

import (
	"testing"

	"sira/storage"
	"sira/storage/storagetest"
)

func TestFolder(t *testing.T) {
	storagetest.Blobs(t, func(t *testing.T) storage.Blobs { return storagetest.NewBlobs(t) })
}

func TestS3(t *testing.T) {
	server := storagetest.Need(t, "SIRA_TEST_S3", "S3")
	storagetest.Blobs(t, func(t *testing.T) storage.Blobs {
		return storagetest.OpenBlobs(t, storagetest.NewBucket(t, server))
	})
}
