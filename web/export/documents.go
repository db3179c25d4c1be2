package export

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"

	"github.com/google/uuid"

	"sira/cases"
	"sira/cases/directory"
	"sira/dicom"
	"sira/dicom/deid"
	"sira/dicom/document"
	"sira/dicom/fileset"
	"sira/dicom/write"
	"sira/storage"
	"sira/web/devices"
)

// sources is what the documents refer to: of each study in the export an object
// to take patient and study from, and the key images.
type sources struct {
	studies  []string // UIDs, in the order of the case
	contexts map[string]document.Context
	keys     []document.Reference
	by       map[string]string    // SOP instance UID of a key image to who marked it last
	at       map[string]time.Time // study UID to the last mark
}

// sources opens one object of each study, and those that key images name.
func (s *Service) sources(ctx context.Context, st *cases.State, leaves []cases.Attachment) (*sources, error) {
	out := &sources{contexts: map[string]document.Context{}, by: map[string]string{}, at: map[string]time.Time{}}
	frames := map[string][]int{}
	for _, k := range st.KeyImages {
		frames[k.SOP] = append(frames[k.SOP], k.Frame)
		out.by[k.SOP] = k.By
	}
	for _, a := range leaves {
		r := a.DICOM
		_, known := out.contexts[r.StudyUID]
		key := frames[r.SOPUID]
		if known && key == nil {
			continue
		}
		obj, err := s.open(ctx, a.Hash)
		var broken *dicom.Error
		if errors.Is(err, storage.ErrNotFound) || errors.As(err, &broken) {
			continue // it is left out when its turn comes
		}
		if err != nil {
			return nil, err
		}
		if !known {
			out.studies = append(out.studies, r.StudyUID)
			out.contexts[r.StudyUID] = document.ContextOf(obj.file)
		}
		if key != nil {
			ref := document.Reference{StudyUID: r.StudyUID, SeriesUID: r.SeriesUID, SOPClass: obj.file.String(0x00080016), SOPUID: r.SOPUID}
			if r.Frames > 1 {
				ref.Frames = key
			}
			out.keys = append(out.keys, ref)
		}
		if err := obj.blob.Close(); err != nil {
			return nil, fmt.Errorf("closing an object: %w", err)
		}
	}
	for _, k := range st.KeyImages {
		for _, ref := range out.keys {
			if ref.SOPUID == k.SOP && k.At.After(out.at[ref.StudyUID]) {
				out.at[ref.StudyUID] = k.At
			}
		}
	}
	return out, nil
}

// contextOf is where the case's own documents belong: its first study, unless
// that is of somebody of another name; else a study of the case itself.
func (s *sources) contextOf(st *cases.State) document.Context {
	p := st.Opened.Patient
	for _, uid := range s.studies {
		if c := s.contexts[uid]; sameName(p.Name, c.PatientName) {
			return c
		}
	}
	c := document.Context{PatientName: devices.PersonName(p.Name), PatientID: st.Number, PatientSex: p.Sex,
		StudyUID: uidOf(uuid.NewSHA1(space, []byte("study/"+st.ID))), StudyID: st.Number, Accession: st.Number,
		StudyDate: st.OpenedAt.Local().Format("20060102"), StudyTime: st.OpenedAt.Local().Format("150405"), StudyDescription: "Télé-expertise"}
	if len(p.Identifiers) > 0 {
		c.PatientID, c.PatientIDIssuer = p.Identifiers[0].Value, p.Identifiers[0].System
	}
	if d, err := time.Parse("2006-01-02", p.BirthDate); err == nil {
		c.PatientBirthDate = d.Format("20060102")
	}
	return c
}

// sameName says whether two names have a word in common.
func sameName(a, b string) bool {
	words := map[string]bool{}
	for _, w := range strings.Fields(foldName(a)) {
		words[w] = true
	}
	for _, w := range strings.Fields(foldName(b)) {
		if words[w] {
			return true
		}
	}
	return false
}

// space is the namespace (RFC 9562 section 5.5) of the UIDs made here: the same
// document has the same UID in each export.
var space = uuid.MustParse("0d6f8f5c-6f0e-4f55-8d0b-7c1ce35f0b7a")

