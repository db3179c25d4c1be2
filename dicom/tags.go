package dicom

// Tags that this package itself looks at (PS3.6 section 6).
const (
	tagTransferSyntax   Tag = 0x00020010
	tagMediaClass       Tag = 0x00020002
	tagMediaInstance    Tag = 0x00020003
	tagReferencedFileID Tag = 0x00041500
	tagDirectoryRecords Tag = 0x00041220
	tagCharacterSet     Tag = 0x00080005
	tagSOPClass         Tag = 0x00080016
	tagSOPInstance      Tag = 0x00080018
	tagStudyInstance    Tag = 0x0020000D
	tagSeriesInstance   Tag = 0x0020000E
	tagSamples          Tag = 0x00280002
	tagPhotometric      Tag = 0x00280004
	tagFrames           Tag = 0x00280008
	tagRows             Tag = 0x00280010
	tagCols             Tag = 0x00280011
	tagBitsAllocated    Tag = 0x00280100
	tagPixelSign        Tag = 0x00280103
	tagDocument         Tag = 0x00420011
	tagWaveforms        Tag = 0x54000100
	tagExtendedOffsets  Tag = 0x7FE00001
	tagExtendedLengths  Tag = 0x7FE00002
	tagFloatPixels      Tag = 0x7FE00008
	tagDoublePixels     Tag = 0x7FE00009
	tagPixelData        Tag = 0x7FE00010
	tagPadding          Tag = 0xFFFCFFFC

	tagItem         Tag = 0xFFFEE000
	tagItemEnd      Tag = 0xFFFEE00D
	tagSequenceEnd  Tag = 0xFFFEE0DD
	undefinedLength     = int64(0xFFFFFFFF)
)

func pixelTag(t Tag) bool {
	return t == tagPixelData || t == tagFloatPixels || t == tagDoublePixels
}

const (
	implicitLE = "1.2.840.10008.1.2"
	explicitLE = "1.2.840.10008.1.2.1"
	deflatedLE = "1.2.840.10008.1.2.1.99"
	explicitBE = "1.2.840.10008.1.2.2"

	classDirectory = "1.2.840.10008.1.3.10" // Media Storage Directory Storage
)
