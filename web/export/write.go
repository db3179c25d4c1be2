package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"sira/cases"
	"sira/dicom/deid"
	"sira/dicom/fileset"
	"sira/dicom/write"
	"sira/storage"
)

// Progress is told how many of the files are in, and how many there will be.
type Progress func(done, total int)

// Write writes what o asks for of st as it stands now. An instance that came
// after the order was given does not leave in an anonymous export before a
// person has looked at it, when one must. Errors: those of w and of ctx, and
// faults of the store; what it had to write is then no whole archive.
func (s *Service) Write(ctx context.Context, w io.Writer, st *cases.State, o *Order, tell Progress) (fileset.Result, error) {
	survey, err := s.survey(ctx, st, o)
	if err != nil {
		return fileset.Result{}, err
	}
	var c fileset.Case
	if o.Mode == Full {
		c, err = s.full(ctx, st, survey)
	} else {
		c, err = s.anonymous(ctx, st, survey, o)
	}
	if err != nil {
		return fileset.Result{}, err
	}
	c.Made = s.cfg.Now()
	if tell != nil {
		counted(&c, tell)
	}
	result, err := fileset.Write(ctx, w, c)
	if err != nil {
		return result, fmt.Errorf("writing an export: %w", err)
	}
	return result, nil
}

// counted lets each file tell when its turn has come.
func counted(c *fileset.Case, tell Progress) {
	total, done := len(c.Objects)+len(c.Others), 0
	for _, list := range [][]fileset.File{c.Objects, c.Others} {
		for i := range list {
			open := list[i].Open
			list[i].Open = func(ctx context.Context) (fileset.Content, error) {
				done++
				tell(done, total)
				return open(ctx)
			}
		}
	}
}

// stored is a file that leaves as it came.
func (s *Service) stored(a cases.Attachment) fileset.File {
	return fileset.File{Name: a.Name, Size: a.Size, Open: func(ctx context.Context) (fileset.Content, error) {
		h, err := storage.ParseHash(a.Hash)
		if err != nil {
			return nil, err
		}
		blob, err := s.cfg.Blobs.Open(ctx, h)
		if errors.Is(err, storage.ErrNotFound) {
			s.cfg.Log.Error("a file of an export is missing", "hash", a.Hash)
			return nil, errors.Join(err, fileset.ErrLeftOut)
		}
		if err != nil {
			return nil, err
		}
		return blob, nil
	}}
}

// cleaned is an object without the identity, made when its turn comes.
func (s *Service) cleaned(a cases.Attachment, profile *deid.Profile, review *deid.Review) fileset.File {
	return fileset.File{Open: func(ctx context.Context) (fileset.Content, error) {
		obj, err := s.open(ctx, a.Hash)
		if err == nil {
			defer obj.blob.Close()
			var content fileset.Content
			content, err = s.spooled(func(w io.Writer) error {
				_, err := profile.Write(ctx, w, obj.file, obj.blob, review)
				return err
			})
			if err == nil {
				return content, nil
			}
		}
		if full := new(fullError); errors.As(err, &full) || ctx.Err() != nil {
			return nil, err
		}
		// Half-way through its pixels an object may turn out to be broken:
		// nothing of it leaves.
		s.cfg.Log.Warn("an object of an export is left out", "hash", a.Hash, "err", err)
		return nil, errors.Join(err, fileset.ErrLeftOut)
	}}
}

// made is an object that we write ourselves.
func (s *Service) made(o *write.Object) fileset.File {
	return fileset.File{Open: func(ctx context.Context) (fileset.Content, error) {
		return s.spooled(func(w io.Writer) error { return o.Write(ctx, w) })
	}}
}

// fullError is a fault of our own disk.
type fullError struct{ error }

func (e *fullError) Unwrap() error { return e.error }

// temporary is a file that goes when it is closed.
type temporary struct {
	*os.File
	size int64
}

func (t *temporary) Size() int64 { return t.size }

// Close implements io.Closer.
func (t *temporary) Close() error {
	return errors.Join(t.File.Close(), os.Remove(t.Name()))
}

// disk tells its faults apart from those of what is written to it.
type disk struct{ f *os.File }

func (d disk) Write(p []byte) (int, error) {
	n, err := d.f.Write(p)
	if err != nil {
		err = &fullError{err}
	}
	return n, err
}

// spooled keeps what fill writes in a file until it is closed: a directory
// needs to read what it lists.
func (s *Service) spooled(fill func(io.Writer) error) (fileset.Content, error) {
	f, err := os.CreateTemp(s.cfg.Dir, "object-*")
	if err != nil {
		return nil, &fullError{fmt.Errorf("making room for an object: %w", err)}
	}
	t := &temporary{File: f}
	if err := fill(disk{f}); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	if t.size, err = f.Seek(0, io.SeekEnd); err != nil {
		return nil, errors.Join(&fullError{err}, t.Close())
	}
	return t, nil
}

