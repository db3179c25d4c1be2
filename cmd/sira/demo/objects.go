package demo

import (
	"fmt"
	"strings"
	"time"

	"sira/dicom/phantom"
)

// object is one generated file.
type object struct {
	name, kind, mediaType string
	data                  []byte
}

const ctSlices = 64

func generate(f file, seed uint64, s story, at time.Time) []object {
	study := phantom.Study{Patient: dicomPatient(s, at), Date: at.Add(-30 * time.Minute), Seed: seed}
	dicom := func(name string, data []byte) []object {
		return []object{{name: name, kind: "dicom", mediaType: "application/dicom", data: data}}
	}
	switch f {
	case fileCT:
		var out []object
		for i, b := range phantom.CT(ctSlices, study) {
			out = append(out, object{fmt.Sprintf("scanner-%03d.dcm", i+1), "dicom", "application/dicom", b})
		}
		return out
	case fileUS:
		return dicom("echographie.dcm", phantom.USCine(48, study))
	case fileECG:
		return dicom("ecg.dcm", phantom.ECG12(study, phantom.InferiorSTEMI))
	case fileDX:
		return dicom("thorax.dcm", phantom.DX(study, phantom.ChestOptions{Pneumonia: true}))
	case filePhoto:
		return []object{{"photo.jpg", "photo", "image/jpeg", phantom.Photo(seed)}}
	case filePDF:
		return []object{{"lettre.pdf", "pdf", "application/pdf", phantom.PDF("Lettre de référence", letter(s))}}
	}
	return nil
}

// dicomPatient writes the patient as a device would: family name first, a birth
// date even when only the age is known.
func dicomPatient(s story, at time.Time) phantom.Patient {
	given, family, _ := strings.Cut(s.patient.Name, " ")
	p := phantom.Patient{Name: strings.ToUpper(family) + "^" + given, Sex: s.patient.Sex}
	if len(s.patient.Identifiers) > 0 {
		p.ID = s.patient.Identifiers[0].Value
	}
	switch {
	case s.patient.BirthDate != "":
		p.BirthDate = strings.ReplaceAll(s.patient.BirthDate, "-", "")
	case s.patient.Age != nil && s.patient.Age.Unit == "Y":
		p.BirthDate = fmt.Sprintf("%04d0101", at.Year()-s.patient.Age.Value)
	}
	return p
}

func letter(s story) []string {
	return []string{"Patient : " + s.patient.Name, "Village : " + s.patient.Village, "", "Motif : " + s.question, "", s.history, "", "Document de démonstration : personne et faits inventés."}
}
