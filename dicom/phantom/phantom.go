// Package phantom generates lifelike DICOM objects, photographs and PDF
// documents for demonstrations and tests: a head CT, a cardiac ultrasound
// cine, a 12-lead ECG, a chest radiograph. Everything is drawn from formulas
// and a seed; no patient was ever behind it. It has its own small Part 10
// writer on purpose: a reader tested on these files is not tested on its own
// idea of the format. It knows nothing of the rest of Sira.
package phantom

import "time"

// Patient is who the generated object says it is of. Name is in DICOM form
// (TRAORE^Awa), Sex is M, F or O, BirthDate is YYYYMMDD or empty.
type Patient struct {
	Name, ID, Sex, BirthDate string
}

// Study is what every generated object of one examination shares. Two objects
// with the same Study.Seed belong to the same DICOM study; all UIDs and all
// noise follow from the seed, so equal arguments give equal bytes.
type Study struct {
	Patient     Patient
	Date        time.Time // examination date and time, written as local time
	Seed        uint64
	Accession   string
	Description string // study description; each modality has a default
	Institution string
	Referrer    string // referring physician, DICOM form
}

// Rhythm selects what ECG12 shows.
type Rhythm int

// The rhythms ECG12 can draw.
const (
	Sinus              Rhythm = iota // normal sinus rhythm
	InferiorSTEMI                    // ST elevation in II, III, aVF with reciprocal depression
	AtrialFibrillation               // no P wave, irregular RR, f waves
)

// ChestOptions selects what DX shows.
type ChestOptions struct {
	Pneumonia   bool // opacity in the right lower lobe
	Monochrome1 bool // store low values as white
}
