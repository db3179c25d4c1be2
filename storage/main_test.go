package storage_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// Tests that need another process run this test program again, in a role.
const roleEnv = "SIRA_STORAGE_TEST_ROLE"

var roles = map[string]func() error{
	"put until killed": putUntilKilled,
	"fill a disk":      fillDisk,
	"migrate":          migrateOnce,
}

func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		if err := roles[role](); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// inRole prepares another process of this program; env entries are NAME=VALUE.
func inRole(t *testing.T, role string, env ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(append(os.Environ(), roleEnv+"="+role), env...)
	return cmd
}
