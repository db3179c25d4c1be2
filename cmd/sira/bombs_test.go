package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"io"
	"strings"
	"testing"

	"sira/dicom/dimse"
)

// bomb builds data sets in explicit VR little endian, true or not.
type bomb struct{ bytes.Buffer }

const undefined = 0xFFFFFFFF

// head writes an element header; group and element as 0xGGGGEEEE.
func (b *bomb) head(tag uint32, vr string, length uint32) *bomb {
	p := binary.LittleEndian.AppendUint16(nil, uint16(tag>>16))
	p = binary.LittleEndian.AppendUint16(p, uint16(tag))
	switch {
	case vr == "":
		p = binary.LittleEndian.AppendUint32(p, length)
	case strings.Contains("OB OW OV SQ UN UT", vr):
		p = append(p, vr[0], vr[1], 0, 0)
		p = binary.LittleEndian.AppendUint32(p, length)
	default:
		p = append(p, vr...)
		p = binary.LittleEndian.AppendUint16(p, uint16(length))
	}
	b.Write(p)
	return b
}

func (b *bomb) put(tag uint32, vr, value string) *bomb {
	if len(value)%2 == 1 {
		value += map[bool]string{true: "\x00", false: " "}[vr == "UI"]
	}
	b.head(tag, vr, uint32(len(value)))
	b.WriteString(value)
	return b
}

func (b *bomb) us(tag uint32, v int) *bomb {
	return b.put(tag, "US", string([]byte{byte(v), byte(v >> 8)}))
}

