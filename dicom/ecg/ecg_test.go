package ecg

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sira/dicom"
)

func corpus(t testing.TB, name string) []byte {
	t.Helper()
	root := filepath.Join("..", "..", "..", "shared")
	dir := os.Getenv("SIRA_CORPUS")
	if dir == "" {
		dir = filepath.Join(root, "corpus")
	}
	if _, err := os.Stat(filepath.Join(dir, "MANIFEST.tsv")); err != nil {
		if _, err := os.Stat(root); err == nil {
			t.Fatalf("no corpus at %s", dir)
		}
		t.Skipf("NOT RUN: no corpus at %s", dir)
	}
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func fromDICOM(t testing.TB, data []byte) (*Recording, error) {
	t.Helper()
	r := bytes.NewReader(data)
	f, err := dicom.Read(context.Background(), r, r.Size(), dicom.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return FromDICOM(f, r)
}

// TestAgreement reads the same recording from three formats.
func TestAgreement(t *testing.T) {
	dcm, err := fromDICOM(t, corpus(t, "ecg/Example.dcm"))
	if err != nil {
		t.Fatal(err)
	}
	scp, err := FromSCP(bytes.NewReader(corpus(t, "ecg/Example.scp")))
	if err != nil {
		t.Fatal(err)
	}
	aecg, err := FromAECG(bytes.NewReader(corpus(t, "ecg/Example.xml")))
	if err != nil {
		t.Fatal(err)
	}
	for name, rec := range map[string]*Recording{"dcm": dcm, "scp": scp, "aecg": aecg} {
		if len(rec.Leads) != 12 || rec.SamplingHz != 500 || rec.Duration() != 10*time.Second {
			t.Errorf("%s: %d leads, %v Hz, %v", name, len(rec.Leads), rec.SamplingHz, rec.Duration())
		}
		if want := time.Date(2002, 11, 22, 9, 10, 0, 0, time.UTC); !rec.StartedAt.Equal(want) {
			t.Errorf("%s: started %v", name, rec.StartedAt)
		}
		for i, l := range rec.Leads {
			if l.Name != customary[i] || l.Unit != "uV" || l.Derived {
				t.Errorf("%s: lead %d is %q in %q", name, i, l.Name, l.Unit)
			}
		}
		if !strings.HasSuffix(rec.Device, "ELI250") {
			t.Errorf("%s: recorded by %q", name, rec.Device)
		}
		t.Log(name, rec.Filters, rec.Device)
	}
	if t.Failed() {
		t.FailNow()
	}
	compare(t, "aecg", aecg, dcm)
	compare(t, "scp", scp, dcm)
}

// compare demands equality within half a step of either recording.
func compare(t *testing.T, name string, got, want *Recording) {
	t.Helper()
	for i := range want.Leads {
		a, b := got.Leads[i], want.Leads[i]
		if len(a.Samples) != len(b.Samples) {
			t.Errorf("%s: lead %s has %d samples, not %d", name, b.Name, len(a.Samples), len(b.Samples))
			continue
		}
		worst, where := 0.0, 0
		for k := range b.Samples {
			d := math.Abs(a.Offset + a.Scale*float64(a.Samples[k]) - b.Offset - b.Scale*float64(b.Samples[k]))
			if d > worst {
				worst, where = d, k
			}
		}
		if limit := math.Max(a.Scale, b.Scale) / 2; worst > limit {
			t.Errorf("%s: lead %s differs by %v uV at sample %d", name, b.Name, worst, where)
		}
	}
}
