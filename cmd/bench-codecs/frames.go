package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"sira/dicom"
	"sira/dicom/phantom"
	"sira/dicom/pixel"
	"sira/dicom/write"
)

const side = 512 // of the frames, in pixels

// bench is one run.
type bench struct {
	options
	dir    string
	log    io.Writer
	source string   // where the frames come from
	frames [][]byte // samples of 12 bits in 16, little endian
}

// prepare reads or draws the frames. Those of the corpus are signed, and one
// of the peers is wrong on signed samples: 1024 is added, and what then is
// beyond 12 bits cut, which the 12-bit codecs ask for.
func (b *bench) prepare(ctx context.Context) error {
	var files [][]byte
	if dir := corpusDir(); dir != "" {
		paths, err := filepath.Glob(filepath.Join(dir, "series", "ct_ge", "*.dcm"))
		if err != nil {
			return fmt.Errorf("listing slices: %w", err)
		}
		for _, p := range paths {
			data, err := os.ReadFile(p)
			if err != nil {
				return fmt.Errorf("reading a slice: %w", err)
			}
			files = append(files, data)
		}
		b.source = "real CT slices of the corpus (series/ct_ge)"
	}
	if len(files) == 0 {
		files = phantom.CT(b.options.frames, phantom.Study{Seed: 1})
		b.source = "drawn CT slices"
	}
	b.options.frames = min(b.options.frames, len(files))
	for _, data := range files[:b.options.frames] {
		s, err := open(ctx, data)
		if err != nil {
			return err
		}
		p, err := s.Stored(ctx, 1)
		if err != nil {
			return fmt.Errorf("reading a slice: %w", err)
		}
		if p.Rows != side || p.Cols != side || p.Bits != 16 || p.Samples != 1 {
			return fmt.Errorf("a slice of %d×%d×%d of %d bits", p.Cols, p.Rows, p.Samples, p.Bits)
		}
		out := make([]byte, len(p.Data))
		for k := 0; k < len(out); k += 2 {
			v := int(int16(binary.LittleEndian.Uint16(p.Data[k:]))) + 1024
			binary.LittleEndian.PutUint16(out[k:], uint16(min(max(v, 0), 4095)))
		}
		b.frames = append(b.frames, out)
	}
	return nil
}

// eight is a frame's upper 8 bits.
func eight(frame []byte) []byte {
	out := make([]byte, len(frame)/2)
	for k := range out {
		out[k] = byte(binary.LittleEndian.Uint16(frame[2*k:]) >> 4)
	}
	return out
}

// open opens the pixels of an object.
func open(ctx context.Context, data []byte) (*pixel.Source, error) {
	r := bytes.NewReader(data)
	f, err := dicom.Read(ctx, r, int64(len(data)), dicom.Limits{ModelBytes: -1})
	if err != nil {
		return nil, fmt.Errorf("reading an object: %w", err)
	}
	s, err := pixel.Open(f, r)
	if err != nil {
		return nil, fmt.Errorf("opening an object: %w", err)
	}
	return s, nil
}

// object is frames, native or coded, as one multi-frame secondary capture.
func object(ctx context.Context, syntax string, bits int, frames [][]byte) ([]byte, error) {
	o := write.New(syntax)
	for _, e := range []struct {
		tag       dicom.Tag
		vr, value string
	}{
		{0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7.3"}, {0x00080018, "UI", "1.2.826.0.1.3680043.10.1462.7.3"},
		{0x00080060, "CS", "OT"}, {0x00080064, "CS", "WSD"}, {0x00100010, "PN", "BENCH"}, {0x00100020, "LO", "BENCH"},
		{0x0020000D, "UI", "1.2.826.0.1.3680043.10.1462.7.1"}, {0x0020000E, "UI", "1.2.826.0.1.3680043.10.1462.7.2"},
		{0x00280004, "CS", "MONOCHROME2"},
	} {
		o.Set.Text(e.tag, e.vr, e.value)
	}
	allocated, vr := 16, "OW"
	if bits == 8 {
		allocated, vr = 8, "OB"
	}
	o.Set.Integer(0x00280008, len(frames))
	for tag, v := range map[dicom.Tag]int{0x00280002: 1, 0x00280010: side, 0x00280011: side,
		0x00280100: allocated, 0x00280101: bits, 0x00280102: bits - 1, 0x00280103: 0} {
		o.Set.US(tag, uint16(v))
	}
	one := func(_ context.Context, n int) ([]byte, error) { return frames[n-1], nil }
	body := write.Element{Tag: 0x7FE00010, VR: vr, Body: write.Native(len(frames), int64(side*side*allocated/8), one)}
	if syntax != write.ExplicitLE {
		body.VR, body.Body = "OB", write.Encapsulated(len(frames), one)
	}
	o.Set.Put(body)
	var out bytes.Buffer
	if err := o.Write(ctx, &out); err != nil {
		return nil, fmt.Errorf("writing an object: %w", err)
	}
	return out.Bytes(), nil
}
