package film

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"
)

// Bounds of what ffmpeg is given.
const (
	ffmpegTime    = 2 * time.Minute
	maxPosterFilm = 512 << 20
	maxPoster     = 4 << 20
)

// ffmpeg is the program's path, "" when it is not installed.
var ffmpeg = sync.OnceValue(func() string {
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		return ""
	}
	return path
})

// Posters reports whether posters can be made here.
func Posters() bool { return ffmpeg() != "" }

// Poster is a JPEG no larger than side in either direction, of a picture from
// the beginning of the film. ffmpeg draws it; ErrUnsupported without ffmpeg.
// The film passes through temp, an empty file.
func (m *Film) Poster(ctx context.Context, temp *os.File, side int) ([]byte, error) {
	demuxer := map[string]string{MP4: "mov", Transport: "mpegts", Program: "mpeg"}[m.Container]
	if m.Container == Elementary {
		demuxer = map[string]string{MPEG2: "mpegvideo", H264: "h264", H265: "hevc"}[m.Coding]
	}
	if !Posters() || demuxer == "" || m.Size > maxPosterFilm {
		return nil, fmt.Errorf("no poster: %w", ErrUnsupported)
	}
	if _, err := io.Copy(temp, cancellable{ctx, m.Reader()}); err != nil {
		return nil, fmt.Errorf("spooling a film: %w", err)
	}
	n := strconv.Itoa(side)
	// The demuxer is named, so that no playlist can send ffmpeg elsewhere.
	out, err := run(ctx, "-protocol_whitelist", "file", "-f", demuxer, "-i", "file:"+temp.Name(), "-an", "-frames:v", "1",
		"-vf", "thumbnail=12,scale="+n+":"+n+":force_original_aspect_ratio=decrease,format=yuvj420p", "-c:v", "mjpeg", "-q:v", "5", "-f", "image2pipe", "pipe:1")
	if err == nil && len(out) == 0 {
		err = ErrCorrupt
	}
	return out, err
}

// run runs ffmpeg on one thread, for a while, and gives what it wrote.
func run(ctx context.Context, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, ffmpegTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, ffmpeg(), append([]string{"-v", "error", "-hide_banner", "-nostdin", "-threads", "1"}, args...)...)
	cmd.Env, cmd.WaitDelay = []string{}, 5*time.Second
	var out bounded
	cmd.Stdout = &out
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("ffmpeg: %w: %w", ctx.Err(), ErrCorrupt)
	case errors.As(err, &exit):
		return nil, fmt.Errorf("ffmpeg: %w: %w", err, ErrCorrupt)
	case err != nil:
		return nil, fmt.Errorf("running ffmpeg: %w", err)
	}
	return out.b.Bytes(), nil
}

// bounded takes so much and no more.
type bounded struct{ b bytes.Buffer }

func (o *bounded) Write(p []byte) (int, error) {
	if o.b.Len()+len(p) > maxPoster {
		return 0, ErrUnsupported
	}
	return o.b.Write(p)
}
