// Package dimse speaks DICOM over TCP: the upper layer of PS3.8 (package pdu
// holds its wire format) and the message service of PS3.7: C-ECHO, C-STORE,
// C-FIND, C-MOVE, C-GET, modality worklist and storage commitment, each as
// provider (Server) and as user (Dial, Client).
//
// Instances pass through as streams: memory does not depend on their size, and
// a slow consumer slows its sender down through TCP. The package knows nothing
// of cases, files, people or databases: callers give callbacks, which deal in
// identifier.Set. It must not read the content of an instance.
package dimse
