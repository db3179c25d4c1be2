package dicom

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

var pixels16 = []byte{1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0}

// TestEncodings reads one object written in every way.
func TestEncodings(t *testing.T) {
	set := func(w *writer) []byte {
		w.object().image(2, 3, 16)
		w.raw(tagPixelData, "OW", pixels16)
		return w.Bytes()
	}
	for name, c := range map[string]struct {
		data   []byte
		syntax string
	}{
		"explicit":           {part10(explicitLE, set(little())), explicitLE},
		"implicit":           {part10(implicitLE, set(implicitSet())), implicitLE},
		"big endian":         {part10(explicitBE, set(bigEndian())), explicitBE},
		"deflated":           {part10(deflatedLE, deflated(set(little()))), deflatedLE},
		"no preamble":        {part10(explicitLE, set(little()))[128:], explicitLE},
		"no meta, explicit":  {set(little()), explicitLE},
		"no meta, implicit":  {set(implicitSet()), implicitLE},
		"no meta, big":       {set(bigEndian()), explicitBE},
		"says explicit":      {part10(explicitLE, set(implicitSet())), implicitLE},
		"says implicit":      {part10(implicitLE, set(little())), explicitLE},
		"unknown syntax":     {part10("1.2.826.0.9", set(little())), "1.2.826.0.9"},
		"padded at the end":  {append(part10(explicitLE, set(little())), make([]byte, 300)...), explicitLE},
		"stray byte":         {append(part10(explicitLE, set(little())), 0), explicitLE},
		"padding element":    {append(part10(explicitLE, set(little())), little().raw(tagPadding, "OB", make([]byte, 64)).Bytes()...), explicitLE},
		"meta without group": {bytes.Replace(part10(explicitLE, set(little())), []byte("\x02\x00\x00\x00UL\x04\x00"), []byte("\x02\x00\x99\x00UL\x04\x00"), 1), explicitLE},
	} {
		t.Run(name, func(t *testing.T) {
			f := mustRead(t, c.data)
			if f.TransferSyntax != c.syntax {
				t.Errorf("transfer syntax %s", f.TransferSyntax)
			}
			if f.String(0x00100010) != "TRAORE^Awa" || f.String(tagStudyInstance) != "1.2.3" {
				t.Errorf("name %q, study %q", f.String(0x00100010), f.String(tagStudyInstance))
			}
			if rows, ok := f.Int(tagRows); !ok || rows != 2 {
				t.Errorf("rows %d", rows)
			}
			if f.Pixel == nil || f.Pixel.Native == nil || f.Pixel.Native.Length != 12 {
				t.Fatalf("pixel data %+v", f.Pixel)
			}
			got := make([]byte, 12)
			if _, err := f.Data(bytes.NewReader(c.data)).ReadAt(got, f.Pixel.Native.Offset); err != nil || !bytes.Equal(got, pixels16) {
				t.Errorf("pixels %v, %v", got, err)
			}
			if f.Model == nil {
				t.Error("suyashkumar/dicom does not read it")
			}
			if _, err := Describe(f); err != nil {
				t.Error(err)
			}
		})
	}
}

func nested(depth int) []byte {
	w := little().object()
	for range depth {
		w.open(0x00081140)
	}
	for range depth {
		w.close()
	}
	return w.Bytes()
}

