package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	sdicomtag "github.com/suyashkumar/dicom/pkg/tag"

	"sira/dicom"
	"sira/dicom/dimse"
	"sira/dicom/dimse/identifier"
	"sira/dicom/index/jsonmodel"
	"sira/web/conformance"
)

// remote is another application entity that an operator talks to.
type remote struct {
	aet, called, ca, to, level, model string
	keys                              []string
}

func (r *remote) flags(fs *flag.FlagSet) {
	fs.StringVar(&r.aet, "aet", "SIRA", "our AE title")
	fs.StringVar(&r.called, "called", "ANY-SCP", "AE title of the peer")
	fs.StringVar(&r.ca, "tls-ca", "", "speak TLS with a peer whose certificate is signed by one of this file (PEM)")
	fs.StringVar(&r.level, "level", "", "PATIENT, STUDY, SERIES or IMAGE")
	fs.StringVar(&r.model, "model", "study", "study, patient or worklist")
	fs.StringVar(&r.to, "to", "", "AE title that objects go to")
	fs.Func("key", "NAME=VALUE or NAME, may be given several times", func(v string) error { r.keys = append(r.keys, v); return nil })
}

func (r *remote) dial(ctx context.Context, addr string, proposals ...dimse.Proposal) (*dimse.Client, error) {
	o := dimse.DialOptions{AET: r.aet, CalledAET: r.called, Proposals: proposals}
	if r.ca != "" {
		raw, err := os.ReadFile(r.ca)
		if err != nil {
			return nil, fmt.Errorf("--tls-ca: %w", err)
		}
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool()}
		if !o.TLS.RootCAs.AppendCertsFromPEM(raw) {
			return nil, errors.New("--tls-ca: no certificate in the file")
		}
	}
	return dimse.Dial(ctx, addr, o)
}

// query puts the keys together; the level follows from the model when none is
// named.
func (r *remote) query(classes map[string]string) (dimse.Query, error) {
	class, ok := classes[r.model]
	if !ok {
		return dimse.Query{}, fmt.Errorf("--model: %q cannot be asked for here", r.model)
	}
	q := dimse.Query{SOPClass: class, Level: dimse.Level(strings.ToUpper(r.level)), Keys: new(identifier.Set)}
	if q.Level == "" {
		q.Level = map[string]dimse.Level{"study": dimse.LevelStudy, "patient": dimse.LevelPatient}[r.model]
	}
	step := new(identifier.Set)
	for _, k := range r.keys {
		name, value, _ := strings.Cut(k, "=")
		t, err := tagNamed(name)
		if err != nil {
			return q, err
		}
		if r.model == "worklist" && stepTags[t] {
			step.Put(t, value)
		} else {
			q.Keys.Put(t, value)
		}
	}
	if r.model == "worklist" {
		for t := range stepTags {
			if !step.Has(t) {
				step.Put(t)
			}
		}
		q.Keys.PutItems(identifier.ScheduledProcedureStepSequence, step)
	}
	return q, nil
}

// stepTags are the keys that stand in the Scheduled Procedure Step Sequence.
var stepTags = map[dicom.Tag]bool{identifier.Modality: true, identifier.ScheduledStationAETitle: true, identifier.ScheduledStartDate: true,
	identifier.ScheduledStartTime: true, identifier.ScheduledProcedureStepID: true, identifier.ScheduledProcedureStepDescription: true}

// tagNamed reads a keyword or GGGGEEEE.
func tagNamed(name string) (dicom.Tag, error) {
	if t, err := jsonmodel.ParseTag(name); err == nil {
		return t, nil
	}
	info, err := sdicomtag.FindByKeyword(name)
	if err != nil {
		return 0, fmt.Errorf("--key: no attribute is called %q", name)
	}
	return dicom.Tag(info.Tag.Uint32()), nil
}

// dicomRemote runs one of the verbs that talk to a peer.
func dicomRemote(ctx context.Context, verb string, args []string, stdout, stderr io.Writer) error {
	var r remote
	least, most := 1, 1
	if verb == "send" {
		least, most = 2, 0
	}
	rest, err := dicomFlags(verb, args, least, most, stderr, r.flags)
	if err != nil {
		return err
	}
	switch verb {
	case "echo":
		return r.echo(ctx, rest[0], stdout)
	case "find":
		return r.find(ctx, rest[0], stdout)
	case "move":
		return r.move(ctx, rest[0], stdout)
	}
	return r.send(ctx, rest[0], rest[1:], stdout)
}

