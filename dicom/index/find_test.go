package index_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"sira/dicom"
	"sira/dicom/index"
	"sira/dicom/phantom"
	"sira/storage/storagetest"
)

// store indexes generated objects as the front door does.
func store(t testing.TB, x *index.Index, objects ...[]byte) []dicom.Instance {
	t.Helper()
	var out []dicom.Instance
	for _, data := range objects {
		f, err := dicom.Read(t.Context(), bytes.NewReader(data), int64(len(data)), dicom.Limits{ModelBytes: -1})
		if err != nil {
			t.Fatal(err)
		}
		in, err := dicom.Describe(f)
		if err != nil {
			t.Fatal(err)
		}
		in.Hash = string(storagetest.HashOf(data))
		if _, err := x.AddFile(t.Context(), in, f, nil); err != nil {
			t.Fatal(err)
		}
		out = append(out, in)
	}
	return out
}

func study(seed uint64, name, id, accession string, date time.Time) phantom.Study {
	return phantom.Study{Patient: phantom.Patient{Name: name, ID: id, Sex: "F", BirthDate: "19900101"},
		Date: date, Seed: seed, Accession: accession, Referrer: "DIALLO^Moussa"}
}

func on(year, month, day int) time.Time {
	return time.Date(year, time.Month(month), day, 10, 30, 0, 0, time.UTC)
}

// people fills the index with five studies.
func people(t testing.TB, x *index.Index) (all []dicom.Instance) {
	all = append(all, store(t, x, phantom.CT(3, study(1, "TRAORÉ^Awa", "KATI-1", "A1", on(2026, 1, 15)))...)...)
	all = append(all, store(t, x, phantom.DX(study(2, "TRAORE^Amadou", "KATI-2", "A2", on(2026, 1, 16)), phantom.ChestOptions{}))...)
	all = append(all, store(t, x, phantom.ECG12(study(3, "KEÏTA^Fanta", "KATI-3", "A3", on(2026, 2, 1)), phantom.Sinus))...)
	all = append(all, store(t, x, phantom.USCine(4, study(4, "COULIBALY^Awa Traoré", "SEGOU-1", "B1", on(2026, 2, 2))))...)
	all = append(all, store(t, x, phantom.DX(study(1, "TRAORÉ^Awa", "KATI-1", "A1", on(2026, 1, 15)), phantom.ChestOptions{}))...)
	return all
}

func ask(t testing.TB, x *index.Index, q index.Query) []map[string]any {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 100
	}
	p, err := x.Find(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]any
	for i := range p.Len() {
		raw, err := p.Append(t.Context(), nil, i, "https://h/dicomweb")
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatalf("%v in %s", err, raw)
		}
		out = append(out, m)
	}
	return out
}