// TestRefusals: every reason has a file that earns it.
func TestRefusals(t *testing.T) {
	object := func() *writer { return little().object() }
	image := func() *writer { return object().image(100, 100, 16) }
	small := Limits{Depth: 4, Elements: 50, Fragments: 10, InlineBytes: 64, ElementBytes: 256, HeaderBytes: 1024, InflatedBytes: 4096}
	long := strings.Repeat("x", 200)
	many := object()
	for i := range 60 {
		many.us(Tag(0x00290000+0x1000+i), i)
	}
	heavy := object()
	for i := range 10 {
		heavy.text(Tag(0x00291000+i), "LT", long)
	}
	fragments := image().head(tagPixelData, "OB", undefined32)
	for range 12 {
		fragments.raw(tagItem, "", []byte{1, 2})
	}
	encapsulated := func() *writer { return image().head(tagPixelData, "OB", undefined32).raw(tagItem, "", nil) }
	for name, c := range map[string]struct {
		data []byte
		lim  Limits
		want Reason
	}{
		"empty":                {nil, Limits{}, NotDICOM},
		"text":                 {[]byte("<html><body>not an image, but long enough to be one if it were so inclined</body>"), Limits{}, NotDICOM},
		"JPEG":                 {append([]byte{0xFF, 0xD8, 0xFF, 0xE0, 0, 16, 'J', 'F', 'I', 'F'}, make([]byte, 200)...), Limits{}, NotDICOM},
		"preamble only":        {part10(explicitLE, nil)[:132], Limits{}, Truncated},
		"meta only":            {part10(explicitLE, nil), Limits{}, Truncated},
		"cut in an element":    {part10(explicitLE, object().Bytes())[:len(part10(explicitLE, object().Bytes()))-3], Limits{}, Truncated},
		"cut pixel data":       {part10(explicitLE, image().head(tagPixelData, "OW", 20000).Bytes()), Limits{}, Truncated},
		"short pixel data":     {part10(explicitLE, image().raw(tagPixelData, "OW", make([]byte, 100)).Bytes()), Limits{}, Truncated},
		"cut fragment":         {part10("1.2.840.10008.1.2.4.50", encapsulated().head(tagItem, "", 500).Bytes()), Limits{}, Truncated},
		"no delimiter":         {part10("1.2.840.10008.1.2.4.50", encapsulated().raw(tagItem, "", make([]byte, 50)).Bytes()), Limits{}, Truncated},
		"no fragment":          {part10("1.2.840.10008.1.2.4.50", encapsulated().head(tagSequenceEnd, "", 0).Bytes()), Limits{}, Truncated},
		"open sequence":        {part10(explicitLE, object().open(0x00081140).Bytes()), Limits{}, Truncated},
		"deep":                 {part10(explicitLE, nested(5)), small, TooDeep},
		"deep by default":      {part10(explicitLE, nested(500)), Limits{}, TooDeep},
		"many elements":        {part10(explicitLE, many.Bytes()), small, TooManyElements},
		"many fragments":       {part10("1.2.840.10008.1.2.4.50", fragments.Bytes()), small, TooManyElements},
		"large element":        {part10(explicitLE, object().text(0x00204000, "LT", strings.Repeat("y", 300)).Bytes()), small, ElementTooLarge},
		"heavy header":         {part10(explicitLE, heavy.Bytes()), small, HeaderTooLarge},
		"bomb":                 {part10(deflatedLE, deflated(make([]byte, 1<<20))), small, InflatedTooLarge},
		"corrupt deflate":      {part10(deflatedLE, bytes.Repeat([]byte{0xFF}, 100)), Limits{}, Malformed},
		"cut deflate":          {part10(deflatedLE, deflated(object().Bytes())[:40]), Limits{}, Truncated},
		"lying text":           {part10(implicitLE, implicitSet().object().head(0x00204000, "LT", 0x7FFFFFFF).Bytes()), Limits{}, BadLength},
		"lying bulk":           {part10(explicitLE, object().head(0x00420011, "OB", 0xFFFFFFFE).Bytes()), Limits{}, BadLength},
		"element over item":    {part10(explicitLE, object().head(0x00081140, "SQ", 20).head(tagItem, "", 12).head(0x00081155, "UI", 40).Write2(make([]byte, 60))), Limits{}, BadLength},
		"item over sequence":   {part10(explicitLE, object().head(0x00081140, "SQ", 16).head(tagItem, "", 64).Write2(make([]byte, 80))), Limits{}, BadLength},
		"undefined text":       {part10(implicitLE, implicitSet().object().head(0x00204000, "LT", undefined32).Write2(make([]byte, 80))), Limits{}, BadLength},
		"no item in sequence":  {part10(explicitLE, object().head(0x00081140, "SQ", 16).Write2(bytes.Repeat([]byte{7}, 80))), Limits{}, Malformed},
		"no fragment header":   {part10("1.2.840.10008.1.2.4.50", encapsulated().Write2(bytes.Repeat([]byte{7}, 80))), Limits{}, Malformed},
		"rows × cols × frames": {part10(explicitLE, object().text(tagFrames, "IS", "2147483647").image(65535, 65535, 64).raw(tagPixelData, "OW", make([]byte, 100)).Bytes()), Limits{}, Truncated},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readBytes(c.data, c.lim)
			var refused *Error
			if !errors.As(err, &refused) || refused.Reason != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// Write2 appends bytes and returns everything written.
func (w *writer) Write2(b []byte) []byte {
	w.Write(b)
	return w.Bytes()
}

type slow struct{ io.ReaderAt }

func (s slow) ReadAt(p []byte, off int64) (int, error) {
	time.Sleep(30 * time.Millisecond)
	return s.ReaderAt.ReadAt(p, off)
}

func TestDeadlineAndCancel(t *testing.T) {
	w := little().object().image(2, 3, 16)
	w.raw(0x00420011, "OB", make([]byte, 2<<20)).raw(tagPixelData, "OW", pixels16)
	data := part10(explicitLE, w.Bytes())
	_, err := Read(context.Background(), slow{bytes.NewReader(data)}, int64(len(data)), Limits{Deadline: time.Millisecond})
	var refused *Error
	if !errors.As(err, &refused) || refused.Reason != Timeout {
		t.Errorf("got %v, want a timeout", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err = Read(ctx, bytes.NewReader(data), int64(len(data)), Limits{}); !errors.Is(err, context.Canceled) || errors.As(err, &refused) && refused.Reason != Timeout {
		t.Errorf("got %v, want the cancellation", err)
	}
}

type failing struct{}

func (failing) ReadAt([]byte, int64) (int, error) { return 0, io.ErrClosedPipe }

func TestReaderFails(t *testing.T) {
	_, err := Read(context.Background(), failing{}, 1000, Limits{})
	var refused *Error
	if !errors.Is(err, io.ErrClosedPipe) || errors.As(err, &refused) {
		t.Errorf("got %v: a failing disk is no reason to refuse a file", err)
	}
}

func TestOffsetTables(t *testing.T) {
	long := func(v ...uint64) (out []byte) {
		for _, x := range v {
			out = binary.LittleEndian.AppendUint64(out, x)
		}
		return out
	}
	w := little().object().text(tagFrames, "IS", "2").image(8, 8, 8)
	w.raw(tagExtendedOffsets, "OV", long(0, 12)).raw(tagExtendedLengths, "OV", long(4, 6))
	w.head(tagPixelData, "OB", undefined32).raw(tagItem, "", []byte{0, 0, 0, 0, 12, 0, 0, 0})
	w.raw(tagItem, "", []byte("ABCD")).raw(tagItem, "", []byte("EFGHIJ")).head(tagSequenceEnd, "", 0)
	data := part10("1.2.840.10008.1.2.5", w.Bytes())
	p := mustRead(t, data).Pixel
	if len(p.BasicOffsets) != 2 || p.BasicOffsets[1] != 12 || len(p.ExtendedOffsets) != 2 || p.ExtendedOffsets[1] != 12 ||
		len(p.ExtendedLengths) != 2 || p.ExtendedLengths[1] != 6 {
		t.Errorf("tables %v %v %v", p.BasicOffsets, p.ExtendedOffsets, p.ExtendedLengths)
	}
	if len(p.Fragments) != 2 || string(data[p.Fragments[1].Offset:][:p.Fragments[1].Length]) != "EFGHIJ" {
		t.Errorf("fragments %v", p.Fragments)
	}
}

// counting tells how much of a file was read.
type counting struct {
	r    io.ReaderAt
	read int64
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	c.read += int64(len(p))
	return c.r.ReadAt(p, off)
}

// TestPixelDataStaysUnread: half a gigabyte of pixels and a large document
// cost a few windows.
func TestPixelDataStaysUnread(t *testing.T) {
	w := little().object().text(tagFrames, "IS", "1000").image(512, 512, 16)
	head := part10(explicitLE, w.head(tagPixelData, "OW", 512*512*2*1000).Bytes())
	size := int64(len(head)) + 512*512*2*1000
	c := &counting{r: sparse{head, size}}
	f, err := Read(context.Background(), c, size, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if f.Pixel.Native.Length != 512*512*2*1000 || c.read > 256<<10 {
		t.Errorf("read %d bytes for %+v", c.read, f.Pixel.Native)
	}
}

type sparse struct {
	head []byte
	size int64
}

func (s sparse) ReadAt(p []byte, off int64) (int, error) {
	clear(p)
	if off < int64(len(s.head)) {
		copy(p, s.head[off:])
	}
	if left := s.size - off; int64(len(p)) > left {
		return int(max(0, left)), io.EOF
	}
	return len(p), nil
}

// TestInflaterSeeks reads a deflated data set in disorder.
func TestInflaterSeeks(t *testing.T) {
	plain := make([]byte, 600<<10)
	for i := range plain {
		plain[i] = byte(i * i >> 7)
	}
	z := deflated(plain)
	f := &inflater{src: bytes.NewReader(z), end: int64(len(z)), limit: int64(len(plain))}
	for _, off := range []int64{0, 500 << 10, 490 << 10, 100, 300 << 10, 300<<10 - 70000, 599 << 10} {
		got := make([]byte, 1000)
		if _, err := f.ReadAt(got, off); err != nil || !bytes.Equal(got, plain[off:off+1000]) {
			t.Errorf("at %d: %v", off, err)
		}
	}
	if n, err := f.ReadAt(make([]byte, 100), int64(len(plain))-10); n != 10 || err != io.EOF {
		t.Errorf("at the end: %d, %v", n, err)
	}
}
