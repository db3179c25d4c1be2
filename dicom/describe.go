package dicom

import (
	"fmt"
	"strings"
)

// Instance is what lists and manifests need to know of one object. Text is
// UTF-8; dates are YYYYMMDD and times HHMMSS[.f] as stored.
type Instance struct {
	StudyUID, SeriesUID, SOPUID, SOPClass, TransferSyntax, Modality string

	PatientName, PatientID, PatientSex, PatientBirthDate, PatientAge string // name in DICOM form, TRAORE^Awa

	StudyDate, StudyTime, StudyDescription, StudyID, AccessionNumber string
	SeriesDate, SeriesTime, SeriesDescription, BodyPart, Laterality  string
	ContentDate, ContentTime, Institution, Manufacturer, ImageType   string

	SeriesNumber, InstanceNumber, Rows, Cols, Frames int // Frames ≥ 1 for images, 0 without pixel data
	Samples, BitsAllocated                           int
	Photometric                                      string
	Kind                                             string    // "image", "waveform", "pdf", "video", "other"
	Position                                         []float64 // image position (patient), mm, 3 or none
	Orientation                                      []float64 // image orientation (patient), 6 or none
	TextGuessed                                      bool      // the character set was missing or wrong

	Hash string // hex SHA-256 of the file, set by whoever stores it
	Size int64  // bytes of the file
}

// Describe extracts an Instance. It returns *Error with NoSOPInstance or
// BadUID when the object cannot be told apart from others, IsDICOMDIR for a
// DICOMDIR. UIDs are checked against PS3.5 section 9.1, leniently.
func Describe(f *File) (Instance, error) {
	if isDirectory(f) {
		return Instance{}, &Error{IsDICOMDIR, "a directory of a medium, not an object", -1}
	}
	in := Instance{TransferSyntax: f.TransferSyntax, Size: f.Size}
	if err := in.identify(f); err != nil {
		return Instance{}, err
	}
	for t, to := range map[Tag]*string{
		0x00080060: &in.Modality,
		0x00100010: &in.PatientName, 0x00100020: &in.PatientID, 0x00100040: &in.PatientSex,
		0x00100030: &in.PatientBirthDate, 0x00101010: &in.PatientAge,
		0x00080020: &in.StudyDate, 0x00080030: &in.StudyTime, 0x00081030: &in.StudyDescription,
		0x00200010: &in.StudyID, 0x00080050: &in.AccessionNumber,
		0x00080021: &in.SeriesDate, 0x00080031: &in.SeriesTime, 0x0008103E: &in.SeriesDescription,
		0x00180015: &in.BodyPart, 0x00200060: &in.Laterality,
		0x00080023: &in.ContentDate, 0x00080033: &in.ContentTime,
		0x00080080: &in.Institution, 0x00080070: &in.Manufacturer,
		tagPhotometric: &in.Photometric,
	} {
		text, sure := f.Text(t)
		*to = oneLine(text)
		in.TextGuessed = in.TextGuessed || !sure
	}
	in.ImageType = strings.Join(f.Strings(0x00080008), `\`)
	for t, to := range map[Tag]*int{
		0x00200011: &in.SeriesNumber, 0x00200013: &in.InstanceNumber,
		tagRows: &in.Rows, tagCols: &in.Cols, tagSamples: &in.Samples, tagBitsAllocated: &in.BitsAllocated,
	} {
		*to, _ = f.Int(t)
	}
	in.Position = vector(f.plane(0x00209113, 0x00200032), 3)
	in.Orientation = vector(f.plane(0x00209116, 0x00200037), 6)
	in.Kind = kind(f)
	if f.Pixel != nil {
		in.Frames = 1
		if n, ok := f.Int(tagFrames); ok && n > 1 {
			in.Frames = n
		}
	}
	return in, nil
}

// identify reads the UIDs that everything else hangs on.
func (in *Instance) identify(f *File) error {
	in.SOPClass = f.String(tagSOPClass)
	if in.SOPClass == "" {
		in.SOPClass = f.Meta.String(tagMediaClass)
	}
	for _, u := range []struct {
		to   *string
		tag  Tag
		what string
	}{
		{&in.SOPUID, tagSOPInstance, "SOP instance"},
		{&in.StudyUID, tagStudyInstance, "study instance"},
		{&in.SeriesUID, tagSeriesInstance, "series instance"},
	} {
		*u.to = f.String(u.tag)
		if *u.to == "" && u.tag == tagSOPInstance {
			*u.to = f.Meta.String(tagMediaInstance)
		}
		if *u.to == "" {
			return &Error{NoSOPInstance, "no " + u.what + " UID", -1}
		}
		if !validUID(*u.to) {
			return &Error{BadUID, fmt.Sprintf("the %s UID is no UID", u.what), -1}
		}
	}
	return nil
}

// validUID is PS3.5 section 9.1 without what devices and anonymisers get wrong
// (empty components, leading zeros, hexadecimal): up to 64 letters, digits and
// dots, starting with no dot.
func validUID(s string) bool {
	if len(s) == 0 || len(s) > 64 || s[0] == '.' {
		return false
	}
	for _, c := range []byte(s) {
		if c != '.' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

// oneLine keeps control characters out of lists and logs of lists.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7F || r >= 0x80 && r < 0xA0 || r == 0x2028 || r == 0x2029 || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 {
			return ' '
		}
		return r
	}, s))
}

// plane finds an attribute of the image plane where single-frame objects have
// it, or in the functional groups of the first frame (PS3.3 section C.7.6.16).
func (f *File) plane(group, t Tag) []float64 {
	if v := f.Floats(t); v != nil {
		return v
	}
	for _, groups := range []Tag{0x52009230, 0x52009229} { // per-frame, shared
		if items := f.Sequence(groups); len(items) > 0 {
			if plane := items[0].Sequence(group); len(plane) > 0 {
				return plane[0].Floats(t)
			}
		}
	}
	return nil
}

func vector(v []float64, n int) []float64 {
	if len(v) != n {
		return nil
	}
	for _, x := range v {
		if x > 1e7 || x < -1e7 { // ten kilometres: not in a patient
			return nil
		}
	}
	return v
}

func kind(f *File) string {
	switch {
	case f.Pixel != nil && videoSyntax(f.TransferSyntax):
		return "video"
	case f.Pixel != nil:
		return "image"
	case f.Has(tagWaveforms):
		return "waveform"
	case f.Has(tagDocument):
		if m := strings.ToLower(f.String(0x00420012)); m == "" || m == "application/pdf" {
			return "pdf"
		}
	}
	return "other"
}
