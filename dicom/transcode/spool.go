package transcode

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"

	"sira/dicom"
	"sira/dicom/write"
)

// spool holds compressed frames until all are there: in memory while they are
// few, then in a file of its own.
type spool struct {
	buf  []byte
	file *os.File
	size int64
}

const spoolMemory = 4 << 20

func (s *spool) add(b []byte) (dicom.Section, error) {
	at := dicom.Section{Offset: s.size, Length: int64(len(b))}
	if s.file == nil && len(s.buf)+len(b) > spoolMemory {
		file, err := os.CreateTemp("", "sira-transcode-")
		if err != nil {
			return at, fmt.Errorf("creating a temporary file: %w", err)
		}
		s.file = file
		_ = os.Remove(file.Name()) // where open files may be: nothing is left then if the process dies
		if _, err := file.Write(s.buf); err != nil {
			return at, fmt.Errorf("spooling frames: %w", err)
		}
		s.buf = nil
	}
	s.size += at.Length
	if s.file == nil {
		s.buf = append(s.buf, b...)
		return at, nil
	}
	if _, err := s.file.Write(b); err != nil {
		return at, fmt.Errorf("spooling a frame: %w", err)
	}
	return at, nil
}

// ReadAt implements io.ReaderAt.
func (s *spool) ReadAt(p []byte, off int64) (int, error) {
	if s.file != nil {
		return s.file.ReadAt(p, off)
	}
	if off < 0 || off >= int64(len(s.buf)) {
		return 0, io.EOF
	}
	n := copy(p, s.buf[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (s *spool) close() {
	if s.file != nil {
		s.file.Close()
		os.Remove(s.file.Name())
	}
}

// encapsulated puts the frames, compressed, into the set: a fragment each,
// behind an offset table (PS3.5 A.4), which is the extended one when the basic
// one could not reach (PS3.3 C.7.6.3.1.8).
func (j *job) encapsulated(ctx context.Context, s *spool, encode encoder) error {
	if err := j.codable(); err != nil {
		return err
	}
	frames := make([]dicom.Section, 0, min(j.img.Frames, 1<<16))
	for n := 1; n <= j.img.Frames; n++ {
		if j.before != nil {
			if err := j.before(n); err != nil {
				return err
			}
		}
		p, err := j.src.Stored(ctx, n)
		if err != nil {
			return err
		}
		b, err := encode(ctx, p, j)
		if err != nil {
			return fmt.Errorf("encoding frame %d: %w", n, err)
		}
		if j.after != nil {
			j.after(p, j.levels)
		}
		if len(b)%2 == 1 { // an end of image marker of odd place is followed by a zero byte
			b = append(b, 0)
		}
		at, err := s.add(b)
		if err != nil {
			return err
		}
		frames = append(frames, at)
	}
	table, err := s.add(j.table(frames))
	if err != nil {
		return err
	}
	body := write.Copied(s, append([]dicom.Section{table}, frames...))
	j.set.Put(write.Element{Tag: tagPixelData, VR: "OB", Body: body})
	return nil
}

// table is the basic offset table, empty when the extended one is put.
func (j *job) table(frames []dicom.Section) []byte {
	var basic, offsets, lengths []byte
	at := uint64(0)
	for _, f := range frames {
		basic = binary.LittleEndian.AppendUint32(basic, uint32(at))
		offsets = binary.LittleEndian.AppendUint64(offsets, at)
		lengths = binary.LittleEndian.AppendUint64(lengths, uint64(f.Length))
		at += 8 + uint64(f.Length)
	}
	if at <= math.MaxUint32 {
		return basic
	}
	j.set.Put(write.Element{Tag: tagOffsets, VR: "OV", Value: offsets})
	j.set.Put(write.Element{Tag: tagLengths, VR: "OV", Value: lengths})
	return nil
}
