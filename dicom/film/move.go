package film

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mpegts"
	tscodecs "github.com/bluenviron/mediacommon/v2/pkg/formats/mpegts/codecs"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/pmp4"
)

// Bounds of what is moved. MP4 as it is written here places samples by 32 bits.
const (
	maxSamples = 3 << 20 // a day at 30 a second
	maxMoved   = math.MaxUint32 - 256<<20
	maxErrors  = 1000
	clock      = 90_000 // of a transport stream, in Hz
)

// MP4 writes the film's coded pictures, and AAC sound if there is some, to w as
// MP4 with its index in front. Samples pass through temp, an empty file, so
// that memory holds only their index. Errors: ErrUnsupported, ErrCorrupt, those
// of ctx and files.
func (m *Film) MP4(ctx context.Context, temp *os.File, w io.Writer) (err error) {
	defer func() { // the demultiplexer reads what anybody sent
		if x := recover(); x != nil {
			err = fmt.Errorf("moving a film: %v: %w", x, ErrCorrupt)
		}
	}()
	switch {
	case m.Coding == MPEG2:
		return fmt.Errorf("MPEG-2: %w", ErrUnsupported)
	case m.Container != Transport:
		return fmt.Errorf("in a container %s: %w", m.Container, ErrUnsupported)
	}
	mv := &mover{ctx: ctx, temp: temp, out: bufio.NewWriterSize(temp, 256<<10)}
	if err := mv.read(m.Reader()); err != nil {
		return err
	}
	return mv.write(w)
}

// mover takes samples out of a transport stream.
type mover struct {
	ctx    context.Context
	temp   *os.File
	out    *bufio.Writer
	size   int64
	total  int
	tracks []*moved
}

// moved is one track; times are in its own clock.
type moved struct {
	codec codecs.Codec
	clock uint32
	list  []sample
	order int // pictures, then sound
}

type sample struct {
	at       int64
	size     uint32
	dts, pts int64
	sync     bool
}

func (v *mover) read(r io.Reader) error {
	ts := &mpegts.Reader{R: bufio.NewReaderSize(cancellable{v.ctx, r}, 64<<10)}
	if err := ts.Initialize(); err != nil {
		return v.blame(err)
	}
	errs := 0
	ts.OnDecodeError(func(error) { errs++ })
	film := false
	for _, track := range ts.Tracks() {
		switch c := track.Codec.(type) {
		case *tscodecs.H264, *tscodecs.H265:
			if film {
				continue // one picture is shown
			}
			film = true
			v.pictures(ts, track)
		case *tscodecs.MPEG4Audio:
			v.sound(ts, track, c)
		}
	}
	slices.SortStableFunc(v.tracks, func(a, b *moved) int { return cmp.Compare(a.order, b.order) })
	if !film {
		return fmt.Errorf("no H.264 or H.265 in the transport stream: %w", ErrUnsupported)
	}
	for {
		err := ts.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return v.blame(err)
		}
		if errs > maxErrors {
			return fmt.Errorf("%d faults in the transport stream: %w", errs, ErrCorrupt)
		}
	}
	if err := v.out.Flush(); err != nil {
		return fmt.Errorf("spooling a film: %w", err)
	}
	return nil
}

// blame tells a stream that cannot be read from a store that failed.
func (v *mover) blame(err error) error {
	if v.ctx.Err() != nil {
		return v.ctx.Err()
	}
	for _, own := range []error{ErrUnsupported, ErrCorrupt, os.ErrClosed, errSpool} {
		if errors.Is(err, own) {
			return err
		}
	}
	return fmt.Errorf("reading a transport stream: %w: %w", err, ErrCorrupt)
}

var errSpool = errors.New("spooling a film")

// put keeps one sample.
func (v *mover) put(t *moved, data []byte, pts, dts int64, sync bool) error {
	if v.total++; v.total > maxSamples || v.size+int64(len(data)) > maxMoved {
		return fmt.Errorf("film too long: %w", ErrUnsupported)
	}
	if _, err := v.out.Write(data); err != nil {
		return fmt.Errorf("%w: %w", errSpool, err)
	}
	t.list = append(t.list, sample{v.size, uint32(len(data)), dts, pts, sync})
	v.size += int64(len(data))
	return nil
}