// object starts a data set of its own; n tells it from the others.
func object(n string) *bomb {
	return new(bomb).put(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7").put(0x00080018, "UI", "1.2.826.0.1.9."+n).put(0x00080060, "CS", "OT").
		put(0x00100010, "PN", "ESSAI").put(0x0020000D, "UI", "1.2.826.0.1.8").put(0x0020000E, "UI", "1.2.826.0.1.8.1")
}

func (b *bomb) image(rows, cols, depth int, frames string) *bomb {
	return b.us(0x00280002, 1).put(0x00280004, "CS", "MONOCHROME2").put(0x00280008, "IS", frames).us(0x00280010, rows).us(0x00280011, cols).
		us(0x00280100, depth).us(0x00280101, depth).us(0x00280102, depth-1).us(0x00280103, 0)
}

// capsule adds encapsulated pixel data: an offset table, then fragments.
func (b *bomb) capsule(table string, fragments ...string) *bomb {
	b.head(0x7FE00010, "OB", undefined)
	for _, f := range append([]string{table}, fragments...) {
		b.put(0xFFFEE000, "", f)
	}
	return b.head(0xFFFEE0DD, "", 0)
}

func (b *bomb) file(syntax string) []byte {
	return append(dimse.Meta{SOPClass: "1.2.840.10008.5.1.4.1.1.7", SOPUID: "1.2.826.0.1.9", TransferSyntax: syntax}.Encode(), b.Bytes()...)
}

// squeezed is size zero bytes behind a data set, deflated as a whole.
func squeezed(t testing.TB, b *bomb, size int64) []byte {
	t.Helper()
	var out bytes.Buffer
	z, err := flate.NewWriter(&out, flate.BestSpeed)
	if err == nil {
		_, err = z.Write(b.Bytes())
	}
	if err == nil {
		_, err = io.CopyN(z, zeros{}, size)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return append(dimse.Meta{SOPClass: "1.2.840.10008.5.1.4.1.1.7", SOPUID: "1.2.826.0.1.9", TransferSyntax: dimse.DeflatedLittleEndian}.Encode(), out.Bytes()...)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

const (
	rle   = "1.2.840.10008.1.2.5"
	jpeg  = "1.2.840.10008.1.2.4.50"
	ll    = "1.2.840.10008.1.2.4.70"
	jls   = "1.2.840.10008.1.2.4.80"
	j2k   = "1.2.840.10008.1.2.4.90"
	htj2k = "1.2.840.10008.1.2.4.201"
	h264  = "1.2.840.10008.1.2.4.102"
	odd   = "1.2.826.0.1.3680043.2.1143.9"
)

// Streams that promise 65535 × 65535 samples.
var (
	hugeJPEG = "\xFF\xD8\xFF\xC0\x00\x0B\x08\xFF\xFF\xFF\xFF\x01\x01\x11\x00\xFF\xDA\x00\x08\x01\x01\x00\x00\x3F\x00\x00\xFF\xD9"
	hugeLL   = "\xFF\xD8\xFF\xC3\x00\x0B\x10\xFF\xFF\xFF\xFF\x01\x01\x11\x00\xFF\xDA\x00\x08\x01\x01\x00\x01\x00\x00\x00\xFF\xD9"
	hugeJLS  = "\xFF\xD8\xFF\xF7\x00\x0B\x10\xFF\xFF\xFF\xFF\x01\x01\x11\x00\xFF\xDA\x00\x08\x01\x01\x00\x00\x00\x00\x00\xFF\xD9"
	hugeJ2K  = "\xFF\x4F\xFF\x51\x00\x29\x00\x00\x00\x00\xFF\xFF\x00\x00\xFF\xFF" + strings.Repeat("\x00", 8) +
		"\x00\x00\xFF\xFF\x00\x00\xFF\xFF" + strings.Repeat("\x00", 8) + "\x00\x01\x0F\x01\x01" +
		"\xFF\x52\x00\x0C\x00\x00\x00\x01\x00\x05\x04\x04\x00\x01\xFF\x5C\x00\x04\x40\x88" +
		"\xFF\x90\x00\x0A\x00\x00\x00\x00\x00\x00\x00\x01\xFF\x93" + strings.Repeat("\x00", 64) + "\xFF\xD9"
	tinyTiles = strings.Replace(hugeJ2K, "\x00\x00\xFF\xFF\x00\x00\xFF\xFF\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", "\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", 1)
)

func long(v ...uint64) string {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint64(b, x)
	}
	return string(b)
}

// TestBombs: what is made to cost more than it weighs is answered in time and
// within the memory of a server, at every door, and whoever looks at what was
// stored of it is answered too.
func TestBombs(t *testing.T) {
	j := &judge{serverProcess: startServer(t)}
	nested := object("1")
	for range 10_000 {
		nested.head(0x00081140, "SQ", undefined).head(0xFFFEE000, "", undefined)
	}
	closed := object("2")
	for range 10_000 {
		closed.head(0x00081140, "SQ", undefined).head(0xFFFEE000, "", undefined)
	}
	for range 10_000 {
		closed.head(0xFFFEE00D, "", 0).head(0xFFFEE0DD, "", 0)
	}
	elements, items := object("3"), object("4").head(0x00081140, "SQ", undefined)
	elements.Write(bytes.Repeat(new(bomb).head(0x00091010, "LO", 0).Bytes(), 2_000_000))
	items.Write(bytes.Repeat(new(bomb).head(0xFFFEE000, "", 0).Bytes(), 2_000_000))
	fragments := object("5").image(512, 512, 8, "1").head(0x7FE00010, "OB", undefined)
	fragments.Write(bytes.Repeat(new(bomb).head(0xFFFEE000, "", 0).Bytes(), 3_000_000))
	values := object("6").put(0x00291000, "UT", strings.Repeat(`\`, 7<<20)).put(0x00291001, "UT", strings.Repeat(`1\`, 7<<19))
	for _, c := range []struct {
		name    string
		data    []byte
		refused bool
	}{
		{"half a gigabyte of zeros, deflated", squeezed(t, object("10").image(65535, 65535, 8, "1").head(0x7FE00010, "OW", 0xFFFFFFF0), 500<<20), true},
		{"more zeros than may be inflated", squeezed(t, object("11").image(65535, 65535, 8, "1").head(0x7FE00010, "OW", 0xFFFFFFF0), 700<<20), true},
		{"sequences 10,000 deep", nested.file(dimse.ExplicitVRLittleEndian), true},
		{"sequences 10,000 deep, closed", closed.file(dimse.ExplicitVRLittleEndian), true},
		{"two million elements", elements.file(dimse.ExplicitVRLittleEndian), true},
		{"two million items", items.file(dimse.ExplicitVRLittleEndian), true},
		{"three million fragments", fragments.file(jpeg), true},
		{"seven million values", values.file(dimse.ExplicitVRLittleEndian), false},
		{"65535 × 65535", object("20").image(65535, 65535, 16, "1").put(0x7FE00010, "OW", "abcd").file(dimse.ExplicitVRLittleEndian), true},
		{"2³¹ frames", object("21").image(512, 512, 8, "2147483647").put(0x7FE00010, "OW", "abcd").file(dimse.ExplicitVRLittleEndian), true},
		{"2³¹ encapsulated frames", object("22").image(8, 8, 8, "2147483647").capsule("", hugeJPEG).file(jpeg), true},
		{"2³¹ frames of video", object("23").image(65535, 65535, 8, "2147483647").capsule("", "\x00\x00\x01\xB3").file(h264), false},
		{"2³¹ frames without pixels", object("24").image(65535, 65535, 16, "2147483647").file(dimse.ExplicitVRLittleEndian), false},
		{"JPEG 65535 × 65535", object("30").image(65535, 65535, 8, "1").capsule("", hugeJPEG).file(jpeg), false},
		{"JPEG lossless 65535 × 65535", object("31").image(65535, 65535, 16, "1").capsule("", hugeLL).file(ll), false},
		{"JPEG-LS 65535 × 65535", object("32").image(65535, 65535, 16, "1").capsule("", hugeJLS).file(jls), false},
		{"JPEG 2000 65535 × 65535", object("33").image(65535, 65535, 16, "1").capsule("", hugeJ2K).file(j2k), false},
		{"JPEG 2000 in tiles of one sample", object("34").image(65535, 65535, 16, "1").capsule("", tinyTiles).file(j2k), false},
		{"HTJ2K 65535 × 65535", object("35").image(65535, 65535, 16, "1").capsule("", hugeJ2K).file(htj2k), false},
		{"RLE 65535 × 65535", object("36").image(65535, 65535, 8, "1").capsule("", "\x01\x00\x00\x00\x40"+strings.Repeat("\x00", 59)+strings.Repeat("\x81\x00", 1000)).file(rle), false},
		{"small header, huge JPEG", object("37").image(8, 8, 8, "1").capsule("", hugeJPEG).file(jpeg), false},
		{"small header, huge JPEG 2000", object("38").image(8, 8, 16, "1").capsule("", hugeJ2K).file(j2k), false},
		{"offsets beyond the fragments", object("40").image(8, 8, 8, "2").capsule("\x00\x00\x00\x00\xF0\xFF\xFF\xFF", hugeJPEG, hugeJPEG).file(jpeg), false},
		{"offsets backwards", object("41").image(8, 8, 8, "2").capsule("\x20\x00\x00\x00\x00\x00\x00\x00", hugeJPEG, hugeJPEG).file(jpeg), false},
		{"offsets into a fragment", object("42").image(8, 8, 8, "2").capsule("\x00\x00\x00\x00\x03\x00\x00\x00", hugeJPEG, hugeJPEG).file(jpeg), false},
		{"extended offsets that lie", object("43").image(8, 8, 8, "2").put(0x7FE00001, "OV", long(1<<63, 1<<62)).put(0x7FE00002, "OV", long(1<<63, 1<<40)).capsule("", hugeJPEG, hugeJPEG).file(jpeg), false},
		{"a table of a million offsets", object("44").image(8, 8, 8, "1").capsule(strings.Repeat("\x00\x00\x00\x00", 1<<20), hugeJPEG).file(jpeg), false},
		{"an element of 4 GiB", object("50").head(0x00420011, "OB", 0xFFFFFFFE).file(dimse.ExplicitVRLittleEndian), true},
		{"a text of 4 GiB", object("51").head(0x00420010, "UT", 0xFFFFFFF0).file(dimse.ExplicitVRLittleEndian), true},
		{"an unknown syntax", object("60").image(8, 8, 8, "1").capsule("", "\x01\x02").file(odd), false},
	} {
		stored, refused := j.stored, j.refused
		at := j.stow(c.name, c.data)
		if c.refused != (at == "") || j.stored+j.refused != stored+refused+1 {
			t.Errorf("%s: stored as %q", c.name, at)
		}
		j.look(c.name, at)
		j.cstore(c.name, c.data)
		j.memoryIsKept(c.name)
	}
	outcomes := j.intake(j.openCase(), "bombe.zip", zipBomb(t))
	for _, o := range outcomes {
		if o.State != "refused" || o.Message == "" {
			t.Errorf("%+v", o)
		}
	}
	if len(outcomes) == 0 {
		t.Error("nothing was said of the archive")
	}
	j.memoryIsKept("an archive")
	t.Logf("slowest %v (%s); VmHWM %d MiB; %v of processor time", j.slowest, j.slow, j.memory("VmHWM")>>20, j.cpu())
	j.well()
}

// zipBomb is an archive of one file of zeros, a thousand times its weight.
func zipBomb(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	w, err := zw.Create("zeros.dcm")
	if err == nil {
		_, err = io.CopyN(w, zeros{}, 300<<20)
	}
	if err == nil {
		err = zw.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
