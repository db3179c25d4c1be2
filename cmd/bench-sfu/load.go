package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// load reads the results that runs before kept.
func load(folder string) (about, results, error) {
	var a about
	paths, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(paths) == 0 {
		return a, nil, fmt.Errorf("no results in %s: %w", folder, os.ErrNotExist)
	}
	var all []kept
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			return a, nil, fmt.Errorf("reading a result: %w", err)
		}
		var k kept
		if err := json.Unmarshal(raw, &k); err != nil {
			return a, nil, fmt.Errorf("reading %s: %w", path, err)
		}
		all = append(all, k)
	}
	got := results{}
	slices.SortFunc(all, func(x, y kept) int { return x.Seed - y.Seed })
	for _, k := range all {
		got.add(k.Row, k.Server, k.Figures)
	}
	a.Commit = commits(all)
	slices.SortFunc(all, func(x, y kept) int { return x.When.Compare(y.When) })
	a.Begun, a.Took = all[0].When, all[len(all)-1].When.Sub(all[0].When)
	a.Measured = fmt.Sprintf("Made of %d results that were kept.", len(all))
	return a, got, nil
}

// commits are those of the results.
func commits(all []kept) string {
	var out []string
	for _, k := range all {
		if !slices.Contains(out, k.Commit) {
			out = append(out, k.Commit)
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}
