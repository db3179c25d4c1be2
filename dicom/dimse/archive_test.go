package dimse

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"sira/dicom"
	"sira/dicom/dimse/identifier"
)

// archive is a provider's content for tests: a flat list of instances with
// their attributes.
type archive struct {
	entries []entry
}

type entry struct {
	attributes *identifier.Set
	file       []byte // Part 10
	meta       Meta
}

// newArchive has three patients: two studies, one, and one; each study has two
// series of two instances.
func newArchive() *archive {
	a := &archive{}
	for i, s := range []struct{ id, name, study, date, modality string }{
		{"ML-1", "Traoré^Aïssata", "1.2.10", "20260105", "US"},
		{"ML-1", "Traoré^Aïssata", "1.2.11", "20260210", "CT"},
		{"ML-2", "Keïta^Modibo", "1.2.20", "20260105", "CT"},
		{"ML-3", "Diarra^Fanta", "1.2.30", "20251231", "CT"},
	} {
		for series := range 2 {
			for instance := range 2 {
				seriesUID := fmt.Sprintf("%s.%d", s.study, series+1)
				sop := fmt.Sprintf("%s.%d", seriesUID, instance+1)
				data := object(sop, 3000*(i+1))
				meta := Meta{ctStorage, sop, ExplicitVRLittleEndian}
				a.entries = append(a.entries, entry{
					attributes: identifier.Of(map[dicom.Tag]string{
						identifier.PatientID: s.id, identifier.PatientName: s.name, identifier.StudyDate: s.date,
						identifier.StudyInstanceUID: s.study, identifier.SeriesInstanceUID: seriesUID,
						identifier.SOPInstanceUID: sop, identifier.SOPClassUID: ctStorage, identifier.Modality: s.modality,
						identifier.StudyDescription: "Échographie", identifier.InstanceNumber: fmt.Sprint(instance + 1),
					}),
					file: append(meta.Encode(), data...), meta: meta,
				})
			}
		}
	}
	return a
}

var unique = map[Level]dicom.Tag{
	LevelPatient: identifier.PatientID, LevelStudy: identifier.StudyInstanceUID,
	LevelSeries: identifier.SeriesInstanceUID, LevelImage: identifier.SOPInstanceUID,
}

func (a *archive) find(_ context.Context, req FindRequest, answer func(*identifier.Set) error) error {
	seen := map[string]bool{}
	for _, e := range a.entries {
		id := e.attributes.String(unique[req.Level])
		if seen[id] || !req.Matches(e.attributes) {
			continue
		}
		seen[id] = true
		if err := answer(e.attributes); err != nil {
			return err
		}
	}
	return nil
}

func (a *archive) retrieve(_ context.Context, req RetrieveRequest) ([]Instance, error) {
	var list []Instance
	for _, e := range a.entries {
		if !identifier.Match(req.Keys, e.attributes, identifier.Options{}) {
			continue
		}
		list = append(list, Instance{
			SOPClass: e.meta.SOPClass, SOPUID: e.meta.SOPUID, TransferSyntax: e.meta.TransferSyntax,
			Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(e.file)), nil },
		})
	}
	return list, nil
}

// collect runs a query and gives the matches' values of one attribute.
func collect(t testing.TB, c *Client, q Query, tag dicom.Tag) []string {
	t.Helper()
	var got []string
	if err := c.Find(t.Context(), q, func(s *identifier.Set) error {
		got = append(got, s.String(tag))
		return nil
	}); err != nil {
		t.Errorf("%+v: %v", q, err)
	}
	return got
}

func keys(pairs ...any) *identifier.Set {
	s := &identifier.Set{}
	for i := 0; i < len(pairs); i += 2 {
		s.Put(pairs[i].(dicom.Tag), pairs[i+1].(string))
	}
	return s
}
