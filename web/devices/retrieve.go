package devices

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"

	"sira/cases"
	"sira/cases/audit"
	"sira/dicom"
	"sira/dicom/dimse"
	"sira/dicom/index"
	"sira/storage"
)

// Retrieve resolves C-MOVE and C-GET (PS3.4 section C.4.2) for those who may
// read. What leaves is journalled, study by study, before it does.
func (p *Port) Retrieve(ctx context.Context, req dimse.RetrieveRequest) ([]dimse.Instance, error) {
	if !p.mayRead(req.Association) {
		return nil, errNotAuthorized
	}
	studies := req.StudyUIDs
	if len(studies) == 0 {
		var err error
		if studies, err = p.studiesOf(ctx, req.PatientID); err != nil {
			return nil, err
		}
	}
	var out []dimse.Instance
	for _, study := range studies {
		list, err := p.cfg.Index.Objects(ctx, nil, study, "", "")
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		n := len(out)
		for _, o := range list {
			if len(req.SeriesUIDs) > 0 && !slices.Contains(req.SeriesUIDs, o.Series) ||
				len(req.SOPUIDs) > 0 && !slices.Contains(req.SOPUIDs, o.SOP) {
				continue
			}
			in, err := p.instance(ctx, o)
			if err != nil {
				return nil, err
			}
			out = append(out, in)
		}
		if len(out) == n {
			continue
		}
		if err := p.journalStudy(ctx, req, study); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (p *Port) journalStudy(ctx context.Context, req dimse.RetrieveRequest, study string) error {
	action := "dicom-get"
	if req.Destination != "" {
		action = "dicom-move"
	}
	return p.cfg.Audit.Record(ctx, audit.Entry{Actor: cases.DeviceActor(req.CallingAET), Action: action, Object: study,
		Outcome: "ok", Surface: "dicom", Remote: req.Association.Remote.String()})
}

func (p *Port) instance(ctx context.Context, o index.Object) (dimse.Instance, error) {
	m := dimse.Meta{SOPClass: o.Class, SOPUID: o.SOP, TransferSyntax: o.Syntax}
	if m.TransferSyntax == "" { // indexed before syntaxes had a column
		in, err := p.cfg.Index.Instance(ctx, o.SOP)
		if err != nil {
			return dimse.Instance{}, err
		}
		m.TransferSyntax = in.TransferSyntax
	}
	return dimse.Instance{SOPClass: m.SOPClass, SOPUID: m.SOPUID, TransferSyntax: m.TransferSyntax,
		Open: func(ctx context.Context) (io.ReadCloser, error) { return p.open(ctx, o.Hash, m) }}, nil
}

// open gives a stored object as it is when its file meta information says what
// the index says, else its data set behind meta information that does.
func (p *Port) open(ctx context.Context, hash string, want dimse.Meta) (io.ReadCloser, error) {
	blob, err := p.blob(ctx, hash)
	if err != nil {
		return nil, err
	}
	head := bufio.NewReader(io.NewSectionReader(blob, 0, blob.Size()))
	if got, err := dimse.ReadMeta(head); err == nil && got == want {
		return object{io.NewSectionReader(blob, 0, blob.Size()), blob}, nil
	}
	lim := dicom.DefaultLimits
	lim.ModelBytes = -1
	f, err := dicom.Read(ctx, blob, blob.Size(), lim)
	if err != nil {
		blob.Close()
		return nil, fmt.Errorf("reading an object to send: %w", err)
	}
	start := f.DataSetOffset()
	return object{io.MultiReader(bytes.NewReader(want.Encode()), io.NewSectionReader(blob, start, blob.Size()-start)), blob}, nil
}

func (p *Port) blob(ctx context.Context, hash string) (storage.Reader, error) {
	blob, err := p.cfg.Blobs.Open(ctx, storage.Hash(hash))
	if err != nil {
		return nil, fmt.Errorf("opening an object to send: %w", err)
	}
	return blob, nil
}

type object struct {
	io.Reader
	io.Closer
}
