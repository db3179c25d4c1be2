// Package ecg brings electrocardiograms of several formats into one model:
// DICOM waveform objects (PS3.3 C.10.9), SCP-ECG (EN 1064) and HL7 aECG. It
// interprets nothing; drawing and measuring happen elsewhere.
package ecg

import (
	"errors"
	"io"
	"time"

	"sira/dicom"
)

// ErrNoECG: the object holds no waveform that can be read as an ECG.
var ErrNoECG = errors.New("ecg: no readable waveform")

// Lead is one channel.
type Lead struct {
	Name    string  // "I", "aVR", "V1", …, or the source's own label
	Unit    string  // "uV" (also when the source says mV), else the source's unit
	Scale   float64 // Unit per step: value = Offset + Scale × sample
	Offset  float64 // baseline, in Unit
	Samples []int16
}

// Recording is a set of leads sampled together.
type Recording struct {
	SamplingHz float64
	StartedAt  time.Time // zero when unknown; local time of the device, as UTC
	Filters    []string  // "0.05–150 Hz", "notch 50 Hz", as the source states them
	Leads      []Lead
}

// FromDICOM reads the rhythm (longest) multiplex group of a waveform object.
func FromDICOM(f *dicom.File, r io.ReaderAt) (*Recording, error) { return nil, ErrNoECG }
