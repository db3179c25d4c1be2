package uploads

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// centralDirectory reads how many bytes the ZIP's directory has (APPNOTE
// 4.3.16), before a reader loads it into memory entry by entry.
func centralDirectory(r io.ReaderAt, size int64) (int64, error) {
	const end, longest = 22, 22 + 65535
	n := min(size, longest)
	tail := make([]byte, n)
	if _, err := r.ReadAt(tail, size-n); err != nil && !errors.Is(err, io.EOF) {
		return 0, fmt.Errorf("reading an archive's end: %w", err)
	}
	i := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	if i < 0 || len(tail)-i < end {
		return 0, errors.New("uploads: archive without an end record")
	}
	entries := binary.LittleEndian.Uint16(tail[i+10:])
	length := int64(binary.LittleEndian.Uint32(tail[i+12:]))
	if entries == 0xFFFF || length == 0xFFFFFFFF {
		// ZIP64 holds more than 65,535 entries or 4 GiB of names; of the rest
		// some archivers write ZIP64 needlessly, with the size further up.
		return zip64Directory(r, tail, i, size-n)
	}
	return length, nil
}

func zip64Directory(r io.ReaderAt, tail []byte, i int, base int64) (int64, error) {
	if i < 20 || string(tail[i-20:i-16]) != "PK\x06\x07" {
		return 0, errors.New("uploads: archive without a ZIP64 locator")
	}
	at := int64(binary.LittleEndian.Uint64(tail[i-12:]))
	if at < 0 || at > base+int64(i) {
		return 0, errors.New("uploads: ZIP64 record outside the archive")
	}
	var rec [56]byte
	if _, err := r.ReadAt(rec[:], at); err != nil {
		return 0, fmt.Errorf("reading an archive's ZIP64 record: %w", err)
	}
	length := binary.LittleEndian.Uint64(rec[40:])
	if length > 1<<62 {
		return 0, errors.New("uploads: ZIP64 directory of impossible size")
	}
	return int64(length), nil
}
