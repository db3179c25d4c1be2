package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// mutant is one file, spoilt in a way that its name tells.
type mutant struct {
	name string
	data []byte
}

// corpusPaths lists the files of the corpus.
func corpusPaths(t testing.TB, dir string) (paths []string) {
	t.Helper()
	for _, m := range []string{"*/*", "*/*/*", "*/*/*/*"} {
		list, err := filepath.Glob(filepath.Join(dir, m))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range list {
			if info, err := os.Stat(p); err == nil && info.Mode().IsRegular() {
				paths = append(paths, p)
			}
		}
	}
	return paths
}

// mutants spoils data n times in each way. The same name and data give the same
// ones in every run.
func mutants(name string, data []byte, n int) []mutant {
	if len(data) < 16 {
		return nil
	}
	seed := uint64(14695981039346656037)
	for i := range len(name) {
		seed = (seed ^ uint64(name[i])) * 1099511628211
	}
	r := rand.New(rand.NewPCG(seed, 1))
	var out []mutant
	add := func(how string, i int, b []byte) {
		out = append(out, mutant{fmt.Sprintf("%s %s %d", name, how, i), b})
	}
	// Most damage that matters is near the front, where the header is.
	place := func(room int) int {
		limit := len(data) - room
		if r.IntN(4) > 0 {
			limit = min(limit, 4096)
		}
		return r.IntN(max(1, limit))
	}
	heads := elementHeads(data)
	for i := range n {
		add("cut", i, data[:place(1)])

		b := bytes.Clone(data)
		for range 1 + r.IntN(8) {
			b[place(1)] ^= byte(1 << r.IntN(8))
		}
		add("flipped", i, b)

		b = bytes.Clone(data)
		at := place(4)
		if len(heads) > 0 {
			at = heads[r.IntN(len(heads))]
		}
		lengths := []uint32{0, 1, 0xFFFFFFFF, 0xFFFFFFFE, 0x7FFFFFFF, 0x80000000, uint32(len(data)), r.Uint32()}
		binary.LittleEndian.PutUint32(b[at:], lengths[r.IntN(len(lengths))])
		add("length", i, b)

		b = bytes.Clone(data)
		size := 1 + r.IntN(min(512, len(b)/2))
		from, to := place(size), place(size)
		chunk := bytes.Clone(b[from : from+size])
		copy(b[from:from+size], b[to:to+size])
		copy(b[to:to+size], chunk)
		add("swapped", i, b)
	}
	return out
}

// elementHeads finds places that look like the length of a data element:
// behind a VR, or of an item.
func elementHeads(data []byte) (at []int) {
	for i := 132; i+12 <= len(data) && i < 64<<10; i++ {
		vr := data[i+4 : i+6]
		switch {
		case binary.LittleEndian.Uint32(data[i:]) == 0xE000FFFE:
			at = append(at, i+4)
		case vr[0] < 'A' || vr[0] > 'Z' || vr[1] < 'A' || vr[1] > 'Z':
		case data[i+6] == 0 && data[i+7] == 0:
			at = append(at, i+8)
		default:
			at = append(at, i+4)
		}
	}
	return at
}
