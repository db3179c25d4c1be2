package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"

	"sira/cmd/benchdoc"
	"sira/dicom/pixel"
	"sira/dicom/write"
)

// row is one line of the first table.
type row struct {
	name         string
	ours         []float64 // milliseconds a frame, one for each round
	peer         string    // the faster of the native tools
	theirs       []float64
	goal, beyond float64
	frames       int
	right        int // frames that came out as they have to
}

// compare measures decoding and encoding of every codec.
func (b *bench) compare(ctx context.Context) ([]row, error) {
	var decode, encode []row
	for k := range codecs {
		c := &codecs[k]
		fmt.Fprintln(b.log, c.name)
		r, err := b.decoding(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("decoding %s: %w", c.name, err)
		}
		decode = append(decode, r)
		if c.encode == nil {
			continue
		}
		if r, err = b.encoding(ctx, c); err != nil {
			return nil, fmt.Errorf("encoding %s: %w", c.name, err)
		}
		encode = append(encode, r)
	}
	return append(decode, encode...), nil
}

// plain are the frames of as many bits as c takes.
func (b *bench) plain(c *codec) [][]byte {
	if c.bits > 8 {
		return b.frames
	}
	var out [][]byte
	for _, f := range b.frames {
		out = append(out, eight(f))
	}
	return out
}

// decoding measures how fast what a peer coded is decoded.
func (b *bench) decoding(ctx context.Context, c *codec) (row, error) {
	in, err := b.natively(ctx, c)
	if err != nil {
		return row{}, err
	}
	r := row{name: "decode " + c.name, goal: c.goal, beyond: c.beyond, frames: len(b.frames)}
	data, err := os.ReadFile(in.all)
	if err != nil {
		return row{}, fmt.Errorf("reading what was coded: %w", err)
	}
	var got [][]byte
	for range b.rounds {
		s, err := open(ctx, data)
		if err != nil {
			return row{}, err
		}
		got = got[:0]
		ms, err := clock(func() error {
			for n := 1; n <= len(b.frames); n++ {
				p, err := s.Stored(ctx, n)
				if err != nil {
					return err
				}
				got = append(got, p.Data)
			}
			return nil
		})
		if err != nil {
			return row{}, err
		}
		r.ours = append(r.ours, ms/float64(len(b.frames)))
	}
	outs, err := b.fastest(ctx, &r, c.decoders, in, "decoded")
	if err != nil {
		return row{}, err
	}
	want, allowed := b.plain(c), 0
	if c.lossy {
		allowed = 1
		if want, err = frames(ctx, &c.decoders[0], outs[0], len(b.frames)); err != nil {
			return row{}, err
		}
	}
	for k := range got {
		if differ(got[k], want[k], c.bits) <= allowed {
			r.right++
		}
	}
	return r, nil
}

// natively has the peer code the frames.
func (b *bench) natively(ctx context.Context, c *codec) (inputs, error) {
	in, err := b.uncoded(ctx, c, c.by.in)
	if err != nil {
		return in, err
	}
	out := inputs{n: in.n, all: b.path("coded.dcm"), first: b.path("coded-one.dcm"), tiny: b.path("coded-tiny" + c.by.out)}
	if !c.by.single {
		if _, err := command(ctx, c.by.command(in.all, out.all)...); err != nil {
			return out, err
		}
		_, err := command(ctx, c.by.command(in.first, out.first)...)
		return out, err
	}
	var streams [][]byte
	for k, file := range in.files {
		to := b.path(fmt.Sprintf("coded-%02d%s", k, c.by.out))
		if _, err := command(ctx, c.by.command(file, to)...); err != nil {
			return out, err
		}
		stream, err := os.ReadFile(to)
		if err != nil {
			return out, fmt.Errorf("reading what was coded: %w", err)
		}
		streams, out.files = append(streams, stream), append(out.files, to)
	}
	if _, err := command(ctx, append(c.by.command(in.tiny, out.tiny), levels(&c.by)...)...); err != nil {
		return out, err
	}
	return out, b.wrap(ctx, c, streams, out)
}

// levels are arguments for a picture too small for five wavelet levels.
func levels(t *tool) []string {
	if t.name == "opj_compress" {
		return []string{"-n", "1"}
	}
	return []string{"-num_decomps", "1"}
}

// wrap writes coded frames as objects of all and of one.
func (b *bench) wrap(ctx context.Context, c *codec, streams [][]byte, to inputs) error {
	for path, some := range map[string][][]byte{to.all: streams, to.first: streams[:1]} {
		data, err := object(ctx, c.syntax, c.bits, some)
		if err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			return fmt.Errorf("writing an object: %w", err)
		}
	}
	return nil
}

