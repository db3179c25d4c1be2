package cases

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Codes is complete, and no code in it is dead.
func TestCodes(t *testing.T) {
	files, err := filepath.Glob("*.go")
	must(t, err)
	var used []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		src, err := os.ReadFile(name)
		must(t, err)
		for _, m := range regexp.MustCompile(`refuse\("([a-z0-9-]+)"`).FindAllStringSubmatch(string(src), -1) {
			used = append(used, m[1])
		}
	}
	slices.Sort(used)
	used = slices.Compact(used)
	listed := slices.Sorted(slices.Values(Codes))
	if !slices.Equal(used, listed) {
		t.Errorf("used %v, listed %v", used, listed)
	}
}
