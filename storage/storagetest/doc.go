// Package storagetest helps tests that need storage: fresh databases and blob
// stores (NewDB, EachDB, NewBlobs, EachBlobs), and the suites that every
// implementation of storage must pass (DB, Blobs).
//
// Servers are named by the environment: SIRA_TEST_POSTGRES, SIRA_TEST_S3,
// SIRA_TEST_MINIO (path of the program). What is not named is not tested, loudly;
// with SIRA_TEST_STRICT=1 it is a failure.
package storagetest