func value(m map[string]any, tag string) string {
	a, _ := m[tag].(map[string]any)
	list, _ := a["Value"].([]any)
	var out []string
	for _, v := range list {
		if name, ok := v.(map[string]any); ok {
			v = name["Alphabetic"]
		}
		out = append(out, fmt.Sprint(v))
	}
	return strings.Join(out, `\`)
}

func names(list []map[string]any) string {
	var out []string
	for _, m := range list {
		out = append(out, value(m, "00100010"))
	}
	return strings.Join(out, " ")
}

func one(tag dicom.Tag, values ...string) index.Condition {
	return index.Condition{Tag: tag, Values: values}
}

func TestFindStudies(t *testing.T) {
	each(t, func(t *testing.T, _ context.Context, x *index.Index) {
		people(t, x)
		const awa, amadou, fanta, other = "TRAORÉ^Awa", "TRAORE^Amadou", "KEÏTA^Fanta", "COULIBALY^Awa Traoré"
		for _, c := range []struct {
			what  string
			match []index.Condition
			want  []string
		}{
			{"all", nil, []string{other, fanta, amadou, awa}},
			{"name", []index.Condition{one(0x00100010, "traore^awa")}, []string{awa}},
			{"beginning of name", []index.Condition{one(0x00100010, "Traoré*")}, []string{amadou, awa}},
			{"pattern", []index.Condition{one(0x00100010, "*^?wa*")}, []string{other, awa}},
			{"no such", []index.Condition{one(0x00100010, "TRAORE")}, nil},
			{"fuzzy", []index.Condition{{Tag: 0x00100010, Values: []string{"trao"}, Fuzzy: true}}, []string{other, amadou, awa}},
			{"fuzzy, two words", []index.Condition{{Tag: 0x00100010, Values: []string{"AWA tra"}, Fuzzy: true}}, []string{other, awa}},
			{"ID", []index.Condition{one(0x00100020, "KATI-3")}, []string{fanta}},
			{"beginning of ID", []index.Condition{one(0x00100020, "KATI*")}, []string{awa, amadou, fanta}},
			{"ID, other case", []index.Condition{one(0x00100020, "kati*")}, nil},
			{"ID, pattern", []index.Condition{one(0x00100020, "*-1")}, []string{other, awa}},
			{"special characters", []index.Condition{one(0x00100020, "*[%_\\*")}, nil},
			{"accession", []index.Condition{one(0x00080050, "B1")}, []string{other}},
			{"modality", []index.Condition{one(0x00080061, "CT")}, []string{awa}},
			{"second modality", []index.Condition{one(0x00080061, "DX")}, []string{amadou, awa}},
			{"modalities", []index.Condition{one(0x00080061, "CT", "US")}, []string{other, awa}},
			{"modality, pattern", []index.Condition{one(0x00080061, "?T")}, []string{awa}},
			{"modality and name", []index.Condition{one(0x00080061, "DX"), one(0x00100010, "TRAORE^AM*")}, []string{amadou}},
			{"modality and day", []index.Condition{one(0x00080061, "DX"), {Tag: 0x00080020, From: "20260116", To: "20260116"}}, []string{amadou}},
			{"day", []index.Condition{one(0x00080020, "20260201")}, []string{fanta}},
			{"from", []index.Condition{{Tag: 0x00080020, From: "20260116"}}, []string{other, fanta, amadou}},
			{"until", []index.Condition{{Tag: 0x00080020, To: "20260116"}}, []string{amadou, awa}},
			{"time", []index.Condition{{Tag: 0x00080030, From: "100000", To: "110000"}}, []string{other, fanta, amadou, awa}},
			{"too late", []index.Condition{{Tag: 0x00080030, From: "110000"}}, nil},
			{"referrer", []index.Condition{one(0x00080090, "diallo*"), one(0x00100040, "F")}, []string{other, fanta, amadou, awa}},
			{"fuzzy and modality", []index.Condition{{Tag: 0x00100010, Values: []string{"awa"}, Fuzzy: true}, one(0x00080061, "US")}, []string{other}},
		} {
			if got := names(ask(t, x, index.Query{Match: c.match})); got != strings.Join(c.want, " ") {
				t.Errorf("%s: %q, want %q", c.what, got, c.want)
			}
		}
	})
}

func TestFindPages(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, x *index.Index) {
		people(t, x)
		whole := names(ask(t, x, index.Query{}))
		var parts []string
		for offset := 0; ; offset += 3 {
			p, err := x.Find(ctx, index.Query{Limit: 3, Offset: offset})
			if err != nil {
				t.Fatal(err)
			}
			if p.Further != (offset == 0) {
				t.Errorf("at %d: further %v", offset, p.Further)
			}
			list := ask(t, x, index.Query{Limit: 3, Offset: offset})
			if len(list) == 0 {
				break
			}
			parts = append(parts, names(list))
		}
		if got := strings.Join(parts, " "); got != whole {
			t.Errorf("%q, want %q", got, whole)
		}
	})
}

func TestCountsAndLevels(t *testing.T) {
	each(t, func(t *testing.T, _ context.Context, x *index.Index) {
		all := people(t, x)
		uid := all[0].StudyUID
		ofStudy := one(0x0020000D, uid)
		got := ask(t, x, index.Query{Match: []index.Condition{ofStudy}})
		if len(got) != 1 || value(got[0], "00080061") != `CT\DX` || value(got[0], "00201206") != "2" || value(got[0], "00201208") != "4" ||
			value(got[0], "00081190") != "https://h/dicomweb/studies/"+uid {
			t.Errorf("study: %v", got)
		}
		series := ask(t, x, index.Query{Level: index.SeriesLevel, Parents: index.SeriesLevel, Match: []index.Condition{ofStudy}})
		if len(series) != 2 || value(series[0], "00201209")+value(series[1], "00201209") != "31" && value(series[0], "00201209")+value(series[1], "00201209") != "13" {
			t.Errorf("series: %v", series)
		}
		if _, ok := series[0]["00100010"]; ok {
			t.Error("the patient in an answer about a known study")
		}
		series = ask(t, x, index.Query{Level: index.SeriesLevel, Match: []index.Condition{one(0x00080060, "CT")}})
		if len(series) != 1 || value(series[0], "00100020") != "KATI-1" || value(series[0], "00080060") != "CT" || value(series[0], "00201208") != "4" || value(series[0], "00201209") != "3" {
			t.Errorf("series of all: %v", series)
		}
		instances := ask(t, x, index.Query{Level: index.InstanceLevel, Match: []index.Condition{one(0x00080018, all[1].SOPUID)},
			More: func(tag string) bool { return tag == "00280030" || tag == "00081030" }})
		if len(instances) != 1 || value(instances[0], "00080018") != all[1].SOPUID || value(instances[0], "00280010") != "512" ||
			value(instances[0], "00280030") == "" || value(instances[0], "00280101") != "" || value(instances[0], "00201209") != "3" ||
			value(instances[0], "00100010") != "TRAORÉ^Awa" {
			t.Errorf("instance: %v", instances)
		}
		if n := len(ask(t, x, index.Query{Level: index.InstanceLevel, Parents: index.InstanceLevel, Match: []index.Condition{ofStudy}})); n != 4 {
			t.Errorf("%d instances", n)
		}
	})
}

func TestVisible(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, x *index.Index) {
		all := people(t, x)
		nothing := index.NewVisible()
		if got := ask(t, x, index.Query{Visible: nothing}); got != nil {
			t.Errorf("nothing to be seen, and %v", got)
		}
		some := index.NewVisible()
		some.AddInstance(all[1].StudyUID, all[1].SeriesUID, all[1].SOPUID)
		some.AddStudy(all[3].StudyUID)
		some.AddSeries(all[4].StudyUID, all[4].SeriesUID)
		list := ask(t, x, index.Query{Visible: some})
		if len(list) != 3 {
			t.Fatalf("%d studies", len(list))
		}
		ct := list[2]
		if value(ct, "00080061") != "CT" || value(ct, "00201206") != "1" || value(ct, "00201208") != "1" {
			t.Errorf("partly visible study: %v", ct)
		}
		if got := ask(t, x, index.Query{Visible: some, Match: []index.Condition{one(0x00080061, "DX")}}); len(got) != 1 {
			t.Errorf("%d studies by a modality that may be seen in one", len(got))
		}
		if got := ask(t, x, index.Query{Visible: some, Level: index.InstanceLevel}); len(got) != 3 {
			t.Errorf("%d instances", len(got))
		}
		got := ask(t, x, index.Query{Visible: some, Level: index.SeriesLevel, Match: []index.Condition{one(0x0020000D, all[1].StudyUID)}})
		if len(got) != 1 || value(got[0], "00201209") != "1" {
			t.Errorf("series: %v", got)
		}
		if got := ask(t, x, index.Query{Visible: some, Limit: 1, Offset: 1}); names(got) != "TRAORE^Amadou" {
			t.Errorf("second page: %v", names(got))
		}
		if list, err := x.Objects(ctx, some, all[1].StudyUID, "", ""); err != nil || len(list) != 1 || list[0].SOP != all[1].SOPUID || list[0].Syntax == "" {
			t.Errorf("objects: %v, %v", list, err)
		}
		for _, in := range []dicom.Instance{all[0], all[2], all[5], all[6]} {
			if in.StudyUID == all[3].StudyUID || in.StudyUID == all[4].StudyUID {
				continue
			}
			if _, err := x.Objects(ctx, some, in.StudyUID, in.SeriesUID, in.SOPUID); err == nil {
				t.Errorf("%s may be seen", in.SOPUID)
			}
		}
	})
}

func TestBackfill(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context, x *index.Index) {
		files := map[string]*dicom.File{}
		for _, data := range phantom.CT(3, study(1, "TRAORÉ^Awa", "KATI-1", "A1", on(2026, 1, 15))) {
			f, err := dicom.Read(ctx, bytes.NewReader(data), int64(len(data)), dicom.Limits{ModelBytes: -1})
			if err != nil {
				t.Fatal(err)
			}
			in, err := dicom.Describe(f)
			if err != nil {
				t.Fatal(err)
			}
			in.Hash = string(storagetest.HashOf(data))
			files[in.Hash] = f
			add(t, x, true, in)
		}
		add(t, x, true, instance("1.1", "1.1.1", 1)) // its bytes are gone
		read := func(_ context.Context, hash string) (*dicom.File, error) {
			if f := files[hash]; f != nil {
				return f, nil
			}
			return nil, os.ErrNotExist
		}
		if got := ask(t, x, index.Query{}); got != nil {
			t.Errorf("listed before: %v", got)
		}
		if n, err := x.Backfill(ctx, read); n != 3 || err == nil {
			t.Errorf("%d completed, %v", n, err)
		}
		if n, err := x.Backfill(ctx, read); n != 0 || err == nil {
			t.Errorf("again: %d completed, %v", n, err)
		}
		if got := ask(t, x, index.Query{}); len(got) != 1 || value(got[0], "00201208") != "3" {
			t.Errorf("listed: %v", got)
		}
	})
}
