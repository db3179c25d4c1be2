package uploads

import (
	"fmt"
	"syscall"
)

// freeBytes tells how much an unprivileged process may still write to the disk
// that holds dir.
func freeBytes(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("asking for free space: %w", err)
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}
