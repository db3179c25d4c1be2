package dicomweb

import (
	"math"
	"net/url"
	"strconv"
	"strings"

	"sira/dicom/pixel"
)

const (
	maxSide       = 8192 // of a viewport
	maxPicture    = 32 << 20
	thumbnailSide = 256
	defaultJPEG   = 88
)

// look is how a picture is to be rendered (PS3.18 section 8.3.5).
type look struct {
	width, height int         // of the viewport, 0 when none
	region        *[4]float64 // x, y, width, height of the image, in pixels
	window        pixel.Window
	function      string // LINEAR, LINEAR_EXACT, SIGMOID, "" for the image's own
	quality       int
	bare          bool // without overlays
	asked         bool // anything but the image as it is
}

// parseLook reads viewport, window and quality.
func parseLook(raw string) (look, error) {
	l := look{quality: defaultJPEG}
	if strings.Count(raw, "&") >= maxParams {
		return l, badRequest("Trop de paramètres.")
	}
	q, err := url.ParseQuery(raw)
	if err != nil {
		return l, badRequest("Les paramètres ne sont pas encodés comme il faut.")
	}
	if v := q.Get("viewport"); v != "" {
		if err := l.viewport(v); err != nil {
			return l, err
		}
	}
	if v := q.Get("window"); v != "" {
		if err := l.readWindow(v); err != nil {
			return l, err
		}
	}
	if v := q.Get("quality"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > 100 {
			return l, badRequest("quality va de 1 à 100.")
		}
		l.quality = n
	}
	switch v := q.Get("overlays"); v { // ours: the standard draws them and offers no choice
	case "", "yes":
	case "no":
		l.bare = true
	default:
		return l, badRequest("overlays : yes ou no.")
	}
	l.asked = q.Get("viewport") != "" || q.Get("window") != "" || q.Get("quality") != ""
	return l, nil
}

// viewport is vw,vh or vw,vh,sx,sy,sw,sh, where what follows vh may be empty.
func (l *look) viewport(text string) error {
	fields := strings.Split(text, ",")
	bad := badRequest("viewport : largeur,hauteur[,x,y,largeur,hauteur] en pixels.")
	if len(fields) != 2 && len(fields) != 6 {
		return bad
	}
	var err error
	if l.width, err = strconv.Atoi(fields[0]); err != nil || l.width < 1 || l.width > maxSide {
		return bad
	}
	if l.height, err = strconv.Atoi(fields[1]); err != nil || l.height < 1 || l.height > maxSide || l.width*l.height > maxPicture {
		return bad
	}
	if len(fields) == 2 {
		return nil
	}
	l.region = &[4]float64{}
	for i, f := range fields[2:] {
		if f == "" {
			continue
		}
		v, err := strconv.ParseFloat(f, 64)
		if err != nil || math.IsNaN(v) || v < 0 || v > 1<<17 {
			return bad
		}
		l.region[i] = v
	}
	return nil
}

// readWindow is center,width,function.
func (l *look) readWindow(text string) error {
	fields := strings.Split(text, ",")
	bad := badRequest("window : centre,largeur,fonction (linear, linear-exact ou sigmoid).")
	if len(fields) != 2 && len(fields) != 3 {
		return bad
	}
	var v [2]float64
	for i := range v {
		var err error
		if v[i], err = strconv.ParseFloat(fields[i], 64); err != nil || math.IsNaN(v[i]) || math.Abs(v[i]) > 1e12 {
			return bad
		}
	}
	l.window = pixel.Window{Center: v[0], Width: v[1]}
	if l.window.Width <= 0 {
		return bad
	}
	if len(fields) == 3 {
		switch strings.ToLower(fields[2]) {
		case "linear":
			l.function = "LINEAR"
		case "linear-exact", "linear_exact":
			l.function = "LINEAR_EXACT"
		case "sigmoid":
			l.function = "SIGMOID"
		default:
			return bad
		}
	}
	return nil
}
