package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sira/dicom"
	"sira/dicom/pixel"
)

// names are those of the compressed transfer syntaxes (PS3.6 table A-1), in the
// order of the table.
var names = [][2]string{
	{"1.2.840.10008.1.2.5", "RLE"},
	{"1.2.840.10008.1.2.4.50", "JPEG baseline (50)"}, {"1.2.840.10008.1.2.4.51", "JPEG extended (51)"},
	{"1.2.840.10008.1.2.4.53", "JPEG spectral selection (53)"}, {"1.2.840.10008.1.2.4.55", "JPEG full progression (55)"},
	{"1.2.840.10008.1.2.4.57", "JPEG lossless (57)"}, {"1.2.840.10008.1.2.4.70", "JPEG lossless, predictor 1 (70)"},
	{"1.2.840.10008.1.2.4.80", "JPEG-LS lossless (80)"}, {"1.2.840.10008.1.2.4.81", "JPEG-LS near-lossless (81)"},
	{"1.2.840.10008.1.2.4.90", "JPEG 2000 lossless (90)"}, {"1.2.840.10008.1.2.4.91", "JPEG 2000 (91)"},
	{"1.2.840.10008.1.2.4.201", "HTJ2K lossless (201)"}, {"1.2.840.10008.1.2.4.202", "HTJ2K lossless RPCL (202)"},
	{"1.2.840.10008.1.2.4.203", "HTJ2K (203)"},
}

// syntax is one line of the table of real files.
type syntax struct {
	name          string
	files, frames int
	exact         int // frames of files whose samples are those of another decoder
	close         int // those that differ by one level at most
	wrong         int
	alone         int // those that no other decoder judged
	ms, pixels    float64
	refused       []string
}

// corpus decodes every compressed file of the corpus and compares with the
// sums its manifest holds of what two other decoders gave; where there is none,
// or another one, with what GDCM or dcmtk gives here.
func (b *bench) corpus(ctx context.Context) ([]syntax, error) {
	dir := corpusDir()
	if dir == "" {
		fmt.Fprintln(b.log, "NOT RUN: no corpus of real files (SIRA_CORPUS)")
		return nil, nil
	}
	f, err := os.Open(filepath.Join(dir, "MANIFEST.tsv"))
	if err != nil {
		return nil, fmt.Errorf("reading the manifest: %w", err)
	}
	defer f.Close()
	found := map[string]*syntax{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		c := strings.Split(lines.Text(), "\t")
		at := slices.IndexFunc(names, func(n [2]string) bool { return len(c) >= 10 && n[0] == c[4] })
		if at < 0 || strings.HasPrefix(c[0], "broken/") {
			continue
		}
		s := found[c[4]]
		if s == nil {
			s = &syntax{name: names[at][1]}
			found[c[4]] = s
		}
		if err := b.file(ctx, s, dir, c[0], c[7], c[8]); err != nil {
			return nil, fmt.Errorf("%s: %w", c[0], err)
		}
	}
	var out []syntax
	for _, n := range names {
		if s := found[n[0]]; s != nil {
			out = append(out, *s)
		}
	}
	return out, nil
}

// file decodes one file; sums are those of the pixels by two other decoders.
func (b *bench) file(ctx context.Context, s *syntax, dir, name string, sums ...string) error {
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	src, err := open(ctx, data)
	if err == nil && !src.Decodable() {
		err = pixel.ErrUnsupportedSyntax
	}
	if err != nil {
		if judged(sums) {
			s.refused = append(s.refused, name)
		}
		return nil
	}
	img := src.Info()
	var decoded [][]byte
	ms, err := clock(func() error {
		for n := 1; n <= img.Frames; n++ {
			p, err := src.Stored(ctx, n)
			if err != nil {
				return err
			}
			decoded = append(decoded, p.Data)
		}
		return nil
	})
	var bad *dicom.Error
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &bad), err != nil:
		s.refused = append(s.refused, name)
		return nil
	}
	s.files, s.frames = s.files+1, s.frames+img.Frames
	s.ms, s.pixels = s.ms+ms, s.pixels+float64(img.Frames*img.Rows*img.Cols*img.Samples)
	h := sha256.New()
	for _, d := range decoded {
		if img.BitsAllocated == 1 {
			d = packed(d)
		}
		h.Write(d)
	}
	sum := hex.EncodeToString(h.Sum(nil))
	worst, ok := 0, true
	if !slices.Contains(sums, sum) {
		worst, ok = b.judge(ctx, filepath.Join(dir, name), img, decoded)
	}
	switch {
	case ok && worst == 0:
		s.exact += img.Frames
	case ok && worst == 1:
		s.close += img.Frames
	case !ok && !judged(sums):
		s.alone += img.Frames
	default:
		s.wrong += img.Frames
		fmt.Fprintln(b.log, "wrong:", name)
	}
	return ctx.Err()
}

func judged(sums []string) bool {
	return slices.ContainsFunc(sums, func(s string) bool { return len(s) == 64 })
}

// judge gives the largest difference from what another decoder makes of a
// file: the first that can decode all of it. ok is false when there is none.
func (b *bench) judge(ctx context.Context, path string, img pixel.Image, decoded [][]byte) (worst int, ok bool) {
	raw := b.path("judge.dcm")
	for _, judge := range [][]string{{"gdcmconv", "--raw"}, {"dcmdjpeg", "+cn"}, {"dcmdrle"}, {"dcmdjpls"}} {
		_ = os.Remove(raw)
		if _, err := command(ctx, append(judge, path, raw)...); err != nil {
			continue
		}
		theirs, err := frames(ctx, &gdcm, raw, img.Frames)
		if err != nil || len(theirs[0]) != len(decoded[0]) {
			continue
		}
		for k := range theirs {
			worst = max(worst, differ(theirs[k], decoded[k], img.BitsAllocated))
		}
		return worst, true
	}
	return 0, false
}

// packed puts samples of one bit eight to a byte, as they are stored.
func packed(samples []byte) []byte {
	out := make([]byte, (len(samples)+7)/8)
	for k, v := range samples {
		out[k/8] |= v << (k % 8)
	}
	return out
}
