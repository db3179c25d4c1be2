package transcode

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"sira/dicom"
	"sira/dicom/jpeg2000"
	"sira/dicom/pixel"
	"sira/dicom/write"
)

// Coded is one frame that HTJ2K wrote.
type Coded struct {
	Levels []jpeg2000.Level // what of the codestream each resolution needs
	Sum    string           // SHA-256 of its decoded samples, as PixelSum takes them
}

// HTJ2K is Transcode to HTJ2KRPCL that also tells what became of each frame.
// before, if not nil, is called before each frame, which a background job
// needs to give way; its error ends the work. A source in HTJ2KRPCL is coded
// anew: who made it may have left out the order or the tile-parts.
func HTJ2K(ctx context.Context, f *dicom.File, r io.ReaderAt, w io.Writer, before func(n int) error) ([]Coded, error) {
	o := write.Load(f, r, write.Keep)
	if err := nested(o.Set); err != nil {
		return nil, err
	}
	j, err := newJob(ctx, f, r, o.Set, HTJ2KRPCL)
	if err != nil {
		return nil, err
	}
	var out []Coded
	j.before = before
	j.after = func(p *pixel.Pixels, l []jpeg2000.Level) {
		sum := sha256.Sum256(p.Data)
		out = append(out, Coded{l, hex.EncodeToString(sum[:])})
	}
	o.Syntax = HTJ2KRPCL
	s := &spool{}
	defer s.close()
	if err := j.encapsulated(ctx, s, encodeJPEG2000); err != nil {
		return nil, err
	}
	return out, o.Write(ctx, w)
}

// Relabel writes f, a file of lossless HTJ2K in RPCL order, in the other
// transfer syntax that such codestreams fit: HTJ2KLossless or HTJ2KRPCL.
func Relabel(ctx context.Context, f *dicom.File, r io.ReaderAt, to string, w io.Writer) error {
	if f.TransferSyntax != HTJ2KRPCL || to != HTJ2KRPCL && to != HTJ2KLossless {
		return fmt.Errorf("from %.64q to %.64q: %w", f.TransferSyntax, to, ErrSyntax)
	}
	o := write.Load(f, r, write.Keep)
	o.Syntax = to
	return o.Write(ctx, w)
}

// Frame gives frame n of f (from 1) as an object in syntax to would hold it,
// where to is one of the compressed Targets. Errors are those of Transcode.
func Frame(ctx context.Context, f *dicom.File, r io.ReaderAt, n int, to string) ([]byte, error) {
	encode, ok := encoders[to]
	if !ok {
		return nil, fmt.Errorf("a frame to %.64q: %w", to, ErrSyntax)
	}
	j, err := newJob(ctx, f, r, write.Load(f, r, write.Keep).Set, to)
	if err != nil {
		return nil, err
	}
	if err := j.codable(); err != nil {
		return nil, err
	}
	p, err := j.src.Stored(ctx, n)
	if err != nil {
		return nil, err
	}
	b, err := encode(ctx, p, j)
	if err != nil {
		return nil, fmt.Errorf("encoding frame %d: %w", n, err)
	}
	return b, nil
}

// newJob opens the image of f and brings its attributes in set in line with to.
func newJob(ctx context.Context, f *dicom.File, r io.ReaderAt, set *write.Set, to string) (*job, error) {
	src, err := open(f, r)
	if err != nil {
		return nil, err
	}
	j := &job{src: src, img: src.Info(), set: set, to: to}
	return j, j.describe(ctx, f, r)
}