func (r *remote) echo(ctx context.Context, addr string, stdout io.Writer) error {
	c, err := r.dial(ctx, addr)
	if err != nil {
		return err
	}
	defer c.Abort()
	if err := c.Echo(ctx); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(stdout, "%s at %s answers: %s\n", r.called, addr, printable(c.Peer().ImplementationVersion)); err != nil {
		return err
	}
	return c.Release(ctx)
}

// find prints each match: its attributes one a line, then an empty one.
func (r *remote) find(ctx context.Context, addr string, stdout io.Writer) error {
	q, err := r.query(map[string]string{"study": dimse.StudyRootFind, "patient": dimse.PatientRootFind, "worklist": dimse.ModalityWorklistFind})
	if err != nil {
		return err
	}
	c, err := r.dial(ctx, addr, dimse.QueryProposal(q.SOPClass))
	if err != nil {
		return err
	}
	defer c.Abort()
	if err := c.Find(ctx, q, func(match *identifier.Set) error {
		if err := printSet(stdout, match, ""); err != nil {
			return err
		}
		_, err := fmt.Fprintln(stdout)
		return err
	}); err != nil {
		return err
	}
	return c.Release(ctx)
}

func printSet(w io.Writer, s *identifier.Set, indent string) error {
	for e := range s.All() {
		name := e.Tag.String()
		if info, err := sdicomtag.Find(sdicomtag.Tag{Group: uint16(e.Tag >> 16), Element: uint16(e.Tag)}); err == nil {
			name += " " + info.Keyword
		}
		if _, err := fmt.Fprintf(w, "%s%s: %s\n", indent, name, printable(strings.Join(e.Values, `\`))); err != nil {
			return err
		}
		for _, item := range e.Items {
			if err := printSet(w, item, indent+"  "); err != nil {
				return err
			}
		}
	}
	return nil
}

// move has the peer send what the keys name to another entity.
func (r *remote) move(ctx context.Context, addr string, stdout io.Writer) error {
	if r.to == "" {
		return errors.New("--to is needed: the AE title that the peer sends to")
	}
	q, err := r.query(map[string]string{"study": dimse.StudyRootMove, "patient": dimse.PatientRootMove})
	if err != nil {
		return err
	}
	c, err := r.dial(ctx, addr, dimse.QueryProposal(q.SOPClass))
	if err != nil {
		return err
	}
	defer c.Abort()
	res, err := c.Move(ctx, q, r.to, nil)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(stdout, "%d sent to %s, %d with a warning, %d failed\n", res.Completed, r.to, res.Warning, res.Failed); err != nil {
		return err
	}
	if err := c.Release(ctx); err != nil {
		return err
	}
	if res.Failed > 0 {
		return fmt.Errorf("%d objects could not be sent", res.Failed)
	}
	return nil
}

// send stores files at the peer, as they are, in one association.
func (r *remote) send(ctx context.Context, addr string, files []string, stdout io.Writer) error {
	var metas []dimse.Meta
	for _, path := range files {
		m, err := metaOf(path)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		metas = append(metas, m)
	}
	proposals, err := dimse.Proposals(metas...)
	if err != nil {
		return err
	}
	c, err := r.dial(ctx, addr, proposals...)
	if err != nil {
		return err
	}
	defer c.Abort()
	failed := 0
	for _, path := range files {
		word := "stored"
		status, err := storeFile(ctx, c, path)
		var refused *dimse.StatusError
		switch {
		case errors.As(err, &refused) || errors.Is(err, dimse.ErrNoContext):
			failed++
			word = "refused: " + err.Error()
		case err != nil:
			return fmt.Errorf("%s: %w", path, err)
		case status != dimse.StatusSuccess:
			word = fmt.Sprintf("stored with the warning 0x%04X", status)
		}
		if _, err := fmt.Fprintf(stdout, "%s: %s\n", printable(path), printable(word)); err != nil {
			return err
		}
	}
	if err := c.Release(ctx); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d files refused", failed, len(files))
	}
	return nil
}

func metaOf(path string) (dimse.Meta, error) {
	f, err := os.Open(path)
	if err != nil {
		return dimse.Meta{}, err
	}
	defer f.Close()
	return dimse.ReadMeta(bufio.NewReader(f))
}

func storeFile(ctx context.Context, c *dimse.Client, path string) (uint16, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return c.Store(ctx, f)
}

// dicomConformance prints the conformance statement.
func dicomConformance(args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 {
		usageDICOM(stderr)
		return errUsage
	}
	var list []conformance.Setting
	for _, s := range settings() {
		if strings.HasPrefix(s.name, "dicom") || s.name == "aet" {
			list = append(list, conformance.Setting{Name: s.name, Default: s.value, Text: s.text})
		}
	}
	return conformance.Write(stdout, list)
}