// full is the whole case: every object and file as it came, the opinions and
// the key images beside them.
func (s *Service) full(ctx context.Context, st *cases.State, survey *Survey) (fileset.Case, error) {
	names, err := s.names(ctx, st)
	if err != nil {
		return fileset.Case{}, err
	}
	c := fileset.Case{Title: "Dossier " + st.Number, Notes: story(st, names)}
	for _, a := range survey.leaves {
		c.Objects = append(c.Objects, s.stored(a))
	}
	for _, a := range survey.others {
		c.Others = append(c.Others, s.stored(a))
	}
	if n := len(survey.Left); n > 0 {
		c.Notes = append(c.Notes, fmt.Sprintf("Non joints : %d fichier(s) (%s).", n, reasons(survey.Left)))
	}
	sources, err := s.sources(ctx, st, survey.leaves)
	if err != nil {
		return fileset.Case{}, err
	}
	for _, op := range st.Opinions {
		o, err := report(st, op, names, sources)
		if err != nil {
			return fileset.Case{}, err
		}
		c.Objects = append(c.Objects, s.made(o))
	}
	selections, err := selections(st, names, sources)
	if err != nil {
		return fileset.Case{}, err
	}
	for _, o := range selections {
		c.Objects = append(c.Objects, s.made(o))
	}
	return c, nil
}

// anonymous is the images alone, each without the identity.
func (s *Service) anonymous(ctx context.Context, st *cases.State, survey *Survey, o *Order) (fileset.Case, error) {
	key, err := s.key(ctx, o.recipient)
	if err != nil {
		return fileset.Case{}, err
	}
	profile, err := o.Options.profile(key)
	if err != nil {
		return fileset.Case{}, err
	}
	c := fileset.Case{Title: "Examens sans identité", Notes: explain(o, survey)}
	unseen := map[string]bool{}
	for _, sight := range survey.Sights {
		unseen[sight.SOP] = true
	}
	var leaves []cases.Attachment
	for _, a := range survey.leaves {
		if unseen[a.DICOM.SOPUID] {
			continue
		}
		leaves = append(leaves, a)
		c.Objects = append(c.Objects, s.cleaned(a, profile, o.review(a.DICOM.SOPUID)))
	}
	sources, err := s.sources(ctx, st, leaves)
	if err != nil {
		return fileset.Case{}, err
	}
	selections, err := selections(st, nil, sources)
	if err != nil {
		return fileset.Case{}, err
	}
	for _, o := range selections {
		c.Objects = append(c.Objects, s.cleanedSelection(o, profile))
	}
	return c, nil
}

// explain says in the archive what was done, without a word of the case.
func explain(o *Order, survey *Survey) []string {
	kept := []string{map[string]string{"removed": "dates retirées", "shifted": "dates décalées d'un même nombre de jours pour un même patient", "kept": "dates conservées"}[o.Options.Dates]}
	for _, x := range []struct {
		on   bool
		text string
	}{{o.Options.Patient, "âge, sexe, taille et poids conservés"}, {o.Options.Device, "appareil conservé"},
		{o.Options.Institution, "établissement conservé"}, {o.Options.Descriptions, "descriptions limitées à un vocabulaire connu"}} {
		if x.on {
			kept = append(kept, x.text)
		}
	}
	notes := []string{"Profil de confidentialité DICOM PS3.15 annexe E : " + strings.Join(kept, " ; ") + ". Les textes inscrits dans les images désignées ont été masqués.",
		"Les numéros remplaçants sont les mêmes à chaque envoi au même destinataire."}
	if n := len(survey.Left); n > 0 {
		notes = append(notes, fmt.Sprintf("Non joints : %d fichier(s) (%s).", n, reasons(survey.Left)))
	}
	return notes
}

var reasonWords = map[Reason]string{
	Document: "document ou vidéo qui ne peut pas être rendu anonyme", Pixels: "image qui ne peut pas être masquée", Unreadable: "objet illisible",
	Missing: "fichier absent du stockage", Excluded: "écarté par l'expéditeur", NotDICOM: "photo, PDF ou autre fichier",
}

func reasons(left []Left) string {
	count := map[Reason]int{}
	var order []Reason
	for _, l := range left {
		if count[l.Reason]++; count[l.Reason] == 1 {
			order = append(order, l.Reason)
		}
	}
	parts := make([]string, len(order))
	for i, r := range order {
		parts[i] = fmt.Sprintf("%s : %d", reasonWords[r], count[r])
	}
	return strings.Join(parts, " ; ")
}
