// Package dimse speaks DICOM over TCP: the upper layer of PS3.8 (package pdu
// holds its wire format) and the message service of PS3.7. It offers C-ECHO
// and C-STORE as provider (Server) and as user (Dial, Client).
//
// A data set passes through as a stream: memory per association does not depend
// on the size of an object, and a slow consumer slows its sender down through
// TCP. The package knows nothing of cases, files, people or databases: callers
// give callbacks, and it must not read a data set's content.
package dimse
