package index_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sira/dicom"
	"sira/dicom/index"
	"sira/storage"
	"sira/storage/storagetest"
)

func instance(study, series string, n int) dicom.Instance {
	sop := fmt.Sprintf("%s.%d", series, n)
	return dicom.Instance{
		StudyUID: study, SeriesUID: series, SOPUID: sop, SOPClass: "1.2.840.10008.5.1.4.1.1.2", Modality: "CT",
		PatientName: "TRAORE^Awa", PatientID: "KATI-1", PatientSex: "F", PatientBirthDate: "19900101",
		StudyDate: "20260115", StudyDescription: "Crâne", SeriesDescription: "Axial", SeriesNumber: 2, InstanceNumber: n,
		Rows: 512, Cols: 512, Frames: 1, Kind: "image", Hash: hash(sop), Size: 1000,
	}
}

func hash(s string) string { return string(storagetest.HashOf([]byte(s))) }

func each(t *testing.T, fn func(t *testing.T, ctx context.Context, x *index.Index)) {
	storagetest.EachDB(t, func(t *testing.T, db *storage.DB) {
		x, err := index.Open(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := index.Open(t.Context(), db); err != nil {
			t.Fatalf("opening twice: %v", err)
		}
		fn(t, t.Context(), x)
	})
}

func add(t *testing.T, x *index.Index, want bool, list ...dicom.Instance) {
	t.Helper()
	for _, in := range list {
		if added, err := x.Add(t.Context(), in); err != nil || added != want {
			t.Fatalf("adding %s: %v, %v", in.SOPUID, added, err)
		}
	}
}

func TestAddIsIdempotent(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, x *index.Index) {
		in := instance("1.1", "1.1.1", 1)
		in.Position, in.Orientation = []float64{1, 2, 3}, []float64{1, 0, 0, 0, 1, 0}
		add(t, x, true, in)
		add(t, x, false, in, in)
		got, err := x.Instance(ctx, in.SOPUID)
		if err != nil || !cmp.Equal(got, in) {
			t.Errorf("%v\n%s", err, cmp.Diff(got, in))
		}
		other := in
		other.Hash = hash("other bytes")
		if _, err := x.Add(ctx, other); !errors.Is(err, index.ErrConflictingBytes) {
			t.Errorf("other bytes: %v", err)
		}
		s, err := x.Study(ctx, "1.1")
		if err != nil || s.Instances != 1 || s.Series != 1 || s.Bytes != 1000 {
			t.Errorf("study %+v, %v", s, err)
		}
		for _, bad := range []func(*dicom.Instance){
			func(in *dicom.Instance) { in.Hash = "x" }, func(in *dicom.Instance) { in.SeriesUID = "" },
		} {
			in := instance("1.1", "1.1.1", 2)
			bad(&in)
			if _, err := x.Add(ctx, in); err == nil {
				t.Error("a bad instance was added")
			}
		}
	})
}

func TestCounters(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, x *index.Index) {
		sr := instance("1.1", "1.1.2", 1)
		sr.Modality, sr.Kind, sr.Frames, sr.SeriesNumber, sr.Size = "SR", "other", 0, 1, 7
		cine := instance("1.1", "1.1.1", 3)
		cine.Frames = 40
		add(t, x, true, instance("1.1", "1.1.1", 1), instance("1.1", "1.1.1", 2), cine, sr, instance("1.2", "1.2.1", 1))
		s, err := x.Study(ctx, "1.1")
		want := index.Study{UID: "1.1", PatientName: "TRAORE^Awa", PatientID: "KATI-1", PatientSex: "F", PatientBirthDate: "19900101",
			Date: "20260115", Description: "Crâne", Modalities: []string{"CT", "SR"}, Series: 2, Instances: 4, Frames: 42, Bytes: 3007}
		if err != nil || !cmp.Equal(s, want) {
			t.Errorf("%v\n%s", err, cmp.Diff(s, want))
		}
		list, err := x.StudySeries(ctx, "1.1")
		if err != nil || len(list) != 2 || list[0].Modality != "SR" || list[1].Instances != 3 || list[1].Frames != 42 || list[1].Bytes != 3000 {
			t.Errorf("series %+v, %v", list, err)
		}
		mixed := instance("1.2", "1.2.1", 2)
		mixed.Kind = "waveform"
		add(t, x, true, mixed)
		if list, _ := x.StudySeries(ctx, "1.2"); len(list) != 1 || list[0].Kind != "other" {
			t.Errorf("mixed series %+v", list)
		}
	})
}

func TestSeriesOrder(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, x *index.Index) {
		var want []string
		for i := range 12 {
			in := instance("1.1", "1.1.1", 11-i)
			in.InstanceNumber = (11 - i) / 4 // several share a number: then by position along the normal
			in.Position, in.Orientation = []float64{float64(11 - i), 5, 0}, []float64{0, 1, 0, 0, 0, 1}
			add(t, x, true, in)
			want = append(want, in.SOPUID)
		}
		slices.Reverse(want)
		list, err := x.Series(ctx, "1.1.1")
		var got []string
		for _, in := range list {
			got = append(got, in.SOPUID)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%v, %v", got, err)
		}
	})
}

func TestSeriesOf(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, x *index.Index) {
		var sops []string
		for i := range 1200 {
			in := instance("1.1", "1.1.1", i)
			if i < 1100 {
				sops = append(sops, in.SOPUID, in.SOPUID)
			}
			if i < 3 || i > 1097 {
				add(t, x, true, in)
			}
		}
		older := instance("1.0", "1.0.1", 1)
		older.StudyDate = "20250101"
		add(t, x, true, older)
		list, err := x.SeriesOf(ctx, append(sops, older.SOPUID, "9.9"))
		if err != nil || len(list) != 2 || list[0].UID != "1.0.1" || list[1].UID != "1.1.1" || list[1].Instances != 5 ||
			list[1].Bytes != 5000 || list[1].PatientName != "TRAORE^Awa" {
			t.Errorf("%+v, %v", list, err)
		}
		if list, err := x.SeriesOf(ctx, nil); err != nil || len(list) != 0 {
			t.Errorf("of nothing: %v, %v", list, err)
		}
	})
}

func TestNotFound(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, x *index.Index) {
		_, a := x.Instance(ctx, "1")
		_, b := x.Series(ctx, "1")
		_, c := x.Study(ctx, "1")
		_, d := x.StudySeries(ctx, "1")
		for _, err := range []error{a, b, c, d} {
			if !errors.Is(err, index.ErrNotFound) {
				t.Errorf("got %v", err)
			}
		}
	})
}

// TestAtOnce: the same study arrives over several associations.
func TestAtOnce(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, x *index.Index) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for i := range 10 {
					if _, err := x.Add(ctx, instance("1.1", "1.1.1", i)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if s, err := x.Study(ctx, "1.1"); err != nil || s.Instances != 10 || s.Series != 1 {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

// TestAnyText: what devices write must not break either database.
func TestAnyText(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, x *index.Index) {
		in := instance("1.1", "1.1.1", 1)
		in.PatientName = `Ɲɛnɛba'; DROP TABLE dicom_study; -- "\é 小東` + strings.Repeat("x", 5000)
		in.InstanceNumber, in.SeriesNumber = -2147483648, 2147483647
		add(t, x, true, in)
		got, err := x.Instance(ctx, in.SOPUID)
		if err != nil || !cmp.Equal(got, in) {
			t.Errorf("%v\n%s", err, cmp.Diff(got, in))
		}
	})
}
