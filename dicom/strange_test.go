package dicom

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// TestStrangeButReadable: what real writers got wrong.
func TestStrangeButReadable(t *testing.T) {
	inner := implicitSet().text(0x00081150, "UI", "1.2.840.1").text(0x00081155, "UI", "1.2.3.4")
	item := implicitSet()
	item.raw(tagItem, "", inner.Bytes())
	want := func(t *testing.T, f *File, sequence Tag) {
		t.Helper()
		items := f.Sequence(sequence)
		if len(items) != 1 || items[0].String(0x00081155) != "1.2.3.4" {
			t.Errorf("sequence %v has %d items", sequence, len(items))
		}
	}
	t.Run("UN of undefined length", func(t *testing.T) {
		w := little().object()
		w.head(0x00091010, "UN", undefined32).Write(item.Bytes())
		w.head(tagSequenceEnd, "", 0).us(tagRows, 7)
		f := mustRead(t, part10(explicitLE, w.Bytes()))
		want(t, f, 0x00091010)
		if n, _ := f.Int(tagRows); n != 7 {
			t.Error("lost the thread behind it")
		}
	})
	t.Run("UN of defined length", func(t *testing.T) {
		f := mustRead(t, part10(explicitLE, little().object().raw(0x00081140, "UN", item.Bytes()).Bytes()))
		want(t, f, 0x00081140)
	})
	t.Run("UN in big endian", func(t *testing.T) {
		w := bigEndian().object().raw(0x00081140, "UN", item.Bytes()).raw(tagRows, "UN", []byte{7, 0}).us(tagCols, 9)
		f := mustRead(t, part10(explicitBE, w.Bytes()))
		want(t, f, 0x00081140)
		if r, _ := f.Int(tagRows); r != 7 {
			t.Errorf("rows %d", r)
		}
		if c, _ := f.Int(tagCols); c != 9 {
			t.Errorf("columns %d", c)
		}
	})
	t.Run("UN that only begins like a sequence", func(t *testing.T) {
		junk := append([]byte{0xFE, 0xFF, 0x00, 0xE0, 0x99, 0, 0, 0}, 1, 2, 3, 4)
		f := mustRead(t, part10(explicitLE, little().object().raw(0x00091010, "UN", junk).Bytes()))
		if !bytes.Equal(f.Bytes(0x00091010), junk) {
			t.Error("its bytes are lost")
		}
	})
	t.Run("64-bit VRs", func(t *testing.T) {
		big := int64(1 << 30) // fits int on every machine
		eight := binary.LittleEndian.AppendUint64(nil, uint64(big))
		w := little().object().raw(0x00091010, "OV", eight).raw(0x00091011, "UV", eight).raw(0x00091012, "SV", eight).us(tagRows, 3)
		f := mustRead(t, part10(explicitLE, w.Bytes()))
		for _, tag := range []Tag{0x00091010, 0x00091011, 0x00091012} {
			if v := f.Ints(tag); len(v) != 1 || v[0] != int(big) {
				t.Errorf("%v is %v", tag, v)
			}
		}
	})
	t.Run("private sequence without VR", func(t *testing.T) {
		w := implicitSet().object()
		w.head(0x00091010, "", undefined32).Write(item.Bytes())
		w.head(tagSequenceEnd, "", 0)
		want(t, mustRead(t, part10(implicitLE, w.Bytes())), 0x00091010)
	})
	t.Run("signed by pixel representation", func(t *testing.T) {
		w := implicitSet().object().us(tagPixelSign, 1).raw(0x00280106, "", []byte{0xFE, 0xFF})
		if v, _ := mustRead(t, part10(implicitLE, w.Bytes())).Int(0x00280106); v != -2 {
			t.Errorf("smallest pixel value %d", v)
		}
	})
	t.Run("item without its delimiter", func(t *testing.T) {
		w := little().object().open(0x00081140).text(0x00081155, "UI", "1.2.3.4").head(tagSequenceEnd, "", 0).us(tagRows, 7)
		f := mustRead(t, part10(explicitLE, w.Bytes()))
		want(t, f, 0x00081140)
		if n, _ := f.Int(tagRows); n != 7 {
			t.Error("lost the thread behind it")
		}
	})
	t.Run("missing end of a complete JPEG", func(t *testing.T) {
		w := little().object().image(8, 8, 8).head(tagPixelData, "OB", undefined32).raw(tagItem, "", nil).
			raw(tagItem, "", []byte{0xFF, 0xD8, 1, 2, 0xFF, 0xD9})
		f := mustRead(t, part10("1.2.840.10008.1.2.4.50", w.Bytes()))
		if len(f.Pixel.Fragments) != 1 || len(f.Warnings) == 0 {
			t.Errorf("%d fragments, warnings %v", len(f.Pixel.Fragments), f.Warnings)
		}
	})
}
