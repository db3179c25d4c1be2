package film

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sira/dicom"
	"sira/dicom/write"
)

const (
	h264Syntax  = "1.2.840.10008.1.2.4.102"
	h265Syntax  = "1.2.840.10008.1.2.4.107"
	mpeg2Syntax = "1.2.840.10008.1.2.4.100"
)

// wrap makes a DICOM object of a stream, in fragments of size bytes.
func wrap(t testing.TB, syntax string, stream []byte, size int) []byte {
	t.Helper()
	o := write.New(syntax)
	s := o.Set
	for tag, v := range map[dicom.Tag]string{0x00080016: "1.2.840.10008.5.1.4.1.1.77.1.4.1", 0x00080018: "1.2.3.4", 0x0020000D: "1.2.3", 0x0020000E: "1.2.3.1"} {
		s.Text(tag, "UI", v)
	}
	s.Decimal(0x00181063, 40)
	var parts []dicom.Section
	for at := 0; at < len(stream); at += size {
		parts = append(parts, dicom.Section{Offset: int64(at), Length: int64(min(size, len(stream)-at))})
	}
	s.Put(write.Element{Tag: 0x7FE00010, VR: "OB", Body: write.Copied(bytes.NewReader(stream), append([]dicom.Section{{}}, parts...))})
	var b bytes.Buffer
	if err := o.Write(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(t testing.TB, data []byte) (*Film, error) {
	t.Helper()
	f, err := dicom.Read(context.Background(), bytes.NewReader(data), int64(len(data)), dicom.Limits{ModelBytes: -1})
	if err != nil {
		return nil, err
	}
	return Open(f, bytes.NewReader(data))
}

func temp(t testing.TB) *os.File {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// made has ffmpeg make a film of a second.
func made(t testing.TB, name string, args ...string) []byte {
	t.Helper()
	if ffmpeg() == "" {
		t.Skip("NOT RUN: ffmpeg is not installed")
	}
	out := filepath.Join(t.TempDir(), name)
	args = append([]string{"-v", "error", "-f", "lavfi", "-i", "testsrc=size=192x144:rate=25:duration=1", "-f", "lavfi", "-i", "sine=duration=1"}, append(args, out)...)
	if said, err := exec.Command(ffmpeg(), args...).CombinedOutput(); err != nil {
		t.Skipf("NOT RUN: this ffmpeg cannot make %s: %v %s", name, err, said)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// pictures is ffmpeg's sum of every decoded picture, with its time, and how the
// container describes the film.
func pictures(t *testing.T, data []byte, args ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "film")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(ffmpeg(), append(append([]string{"-v", "error", "-i", name}, args...), "-f", "framemd5", "-")...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var sums []string
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "#") {
			c := strings.Split(line, ",")
			sums = append(sums, strings.TrimSpace(c[len(c)-1]))
		}
	}
	return fmt.Sprint(len(sums), sums)
}

// TestMoved brings films of each coding and container into MP4: every picture
// decodes to what it was, in its order.
func TestMoved(t *testing.T) {
	x264 := []string{"-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "10", "-pix_fmt", "yuv420p"}
	for name, c := range map[string]struct {
		syntax string
		args   []string
		sound  bool
	}{
		"h264.ts":  {h264Syntax, append(x264, "-an"), false},
		"sound.ts": {h264Syntax, append(x264, "-c:a", "aac"), true},
		"h265.ts":  {h265Syntax, []string{"-c:v", "libx265", "-x265-params", "log-level=none", "-an", "-pix_fmt", "yuv420p"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			stream := made(t, name, c.args...)
			m, err := open(t, wrap(t, c.syntax, stream, 1000))
			if err != nil {
				t.Fatal(err)
			}
			if m.Plays() || !m.Movable() {
				t.Fatalf("%+v plays %v, movable %v", m.Container, m.Plays(), m.Movable())
			}
			var out bytes.Buffer
			if err := m.MP4(t.Context(), temp(t), &out); err != nil {
				t.Fatal(err)
			}
			if string(out.Bytes()[4:8]) != "ftyp" || bytes.Index(out.Bytes(), []byte("moov")) > bytes.Index(out.Bytes(), []byte("mdat")) {
				t.Error("no MP4 with its index in front")
			}
			if was, is := pictures(t, stream, "-map", "0:v"), pictures(t, out.Bytes(), "-map", "0:v"); was != is {
				t.Errorf("pictures %.80s…, were %.80s…", is, was)
			}
			if c.sound {
				if is := pictures(t, out.Bytes(), "-map", "0:a"); len(is) < 1000 {
					t.Errorf("sound: %s", is)
				}
			}
		})
	}
}

// TestAsItLies: MP4 is handed out as it is, MPEG-2 cannot be played.
func TestAsItLies(t *testing.T) {
	mp4 := made(t, "film.mp4", "-c:v", "libx264", "-an", "-pix_fmt", "yuv420p")
	m, err := open(t, wrap(t, h264Syntax, mp4, 777*2))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(m.Reader())
	if err != nil || !bytes.Equal(got[:len(mp4)], mp4) || len(got) > len(mp4)+1 || !m.Plays() {
		t.Errorf("%d bytes of %d, %v, plays %v", len(got), len(mp4), err, m.Plays())
	}
	for _, at := range []int64{0, 776 * 2, 777 * 2, int64(len(mp4)) - 5} {
		p := make([]byte, 5)
		if _, err := m.ReadAt(p, at); err != nil || !bytes.Equal(p, mp4[at:at+5]) {
			t.Errorf("at %d: %x, %v", at, p, err)
		}
	}
	for name, container := range map[string]string{"film.mpg": Program, "film.ts": Transport, "film.m2v": Elementary} {
		m, err := open(t, wrap(t, mpeg2Syntax, made(t, name, "-c:v", "mpeg2video", "-an"), 4096))
		if err != nil {
			t.Fatal(err)
		}
		if m.Plays() || m.Movable() || m.Container != container {
			t.Errorf("%s: %s, plays %v", name, m.Container, m.Plays())
		}
		if err := m.MP4(t.Context(), temp(t), io.Discard); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
		poster(t, m)
	}
	poster(t, m)
}

func poster(t *testing.T, m *Film) {
	t.Helper()
	raw, err := m.Poster(t.Context(), temp(t), 96)
	if err != nil {
		t.Fatal(err)
	}
	img, err := jpeg.Decode(bytes.NewReader(raw))
	if err != nil || img.Bounds().Dx() != 96 || img.Bounds().Dy() != 72 {
		t.Errorf("poster %v, %v", img, err)
	}
}

// TestHostile: streams that are cut, or not what they say.
func TestHostile(t *testing.T) {
	ts := made(t, "h264.ts", "-c:v", "libx264", "-an", "-pix_fmt", "yuv420p")
	noise := bytes.Clone(ts)
	for i := range noise {
		if i%188 > 4 {
			noise[i] = byte(i * 7919 >> 3)
		}
	}
	unreadable := bytes.Clone(ts) // sequence parameters that no decoder reads
	for at := 0; ; at += 4 {
		n := bytes.Index(unreadable[at:], []byte{0, 0, 1, 0x67})
		if n < 0 {
			break
		}
		at += n
		copy(unreadable[at+4:], bytes.Repeat([]byte{0x01}, 12))
	}
	for name, stream := range map[string][]byte{"tables only": ts[:188*3], "no readable parameters": unreadable, "noise in packets": noise, "sync bytes only": bytes.Repeat(append([]byte{0x47}, make([]byte, 187)...), 8000),
		"MPEG-2 called H.264": made(t, "m2.ts", "-c:v", "mpeg2video", "-an")} {
		t.Run(name, func(t *testing.T) {
			m, err := open(t, wrap(t, h264Syntax, stream, 9400))
			if err != nil {
				t.Fatal(err)
			}
			if err := m.MP4(t.Context(), temp(t), io.Discard); !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrUnsupported) {
				t.Errorf("error %v", err)
			}
		})
	}
	t.Run("cut", func(t *testing.T) { // what is there is shown
		m, err := open(t, wrap(t, h264Syntax, ts[:len(ts)/2/188*188+50], 9400))
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := m.MP4(t.Context(), temp(t), &out); err != nil || out.Len() < 1000 {
			t.Errorf("%d bytes, %v", out.Len(), err)
		}
	})
	for name, data := range map[string][]byte{"short": {1, 2, 3, 4}} {
		if _, err := open(t, wrap(t, h264Syntax, data, 100)); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := open(t, wrap(t, "1.2.840.10008.1.2.4.50", ts, 9400)); !errors.Is(err, ErrNoFilm) {
		t.Errorf("a JPEG: %v", err)
	}
}

// FuzzMove feeds packets to what moves them. No film may end the process.
func FuzzMove(f *testing.F) {
	if ffmpeg() != "" {
		f.Add(made(f, "h264.ts", "-c:v", "libx264", "-an", "-pix_fmt", "yuv420p", "-frames:v", "3"))
	}
	f.Add(bytes.Repeat(append([]byte{0x47, 0x40, 0, 0x10}, make([]byte, 184)...), 4))
	f.Fuzz(func(t *testing.T, stream []byte) {
		if len(stream) > 64<<10 {
			return
		}
		m := &Film{Coding: H264, Container: Transport, Size: int64(len(stream)), r: bytes.NewReader(stream),
			parts: []dicom.Section{{Length: int64(len(stream))}}, ends: []int64{int64(len(stream))}}
		err := m.MP4(context.Background(), temp(t), io.Discard)
		if err != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrUnsupported) {
			t.Errorf("error %v", err)
		}
	})
}
