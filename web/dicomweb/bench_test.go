package dicomweb_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"sira/dicom/index"
	"sira/dicom/phantom"
	"sira/storage"
	"sira/storage/storagetest"
)

var families = strings.Fields("TRAORE DIARRA COULIBALY KEITA SANGARE DIALLO CISSE TOURE SIDIBE KONATE DEMBELE MAIGA SISSOKO CAMARA DOUMBIA")
var givens = strings.Fields("Awa Fatou Moussa Amadou Ibrahim Mariam Oumou Seydou Aminata Boubacar Kadiatou Modibo Rokia Souleymane")

// populate writes n studies of one series as AddFile would, in bulk.
func populate(b *testing.B, db *storage.DB, n int) {
	b.Helper()
	ctx := context.Background()
	var brief, more string
	if err := db.QueryRow(ctx, `SELECT brief, more FROM dicom_study_json LIMIT 1`).Scan(&brief, &more); err != nil {
		b.Fatal(err)
	}
	var uid string
	if err := db.QueryRow(ctx, `SELECT study FROM dicom_study_json LIMIT 1`).Scan(&uid); err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	first := time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)
	const rows = 40
	tables := []struct {
		into    string
		columns int
		per     int
	}{
		{"dicom_patient (key, id, name, sex, birth_date, studies)", 6, 1},
		{"dicom_study (uid, patient, patient_name, date, time, description, accession, modalities, series, instances, frames, bytes, added_at)", 13, 1},
		{"dicom_study_find (study, date, time, name, patient_id, birth_date, sex, accession, study_id, description, referrer)", 11, 1},
		{"dicom_study_json (study, brief, more)", 3, 1},
		{"dicom_study_modality (study, modality, date, time)", 4, 1},
		{"dicom_study_word (study, word, date, time)", 4, 2},
	}
	for done := 0; done < n; {
		err := db.Tx(ctx, func(tx storage.Querier) error {
			for k := 0; k < 20_000 && done < n; k += rows {
				args := make([][]any, len(tables))
				for range rows {
					study := fmt.Sprintf("1.2.826.0.1.99.%d", done)
					done++
					family, given := families[r.IntN(len(families))], givens[r.IntN(len(givens))]
					when := first.Add(time.Duration(r.IntN(11*365*24*60)) * time.Minute)
					date, clock := when.Format("20060102"), when.Format("150405")
					modality := []string{"CT", "DX", "US", "MR", "ECG"}[min(r.IntN(12), 4)]
					id := fmt.Sprint("P", done)
					low := strings.ToLower(family + "^" + given)
					add := func(t int, v ...any) { args[t] = append(args[t], v...) }
					add(0, id, id, family+"^"+given, "F", "19800101", 1)
					add(1, study, id, family+"^"+given, date, clock, "", id, modality, 1, 1, 1, 1, 1)
					add(2, study, date, clock, low, id, "19800101", "F", "A"+id, "1", "", "")
					add(3, study, strings.ReplaceAll(brief, uid, study), more)
					add(4, study, modality, date, clock)
					add(5, study, strings.ToLower(family), date, clock, study, strings.ToLower(given), date, clock)
				}
				for i, t := range tables {
					one := "(?" + strings.Repeat(", ?", t.columns-1) + ")"
					if _, err := tx.Exec(ctx, `INSERT INTO `+t.into+` VALUES `+one+strings.Repeat(", "+one, rows*t.per-1)+` ON CONFLICT DO NOTHING`, args[i]...); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSearch lists 25 studies of 1,000 and 5,000, and of as many as
// SIRA_BENCH_STUDIES says (500000). With SIRA_BENCH_POSTGRES=1 on PostgreSQL.
func BenchmarkSearch(b *testing.B) {
	sizes := []int{1000, 5000}
	if n, err := strconv.Atoi(os.Getenv("SIRA_BENCH_STUDIES")); err == nil {
		sizes = append(sizes, n)
	}
	for _, n := range sizes {
		db := storagetest.NewDB(b)
		if os.Getenv("SIRA_BENCH_POSTGRES") != "" {
			var err error
			if db, err = storage.OpenDB(context.Background(), storagetest.NewPostgres(b)); err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = db.Close() })
		}
		h := build(b, db)
		h.put(b, phantom.CT(1, study(1, "TRAORÉ^Awa", "KATI-1", 1))...)
		populate(b, db, n)
		if db.Dialect() == "postgres" {
			if _, err := db.Exec(context.Background(), `ANALYZE`); err != nil {
				b.Fatal(err)
			}
		}
		seen := index.NewVisible()
		for i := range 60 {
			seen.AddInstance(fmt.Sprintf("1.2.826.0.1.99.%d", i*(n/60)), "1", "1")
			seen.AddStudy(fmt.Sprintf("1.2.826.0.1.99.%d", 1+i*(n/61)))
		}
		for _, q := range []string{"limit=25", "limit=25&ModalitiesInStudy=CT", "limit=25&PatientName=TRAORE*", "limit=25&PatientName=awa%20tra&fuzzymatching=true",
			"limit=25&StudyDate=20200101-20200131", "PatientID=P77&includefield=all", "AccessionNumber=AP77", "limit=25&offset=500"} {
			b.Run(fmt.Sprintf("%d/%s", n, q), func(b *testing.B) { h.bench(b, "/studies?"+q) })
		}
		b.Run(fmt.Sprintf("%d/visible", n), func(b *testing.B) {
			h.set(seen, nil)
			defer h.set(nil, nil)
			h.bench(b, "/studies?limit=25")
		})
	}
}

// processor reports the processor time of each operation.
func processor(b *testing.B) func() {
	before := cpu()
	return func() { b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "µs-cpu/op") }
}

func (h *house) bench(b *testing.B, path string) {
	defer processor(b)()
	for b.Loop() {
		res, err := h.Client().Get(h.URL + "/dicomweb" + path)
		if err != nil {
			b.Fatal(err)
		}
		_, err = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK {
			b.Fatal(res.StatusCode, err)
		}
	}
}

// BenchmarkRendered renders CT frames of 512×512, each time anew.
func BenchmarkRendered(b *testing.B) {
	h := build(b, storagetest.NewDB(b))
	ct := h.put(b, phantom.CT(4, study(1, "TRAORÉ^Awa", "KATI-1", 1))...)
	for _, kind := range []string{"image/jpeg", "image/png"} {
		b.Run(kind, func(b *testing.B) {
			defer processor(b)()
			i := 0
			for b.Loop() {
				i++
				h.get(b, at(ct[i%4])+"/rendered", kind).expect(b, 200)
			}
		})
	}
	b.Run("metadata", func(b *testing.B) {
		for b.Loop() {
			h.get(b, "/studies/"+ct[0].StudyUID+"/metadata", jsonType).expect(b, 200)
		}
	})
	b.Run("frame", func(b *testing.B) {
		for b.Loop() {
			h.get(b, at(ct[0])+"/frames/1", allBytes).expect(b, 200)
		}
	})
}
