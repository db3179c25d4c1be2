package deid

import (
	"image"
	"slices"
	"sort"
	"strings"

	"sira/dicom"
	"sira/dicom/pixel"
)

// look finds where text may be burned into the pixels of f: the masks that
// follow from the calibrated regions of an ultrasound image (PS3.3 section
// C.8.5.5), and what only a person can judge.
func (p *Profile) look(f *dicom.File) ([]Mask, []Warning) {
	if f.Pixel == nil {
		return nil, nil
	}
	var masks []Mask
	var warnings []Warning
	class, modality := f.String(tagSOPClass), f.String(0x00080060)
	switch {
	case modality == "US" || modality == "IVUS" || strings.HasPrefix(class, "1.2.840.10008.5.1.4.1.1.3.1") || class == "1.2.840.10008.5.1.4.1.1.6.1":
		regions := usRegions(f)
		switch {
		case len(regions) == 0:
			warnings = append(warnings, NoRegions)
		case !p.opts.CleanPixels:
			warnings = append(warnings, Unmasked)
		default:
			masks = Outside(bounds(f), regions)
		}
	case strings.HasPrefix(class, "1.2.840.10008.5.1.4.1.1.7") || strings.HasPrefix(class, "1.2.840.10008.5.1.4.1.1.77.1") || f.Has(0x00080064) ||
		slices.Contains([]string{"OT", "SC", "XC", "ES", "GM", "DOC", "OP", "HC", "SM"}, modality):
		warnings = append(warnings, Screenshot)
	}
	if strings.EqualFold(f.String(0x00280301), "YES") && len(masks) == 0 {
		warnings = append(warnings, BurnedIn)
	}
	if head := strings.ToUpper(f.String(0x00180015)); (modality == "CT" || modality == "MR") &&
		(strings.Contains(head, "HEAD") || strings.Contains(head, "BRAIN") || strings.Contains(head, "SKULL") || strings.Contains(head, "FACE")) {
		warnings = append(warnings, Face)
	}
	return masks, warnings
}

func bounds(f *dicom.File) image.Rectangle {
	rows, _ := f.Int(0x00280010)
	cols, _ := f.Int(0x00280011)
	return image.Rect(0, 0, max(cols, 0), max(rows, 0))
}

// usRegions are the regions that lie in the image, Max excluded. More than a
// few dozen are no description of an image.
func usRegions(f *dicom.File) []image.Rectangle {
	var out []image.Rectangle
	for _, item := range f.Sequence(0x00186011) {
		x0, ok0 := item.Int(0x00186018)
		y0, ok1 := item.Int(0x0018601A)
		x1, ok2 := item.Int(0x0018601C)
		y1, ok3 := item.Int(0x0018601E)
		if !ok0 || !ok1 || !ok2 || !ok3 || x1 <= x0 || y1 <= y0 {
			continue
		}
		r := image.Rect(x0, y0, x1+1, y1+1).Intersect(bounds(f))
		if !r.Empty() && len(out) < 64 {
			out = append(out, r)
		}
	}
	return out
}

// Outside returns masks that together cover exactly what of whole lies in none
// of the regions.
func Outside(whole image.Rectangle, regions []image.Rectangle) []Mask {
	edges := []int{whole.Min.Y, whole.Max.Y}
	for _, r := range regions {
		r = r.Intersect(whole)
		edges = append(edges, r.Min.Y, r.Max.Y)
	}
	sort.Ints(edges)
	edges = slices.Compact(edges)
	var out []Mask
	var last []image.Rectangle
	for i := 0; i+1 < len(edges); i++ {
		if edges[i] < whole.Min.Y || edges[i+1] > whole.Max.Y {
			continue
		}
		band := gaps(image.Rect(whole.Min.X, edges[i], whole.Max.X, edges[i+1]), regions)
		if same(band, last) { // the band continues the one above
			for k := range band {
				out[len(out)-len(band)+k].Rect.Max.Y = edges[i+1]
			}
			continue
		}
		for _, r := range band {
			out = append(out, Mask{Rect: r})
		}
		last = band
	}
	return out
}

// gaps are the parts of a band, between whose edges no region begins or ends,
// that no region covers.
func gaps(band image.Rectangle, regions []image.Rectangle) []image.Rectangle {
	var in []image.Rectangle
	for _, r := range regions {
		if r = r.Intersect(band); !r.Empty() {
			in = append(in, r)
		}
	}
	sort.Slice(in, func(i, j int) bool { return in[i].Min.X < in[j].Min.X })
	var out []image.Rectangle
	x := band.Min.X
	for _, r := range in {
		if r.Min.X > x {
			out = append(out, image.Rect(x, band.Min.Y, r.Min.X, band.Max.Y))
		}
		x = max(x, r.Max.X)
	}
	if x < band.Max.X {
		out = append(out, image.Rect(x, band.Min.Y, band.Max.X, band.Max.Y))
	}
	return out
}

func same(a, b []image.Rectangle) bool {
	return len(a) > 0 && slices.EqualFunc(a, b, func(p, q image.Rectangle) bool { return p.Min.X == q.Min.X && p.Max.X == q.Max.X })
}

// forFrame are the rectangles to blank in frame n, inside the image.
func forFrame(masks []Mask, n int, img pixel.Image) []image.Rectangle {
	var out []image.Rectangle
	for _, m := range masks {
		if r := m.Rect.Intersect(image.Rect(0, 0, img.Cols, img.Rows)); !r.Empty() && (m.Frame == 0 || m.Frame == n) {
			out = append(out, r)
		}
	}
	return out
}

func video(syntax string) bool {
	n, ok := strings.CutPrefix(syntax, "1.2.840.10008.1.2.4.10")
	return ok && n != "" && n[0] <= '8'
}
