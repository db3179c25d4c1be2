package index

import (
	"strconv"

	"sira/dicom"
	"sira/dicom/index/jsonmodel"
)

// The attributes of a study's answer beyond those PS3.18 table 10.6.3-3 asks
// for: of the patient and the study, the same in all instances.
var studyTags = map[dicom.Tag]bool{
	0x00080051: true, 0x00080096: true, 0x00081030: true, 0x00081032: true, 0x00081048: true, 0x00081060: true,
	0x00081080: true, 0x00081084: true, 0x00100021: true, 0x00100024: true, 0x00100032: true, 0x00101000: true,
	0x00101001: true, 0x00101002: true, 0x00101010: true, 0x00101020: true, 0x00101030: true, 0x00102160: true,
	0x00102180: true, 0x001021B0: true, 0x001021C0: true, 0x00104000: true, 0x00120010: true, 0x00120020: true,
	0x00120030: true, 0x00120040: true, 0x00120062: true, 0x00120063: true,
}

// The same for a series, beyond table 10.6.3-4.
var seriesTags = map[dicom.Tag]bool{
	0x00080021: true, 0x00080031: true, 0x00080070: true, 0x00080080: true, 0x00081010: true, 0x00081040: true,
	0x00081050: true, 0x00081070: true, 0x00081090: true, 0x00081111: true, 0x00180015: true, 0x00181000: true,
	0x00181020: true, 0x00181030: true, 0x00185100: true, 0x00200052: true, 0x00200060: true, 0x00201040: true,
	0x00400244: true, 0x00400245: true, 0x00400253: true, 0x00400254: true, 0x00400275: true,
}

// The same for an instance, beyond table 10.6.3-5; all others are metadata.
var instanceTags = map[dicom.Tag]bool{
	0x00080008: true, 0x00080016: true, 0x00080018: true, 0x00080023: true, 0x00080033: true, 0x00200013: true,
	0x00280008: true, 0x00280010: true, 0x00280011: true, 0x00280100: true,
}

func part(f *dicom.File, tags map[dicom.Tag]bool) []jsonmodel.Member {
	raw := jsonmodel.Append(nil, f.DataSet, jsonmodel.Options{BigEndian: f.BigEndian, Only: func(t dicom.Tag) bool { return tags[t] }})
	return jsonmodel.Members(string(raw))
}

// common are attributes of the answer itself.
func common(b *jsonmodel.Build, f *dicom.File, url string) {
	b.Text("00080005", "CS", "ISO_IR 192")
	b.Text("00080056", "CS", "ONLINE")
	b.URL("00081190", url)
	if zone := f.String(0x00080201); zone != "" {
		b.Text("00080201", "SH", zone)
	}
}

func studyJSON(in dicom.Instance, f *dicom.File) (brief, more string) {
	var b jsonmodel.Build
	common(&b, f, "/studies/"+in.StudyUID)
	b.Text("00080020", "DA", in.StudyDate)
	b.Text("00080030", "TM", in.StudyTime)
	b.Text("00080050", "SH", in.AccessionNumber)
	b.Modalities("00080061")
	b.Text("00080090", "PN", f.String(0x00080090))
	if in.StudyDescription != "" {
		b.Text("00081030", "LO", in.StudyDescription)
	}
	b.Text("00100010", "PN", in.PatientName)
	b.Text("00100020", "LO", in.PatientID)
	b.Text("00100030", "DA", in.PatientBirthDate)
	b.Text("00100040", "CS", in.PatientSex)
	b.Text("0020000D", "UI", in.StudyUID)
	b.Text("00200010", "SH", in.StudyID)
	b.Series("00201206")
	b.Instances("00201208")
	return string(jsonmodel.Merge(nil, nil, b.Members())), string(jsonmodel.Merge(nil, nil, part(f, studyTags)))
}

func seriesJSON(in dicom.Instance, f *dicom.File) (brief, more string) {
	var b jsonmodel.Build
	common(&b, f, "/studies/"+in.StudyUID+"/series/"+in.SeriesUID)
	b.Text("00080060", "CS", in.Modality)
	if in.SeriesDescription != "" {
		b.Text("0008103E", "LO", in.SeriesDescription)
	}
	b.Text("0020000D", "UI", in.StudyUID)
	b.Text("0020000E", "UI", in.SeriesUID)
	b.Text("00200011", "IS", number(f, 0x00200011, in.SeriesNumber))
	b.Instances("00201209")
	if f.Has(0x00400244) {
		b.Text("00400244", "DA", f.String(0x00400244))
		b.Text("00400245", "TM", f.String(0x00400245))
	}
	more = string(jsonmodel.Merge(nil, nil, part(f, seriesTags)))
	members := b.Members()
	if f.Has(0x00400275) {
		requests := part(f, map[dicom.Tag]bool{0x00400275: true})
		return string(jsonmodel.Merge(nil, nil, members, requests)), more
	}
	return string(jsonmodel.Merge(nil, nil, members)), more
}

func instanceJSON(in dicom.Instance, f *dicom.File) string {
	var b jsonmodel.Build
	common(&b, f, "/studies/"+in.StudyUID+"/series/"+in.SeriesUID+"/instances/"+in.SOPUID)
	b.Text("00080016", "UI", in.SOPClass)
	b.Text("00080018", "UI", in.SOPUID)
	b.Text("0020000D", "UI", in.StudyUID)
	b.Text("0020000E", "UI", in.SeriesUID)
	b.Text("00200013", "IS", number(f, 0x00200013, in.InstanceNumber))
	b.Text("00083002", "UI", in.TransferSyntax)
	return string(jsonmodel.Merge(nil, nil, b.Members(), part(f, instanceTags)))
}

// number is text of an integer string, "" when the object has none.
func number(f *dicom.File, t dicom.Tag, v int) string {
	if f.String(t) == "" {
		return ""
	}
	return strconv.Itoa(v)
}
