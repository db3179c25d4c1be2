package dicom

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"testing"
	"time"
)

// seeds are small objects of every encoding and oddity.
func seeds() [][]byte {
	image := func(w *writer) []byte {
		w.object().open(0x00081140).text(0x00081155, "UI", "1.2.3.4").close()
		w.image(2, 3, 16).raw(tagPixelData, "OW", pixels16)
		return w.Bytes()
	}
	un := little().object()
	un.head(0x00091010, "UN", undefined32).head(tagItem, "", undefined32).close()
	capsule := little().object().image(8, 8, 8).head(tagPixelData, "OB", undefined32).raw(tagItem, "", []byte{0, 0, 0, 0}).
		raw(tagItem, "", []byte("ABCD")).head(tagSequenceEnd, "", 0)
	kanji := little().text(tagCharacterSet, "CS", `\ISO 2022 IR 87`).object().text(0x00104000, "LT", "\x1b$B;3ED\x1b(B")
	directory := little().head(tagDirectoryRecords, "SQ", undefined32).head(tagItem, "", undefined32).
		text(tagReferencedFileID, "CS", `A\B`).close()
	return [][]byte{
		part10(explicitLE, image(little())), part10(implicitLE, image(implicitSet())), part10(explicitBE, image(bigEndian())),
		part10(deflatedLE, deflated(image(little()))), image(little()), image(implicitSet()), part10(explicitLE, un.Bytes()),
		part10("1.2.840.10008.1.2.4.50", capsule.Bytes()), part10(explicitLE, kanji.Bytes()), part10(explicitLE, directory.Bytes()),
		part10(explicitLE, nested(40)), nil,
	}
}

// FuzzRead: any bytes give a file or a reason, within the limits.
func FuzzRead(f *testing.F) {
	log.SetOutput(io.Discard) // suyashkumar/dicom's
	for _, seed := range seeds() {
		f.Add(seed)
	}
	lim := Limits{Depth: 16, Elements: 5000, HeaderBytes: 1 << 20, InflatedBytes: 4 << 20, ModelBytes: 64 << 10, Deadline: time.Minute}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Read(context.Background(), bytes.NewReader(data), int64(len(data)), lim)
		if err != nil {
			var refused *Error
			if !errors.As(err, &refused) || refused.Reason == "" || refused.Error() == "" {
				t.Fatalf("no reason: %v", err)
			}
			return
		}
		size := file.Size
		if file.Deflated {
			size = file.inflated
		}
		inside := func(s Section) {
			if s.Offset < 0 || s.Length < 0 || s.Offset+s.Length > size {
				t.Fatalf("section %+v of %d bytes", s, size)
			}
		}
		if p := file.Pixel; p != nil {
			for _, s := range p.Fragments {
				inside(s)
			}
			if p.Native != nil {
				inside(*p.Native)
			}
		}
		touch(file.DataSet, inside)
		if in, err := Describe(file); err == nil && (!validUID(in.SOPUID) || in.SOPUID != oneLine(in.SOPUID)) {
			t.Fatalf("UID %q", in.SOPUID)
		}
		References(file)
	})
}

func touch(d *DataSet, inside func(Section)) {
	for _, e := range d.Elements() {
		inside(e.Section)
		d.Strings(e.Tag)
		d.Int(e.Tag)
		d.Floats(e.Tag)
		for _, item := range e.Items {
			touch(item, inside)
		}
	}
}