// uidOf is a UUID as a UID (PS3.5 section B.2).
func uidOf(id uuid.UUID) string { return "2.25." + new(big.Int).SetBytes(id[:]).String() }

// identity places a document in a series of its own.
func identity(st *cases.State, kind, what string, number int, at time.Time) document.Identity {
	return document.Identity{SeriesUID: uidOf(uuid.NewSHA1(space, []byte(kind+"/"+st.ID))), SOPUID: uidOf(uuid.NewSHA1(space, []byte(kind+"/"+st.ID+"/"+what))),
		SeriesNumber: 9000, Number: number, At: at.Local()}
}

// author is a user as DICOM names people.
func author(p directory.Person) document.Person {
	name := devices.PersonName(p.Name)
	if name == "" {
		name = p.ID
	}
	return document.Person{Name: name, Organization: p.Facility}
}

// report makes a structured report of an opinion as it was signed.
func report(st *cases.State, op cases.Opinion, names map[string]directory.Person, from *sources) (*write.Object, error) {
	id := identity(st, "opinion", op.ID, 1, op.Received)
	id.SeriesDescription = "Avis"
	for i, o := range st.Opinions {
		if o.ID == op.ID {
			id.Number = i + 1
		}
	}
	o, err := document.Report(from.contextOf(st), id, document.Opinion{Question: st.Opened.Question, Findings: op.Findings,
		Conclusion: op.Conclusion, Advice: op.Advice, Author: author(names[op.By]), Signed: op.Received.Local(), Images: from.keys})
	if err != nil {
		return nil, fmt.Errorf("making the report of an opinion: %w", err)
	}
	return o, nil
}

// selections makes of each study's key images a key object selection. Without
// names it says nothing of who chose.
func selections(st *cases.State, names map[string]directory.Person, from *sources) ([]*write.Object, error) {
	var out []*write.Object
	for _, study := range from.studies {
		var refs []document.Reference
		hash := sha256.New()
		who := map[string]bool{}
		var last string
		for _, r := range from.keys {
			if r.StudyUID == study {
				refs = append(refs, r)
				fmt.Fprintln(hash, r.SOPUID, r.Frames)
				last = from.by[r.SOPUID]
				who[last] = true
			}
		}
		if len(refs) == 0 {
			continue
		}
		// Another selection is another object.
		id := identity(st, "keys/"+study, string(hash.Sum(nil)), len(out)+1, from.at[study])
		id.SeriesNumber, id.SeriesDescription = 9001, "Images clés"
		sel := document.Selection{Images: refs}
		if p, ok := names[last]; ok && len(who) == 1 {
			sel.Author = author(p)
		}
		o, err := document.KeyObjects(from.contexts[study], id, sel)
		if err != nil {
			return nil, fmt.Errorf("making the selection of key images: %w", err)
		}
		out = append(out, o)
	}
	return out, nil
}

// cleanedSelection is a selection without the identity, its references renamed
// as the images are.
func (s *Service) cleanedSelection(o *write.Object, profile *deid.Profile) fileset.File {
	return fileset.File{Open: func(ctx context.Context) (fileset.Content, error) {
		var b bytes.Buffer
		if err := o.Write(ctx, &b); err != nil {
			return nil, fmt.Errorf("writing a selection: %w", err)
		}
		r := bytes.NewReader(b.Bytes())
		f, err := dicom.Read(ctx, r, r.Size(), dicom.DefaultLimits)
		if err != nil {
			return nil, fmt.Errorf("reading a selection: %w", err)
		}
		return s.spooled(func(w io.Writer) error {
			_, err := profile.Write(ctx, w, f, r, nil)
			return err
		})
	}}
}

// names looks up who wrote in the case.
func (s *Service) names(ctx context.Context, st *cases.State) (map[string]directory.Person, error) {
	ids := append([]string{st.Clinician}, st.Participants...)
	for _, o := range st.Opinions {
		ids = append(ids, o.By)
	}
	for _, m := range st.Messages {
		ids = append(ids, m.By)
	}
	for _, k := range st.KeyImages {
		ids = append(ids, k.By)
	}
	names, err := s.cfg.Persons(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("looking up names: %w", err)
	}
	return names, nil
}
