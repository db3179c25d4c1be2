package dicom

import (
	"bytes"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"sira/dicom/phantom"
)

// allocated tells how many bytes fn allocates in all, freed or not.
func allocated(fn func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// TestCorpusMemory: no real file, sound or broken, costs much to look at.
func TestCorpusMemory(t *testing.T) {
	quiet(t)
	dir, files := corpusFiles(t)
	for _, name := range files {
		if n := allocated(func() { _, _ = readPath(filepath.Join(dir, name), Limits{}) }); n > 24<<20 {
			t.Errorf("%s: %d bytes allocated", name, n)
		}
	}
}

// TestWorstMemory: files made to be expensive stay within the limits.
func TestWorstMemory(t *testing.T) {
	empty := little().object()
	empty.Write(bytes.Repeat(little().head(0x00091010, "LO", 0).Bytes(), 250_000))
	deep := little().object()
	deep.Write(bytes.Repeat(little().open(0x00081140).Bytes(), 100_000))
	values := little().object()
	for i := range 5 {
		values.text(Tag(0x00291000+i), "UT", strings.Repeat(`\`, 7<<20))
	}
	fragments := little().object().image(8, 8, 8).head(tagPixelData, "OB", undefined32)
	fragments.Write(bytes.Repeat(little().raw(tagItem, "", nil).Bytes(), 1<<20+2))
	table := little().object().image(8, 8, 8).head(tagPixelData, "OB", undefined32).raw(tagItem, "", make([]byte, 20<<20)).head(tagSequenceEnd, "", 0)
	for name, data := range map[string][]byte{
		"elements": part10(explicitLE, empty.Bytes()), "values": part10(explicitLE, values.Bytes()),
		"fragments": part10("1.2.840.10008.1.2.5", fragments.Bytes()), "offset table": part10("1.2.840.10008.1.2.5", table.Bytes()),
		"deflated zeros": part10(deflatedLE, deflated(make([]byte, 8<<20))), "deep": part10(explicitLE, deep.Bytes()),
	} {
		t.Run(name, func(t *testing.T) {
			n := allocated(func() { _, _ = readBytes(data, Limits{}) })
			if t.Logf("%d MB allocated", n>>20); n > 160<<20 {
				t.Errorf("%d bytes allocated", n)
			}
		})
	}
}

// TestPhantoms: what our own generator writes is read, described and modelled.
func TestPhantoms(t *testing.T) {
	s := phantom.Study{Patient: phantom.Patient{Name: "KONÉ^Ɲɛnɛba", ID: "SN-1", Sex: "F", BirthDate: "19900101"}, Seed: 7}
	objects := append(phantom.CT(1, s), phantom.ECG12(s, phantom.Sinus), phantom.USCine(1, s))
	for i, data := range objects {
		f := mustRead(t, data)
		in, err := Describe(f)
		if err != nil || in.PatientName != "KONÉ^Ɲɛnɛba" || in.TextGuessed || in.Modality == "" || f.Model == nil || len(f.Warnings) > 0 {
			t.Errorf("object %d: %+v, %v, %v", i, in, err, f.Warnings)
		}
	}
}
