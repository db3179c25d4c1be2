package storage

import (
	"strconv"
	"strings"
	"testing"
)

func TestRebind(t *testing.T) {
	for query, want := range map[string]string{
		"":                             "",
		"SELECT 1":                     "SELECT 1",
		"a = ? AND b IN (?,?)":         "a = $1 AND b IN ($2,$3)",
		"a = '?' AND b = ?":            "a = '?' AND b = $1",
		"a = 'it''s ?' AND b = ?":      "a = 'it''s ?' AND b = $1",
		`"what?" = ? AND "a""?" = ?`:   `"what?" = $1 AND "a""?" = $2`,
		"? -- why?\n, ?":               "$1 -- why?\n, $2",
		"? -- why?":                    "$1 -- why?",
		"? /* ? /* ? */ ? */ ? /* ? ":  "$1 /* ? /* ? */ ? */ $2 /* ? ",
		"a = ? - ? / ? -? /?":          "a = $1 - $2 / $3 -$4 /$5",
		"'unclosed ? ":                 "'unclosed ? ",
		"é = ? AND '?ɛ' = ?":           "é = $1 AND '?ɛ' = $2",
		"''?''?":                       "''$1''$2",
		"?,?,?,?,?,?,?,?,?,?,?":        "$1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11",
		"SELECT '--' , ? , '/*' , ? ,": "SELECT '--' , $1 , '/*' , $2 ,",
	} {
		if got := rebind(query); got != want {
			t.Errorf("rebind(%q)\n = %q\nwant %q", query, got, want)
		}
	}
}

// Whatever the query, nothing but ? outside of quotes and comments may change.
func FuzzRebind(f *testing.F) {
	for _, q := range []string{"a = ? /* ' */ AND 'x?' = ?", "--?\n?", "/*/?", "'", `"?`, "$1 ?", "?1 ???? ???????1"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, query string) {
		got := rebind(query)
		if !strings.ContainsAny(query, "'\"") && !strings.Contains(query, "--") && !strings.Contains(query, "/*") && strings.Contains(got, "?") {
			t.Errorf("rebind(%q) = %q left a ?", query, got)
		}
		n, rest := 0, got
		for _, part := range strings.SplitAfter(query, "?") {
			kept, mark := strings.CutSuffix(part, "?")
			after, same := strings.CutPrefix(rest, kept)
			if rest = after; !same {
				t.Fatalf("rebind(%q) = %q changed more than its placeholders", query, got)
			}
			if !mark {
				continue
			}
			placed, placeholder := strings.CutPrefix(rest, "$"+strconv.Itoa(n+1))
			if placeholder {
				n++
			} else if placed, mark = strings.CutPrefix(rest, "?"); !mark {
				t.Fatalf("rebind(%q) = %q lost a ?", query, got)
			}
			rest = placed
		}
		if rest != "" {
			t.Fatalf("rebind(%q) = %q has more than its query", query, got)
		}
	})
}

func TestParseHash(t *testing.T) {
	good := strings.Repeat("0123456789abcdef", 4)
	if h, err := ParseHash(good); err != nil || string(h) != good {
		t.Errorf("ParseHash(%q) = %q, %v", good, h, err)
	}
	for _, bad := range []string{"", good[1:], good + "0", strings.ToUpper(good), good[:63] + "g", good[:62] + "é", good[:63] + "\n", "../" + good[3:]} {
		if h, err := ParseHash(bad); err == nil || h != "" {
			t.Errorf("ParseHash(%q) = %q, %v; want a refusal", bad, h, err)
		}
	}
}