func (v *mover) pictures(ts *mpegts.Reader, track *mpegts.Track) {
	t := &moved{clock: clock}
	v.tracks = append(v.tracks, t)
	take := func(pts, dts int64, au [][]byte, params func([]byte), sync bool) error {
		for _, n := range au {
			if len(n) > 2 {
				params(n)
			}
		}
		if t.codec == nil || len(t.list) == 0 && !sync {
			return nil // nothing to start from yet
		}
		data, err := h264.AVCC(au).Marshal()
		if err != nil || len(data) == 0 {
			return nil
		}
		return v.put(t, data, pts, dts, sync)
	}
	if _, ok := track.Codec.(*tscodecs.H265); ok {
		p := &codecs.H265{}
		ts.OnDataH265(track, func(pts, dts int64, au [][]byte) error {
			sync := false
			for _, n := range au {
				if len(n) > 2 {
					k := n[0] >> 1 & 0x3F
					sync = sync || k >= 16 && k <= 21 // IRAP (H.265 table 7-1)
				}
			}
			return take(pts, dts, au, func(n []byte) {
				switch n[0] >> 1 & 0x3F {
				case 32:
					first(&p.VPS, n)
				case 33:
					if sps := new(h265.SPS); sps.Unmarshal(n) == nil {
						first(&p.SPS, n)
					}
				case 34:
					first(&p.PPS, n)
				}
				if p.VPS != nil && p.SPS != nil && p.PPS != nil {
					t.codec = p
				}
			}, sync)
		})
		return
	}
	p := &codecs.H264{}
	ts.OnDataH264(track, func(pts, dts int64, au [][]byte) error {
		return take(pts, dts, au, func(n []byte) {
			switch n[0] & 0x1F {
			case 7:
				if sps := new(h264.SPS); sps.Unmarshal(n) == nil {
					first(&p.SPS, n)
				}
			case 8:
				first(&p.PPS, n)
			}
			if p.SPS != nil && p.PPS != nil {
				t.codec = p
			}
		}, h264.IsRandomAccess(au))
	})
}

// first keeps the sound parameters that come first; later ones stay in the
// stream.
func first(to *[]byte, n []byte) {
	if *to == nil {
		*to = append([]byte(nil), n...)
	}
}

func (v *mover) sound(ts *mpegts.Reader, track *mpegts.Track, c *tscodecs.MPEG4Audio) {
	rate := int64(c.SampleRate)
	if rate <= 0 || rate > 192_000 {
		return
	}
	t := &moved{clock: uint32(rate), order: 1, codec: &codecs.MPEG4Audio{Config: c.Config}}
	v.tracks = append(v.tracks, t)
	ts.OnDataMPEG4Audio(track, func(pts int64, aus [][]byte) error {
		at := pts * rate / clock
		for i, au := range aus {
			if err := v.put(t, au, at+int64(i)*1024, at+int64(i)*1024, true); err != nil {
				return err
			}
		}
		return nil
	})
}

// write lays the samples out as MP4.
func (v *mover) write(w io.Writer) error {
	var p pmp4.Presentation
	var start float64 // of the pictures, in seconds
	pictures := false
	for _, t := range v.tracks { // pictures come first, see read
		if len(t.list) == 0 || !pictures && !t.codec.IsVideo() {
			continue
		}
		if !pictures {
			start, pictures = float64(t.begins())/float64(t.clock), true
		}
		// Sound from before the first picture is left out. What the pictures are
		// decoded ahead is no delay.
		late := float64(t.begins()) - start*float64(t.clock) - float64(t.begins()-t.list[0].dts)
		hour := 3600 * float64(t.clock)
		p.Tracks = append(p.Tracks, &pmp4.Track{ID: len(p.Tracks) + 1, TimeScale: t.clock, Codec: t.codec, Samples: t.samples(v.temp),
			TimeOffset: int32(math.Round(min(max(late, -hour), hour)))})
	}
	if !pictures {
		return fmt.Errorf("no picture to start from: %w", ErrCorrupt)
	}
	out := &cancellableWriter{ctx: v.ctx, w: w}
	switch err := p.Marshal(out); {
	case err == nil:
		return nil
	case out.err != nil || errors.Is(err, errSpool):
		return fmt.Errorf("writing MP4: %w", err)
	default: // neither w nor the spool failed: the film cannot be laid out
		return fmt.Errorf("writing MP4: %w: %w", err, ErrCorrupt)
	}
}

// begins is when the first sample is shown: not the first in the stream when
// some are decoded ahead.
func (t *moved) begins() int64 {
	at := t.list[0].pts
	for _, s := range t.list[:min(len(t.list), 32)] {
		at = min(at, s.pts)
	}
	return max(at, t.list[0].dts)
}

// samples gives each one its duration: until the next, the last one like the
// one before. Clocks that jump count as one step.
func (t *moved) samples(temp io.ReaderAt) []*pmp4.Sample {
	out := make([]*pmp4.Sample, len(t.list))
	step := int64(t.clock) / 25
	for i, s := range t.list {
		if i+1 < len(t.list) {
			if d := t.list[i+1].dts - s.dts; d > 0 && d < 10*int64(t.clock) {
				step = d
			}
		}
		offset := min(max(s.pts-s.dts, 0), 10*int64(t.clock))
		out[i] = &pmp4.Sample{Duration: uint32(step), PTSOffset: int32(offset), IsNonSyncSample: !s.sync, PayloadSize: s.size,
			GetPayload: func() ([]byte, error) {
				data := make([]byte, s.size)
				n, err := temp.ReadAt(data, s.at)
				if n != len(data) {
					return nil, fmt.Errorf("%w: %w", errSpool, err)
				}
				return data, nil
			}}
	}
	return out
}

// cancellable reads until its context ends.
type cancellable struct {
	ctx context.Context
	r   io.Reader
}

func (c cancellable) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// cancellableWriter writes until its context ends, and keeps why it stopped.
type cancellableWriter struct {
	ctx context.Context
	w   io.Writer
	err error
}

func (c *cancellableWriter) Write(p []byte) (n int, err error) {
	if c.err = c.ctx.Err(); c.err == nil {
		n, c.err = c.w.Write(p)
	}
	return n, c.err
}
