package identifier

import (
	"github.com/suyashkumar/dicom/pkg/tag"

	"sira/dicom"
)

// Attributes of the query, worklist and commitment services (PS3.6 section 6).
const (
	SpecificCharacterSet              dicom.Tag = 0x00080005
	SOPClassUID                       dicom.Tag = 0x00080016
	SOPInstanceUID                    dicom.Tag = 0x00080018
	StudyDate                         dicom.Tag = 0x00080020
	StudyTime                         dicom.Tag = 0x00080030
	AccessionNumber                   dicom.Tag = 0x00080050
	QueryRetrieveLevel                dicom.Tag = 0x00080052
	RetrieveAETitle                   dicom.Tag = 0x00080054
	InstanceAvailability              dicom.Tag = 0x00080056
	FailedSOPInstanceUIDList          dicom.Tag = 0x00080058
	Modality                          dicom.Tag = 0x00080060
	ModalitiesInStudy                 dicom.Tag = 0x00080061
	ReferringPhysicianName            dicom.Tag = 0x00080090
	TimezoneOffset                    dicom.Tag = 0x00080201
	StudyDescription                  dicom.Tag = 0x00081030
	SeriesDescription                 dicom.Tag = 0x0008103E
	ReferencedSOPClassUID             dicom.Tag = 0x00081150
	ReferencedSOPInstanceUID          dicom.Tag = 0x00081155
	TransactionUID                    dicom.Tag = 0x00081195
	FailureReason                     dicom.Tag = 0x00081197
	FailedSOPSequence                 dicom.Tag = 0x00081198
	ReferencedSOPSequence             dicom.Tag = 0x00081199
	PatientName                       dicom.Tag = 0x00100010
	PatientID                         dicom.Tag = 0x00100020
	PatientBirthDate                  dicom.Tag = 0x00100030
	PatientSex                        dicom.Tag = 0x00100040
	StudyInstanceUID                  dicom.Tag = 0x0020000D
	SeriesInstanceUID                 dicom.Tag = 0x0020000E
	StudyID                           dicom.Tag = 0x00200010
	SeriesNumber                      dicom.Tag = 0x00200011
	InstanceNumber                    dicom.Tag = 0x00200013
	NumberOfPatientRelatedStudies     dicom.Tag = 0x00201200
	NumberOfStudyRelatedSeries        dicom.Tag = 0x00201206
	NumberOfStudyRelatedInstances     dicom.Tag = 0x00201208
	NumberOfSeriesRelatedInstances    dicom.Tag = 0x00201209
	RequestedProcedureDescription     dicom.Tag = 0x00321060
	ScheduledStationAETitle           dicom.Tag = 0x00400001
	ScheduledStartDate                dicom.Tag = 0x00400002
	ScheduledStartTime                dicom.Tag = 0x00400003
	ScheduledPerformingPhysicianName  dicom.Tag = 0x00400006
	ScheduledProcedureStepDescription dicom.Tag = 0x00400007
	ScheduledProcedureStepID          dicom.Tag = 0x00400009
	ScheduledStationName              dicom.Tag = 0x00400010
	ScheduledProcedureStepSequence    dicom.Tag = 0x00400100
	RequestedProcedureID              dicom.Tag = 0x00401001
)

// VR gives the value representation of the dictionary (PS3.6), "LO" for a
// private creator and "UN" for what it does not have.
func VR(t dicom.Tag) string {
	group, element := uint16(t>>16), uint16(t)
	switch {
	case group%2 == 1 && element >= 0x10 && element <= 0xFF:
		return "LO"
	case group%2 == 1:
		return "UN"
	}
	info, err := tag.Find(tag.Tag{Group: group, Element: element})
	if err != nil || len(info.VRs) == 0 || kinds[info.VRs[0]].form == 0 {
		return "UN"
	}
	return info.VRs[0]
}
