package dimse

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sira/dicom"
	"sira/dicom/dimse/identifier"
)

// scheduled gives one worklist entry: a scheduled procedure step.
func scheduled(name, id, accession, ae, date, clock, modality string) *identifier.Set {
	s := identifier.Of(map[dicom.Tag]string{
		identifier.PatientName: name, identifier.PatientID: id, identifier.AccessionNumber: accession,
		identifier.PatientBirthDate: "19900101", identifier.PatientSex: "F", identifier.StudyInstanceUID: "1.2.3." + id,
		identifier.RequestedProcedureID: "RP" + id, identifier.RequestedProcedureDescription: "Échographie obstétricale",
	})
	s.PutItems(identifier.ScheduledProcedureStepSequence, identifier.Of(map[dicom.Tag]string{
		identifier.ScheduledStationAETitle: ae, identifier.ScheduledStartDate: date, identifier.ScheduledStartTime: clock,
		identifier.Modality: modality, identifier.ScheduledProcedureStepID: "SPS" + id,
		identifier.ScheduledPerformingPhysicianName: "Coulibaly^Oumar", identifier.ScheduledProcedureStepDescription: "Obstetrique",
	}))
	return s
}

func worklist(_ context.Context, req FindRequest, answer func(*identifier.Set) error) error {
	for _, s := range []*identifier.Set{
		scheduled("Traoré^Aïssata", "1", "A1", "CART1", "20261122", "0900", "US"),
		scheduled("Keïta^Modibo", "2", "A2", "CART1", "20261122", "1030", "ECG"),
		scheduled("Diarra^Fanta", "3", "A3", "CART2", "20261123", "0800", "US"),
	} {
		if req.Matches(s) {
			if err := answer(s); err != nil {
				return err
			}
		}
	}
	return nil
}

func stepKeys(ae, date, modality string) *identifier.Set {
	s := keys(identifier.PatientName, "", identifier.PatientID, "", identifier.AccessionNumber, "")
	s.PutItems(identifier.ScheduledProcedureStepSequence, keys(identifier.ScheduledStationAETitle, ae,
		identifier.ScheduledStartDate, date, identifier.ScheduledStartTime, "", identifier.Modality, modality))
	return s
}

func TestWorklist(t *testing.T) {
	var r recorder
	addr := serve(t, &Server{Worklist: worklist, Events: r.event})
	c := dial(t, addr, QueryProposal(ModalityWorklistFind), QueryProposal(StudyRootFind))
	for _, q := range []struct {
		ae, date, modality string
		want               []string
	}{
		{"", "", "", []string{"A1", "A2", "A3"}}, {"CART1", "", "", []string{"A1", "A2"}}, {"CART1", "20261122", "US", []string{"A1"}},
		{"CART?", "20261123-", "", []string{"A3"}}, {"CART3", "", "", nil},
	} {
		if got := collect(t, c, Query{ModalityWorklistFind, "", stepKeys(q.ae, q.date, q.modality)}, identifier.AccessionNumber); !slices.Equal(got, q.want) {
			t.Errorf("%+v: %v", q, got)
		}
	}
	if _, ok := c.findContext(StudyRootFind); ok {
		t.Error("queries accepted without a callback")
	}
	if e := r.heard(t, EventWorklist); e.Answers != 3 || e.SOPClass != ModalityWorklistFind {
		t.Errorf("%+v", e)
	}
	err := c.Find(t.Context(), Query{ModalityWorklistFind, "", stepKeys("CART1", "20261122", "US")}, func(s *identifier.Set) error {
		item := s.Item(identifier.ScheduledProcedureStepSequence)
		if s.Len() != 4 || item.Len() != 4 || item.String(identifier.ScheduledStartTime) != "0900" || s.Has(identifier.QueryRetrieveLevel) {
			t.Errorf("%+v", s)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestWorklistFromFindscu(t *testing.T) {
	tool(t, "findscu")
	addr := serve(t, &Server{AET: "SIRA", Worklist: worklist})
	for _, ts := range []string{"-x=", "-xi", "-xb"} {
		got := findscu(t, addr, "-W", ts, "-k", "PatientName", "-k", "AccessionNumber", "-k", "RequestedProcedureDescription",
			"-k", "ScheduledProcedureStepSequence[0].ScheduledStationAETitle=CART1",
			"-k", "ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate=20261101-20261130",
			"-k", "ScheduledProcedureStepSequence[0].Modality=US")
		if len(got) != 1 {
			t.Errorf("%s: %d answers", ts, len(got))
			continue
		}
		item := got[0].Item(identifier.ScheduledProcedureStepSequence)
		if got[0].String(identifier.PatientName) != "Traoré^Aïssata" || got[0].String(identifier.RequestedProcedureDescription) != "Échographie obstétricale" ||
			item.String(identifier.ScheduledStationAETitle) != "CART1" || item.String(identifier.ScheduledStartDate) != "20261122" {
			t.Errorf("%s: %+v", ts, got[0])
		}
	}
}

// Our user's side against dcmtk's worklist provider.
func TestWlmscpfs(t *testing.T) {
	tool(t, "wlmscpfs")
	dir := t.TempDir()
	ae := filepath.Join(dir, "RIS")
	if err := os.Mkdir(ae, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(ae, "lockfile"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for i, s := range []*identifier.Set{
		scheduled("TRAORE^AISSATA", "1", "A1", "CART1", "20261122", "0900", "US"),
		scheduled("KEITA^MODIBO", "2", "A2", "CART2", "20261122", "1030", "US"),
	} {
		s.Put(identifier.RequestedProcedureDescription, "Echographie")
		b, err := s.Encode(ExplicitVRLittleEndian)
		if err != nil {
			t.Fatal(err)
		}
		file := append(Meta{ModalityWorklistFind, testUID(i), ExplicitVRLittleEndian}.Encode(), b...)
		if err := os.WriteFile(filepath.Join(ae, "entry"+string(rune('0'+i))+".wl"), file, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	port := freePort(t)
	addr := "127.0.0.1:" + port
	daemon(t, addr, "RIS", "wlmscpfs", "-s", "-dfp", dir, port)
	c, err := Dial(t.Context(), addr, DialOptions{AET: "CART1", CalledAET: "RIS", Proposals: []Proposal{QueryProposal(ModalityWorklistFind)}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Abort()
	for ae, want := range map[string][]string{"CART1": {"A1"}, "CART2": {"A2"}, "CART9": nil, "": {"A1", "A2"}} {
		got := collect(t, c, Query{ModalityWorklistFind, "", stepKeys(ae, "20261122", "US")}, identifier.AccessionNumber)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", ae, got, want)
		}
	}
	if err := c.Release(t.Context()); err != nil {
		t.Error(err)
	}
}
