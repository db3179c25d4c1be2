package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sira/cmd/benchdoc"
)

// bench is one run.
type bench struct {
	options
	dir  string
	sent sent
	log  io.Writer
}

// figures are what one subject took, by the keys of rows.
type figures map[string][]float64

func (f figures) add(key string, v float64) { f[key] = append(f[key], v) }

// measure runs everything against one subject: three times from an empty
// folder, so that no part sees what another left.
func (b *bench) measure(ctx context.Context, s subject) (figures, error) {
	f := figures{}
	for _, part := range []struct {
		name string
		do   func(context.Context, subject, string, figures) error
	}{{"slices", b.slices}, {"lists", b.lists}, {"large", b.large}} {
		dir := filepath.Join(b.dir, s.name+"-"+part.name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("making a folder: %w", err)
		}
		fmt.Fprintf(b.log, "%s: %s (load %s)\n", s.name, part.name, benchdoc.LoadAverage())
		if err := part.do(ctx, s, dir, f); err != nil {
			return f, fmt.Errorf("%s: %w", part.name, err)
		}
		if !b.keep {
			if err := os.RemoveAll(dir); err != nil {
				return nil, fmt.Errorf("removing a folder: %w", err)
			}
		}
	}
	return f, nil
}

// timed says what do cost: the server's processor time, and the time that passed.
func (r *running) timed(do func() error) (cpu, wall time.Duration, err error) {
	before, err := r.cpu()
	if err != nil {
		return 0, 0, err
	}
	begun := time.Now()
	if err := do(); err != nil {
		return 0, 0, err
	}
	wall = time.Since(begun)
	after, err := r.cpu()
	return after - before, wall, err
}

// slices: CT slices by C-STORE and by STOW-RS, then rendered.
func (b *bench) slices(ctx context.Context, s subject, dir string, f figures) error {
	r, err := s.ready(ctx, dir)
	if err != nil {
		return err
	}
	defer r.stop()
	ways := []struct {
		key     string
		folders []string
		send    func(folder string) error
	}{
		{"store", b.sent.store, func(folder string) error { return r.storeSCU(ctx, folder) }},
		{"stow", b.sent.stow, func(folder string) error { return r.stowEach(ctx, folder) }},
	}
	for _, way := range ways {
		for _, folder := range way.folders {
			cpu, wall, err := r.timed(func() error { return way.send(folder) })
			if err != nil {
				return err
			}
			f.add(way.key, cpu.Seconds()*1000/float64(b.size.slices))
			f.add(way.key+"-rate", float64(b.size.slices)/wall.Seconds())
		}
	}
	peak, err := r.peak()
	if err != nil {
		return err
	}
	f.add("slices-peak", peak/1e6)
	for _, folder := range b.sent.store {
		if err := b.render(ctx, r, folder, f); err != nil {
			return err
		}
	}
	return nil
}

func (r *running) stowEach(ctx context.Context, folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.dcm"))
	if err != nil {
		return fmt.Errorf("storing: %w", err)
	}
	for _, path := range files {
		if err := r.stow(ctx, path); err != nil {
			return err
		}
	}
	return nil
}

