package pixel

import "sira/dicom"

const (
	tagSharedGroups   = dicom.Tag(0x52009229)
	tagPerFrameGroups = dicom.Tag(0x52009230)
	tagFrameVOI       = dicom.Tag(0x00289132)
	tagPixelMeasures  = dicom.Tag(0x00289110)
	tagTransformation = dicom.Tag(0x00289145)
	tagPlanePosition  = dicom.Tag(0x00209113)
	tagPlaneDirection = dicom.Tag(0x00209116)
)

// groups holds the functional groups of an enhanced multi-frame object (PS3.3
// C.7.6.16).
type groups struct {
	shared   *dicom.DataSet
	perFrame []*dicom.DataSet
	big      bool
}

func readGroups(f *dicom.File) groups {
	g := groups{perFrame: f.Sequence(tagPerFrameGroups), big: f.BigEndian}
	if items := f.Sequence(tagSharedGroups); len(items) > 0 {
		g.shared = items[0]
	}
	return g
}

// apply puts what the groups say of frame n (from 1) over img.
func (g groups) apply(img Image, n int) Image {
	if g.shared != nil {
		img.group(g.shared, g.big)
	}
	if n <= len(g.perFrame) {
		img.group(g.perFrame[n-1], g.big)
	}
	if len(img.Windows) == 0 && img.VOIFunction == "LINEAR" {
		// LINEAR cannot show ranges below 1 (dose, diffusion, perfusion).
		img.VOIFunction = "LINEAR_EXACT"
	}
	return img
}

func (i *Image) group(d *dicom.DataSet, big bool) {
	for _, tag := range []dicom.Tag{tagTransformation, tagFrameVOI} {
		if items := d.Sequence(tag); len(items) > 0 {
			i.values(items[0], big)
		}
	}
	if items := d.Sequence(tagPixelMeasures); len(items) > 0 {
		i.spacing(items[0])
	}
	for _, tag := range []dicom.Tag{tagPlanePosition, tagPlaneDirection} {
		if items := d.Sequence(tag); len(items) > 0 {
			i.geometry(items[0])
		}
	}
}
