package uploads

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"sira/storage"
)

// Limits of a ZIP archive.
const (
	maxEntries  = 5000
	maxExpanded = int64(8) << 30
	maxRatio    = 200             // expanded to packed, of one entry
	ratioFrom   = int64(10) << 20 // small entries may have any ratio
	maxCentral  = int64(64) << 20 // bytes of the central directory, read into memory
)

// archive takes in each file of a ZIP, one at a time through a temporary file.
// Entry names are shown and never used as paths. Only faults of the server are
// errors; those of the archive are outcomes.
func (s *Service) archive(ctx context.Context, b *batch, f *os.File) error {
	if n, err := centralDirectory(f, b.r.length); err != nil || n > maxCentral {
		b.refuse(0, b.r.name, refusal("broken-zip"))
		return nil
	}
	zr, err := zip.NewReader(f, b.r.length)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		b.refuse(0, b.r.name, refusal("broken-zip"))
		return nil
	}
	files, ref := admissible(zr.File)
	if ref != nil {
		b.refuse(0, b.r.name, ref)
		return nil
	}
	var total int64
	for i, zf := range files {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("taking in an archive: %w", err)
		}
		if b.known[i] {
			total += int64(min(zf.UncompressedSize64, uint64(maxExpanded)))
			continue
		}
		n, err := s.entry(ctx, b, i, zf, maxExpanded-total)
		total += n
		if errors.Is(err, errExpanded) {
			b.refuse(i, CleanName(entryName(zf)), refusal("zip-too-large"))
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// admissible drops folders and the droppings of macOS and Windows, and judges
// the archive by what its directory declares.
func admissible(all []*zip.File) ([]*zip.File, *Refusal) {
	var files []*zip.File
	var declared uint64
	for _, f := range all {
		name := entryName(f)
		base := CleanName(name)
		if strings.HasSuffix(f.Name, "/") || strings.HasSuffix(f.Name, `\`) || strings.HasPrefix(name, "__MACOSX/") ||
			base == ".DS_Store" || base == "Thumbs.db" {
			continue
		}
		files = append(files, f)
		if len(files) > maxEntries {
			return nil, refusal("zip-too-many")
		}
		declared += f.UncompressedSize64
		if f.UncompressedSize64 > uint64(maxExpanded) || declared > uint64(maxExpanded) {
			return nil, refusal("zip-too-large")
		}
		if f.UncompressedSize64 > uint64(ratioFrom) && f.UncompressedSize64/max(f.CompressedSize64, 1) > maxRatio {
			return nil, refusal("zip-bomb")
		}
	}
	if len(files) == 0 {
		return nil, refusal("empty-zip")
	}
	return files, nil
}

// entryName decodes a name that isn't marked as UTF-8: old archivers wrote
// code page 850 or Latin-1, of which only the letters matter here.
func entryName(f *zip.File) string {
	if !f.NonUTF8 {
		return f.Name
	}
	return strings.ToValidUTF8(f.Name, "_")
}

// errExpanded says that the archive grew beyond what is left for it.
var errExpanded = errors.New("uploads: archive expands too far")

// entry unpacks and takes in one file. The first result is how many bytes came
// out of it.
func (s *Service) entry(ctx context.Context, b *batch, position int, zf *zip.File, left int64) (int64, error) {
	name := CleanName(entryName(zf))
	if zf.Flags&1 != 0 {
		b.refuse(position, name, refusal("encrypted-zip"))
		return 0, nil
	}
	var full error = s.room(ctx, int64(min(zf.UncompressedSize64, uint64(left)))/2)
	if full != nil {
		return 0, fmt.Errorf("unpacking an archive: %w", storage.ErrNoSpace)
	}
	tmp, err := os.CreateTemp(s.tmpDir(), "entry-*")
	if err != nil {
		return 0, fmt.Errorf("unpacking an archive: %w", err)
	}
	defer func() {
		tmp.Close()
		os.Remove(tmp.Name())
	}()
	n, ref, err := unpack(tmp, zf, left)
	if err != nil {
		return n, err
	}
	if ref != nil {
		b.refuse(position, name, ref)
		return n, b.maybeFlush(ctx)
	}
	kind, err := Detect(tmp, n)
	if err != nil {
		return n, err
	}
	return n, b.add(ctx, position, name, kind, tmp, n)
}

// unpack writes an entry's content, watching its true size: the declared one
// may lie.
func unpack(dst *os.File, zf *zip.File, left int64) (int64, *Refusal, error) {
	rc, err := zf.Open()
	if err != nil {
		return 0, refusal("broken-zip"), nil
	}
	defer rc.Close()
	packed := max(int64(zf.CompressedSize64), 1)
	buf := make([]byte, 128<<10)
	var n int64
	for {
		got, rerr := rc.Read(buf)
		n += int64(got)
		if n > left {
			return n, nil, errExpanded
		}
		if n > ratioFrom && n/packed > maxRatio {
			return n, refusal("zip-bomb"), nil
		}
		if got > 0 {
			if _, err := dst.Write(buf[:got]); err != nil {
				if errors.Is(err, syscall.ENOSPC) {
					err = storage.ErrNoSpace
				}
				return n, nil, fmt.Errorf("unpacking an archive: %w", err)
			}
		}
		if rerr == io.EOF {
			return n, nil, nil
		}
		if rerr != nil {
			return n, refusal("broken-zip"), nil
		}
	}
}
