package jsonmodel

import (
	"slices"
	"strings"
)

func sortMembers(m []Member) {
	slices.SortStableFunc(m, func(a, b Member) int { return strings.Compare(a.Tag, b.Tag) })
}
