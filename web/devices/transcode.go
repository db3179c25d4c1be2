package devices

import (
	"context"
	"fmt"
	"io"
	"slices"

	"sira/dicom"
	"sira/dicom/derive"
	"sira/dicom/dimse"
	"sira/dicom/transcode"
)

// targets are the syntaxes to send in when the stored one is not taken, the
// cheapest to make first. None of them loses anything.
var targets = []string{transcode.ExplicitLE, transcode.ImplicitLE, transcode.JPEGLosslessSV1, transcode.JPEGLSLossless, transcode.RLE,
	transcode.HTJ2KRPCL, transcode.HTJ2KLossless, transcode.JPEG2000Lossless}

// Targets lists the syntaxes that objects are sent in when the receiver does
// not take the one they are stored in.
func Targets() []string { return slices.Clone(targets) }

// Transcode gives an instance in a syntax that its receiver takes.
func (p *Port) Transcode(_ context.Context, in dimse.Instance, accepted []string) (dimse.Instance, error) {
	for _, to := range targets {
		if slices.Contains(accepted, to) {
			out := in
			out.TransferSyntax = to
			out.Open = func(ctx context.Context) (io.ReadCloser, error) { return p.openAs(ctx, in, to) }
			return out, nil
		}
	}
	return in, fmt.Errorf("no syntax to write among %d accepted: %w", len(accepted), transcode.ErrSyntax)
}

// openAs writes the object while it is read; closing the reader ends that.
func (p *Port) openAs(ctx context.Context, in dimse.Instance, to string) (io.ReadCloser, error) {
	stored, err := p.cfg.Index.Instance(ctx, in.SOPUID)
	if err != nil {
		return nil, err
	}
	if to == transcode.HTJ2KRPCL && p.cfg.Derive != nil {
		if _, made, err := p.cfg.Derive.Open(ctx, stored.Hash, derive.HTJ2K); err == nil {
			return made, nil
		}
	}
	blob, err := p.blob(ctx, stored.Hash)
	if err != nil {
		return nil, err
	}
	f, err := dicom.Read(ctx, blob, blob.Size(), dicom.DefaultLimits)
	if err != nil {
		blob.Close()
		return nil, fmt.Errorf("reading an object to transcode: %w", err)
	}
	r, w := io.Pipe()
	go func() {
		defer blob.Close()
		var err error
		defer func() {
			if x := recover(); x != nil {
				err = fmt.Errorf("transcoding panicked: %v", x)
			}
			w.CloseWithError(err)
		}()
		err = transcode.Transcode(ctx, f, blob, to, w)
	}()
	return r, nil
}
