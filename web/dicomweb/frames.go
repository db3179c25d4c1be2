package dicomweb

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"sira/dicom/derive"
	"sira/dicom/index"
	"sira/dicom/pixel"
	"sira/dicom/transcode"
)

const maxFrames = 2000 // in one list

// frames answers frames (PS3.18 section 10.4.1.1.6): native ones as little
// endian bytes, encapsulated ones as stored, or decoded where the client wants
// application/octet-stream in Explicit VR Little Endian; coded without loss in
// the syntax that the client asks for by name. HTJ2K comes from the derived
// copy where there is one.
func (s *Service) frames(w http.ResponseWriter, r *http.Request, c *call) error {
	numbers, err := frameList(r.PathValue("frames"))
	if err != nil {
		return err
	}
	list, err := s.objects(r.Context(), c)
	if err != nil {
		return err
	}
	f, err := s.files.open(r.Context(), list[0].Hash)
	if err != nil {
		return err
	}
	defer f.close()
	src, err := pixel.Open(f.File, f.blob)
	if err != nil {
		return err
	}
	for _, n := range numbers {
		if _, err := src.FrameInfo(n); err != nil {
			return err
		}
	}
	form, ok := c.frameForm(f, src, len(numbers))
	if !ok {
		return notAcceptable()
	}
	if form.coded && derive.Syntax(form.syntax) {
		if c, blob, ok := s.copyOf(r.Context(), list[0].Hash); ok {
			defer blob.Close()
			f.copied, f.copy = c.Frames, blob
		}
	}
	if !form.multipart {
		body, err := s.frame(r.Context(), f, src, form, numbers[0])
		if err != nil {
			return err
		}
		h := w.Header()
		h.Set("Content-Type", form.contentType())
		h.Set("ETag", fmt.Sprintf(`"%s-%d-%s"`, list[0].Hash, numbers[0], form.syntax))
		immutable(h)
		http.ServeContent(w, r, "", time.Time{}, body)
		return nil
	}
	return s.sendFrames(w, r, c, f, src, form, list[0], numbers)
}

func (s *Service) sendFrames(w http.ResponseWriter, r *http.Request, c *call, f object, src *pixel.Source, form frameForm, o index.Object, numbers []int) error {
	out := newParts(w, form.kind)
	for _, n := range numbers {
		body, err := s.frame(r.Context(), f, src, form, n)
		if err == nil {
			err = out.part(form.contentType(), fmt.Sprintf("%s/frames/%d", address(c, o), n), body)
		}
		if err != nil && !out.begun {
			return err
		}
		if err != nil {
			s.cut(r, err)
		}
	}
	if err := out.close(); err != nil {
		s.cut(r, err)
	}
	return nil
}

// frameList reads "1,2,5".
func frameList(text string) ([]int, error) {
	list := strings.Split(text, ",")
	if len(list) > maxFrames {
		return nil, badRequest(fmt.Sprintf("Au plus %d images à la fois.", maxFrames))
	}
	out := make([]int, len(list))
	for i, item := range list {
		n, err := strconv.Atoi(item)
		if err != nil || n < 1 || len(item) > 10 {
			return nil, badRequest("La liste d’images est faite de nombres à partir de 1.")
		}
		out[i] = n
	}
	return out, nil
}

// frameForm is how frames are sent.
type frameForm struct {
	kind, syntax       string
	multipart, decoded bool
	coded              bool // in a compressed syntax that is not the stored one
}

func (f frameForm) contentType() string { return f.kind + "; transfer-syntax=" + f.syntax }

// frameForm negotiates. For native pixel data only bytes will do; encapsulated
// frames go in their own media type, or as application/octet-stream where the
// client takes any syntax or theirs.
func (c *call) frameForm(f object, src *pixel.Source, count int) (frameForm, bool) {
	native := f.Pixel.Native != nil
	stored := storedType(f.TransferSyntax)
	for _, m := range c.accept {
		form := frameForm{multipart: m.multipart || m.any || count > 1, syntax: explicitLE}
		if count > 1 && !m.multipart && !m.any {
			continue
		}
		own := m.syntax == "*" || m.syntax == f.TransferSyntax
		plain := m.syntax == "" || m.syntax == explicitLE
		switch {
		case native && m.is(typeOctet) && (own || plain):
			form.kind = typeOctet
		case !native && m.kind != typeOctet && stored != "" && m.is(stored) && (own || m.syntax == ""):
			form.kind, form.syntax = stored, f.TransferSyntax
		case !native && m.is(typeOctet) && own && validUID(f.TransferSyntax):
			form.kind, form.syntax = typeOctet, f.TransferSyntax
		case !native && m.is(typeOctet) && plain && src.Decodable():
			form.kind, form.decoded = typeOctet, true
		case src.Decodable() && m.codes(&form):
		default:
			continue
		}
		return form, true
	}
	return frameForm{}, false
}

