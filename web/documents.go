package web

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"sira/cases"
	"sira/cases/audit"
	"sira/dicom"
	"sira/dicom/ecg"
	"sira/dicom/film"
	"sira/web/problem"
)

type leadView struct {
	Name    string  `json:"name"`
	Unit    string  `json:"unit"`
	Scale   float64 `json:"scale"`
	Offset  float64 `json:"offset"`
	Samples string  `json:"samples"` // base64 of 16-bit signed, little endian; -32768: no contact
}

// noContact is the sample that stands for none, whatever the device has for it.
const noContact = -32768

type waveformView struct {
	SamplingHz float64    `json:"samplingHz"`
	StartedAt  *time.Time `json:"startedAt,omitempty"`
	Filters    []string   `json:"filters"`
	Device     string     `json:"device"`
	Leads      []leadView `json:"leads"`
}

// waveform answers an ECG's samples: unit × (offset + scale × sample).
func (s *Server) waveform(w http.ResponseWriter, r *http.Request) error {
	a, err := s.openInstance(r, actImage)
	if err != nil {
		return err
	}
	o, err := s.openObject(r.Context(), a.Hash)
	if err != nil {
		return err
	}
	defer o.close()
	rec, err := ecg.FromDICOM(o.file, o.blob)
	if errors.Is(err, ecg.ErrNoECG) {
		return problem.New("not-found").Because(err)
	}
	if err != nil {
		return fmt.Errorf("reading a waveform: %w", err)
	}
	return s.writeJSON(w, r, http.StatusOK, viewWaveform(rec))
}

// attachmentWaveform answers the same of an ECG that is not DICOM: SCP-ECG (EN
// 1064) or HL7 aECG.
func (s *Server) attachmentWaveform(w http.ResponseWriter, r *http.Request) error {
	st, err := s.open(r, cases.View, audit.Entry{Action: actImage, Object: clip(r.PathValue("aid"), 64)})
	if err != nil {
		return err
	}
	a, err := attachmentOf(st, r.PathValue("aid"))
	if err != nil {
		return err
	}
	read, ok := ecgReaders[a.MediaType]
	if a.Kind != "ecg" || !ok {
		return problem.New("not-found")
	}
	blob, err := s.blob(r.Context(), a.Hash)
	if err != nil {
		return err
	}
	defer blob.Close()
	rec, err := read(blob)
	if errors.Is(err, ecg.ErrNoECG) || errors.Is(err, ecg.ErrCorrupt) || errors.Is(err, ecg.ErrUnsupported) {
		return problem.New("no-waveform").Because(err)
	}
	if err != nil {
		return fmt.Errorf("reading an ECG: %w", err)
	}
	return s.writeJSON(w, r, http.StatusOK, viewWaveform(rec))
}

// ecgReaders are the formats by the media types that the intake gives them.
var ecgReaders = map[string]func(io.Reader) (*ecg.Recording, error){
	"application/x-scp-ecg":        ecg.FromSCP,
	"application/vnd.hl7.aecg+xml": ecg.FromAECG,
}

func viewWaveform(rec *ecg.Recording) waveformView {
	v := waveformView{SamplingHz: rec.SamplingHz, Filters: orEmpty(rec.Filters), Device: rec.Device, Leads: make([]leadView, 0, len(rec.Leads))}
	if !rec.StartedAt.IsZero() {
		at := rec.StartedAt.UTC()
		v.StartedAt = &at
	}
	for _, l := range rec.Leads {
		raw := make([]byte, 0, 2*len(l.Samples))
		for _, x := range l.Samples {
			if l.Gap != nil && x == *l.Gap {
				x = noContact
			}
			raw = binary.LittleEndian.AppendUint16(raw, uint16(x))
		}
		v.Leads = append(v.Leads, leadView{l.Name, l.Unit, l.Scale, l.Offset, base64.StdEncoding.EncodeToString(raw)})
	}
	return v
}

// Tags of an encapsulated document (PS3.3 C.24.2).
const (
	tagDocument       dicom.Tag = 0x00420011
	tagDocumentType   dicom.Tag = 0x00420012
	tagDocumentLength dicom.Tag = 0x00420015
)

// document answers what an object carries whole: a PDF, or a film in a form that
// browsers play where that can be made.
func (s *Server) document(w http.ResponseWriter, r *http.Request) error {
	a, err := s.openInstance(r, actFile)
	if err != nil {
		return err
	}
	o, err := s.openObject(r.Context(), a.Hash)
	if err != nil {
		return err
	}
	defer o.close()
	if film.Coding(o.file.TransferSyntax) != "" {
		return s.film(w, r, a, o)
	}
	content, mediaType, ext, err := carried(o)
	if err != nil {
		return err
	}
	s.serveContent(w, r, content, `"`+a.Hash+`-d"`, mediaType, a.DICOM.SOPUID+ext, true)
	return nil
}

func carried(o opened) (content io.ReadSeeker, mediaType, ext string, err error) {
	data := o.file.Data(o.blob)
	if el := o.file.Element(tagDocument); el != nil {
		sec := el.Section
		if n, ok := o.file.Int(tagDocumentLength); ok && n > 0 && int64(n) <= sec.Length {
			sec.Length = int64(n)
		}
		head := make([]byte, 5)
		if _, err := data.ReadAt(head, sec.Offset); err != nil && !errors.Is(err, io.EOF) {
			return nil, "", "", fmt.Errorf("reading a carried document: %w", err)
		}
		if o.file.String(tagDocumentType) != "application/pdf" || string(head) != "%PDF-" {
			return io.NewSectionReader(data, sec.Offset, sec.Length), "application/octet-stream", ".bin", nil
		}
		return io.NewSectionReader(data, sec.Offset, sec.Length), "application/pdf", ".pdf", nil
	}
	return nil, "", "", problem.New("not-found")
}
