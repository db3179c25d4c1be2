package dicom

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
	return Instance{}, &Error{NoSOPInstance, "not yet", -1}
}
