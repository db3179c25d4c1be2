// Package deid takes the identity out of DICOM objects before they leave: the
// Basic Application Level Confidentiality Profile of PS3.15 annex E with its
// options, driven by the table of the standard (table.tsv); UIDs, patient IDs
// and dates are replaced consistently for each recipient, whose key alone can
// link them; burned-in text is masked in every frame, and shown masked first.
// It changes what it is given and decides nothing: not who may receive, nor
// whether a person has looked. It must not know cases, users or storage.
package deid

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"

	"sira/dicom"
	"sira/dicom/write"
)

// What callers tell apart. All are wrapped.
var (
	ErrReview   = errors.New("a person must look at the image first")
	ErrDocument = errors.New("object holds content that cannot be de-identified")
	ErrPixels   = errors.New("pixel data cannot be masked")
	ErrKey      = errors.New("recipient key is too short")
)

// Dates says what becomes of dates and times (PS3.15 section E.3.6).
type Dates int

const (
	RemoveDates Dates = iota // as the basic profile says
	ShiftDates               // moved back by days of the patient's own: modified dates option
	KeepDates                // full dates option
)

// Private is a private element known to be safe (PS3.15 section E.3.10): the
// block of Creator in Group, and the last two digits of the element in it.
type Private struct {
	Creator string
	Group   uint16
	Element uint8
}

// Options are those of PS3.15 section E.3. The zero value is the basic profile.
type Options struct {
	RetainUIDs        bool
	RetainPatient     bool // age, sex, size, weight, …
	RetainDevice      bool // serial numbers, station names, …
	RetainInstitution bool
	Dates             Dates
	CleanText         bool // descriptions keep the words of a fixed vocabulary
	CleanGraphics     bool // drawn annotations and overlay regions stay, texts go
	CleanStructure    bool // structured reports keep codes and numbers, texts go
	CleanPixels       bool // burned-in text is masked
	SafePrivate       []Private
	JPEGQuality       int // masked JPEG frames: 0 become uncompressed, else recompressed at 1–100
}

// Mask blanks a rectangle of pixels, Max excluded, in one frame or in all.
type Mask struct {
	Rect  image.Rectangle
	Frame int // from 1; 0 for every frame
}

// Review says that a person has looked at every frame as Preview shows it, and
// which masks beside those that are found by themselves were asked for; with
// Only, which masks instead of those.
type Review struct {
	Masks []Mask
	Only  bool
}

// with is found and what r asks for.
func (r *Review) with(found []Mask) []Mask {
	switch {
	case r == nil:
		return found
	case r.Only:
		return append([]Mask(nil), r.Masks...)
	}
	return append(found, r.Masks...)
}

// Warning is one word on what remains to be thought of; callers translate it.
type Warning string

// The warnings of a Report.
const (
	BurnedIn   Warning = "burned-in-text"   // the object says that it holds text
	Screenshot Warning = "screenshot"       // secondary capture or photograph: anything may be in the picture
	NoRegions  Warning = "no-regions"       // ultrasound that does not say where the image lies
	Face       Warning = "face"             // a face can be rebuilt from these slices
	Unmasked   Warning = "pixels-unchecked" // ultrasound, without the option to clean pixels
)

// Report tells what was done. It holds nothing of the source.
type Report struct {
	PatientID string
	SOPUID    string // of the result
	Removed   int    // elements, at every depth
	Replaced  int    // emptied, dummied, remapped or shifted
	Masks     []Mask
	Warnings  []Warning
}

// Profile is a set of options and the key of one recipient. Two recipients
// with different keys cannot compare what they were sent. It may be used by
// several goroutines.
type Profile struct {
	key  []byte
	opts Options
}

// New makes a profile; key is of at least 16 secret bytes.
func New(key []byte, o Options) (*Profile, error) {
	if len(key) < 16 {
		return nil, fmt.Errorf("making profile: %w", ErrKey)
	}
	return &Profile{key: append([]byte(nil), key...), opts: o}, nil
}

// Object makes the de-identified object of f, whose bytes r holds; r must stay
// readable until the object is written. Text becomes UTF-8. Pixels that may
// show text give ErrReview until review is not nil. ErrDocument: a PDF, a
// video, a structured report without CleanStructure. ErrPixels: masks are
// needed in a compression that cannot be decoded here.
func (p *Profile) Object(ctx context.Context, f *dicom.File, r io.ReaderAt, review *Review) (*write.Object, Report, error) {
	var report Report
	if err := p.refuse(f); err != nil {
		return nil, report, err
	}
	report.Masks, report.Warnings = p.look(f)
	if report.Masks = review.with(report.Masks); review == nil && len(report.Warnings) > 0 && report.Warnings[0] != Face {
		return nil, report, fmt.Errorf("de-identifying: %s: %w", report.Warnings[0], ErrReview)
	}
	o := write.Load(f, r, write.UTF8)
	meta, err := o.Meta()
	if err != nil {
		return nil, report, fmt.Errorf("de-identifying: %w", err)
	}
	o.Set.Text(tagSOPClass, "UI", meta.String(0x00020002)) // the meta group must lend no original UID
	o.Set.Text(tagSOPInstance, "UI", meta.String(0x00020003))
	if err := p.pixels(ctx, f, r, o, report.Masks); err != nil {
		return nil, report, fmt.Errorf("de-identifying: %w", err)
	}
	run := p.begin(o.Set, &report)
	run.set(o.Set)
	run.sign(o.Set, review != nil || len(report.Masks) > 0)
	report.PatientID, report.SOPUID = run.patient, o.Set.String(tagSOPInstance)
	return o, report, nil
}

// Write is Object, written to w. Nothing is written when it is refused.
func (p *Profile) Write(ctx context.Context, w io.Writer, f *dicom.File, r io.ReaderAt, review *Review) (Report, error) {
	o, report, err := p.Object(ctx, f, r, review)
	if err != nil {
		return report, err
	}
	return report, o.Write(ctx, w)
}

// refuse tells objects whose content no table can clean.
func (p *Profile) refuse(f *dicom.File) error {
	switch {
	case f.Has(tagDocument):
		return fmt.Errorf("encapsulated document: %w", ErrDocument)
	case video(f.TransferSyntax) && f.Pixel != nil:
		return fmt.Errorf("video: %w", ErrDocument)
	case f.Has(tagContent) && !p.opts.CleanStructure:
		return fmt.Errorf("structured report: %w", ErrDocument)
	case f.Has(0x00041220):
		return fmt.Errorf("directory of a medium: %w", ErrDocument)
	}
	return nil
}
