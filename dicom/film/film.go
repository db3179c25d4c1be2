// Package film takes video out of its DICOM encapsulation (PS3.5 sections
// 8.2.5 to 8.2.13) and makes a file of it that browsers play: the fragments
// joined where they hold MP4, the coded pictures moved from an MPEG transport
// stream into MP4 otherwise. Pictures are never decoded here; a poster is drawn
// by ffmpeg where that is installed. It must not know where bytes are stored.
package film

import (
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"

	"sira/dicom"
)

// What callers may want to tell apart. All are wrapped.
var (
	ErrNoFilm      = errors.New("object holds no film")
	ErrUnsupported = errors.New("film cannot be made playable")
	ErrCorrupt     = errors.New("film cannot be read")
)

// The codings of the DICOM transfer syntaxes.
const (
	MPEG2 = "mpeg2"
	H264  = "h264"
	H265  = "h265"
)

// The containers that a film may lie in.
const (
	MP4        = "mp4"
	Transport  = "ts"  // ISO/IEC 13818-1, 188-byte packets
	Program    = "ps"  // ISO/IEC 13818-1, packs
	Elementary = "es"  // bare, with start codes
	Unknown    = "bin" // something else
)

// Coding is how the films of a transfer syntax are coded, "" when it holds no
// films.
func Coding(syntax string) string {
	n, ok := strings.CutPrefix(syntax, "1.2.840.10008.1.2.4.")
	if !ok {
		return ""
	}
	switch strings.TrimSuffix(n, ".1") {
	case "100", "101":
		return MPEG2
	case "102", "103", "104", "105", "106":
		return H264
	case "107", "108":
		return H265
	}
	return ""
}

// Film is the stream of one object, its fragments as if they lay one after the
// other. It reads from the object as it is read.
type Film struct {
	Coding, Container string
	Size              int64
	FrameTimeMs       float64 // of (0018,1063) or (0018,0040), 0 when unknown

	r     io.ReaderAt
	parts []dicom.Section
	ends  []int64
}

// Open finds the film of f, whose bytes r holds. Errors: ErrNoFilm, ErrCorrupt,
// those of r.
func Open(f *dicom.File, r io.ReaderAt) (*Film, error) {
	m := &Film{Coding: Coding(f.TransferSyntax), r: f.Data(r)}
	if m.Coding == "" || f.Pixel == nil || f.Pixel.Native != nil {
		return nil, ErrNoFilm
	}
	for _, s := range f.Pixel.Fragments {
		if s.Length > 0 {
			m.Size += s.Length
			m.parts, m.ends = append(m.parts, s), append(m.ends, m.Size)
		}
	}
	if ms, ok := f.Float(0x00181063); ok && ms > 0 && ms < 60_000 {
		m.FrameTimeMs = ms
	} else if rate, ok := f.Float(0x00180040); ok && rate > 0 && rate < 1000 {
		m.FrameTimeMs = 1000 / rate
	}
	head := make([]byte, min(m.Size, 3*188))
	if len(head) < 12 {
		return nil, fmt.Errorf("%d bytes: %w", len(head), ErrCorrupt)
	}
	if _, err := m.ReadAt(head, 0); err != nil {
		return nil, fmt.Errorf("reading a film: %w", err)
	}
	m.Container = container(head)
	return m, nil
}

// container looks at the first bytes.
func container(head []byte) string {
	switch {
	case string(head[4:8]) == "ftyp":
		return MP4
	case len(head) > 376 && head[0] == 0x47 && head[188] == 0x47 && head[376] == 0x47:
		return Transport
	case head[0] == 0 && head[1] == 0 && head[2] == 1 && head[3] == 0xBA:
		return Program
	case head[0] == 0 && head[1] == 0 && (head[2] == 1 || head[2] == 0 && head[3] == 1):
		return Elementary
	}
	return Unknown
}

// Plays reports whether browsers play the film as it lies.
func (m *Film) Plays() bool { return m.Container == MP4 && m.Coding != MPEG2 }

// Movable reports whether MP4 can be made of the film without decoding. A bare
// stream, which DICOM does not allow, has no times to place its pictures by.
func (m *Film) Movable() bool { return m.Coding != MPEG2 && m.Container == Transport }

// MediaType is the type of the file as it lies, and the ending of its name.
func (m *Film) MediaType() (mediaType, ext string) {
	switch m.Container {
	case MP4:
		return "video/mp4", ".mp4"
	case Transport:
		return "video/mp2t", ".ts"
	case Program:
		return "video/mpeg", ".mpg"
	case Elementary:
		return "video/mpeg", map[string]string{MPEG2: ".m2v", H264: ".h264", H265: ".h265"}[m.Coding]
	}
	return "application/octet-stream", ".bin"
}

// ReadAt implements io.ReaderAt over the joined fragments.
func (m *Film) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, errors.New("reading before the start of a film")
	}
	for i := sort.Search(len(m.ends), func(i int) bool { return m.ends[i] > off }); n < len(p); i++ {
		if i >= len(m.parts) {
			return n, io.EOF
		}
		into := off + int64(n) - (m.ends[i] - m.parts[i].Length)
		want := min(int64(len(p)-n), m.parts[i].Length-into)
		got, err := m.r.ReadAt(p[n:n+int(want)], m.parts[i].Offset+into)
		n += got
		if int64(got) < want {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return n, err
		}
	}
	return n, nil
}

// Reader reads the film from its start, and from any place.
func (m *Film) Reader() *io.SectionReader { return io.NewSectionReader(m, 0, m.Size) }
