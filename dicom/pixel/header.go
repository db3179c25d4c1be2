package pixel

import (
	"fmt"
	"strings"

	"sira/dicom"
)

const (
	tagSamples        = dicom.Tag(0x00280002)
	tagPhotometric    = dicom.Tag(0x00280004)
	tagPlanar         = dicom.Tag(0x00280006)
	tagFrames         = dicom.Tag(0x00280008)
	tagRows           = dicom.Tag(0x00280010)
	tagCols           = dicom.Tag(0x00280011)
	tagSpacing        = dicom.Tag(0x00280030)
	tagAllocated      = dicom.Tag(0x00280100)
	tagStored         = dicom.Tag(0x00280101)
	tagHighBit        = dicom.Tag(0x00280102)
	tagRepresentation = dicom.Tag(0x00280103)
	tagPadding        = dicom.Tag(0x00280120)
	tagPaddingLimit   = dicom.Tag(0x00280121)
	tagWindowCenter   = dicom.Tag(0x00281050)
	tagWindowWidth    = dicom.Tag(0x00281051)
	tagIntercept      = dicom.Tag(0x00281052)
	tagSlope          = dicom.Tag(0x00281053)
	tagWindowLabel    = dicom.Tag(0x00281055)
	tagVOIFunction    = dicom.Tag(0x00281056)
	tagLossy          = dicom.Tag(0x00282110)
	tagRescaleType    = dicom.Tag(0x00281054)
	tagLUTType        = dicom.Tag(0x00283004)
	tagModalityLUTs   = dicom.Tag(0x00283000)
	tagVOILUTs        = dicom.Tag(0x00283010)
	tagLUTShape       = dicom.Tag(0x20500020)
	tagImagerSpacing  = dicom.Tag(0x00181164)
	tagNominalSpacing = dicom.Tag(0x00182010)
	tagFrameTime      = dicom.Tag(0x00181063)
	tagFrameTimes     = dicom.Tag(0x00181065)
	tagCineRate       = dicom.Tag(0x00180040)
	tagDisplayRate    = dicom.Tag(0x00082144)
	tagPosition       = dicom.Tag(0x00200032)
	tagOrientation    = dicom.Tag(0x00200037)
	tagPixelData      = dicom.Tag(0x7FE00010)
)

// describe reads the Image Pixel module and what belongs to it (PS3.3
// C.7.6.3), and refuses what no decoder here could lay out.
func describe(f *dicom.File) (Image, error) {
	img := Image{
		Rows: number(f.DataSet, tagRows, 0), Cols: number(f.DataSet, tagCols, 0),
		Samples:       number(f.DataSet, tagSamples, 1),
		BitsAllocated: number(f.DataSet, tagAllocated, 0),
		Planar:        number(f.DataSet, tagPlanar, 0),
		Frames:        max(number(f.DataSet, tagFrames, 1), 1),
		Signed:        number(f.DataSet, tagRepresentation, 0) == 1,
		Photometric:   strings.ToUpper(f.String(tagPhotometric)),
		Slope:         1,
		VOIFunction:   "LINEAR",
		Lossy:         f.String(tagLossy) == "01",
	}
	img.BitsStored = number(f.DataSet, tagStored, img.BitsAllocated)
	img.HighBit = number(f.DataSet, tagHighBit, img.BitsStored-1)
	if err := img.check(); err != nil {
		return img, err
	}
	if img.Photometric == "PALETTE COLOR" {
		palette, err := readPalette(f, img.Signed)
		if err != nil {
			return img, err
		}
		img.Palette = palette
	}
	img.Invert = img.Photometric == "MONOCHROME1" || f.String(tagLUTShape) == "INVERSE"
	img.padding(f)
	img.values(f.DataSet, f.BigEndian)
	img.spacing(f.DataSet)
	img.geometry(f.DataSet)
	img.Regions = readRegions(f.DataSet)
	img.usSpacing()
	img.FrameTimeMs = frameTime(f.DataSet)
	return img, nil
}

func number(d *dicom.DataSet, t dicom.Tag, missing int) int {
	if v, ok := d.Int(t); ok {
		return v
	}
	return missing
}

// check refuses impossible and unsupported layouts and repairs small lies.
func (i *Image) check() error {
	if i.Rows < 1 || i.Cols < 1 || i.Rows > 65535 || i.Cols > 65535 {
		return fmt.Errorf("%d×%d pixels: %w", i.Rows, i.Cols, ErrUnsupportedLayout)
	}
	if i.Samples != 1 && i.Samples != 3 {
		return fmt.Errorf("%d samples a pixel: %w", i.Samples, ErrUnsupportedLayout)
	}
	switch i.BitsAllocated {
	case 1, 8, 16, 32:
	default:
		return fmt.Errorf("%d bits allocated: %w", i.BitsAllocated, ErrUnsupportedLayout)
	}
	if i.BitsAllocated == 1 && i.Samples != 1 {
		return fmt.Errorf("colour of 1 bit: %w", ErrUnsupportedLayout)
	}
	if i.BitsStored < 1 || i.BitsStored > i.BitsAllocated {
		i.BitsStored = i.BitsAllocated
	}
	if i.HighBit < i.BitsStored-1 || i.HighBit >= i.BitsAllocated {
		i.HighBit = i.BitsStored - 1
	}
	if i.Photometric == "" {
		i.Photometric = "MONOCHROME2"
		if i.Samples == 3 {
			i.Photometric = "RGB"
		}
	}
	if int64(i.Rows)*int64(i.Cols)*int64(i.Samples)*int64(i.sampleBytes()) > MaxFrameBytes {
		return fmt.Errorf("%d×%d pixels: %w", i.Rows, i.Cols, ErrTooLarge)
	}
	return nil
}

