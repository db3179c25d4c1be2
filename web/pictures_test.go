package web

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"strings"
	"testing"
)

// exif makes the beginning of a JPEG that is to be turned.
func exif(order binary.AppendByteOrder, orientation uint16) []byte {
	mark := "II*\x00"
	if order == binary.AppendByteOrder(binary.BigEndian) {
		mark = "MM\x00*"
	}
	t := []byte(mark)
	t = order.AppendUint32(t, 8)
	t = order.AppendUint16(t, 1)
	t = order.AppendUint16(t, 0x0112)
	t = order.AppendUint16(t, 3)
	t = order.AppendUint32(t, 1)
	t = order.AppendUint16(t, orientation)
	t = order.AppendUint16(t, 0)
	t = order.AppendUint32(t, 0)
	seg := append([]byte("Exif\x00\x00"), t...)
	out := []byte{0xFF, 0xD8, 0xFF, 0xE1}
	out = binary.BigEndian.AppendUint16(out, uint16(len(seg)+2))
	return append(out, seg...)
}

func TestOrientation(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for want := 1; want <= 8; want++ {
			if got := exifOrientation(exif(order, uint16(want))); got != want {
				t.Errorf("orientation %d, want %d", got, want)
			}
		}
	}
	for _, head := range [][]byte{nil, {0xFF, 0xD8}, exif(binary.LittleEndian, 99), exif(binary.BigEndian, 6)[:20]} {
		if got := exifOrientation(head); got != 1 {
			t.Errorf("orientation %d of a head that says none", got)
		}
	}
}

func FuzzOrientation(f *testing.F) {
	f.Add(exif(binary.LittleEndian, 6))
	f.Add(exif(binary.BigEndian, 3))
	f.Fuzz(func(t *testing.T, head []byte) {
		if got := exifOrientation(head); got < 1 || got > 8 {
			t.Fatalf("orientation %d", got)
		}
	})
}

// TestThumbnailIsUpright files a photo taken with the camera on its side.
func TestThumbnailIsUpright(t *testing.T) {
	w := newWorld(t)
	id := w.open("cardio")
	img := image.NewRGBA(image.Rect(0, 0, 400, 200))
	for y := range 200 {
		for x := range 400 {
			if x < 200 {
				img.Set(x, y, color.RGBA{255, 0, 0, 255})
			} else {
				img.Set(x, y, color.RGBA{0, 0, 255, 255})
			}
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	photo := append(exif(binary.LittleEndian, 6), b.Bytes()[2:]...)
	aid := w.send("clin", id, "p.jpg", photo).Files[0].AttachmentID
	a := w.want(200, w.do("cardio", "GET", "/api/cases/"+id+"/attachments/"+aid+"/thumbnail", nil))
	small := must[image.Image](t)(jpeg.Decode(bytes.NewReader(a.body)))
	if small.Bounds().Dx() != 128 || small.Bounds().Dy() != 256 {
		t.Fatalf("thumbnail of %v", small.Bounds())
	}
	if r, _, blue, _ := small.At(64, 10).RGBA(); r < 0x8000 || blue > 0x8000 {
		t.Error("what was left isn't on top")
	}
}

func TestDerivedStaysBounded(t *testing.T) {
	d := must[*derived](t)(openDerived(t.TempDir(), 10_000))
	for i := range 50 {
		if err := d.put(fmt.Sprintf("%064x.thumb.jpg", i), make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	entries := must[[]os.DirEntry](t)(os.ReadDir(d.dir))
	if len(entries) > 10 || len(entries) == 0 {
		t.Errorf("%d files of 1,000 bytes in a cache of 10,000", len(entries))
	}
	for _, name := range []string{"../x", strings.Repeat("a", 64) + ".x/../y", ""} {
		if err := d.put(name, []byte("x")); err == nil {
			t.Errorf("%q was taken as a name", name)
		}
		if _, ok := d.get(name); ok {
			t.Errorf("%q was found", name)
		}
	}
}
