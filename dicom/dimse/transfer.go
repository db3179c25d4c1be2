package dimse

import (
	"context"
	"errors"
	"fmt"
)

var errOtherInstance = errors.New("dimse: the file holds another instance than announced")

// matches checks that a file is the instance it was said to be.
func (in Instance) matches(m Meta) error {
	if m != (Meta{in.SOPClass, in.SOPUID, in.TransferSyntax}) {
		return errOtherInstance
	}
	return nil
}

// fitted gives the instance in a transfer syntax that the receiver accepted for
// its class, as it is or from Transcode. Without any, the status says why.
func (r *retrieval) fitted(ctx context.Context, in Instance, accepted []string) (Instance, uint16, error) {
	for _, ts := range accepted {
		if ts == in.TransferSyntax {
			return in, StatusSuccess, nil
		}
	}
	if len(accepted) == 0 {
		return in, StatusClassNotSupported, fmt.Errorf("%w: class %s not accepted", ErrNoContext, in.SOPClass)
	}
	if r.server.Transcode == nil {
		return in, StatusClassNotSupported, fmt.Errorf("%w: class %s not accepted in %s", ErrNoContext, in.SOPClass, in.TransferSyntax)
	}
	out := in
	err := shielded(func() (err error) {
		out, err = r.server.Transcode(ctx, in, accepted)
		return err
	})
	if err != nil {
		return in, StatusClassNotSupported, fmt.Errorf("transcoding: %w", err)
	}
	for _, ts := range accepted {
		if ts == out.TransferSyntax {
			return out, StatusSuccess, nil
		}
	}
	return in, StatusClassNotSupported, fmt.Errorf("%w: transcoded to %s", ErrNoContext, out.TransferSyntax)
}

// syntaxesOf lists the transfer syntaxes of a class among contexts.
func syntaxesOf(list []PresentationContext, class string, fits func(PresentationContext) bool) []string {
	var out []string
	for _, pc := range list {
		if pc.SOPClass == class && fits(pc) {
			out = append(out, pc.TransferSyntax)
		}
	}
	return out
}