// codes completes the form where a range names a compressed syntax to code
// frames in: by its UID, or by a media type, which then stands for its first
// lossless syntax (PS3.18 table 8.7.3-5).
func (m media) codes(form *frameForm) bool {
	to := m.syntax
	if to == "" {
		to = map[string]string{typeJPEG: transcode.JPEGLosslessSV1, "image/jls": transcode.JPEGLSLossless,
			"image/jp2": transcode.JPEG2000Lossless, "image/jphc": transcode.HTJ2KLossless, "image/dicom-rle": transcode.RLE}[m.kind]
	}
	kind := storedType(to)
	if kind == "" || !slices.Contains(transcode.Targets(), to) {
		return false
	}
	switch {
	case m.kind != typeOctet && m.is(kind):
		form.kind = kind
	case m.is(typeOctet):
		form.kind = typeOctet
	default:
		return false
	}
	form.syntax, form.coded = to, true
	return true
}

// storedType is the media type of encapsulated frames (PS3.18 table 8.7.3-2),
// "" when they have none.
func storedType(syntax string) string {
	n, ok := strings.CutPrefix(syntax, "1.2.840.10008.1.2.4.")
	switch {
	case syntax == "1.2.840.10008.1.2.5":
		return "image/dicom-rle"
	case !ok:
		return ""
	}
	switch n {
	case "50", "51", "57", "70":
		return typeJPEG
	case "80", "81":
		return "image/jls"
	case "90", "91":
		return "image/jp2"
	case "92", "93":
		return "image/jpx"
	case "110", "111", "112":
		return "image/jxl"
	case "201", "202", "203":
		return "image/jphc"
	case "100", "101", "100.1", "101.1":
		return "video/mpeg2"
	case "102", "103", "104", "105", "106", "102.1", "103.1", "104.1", "105.1", "106.1":
		return "video/mp4"
	case "107", "108":
		return "video/H265"
	}
	return ""
}

// frame opens one frame in the form agreed on.
func (s *Service) frame(ctx context.Context, f object, src *pixel.Source, form frameForm, n int) (io.ReadSeeker, error) {
	img, err := src.FrameInfo(n)
	if err != nil {
		return nil, err
	}
	if f.video() { // one stream holds all frames
		return newPieces(f.Data(f.blob), f.Pixel.Fragments), nil
	}
	if form.coded {
		return s.codedFrame(ctx, f, img, form, n)
	}
	turned := f.Pixel.Native != nil && f.BigEndian
	if !form.decoded && !turned {
		sections, err := src.Sections(n)
		if err == nil {
			return newPieces(f.Data(f.blob), sections), nil
		}
		if f.Pixel.Native == nil {
			return nil, err
		}
	}
	release, err := s.decode(ctx, img)
	if err != nil {
		return nil, err
	}
	defer release()
	p, err := src.Stored(ctx, n)
	if err != nil {
		return nil, err
	}
	if img.BitsAllocated == 1 {
		return bytes.NewReader(packBits(p.Data)), nil
	}
	return bytes.NewReader(p.Data), nil
}

// codedFrame is a frame of the derived copy, or one coded now.
func (s *Service) codedFrame(ctx context.Context, f object, img pixel.Image, form frameForm, n int) (io.ReadSeeker, error) {
	if n <= len(f.copied) {
		at := f.copied[n-1]
		return io.NewSectionReader(f.copy, at.Offset, at.Length), nil
	}
	release, err := s.decode(ctx, img)
	if err != nil {
		return nil, err
	}
	defer release()
	data, err := transcode.Frame(ctx, f.File, f.blob, n, form.syntax)
	return bytes.NewReader(data), err
}

// packBits makes bits of bytes 0 and 1, the first in the lowest place (PS3.5
// section 8.1.1).
func packBits(samples []byte) []byte {
	out := make([]byte, (len(samples)+7)/8)
	for i, v := range samples {
		out[i/8] |= v & 1 << (i % 8)
	}
	return out
}

// largeFrame is from when on only one frame is decoded at a time.
const largeFrame = 48 << 20

// decode waits for a place among the decoders; release gives it back.
func (s *Service) decode(ctx context.Context, img pixel.Image) (release func(), err error) {
	places := 1
	if int64(img.Rows)*int64(img.Cols)*int64(img.Samples)*int64(img.SampleBits()/8) > largeFrame {
		places = cap(s.decoding)
		select {
		case s.large <- struct{}{}:
			defer func() { <-s.large }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	taken := 0
	release = func() {
		for ; taken > 0; taken-- {
			<-s.decoding
		}
	}
	for taken < places {
		select {
		case s.decoding <- struct{}{}:
			taken++
		case <-ctx.Done():
			release()
			return nil, ctx.Err()
		}
	}
	return release, nil
}