// render has frames of as many slices rendered, each once in each form.
func (b *bench) render(ctx context.Context, r *running, folder string, f figures) error {
	paths, err := instances(ctx, folder, b.size.frames)
	if err != nil {
		return err
	}
	for key, form := range map[string]string{"jpeg": "image/jpeg", "png": "image/png"} {
		cpu, _, err := r.timed(func() error {
			for _, path := range paths {
				if body, err := r.get(ctx, path+"/frames/1/rendered", form); err != nil || len(body) < 5000 {
					return fmt.Errorf("a rendered frame of %d bytes: %w", len(body), err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		f.add(key, cpu.Seconds()*1000/float64(len(paths)))
	}
	return nil
}

// question is one search, the same for every subject.
type question struct {
	key, query string
	match      func(tiny) bool
}

const listed = 25

var questions = []question{
	{"all", "", func(tiny) bool { return true }},
	{"modality", "&ModalitiesInStudy=CT", func(t tiny) bool { return t.modality == "CT" }},
	{"name", "&PatientName=TRAORE*", func(t tiny) bool { return strings.HasPrefix(t.name, "TRAORE") }},
	{"date", "&StudyDate=20200101-20200630", func(t tiny) bool { return t.date >= "20200101" && t.date <= "20200630" }},
}

// lists: searches over studies of one small object each; ours goes on with
// generated rows.
func (b *bench) lists(ctx context.Context, s subject, dir string, f figures) error {
	r, err := s.ready(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { r.stop() }()
	done := 0
	for i, n := range b.size.studies {
		cpu, _, err := r.timed(func() error { return r.storeSCU(ctx, b.sent.tiny[i]) })
		if err != nil {
			return err
		}
		f.add("tiny", cpu.Seconds()*1000/float64(n-done))
		done = n
		if err := b.ask(ctx, r, n, n, f); err != nil {
			return err
		}
	}
	if s.name != "sira" {
		return nil
	}
	r.stop()
	if err := enlarge(ctx, dir, b.size.rows); err != nil {
		return err
	}
	if r, err = s.ready(ctx, dir); err != nil {
		return err
	}
	return b.ask(ctx, r, done, b.size.rows, f)
}

// Bounds of how often one question is asked: often enough for the clock of
// processor time, which counts in hundredths of a second.
const (
	enoughCPU = time.Second
	mostAsks  = 2000
)

// ask times each question. Of the first n studies as many must be found as
// match; the subject has studies of them in all.
func (b *bench) ask(ctx context.Context, r *running, n, studies int, f figures) error {
	for _, q := range questions {
		want := 0
		for _, t := range b.sent.people[:n] {
			if q.match(t) && want < listed {
				want++
			}
		}
		query := fmt.Sprintf("limit=%d%s", listed, q.query)
		for range 5 { // caches, statements, connections
			if found, err := r.search(ctx, query); err != nil || found < want {
				return fmt.Errorf("%s: found %d of %d: %w", query, found, want, err)
			}
		}
		var walls []float64
		cpu, _, err := r.timed(func() error { return r.askOften(ctx, query, b.size.asks, &walls) })
		if err != nil {
			return err
		}
		slices.Sort(walls)
		key := fmt.Sprintf("%s-%d", q.key, studies)
		f.add(key, cpu.Seconds()*1000/float64(len(walls)))
		f.add(key+"-p99", walls[(len(walls)*99+99)/100-1]) // of 100, the second slowest
	}
	return nil
}

// askOften appends the milliseconds of each request to walls.
func (r *running) askOften(ctx context.Context, query string, least int, walls *[]float64) error {
	before, err := r.cpu()
	if err != nil {
		return err
	}
	for len(*walls) < mostAsks {
		begun := time.Now()
		if _, err := r.get(ctx, "/studies?"+query, "application/dicom+json"); err != nil {
			return err
		}
		*walls = append(*walls, time.Since(begun).Seconds()*1000)
		if len(*walls)%least == 0 {
			if now, err := r.cpu(); err != nil || now-before >= enoughCPU {
				return err
			}
		}
	}
	return nil
}

// large: one object of hundreds of megabytes in, and frames of its middle
// rendered. Each peak of memory is of a process that did nothing else.
func (b *bench) large(ctx context.Context, s subject, dir string, f figures) error {
	middle := b.size.big / 2
	frame := func(r *running, n int) (time.Duration, time.Duration, error) {
		path := fmt.Sprintf("/studies/%s/series/%s/instances/%s/frames/%d/rendered", b.sent.bigUID[0], b.sent.bigUID[1], b.sent.bigUID[2], n)
		return r.timed(func() error { _, err := r.get(ctx, path, "image/jpeg"); return err })
	}
	parts := []struct {
		key string
		do  func(*running) error
	}{
		{"none", func(*running) error { return nil }},
		{"big-store", func(r *running) error { return r.storeSCU(ctx, b.sent.bigA) }},
		{"big-stow", func(r *running) error { return r.stow(ctx, b.sent.bigB) }},
		{"big-frame", func(r *running) error {
			for i := range 5 {
				cpu, wall, err := frame(r, middle+i)
				if err != nil {
					return err
				}
				f.add("big-frame-wall", wall.Seconds()*1000)
				f.add("big-frame-cpu", cpu.Seconds()*1000)
			}
			return nil
		}},
	}
	for _, part := range parts {
		r, err := s.ready(ctx, dir)
		if err != nil {
			return err
		}
		cpu, _, err := r.timed(func() error { return part.do(r) })
		if err != nil {
			r.stop()
			return err
		}
		peak, err := r.peak()
		r.stop()
		if err != nil {
			return err
		}
		f.add(part.key+"-peak", peak/1e6)
		f.add(part.key, cpu.Seconds())
	}
	return nil
}
