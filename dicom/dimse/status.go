package dimse

// Status values of responses (PS3.7 annex C, PS3.4 annex B.2.3).
const (
	StatusSuccess             uint16 = 0x0000
	StatusCancel              uint16 = 0xFE00
	StatusPending             uint16 = 0xFF00
	statusPendingPartly       uint16 = 0xFF01 // some optional keys are not supported
	StatusProcessingFailure   uint16 = 0x0110
	StatusDuplicateInstance   uint16 = 0x0111 // the same UID with other content
	StatusNoSuchInstance      uint16 = 0x0112
	StatusNoSuchEvent         uint16 = 0x0113
	StatusInvalidArgument     uint16 = 0x0115
	StatusInvalidInstance     uint16 = 0x0117
	StatusMissingAttribute    uint16 = 0x0120
	StatusClassNotSupported   uint16 = 0x0122
	StatusNoSuchAction        uint16 = 0x0123
	StatusNotAuthorized       uint16 = 0x0124
	StatusUnrecognized        uint16 = 0x0211
	StatusResourceLimitation  uint16 = 0x0213
	StatusOutOfResources      uint16 = 0xA700
	StatusCannotCount         uint16 = 0xA701 // C-MOVE, C-GET: number of matches unknown
	StatusSubOperationsFailed uint16 = 0xA702 // C-MOVE, C-GET: no instance was sent
	StatusUnknownDestination  uint16 = 0xA801 // C-MOVE
	StatusDataSetMismatch     uint16 = 0xA900 // data set does not match the SOP class
	StatusCannotUnderstand    uint16 = 0xC000
	StatusWarningCoercion     uint16 = 0xB000 // of C-STORE
	StatusWarningIncomplete   uint16 = 0xB000 // C-MOVE, C-GET: some instances failed
	StatusWarningElements     uint16 = 0xB006
	StatusWarningDataSetClass uint16 = 0xB007
)

// StatusFailed tells a failure from success, warning, cancel and pending
// (PS3.7 annex C.1).
func StatusFailed(s uint16) bool {
	switch {
	case s == StatusSuccess, s == StatusCancel, s == StatusPending, s == statusPendingPartly:
		return false
	case s == 0x0001, s == 0x0107, s == 0x0116, s>>12 == 0xB:
		return false // warnings
	}
	return true
}