// sampleBytes is the width of a decoded sample as stored: 1, 2 or 4.
func (i *Image) sampleBytes() int { return max(i.BitsAllocated, 8) / 8 }

// pixels is the number of pixels of one frame.
func (i *Image) pixels() int { return i.Rows * i.Cols }

func (i *Image) padding(f *dicom.File) {
	low, ok := f.Int(tagPadding)
	if !ok {
		return
	}
	high := number(f.DataSet, tagPaddingLimit, low)
	fix := func(v int) int { // US where SS was meant, or the other way round
		if i.Signed && v > 32767 && v < 65536 && i.BitsAllocated == 16 {
			return v - 65536
		}
		if !i.Signed && v < 0 && i.BitsAllocated == 16 {
			return v + 65536
		}
		return v
	}
	low, high = fix(low), fix(high)
	i.Padding = &[2]int{min(low, high), max(low, high)}
}

// values reads rescale or modality LUT, and VOI, from d: the data set itself
// or an item of a functional group.
func (i *Image) values(d *dicom.DataSet, big bool) {
	if v, ok := d.Float(tagSlope); ok && v != 0 {
		i.Slope = v
		i.Intercept, _ = d.Float(tagIntercept)
		i.Unit = unit(d.String(tagRescaleType))
	}
	if items := d.Sequence(tagModalityLUTs); len(items) > 0 {
		if lut, ok := readLUT(items[0], i.Signed, big); ok {
			i.ModalityLUT, i.Unit = &lut, unit(items[0].String(tagLUTType))
		}
	}
	if windows := readWindows(d); windows != nil {
		i.Windows = windows
	}
	if f := strings.ToUpper(d.String(tagVOIFunction)); f == "LINEAR" || f == "LINEAR_EXACT" || f == "SIGMOID" {
		i.VOIFunction = f
	}
	if items := d.Sequence(tagVOILUTs); len(items) > 0 {
		i.VOILUTs = nil
		for _, item := range items {
			if lut, ok := readLUT(item, i.Signed || i.Intercept < 0, big); ok {
				i.VOILUTs = append(i.VOILUTs, lut)
			}
		}
	}
}

// unit reads a Rescale Type or Modality LUT Type (PS3.3 C.11.1.1.2); US says
// that there is no unit.
func unit(s string) string {
	if s == "US" || len(s) > 16 {
		return ""
	}
	return s
}

// readWindows pairs centres and widths; widths that make no window are left out.
func readWindows(d *dicom.DataSet) []Window {
	centers, widths, labels := d.Floats(tagWindowCenter), d.Floats(tagWindowWidth), d.Strings(tagWindowLabel)
	var out []Window
	for i := range min(len(centers), len(widths)) {
		w := Window{Center: centers[i], Width: widths[i]}
		if w.Width <= 0 {
			continue
		}
		if i < len(labels) {
			w.Label = labels[i]
		}
		out = append(out, w)
	}
	return out
}

// spacing takes what is calibrated best and says what it is (PS3.3 10.7).
func (i *Image) spacing(d *dicom.DataSet) {
	imager := pair(d.Floats(tagImagerSpacing))
	switch patient := pair(d.Floats(tagSpacing)); {
	case patient != nil && imager != nil && *patient == *imager:
		i.Spacing, i.SpacingKind = imager, "imager" // copied, not calibrated
	case patient != nil:
		i.Spacing, i.SpacingKind = patient, "pixel"
	case imager != nil:
		i.Spacing, i.SpacingKind = imager, "imager"
	default:
		if nominal := pair(d.Floats(tagNominalSpacing)); nominal != nil {
			i.Spacing, i.SpacingKind = nominal, "nominal"
		}
	}
}

func pair(v []float64) *[2]float64 {
	if len(v) < 2 || v[0] <= 0 || v[1] <= 0 {
		return nil
	}
	return &[2]float64{v[0], v[1]}
}

func (i *Image) geometry(d *dicom.DataSet) {
	if v := d.Floats(tagPosition); len(v) == 3 {
		i.Position = v
	}
	if v := d.Floats(tagOrientation); len(v) == 6 {
		i.Orientation = v
	}
}

// frameTime is the time of one frame in ms, 0 when unknown.
func frameTime(d *dicom.DataSet) float64 {
	if v, ok := d.Float(tagFrameTime); ok && v > 0 {
		return v
	}
	if v := d.Floats(tagFrameTimes); len(v) > 1 { // the first is 0 by definition
		sum := 0.0
		for _, t := range v[1:] {
			sum += t
		}
		if sum > 0 {
			return sum / float64(len(v)-1)
		}
	}
	for _, t := range []dicom.Tag{tagDisplayRate, tagCineRate} {
		if v, ok := d.Float(t); ok && v > 0 {
			return 1000 / v
		}
	}
	return 0
}
