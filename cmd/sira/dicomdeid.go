package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"io"
	"os"
	"strconv"
	"strings"

	"sira/dicom"
	"sira/dicom/deid"
)

// maskFlag gathers --mask X,Y,WIDTH,HEIGHT.
type maskFlag []deid.Mask

func (m *maskFlag) String() string { return "" }

// Set implements flag.Value.
func (m *maskFlag) Set(s string) error {
	parts := strings.Split(s, ",")
	var v [4]int
	for i, p := range parts {
		n, err := strconv.Atoi(strings.TrimSpace(p))
		if i >= 4 || err != nil || n < 0 || n > 1<<16 {
			return errors.New("want X,Y,WIDTH,HEIGHT in pixels")
		}
		v[i] = n
	}
	if len(parts) != 4 || v[2] == 0 || v[3] == 0 {
		return errors.New("want X,Y,WIDTH,HEIGHT in pixels")
	}
	*m = append(*m, deid.Mask{Rect: image.Rect(v[0], v[1], v[0]+v[2], v[1]+v[3])})
	return nil
}

// dicomDeid writes an object without the identity (PS3.15 annex E). The key
// makes the replacements: the same for whoever is sent to with the same key.
func dicomDeid(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var masks maskFlag
	keyFile, dates, looked := "", "removed", false
	o := deid.Options{CleanPixels: true, CleanStructure: true, JPEGQuality: 92}
	files, err := dicomFlags("deid", args, 2, 2, stderr, func(fs *flag.FlagSet) {
		fs.StringVar(&keyFile, "key", "", "file of the recipient's secret, of 16 bytes at least")
		fs.StringVar(&dates, "dates", dates, "removed, shifted or kept")
		fs.BoolVar(&looked, "looked", false, "a person has looked at every frame")
		fs.Var(&masks, "mask", "X,Y,WIDTH,HEIGHT to be blanked, beside what is found; may be repeated")
		fs.BoolVar(&o.RetainPatient, "keep-patient", false, "age, sex, size, weight stay")
		fs.BoolVar(&o.RetainDevice, "keep-device", false, "the device stays")
		fs.BoolVar(&o.RetainInstitution, "keep-institution", false, "the institution stays")
		fs.BoolVar(&o.CleanText, "keep-descriptions", false, "descriptions keep known medical words")
	})
	if err != nil {
		return err
	}
	var known bool
	if o.Dates, known = map[string]deid.Dates{"removed": deid.RemoveDates, "shifted": deid.ShiftDates, "kept": deid.KeepDates}[dates]; !known {
		return errors.New("--dates is removed, shifted or kept")
	}
	if keyFile == "" {
		return errors.New("--key is needed: a file of secret bytes, one for each recipient")
	}
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return fmt.Errorf("reading the key: %w", err)
	}
	profile, err := deid.New(key, o)
	if err != nil {
		return err
	}
	var review *deid.Review
	if looked || len(masks) > 0 {
		review = &deid.Review{Masks: masks}
	}
	return withDICOM(ctx, files[0], func(f *dicom.File, r io.ReaderAt) error {
		var report deid.Report
		err := writeWhole(files[1], func(w io.Writer) (err error) {
			report, err = profile.Write(ctx, w, f, r, review)
			return err
		})
		if errors.Is(err, deid.ErrReview) {
			return fmt.Errorf("%w: look at every frame, then call again with --looked and a --mask for each text in it", err)
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(stdout, "patient %s, instance %s, %d elements removed, %d replaced, %d masks%s\n", report.PatientID, report.SOPUID,
			report.Removed, report.Replaced, len(report.Masks), warned(report.Warnings))
		return err
	})
}

func warned(warnings []deid.Warning) string {
	var b strings.Builder
	for _, w := range warnings {
		b.WriteString(", " + string(w))
	}
	return b.String()
}