// uncoded writes the frames as objects and, if there is a suffix, as pictures.
func (b *bench) uncoded(ctx context.Context, c *codec, suffix string) (inputs, error) {
	list := b.plain(c)
	in := inputs{n: len(list)}
	for path, some := range map[*string][][]byte{&in.all: list, &in.first: list[:1]} {
		data, err := object(ctx, write.ExplicitLE, c.bits, some)
		if err != nil {
			return in, err
		}
		if *path, err = b.save(fmt.Sprintf("native-%d-%d.dcm", c.bits, len(some)), data); err != nil {
			return in, err
		}
	}
	if suffix == "" {
		return in, nil
	}
	for k, f := range list {
		path, err := b.save(fmt.Sprintf("native-%02d%s", k, suffix), pgm(f, side))
		if err != nil {
			return in, err
		}
		in.files = append(in.files, path)
	}
	var err error
	in.tiny, err = b.save("native-tiny"+suffix, pgm(make([]byte, 128), 8))
	return in, err
}

// fastest measures the tools in turn and keeps the figures of the fastest. It
// tells where each left its output. A tool that refuses what it is given is
// left out, but the first.
func (b *bench) fastest(ctx context.Context, r *row, tools []tool, in inputs, name string) ([]string, error) {
	var outs []string
	for k := range tools {
		t := &tools[k]
		out := b.path(name + "-" + t.name)
		var times []float64
		for range b.rounds {
			ms, err := t.perFrame(ctx, in, out)
			if err != nil && k > 0 && ctx.Err() == nil {
				fmt.Fprintln(b.log, "left out:", err)
				times = nil
				break
			}
			if err != nil {
				return nil, err
			}
			times = append(times, ms)
		}
		outs = append(outs, out)
		if len(times) > 0 && (len(r.theirs) == 0 || benchdoc.Median(times) < benchdoc.Median(r.theirs)) {
			r.theirs, r.peer = times, t.name
		}
	}
	return outs, nil
}

// encoding measures how fast frames are coded, and has the native decoders
// judge what came out.
func (b *bench) encoding(ctx context.Context, c *codec) (row, error) {
	r := row{name: "encode " + c.name, goal: c.encodeGoal, beyond: c.encodeBeyond, frames: len(b.frames)}
	in, err := b.uncoded(ctx, c, c.encoders[0].in)
	if err != nil {
		return row{}, err
	}
	var streams [][]byte
	for range b.rounds {
		streams = streams[:0]
		ms, err := clock(func() error {
			for _, f := range b.frames {
				s, err := c.encode(ctx, f)
				if err != nil {
					return err
				}
				streams = append(streams, s)
			}
			return nil
		})
		if err != nil {
			return row{}, err
		}
		r.ours = append(r.ours, ms/float64(len(b.frames)))
	}
	if _, err := b.fastest(ctx, &r, c.encoders, in, "encoded"); err != nil {
		return row{}, err
	}
	ours := inputs{n: len(streams), all: b.path("ours.dcm"), first: b.path("ours-one.dcm")}
	if err := b.wrap(ctx, c, streams, ours); err != nil {
		return row{}, err
	}
	right := make([]int, len(b.frames))
	for k := range c.decoders {
		t := &c.decoders[k]
		out := b.path("judged-" + t.name)
		if t.single {
			for n, s := range streams {
				path, err := b.save("ours"+t.in, s)
				if err != nil {
					return row{}, err
				}
				if _, err := command(ctx, t.command(path, fmt.Sprintf("%s-%02d%s", out, n, t.out))...); err != nil {
					return row{}, err
				}
			}
		} else if _, err := command(ctx, t.command(ours.all, out)...); err != nil {
			return row{}, err
		}
		theirs, err := frames(ctx, t, out, len(b.frames))
		if err != nil {
			return row{}, err
		}
		for n := range theirs {
			if bytes.Equal(theirs[n], b.frames[n]) {
				right[n]++
			}
		}
	}
	for _, n := range right {
		if n == len(c.decoders) {
			r.right++
		}
	}
	return r, nil
}

// frames reads what a decoder wrote.
func frames(ctx context.Context, t *tool, out string, n int) ([][]byte, error) {
	var list [][]byte
	if t.single {
		for k := range n {
			f, err := fromPGM(fmt.Sprintf("%s-%02d%s", out, k, t.out))
			if err != nil {
				return nil, fmt.Errorf("reading what %s wrote: %w", t.name, err)
			}
			list = append(list, f)
		}
		return list, nil
	}
	data, err := os.ReadFile(out)
	if err != nil {
		return nil, fmt.Errorf("reading what %s wrote: %w", t.name, err)
	}
	s, err := open(ctx, data)
	if err != nil {
		return nil, err
	}
	for k := 1; k <= n; k++ {
		var p *pixel.Pixels
		if p, err = s.Stored(ctx, k); err != nil {
			return nil, err
		}
		list = append(list, p.Data)
	}
	return list, nil
}

// differ is the largest difference of two frames' samples.
func differ(a, b []byte, bits int) int {
	if len(a) != len(b) {
		return 1 << 30
	}
	worst := 0
	width := (bits + 7) / 8
	for k := 0; k < len(a); k += width {
		d := int(a[k]) - int(b[k])
		if width == 2 {
			d = int(int16(binary.LittleEndian.Uint16(a[k:]) - binary.LittleEndian.Uint16(b[k:])))
		}
		worst = max(worst, d, -d)
	}
	return worst
}
