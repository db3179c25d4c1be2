package export

import (
	"context"
	"fmt"

	"sira/cases"
)

// maxLooked bounds the lists of an order.
const (
	maxLooked = 5_000
	maxMasks  = 64 // of one image
)

// check brings an order into its normal form.
func (o *Order) check() error {
	o.Recipient, o.Purpose = oneLine(o.Recipient), oneLine(o.Purpose)
	if o.Recipient == "" {
		return fmt.Errorf("recipient: %w", ErrRecipient)
	}
	if len(o.Looked) > maxLooked || len(o.Exclude) > maxLooked {
		return fmt.Errorf("too many images: %w", ErrOrder)
	}
	if o.Mode == Full {
		o.Options, o.Looked = Options{}, nil
		return nil
	}
	if o.Mode != Anonymous {
		return fmt.Errorf("mode: %w", ErrOrder)
	}
	if o.Purpose == "" {
		return fmt.Errorf("purpose: %w", ErrRecipient)
	}
	for _, l := range o.Looked {
		if len(l.Masks) > maxMasks {
			return fmt.Errorf("too many masks: %w", ErrOrder)
		}
		for _, m := range l.Masks {
			for _, v := range m {
				if v < 0 || v > 1<<16 {
					return fmt.Errorf("mask: %w", ErrOrder)
				}
			}
		}
	}
	if _, err := o.Options.profile(make([]byte, 32)); err != nil {
		return err
	}
	return nil
}

// Prepare checks an order against the case as it stands and keeps it to be
// fetched for a day. Errors: ErrRecipient, ErrOrder, ErrReview (the survey says
// of what), ErrNothing.
func (s *Service) Prepare(ctx context.Context, st *cases.State, o *Order) (*Survey, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	survey, err := s.survey(ctx, st, o)
	if err != nil {
		return nil, err
	}
	if len(survey.Sights) > 0 {
		return survey, fmt.Errorf("%d images: %w", len(survey.Sights), ErrReview)
	}
	if o.Mode == Anonymous {
		if survey.Objects == 0 {
			return survey, ErrNothing
		}
		if o.recipient, _, err = s.recipient(ctx, o.Recipient); err != nil {
			return nil, err
		}
	}
	o.Case = st.ID
	return survey, s.keep(ctx, o)
}
