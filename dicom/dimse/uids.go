package dimse

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// Transfer syntaxes every peer may be offered (PS3.5 section 10).
const (
	ImplicitVRLittleEndian = "1.2.840.10008.1.2"
	ExplicitVRLittleEndian = "1.2.840.10008.1.2.1"
	DeflatedLittleEndian   = "1.2.840.10008.1.2.1.99"
	ExplicitVRBigEndian    = "1.2.840.10008.1.2.2"
)

// Verification is the SOP class of C-ECHO (PS3.4 annex A).
const Verification = "1.2.840.10008.1.1"

// How this implementation names itself (PS3.7 annex D.3.3.2). They stand in the
// file meta information too, and so in the hash of what is stored: a change
// makes every instance sent anew look like another file.
const (
	ImplementationUID     = "2.25.30303104797331509025482754393978927936"
	ImplementationVersion = "SIRA_1"
)

const (
	standardRoot        = "1.2.840.10008."
	storageRoot         = "1.2.840.10008.5.1.4.1.1."
	storageServiceClass = "1.2.840.10008.4.2"
)

// storageTable lists the storage SOP classes of PS3.6 annex A, retired ones
// included, one a line: UID, tab, name.
//
//go:embed storage.tsv
var storageTable string

var storageClasses = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	for line := range strings.Lines(storageTable) {
		uid, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		m[uid] = name
	}
	return m
})

// StorageName gives the standard's name of a storage SOP class, and false for
// a UID that is none or is not in the table.
func StorageName(uid string) (name string, ok bool) {
	name, ok = storageClasses()[uid]
	return name, ok
}

// queryClasses share the root of storage classes but belong to other services.
var queryClasses = []string{"200.4", "200.5", "200.6", "201.2", "201.3", "201.4", "201.5"}

// mayBeStorage tells whether a SOP class outside the table can be one: private,
// or of a newer edition of the standard than the table.
func mayBeStorage(uid string) bool {
	if !strings.HasPrefix(uid, standardRoot) {
		return true
	}
	suffix, ok := strings.CutPrefix(uid, storageRoot)
	return ok && !slices.Contains(queryClasses, suffix)
}
