package derive

import (
	"bytes"
	"errors"
	"testing"

	"sira/dicom/phantom"
	"sira/dicom/pixel"
	"sira/dicom/transcode"
	"sira/storage"
	"sira/storage/storagetest"
)

// TestReduced: whole the samples are the original's; reduced they show
// the same, from few bytes.
func TestReduced(t *testing.T) {
	h := build(t, storagetest.NewDB(t), storagetest.NewBlobs(t))
	data := compressed(t, phantom.CT(3, phantom.Study{})[1], transcode.JPEGLosslessSV1)
	hash := h.put(t, data)
	src, err := pixel.Open(file(t, data), bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	d := h.open(t, nil)
	if _, err := d.Reduced(t.Context(), hash, 1, 2, src.Info()); !errors.Is(err, ErrNone) {
		t.Fatalf("before it is derived: %v", err)
	}
	d.Start()
	settled(t, d, hash, "done")
	full, err := src.Frame(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	for reduce := range 4 {
		got, err := d.Reduced(t.Context(), hash, 1, reduce, src.Info())
		if err != nil {
			t.Fatal(err)
		}
		want := pixel.Reduce(full, reduce)
		if got.Rows != want.Rows || got.Cols != want.Cols || got.Bits != want.Bits || got.Signed != want.Signed || len(got.Data) != len(want.Data) {
			t.Fatalf("1/%d: %d×%d of %d bits, want %d×%d of %d", 1<<reduce, got.Cols, got.Rows, got.Bits, want.Cols, want.Rows, want.Bits)
		}
		if reduce == 0 && !bytes.Equal(got.Data, want.Data) {
			t.Error("whole, other samples")
		}
		for q := range 16 { // noise differs, what it shows does not
			if a, b := mean(got, q), mean(want, q); a-b > 25 || b-a > 25 {
				t.Errorf("1/%d: sixteenth %d has a mean of %d, not %d", 1<<reduce, q, a, b)
			}
		}
	}
	for _, n := range []int{0, 2} {
		if _, err := d.Reduced(t.Context(), hash, n, 1, src.Info()); !errors.Is(err, ErrNone) {
			t.Errorf("frame %d: %v", n, err)
		}
	}
	c, err := d.Get(t.Context(), hash)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%v of %d bytes", c.Frames[0].Levels, c.Frames[0].Length)
	if err := h.blobs.Delete(t.Context(), storage.Hash(c.Blob)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Reduced(t.Context(), hash, 1, 1, src.Info()); !errors.Is(err, ErrNone) {
		t.Errorf("from a lost copy: %v", err)
	}
}

// mean is that of one sixteenth of signed 16-bit pixels.
func mean(p *pixel.Pixels, q int) int {
	h, w, sum, n := p.Rows/4, p.Cols/4, 0, 0
	for y := q / 4 * h; y < (q/4+1)*h; y++ {
		for x := q % 4 * w; x < (q%4+1)*w; x++ {
			at := 2 * (y*p.Cols + x)
			sum, n = sum+int(int16(uint16(p.Data[at])|uint16(p.Data[at+1])<<8)), n+1
		}
	}
	return sum / n
}

// BenchmarkPreview is what a preview at 1/4 of a compressed image costs with
// and without its copy.
func BenchmarkPreview(b *testing.B) {
	for name, syntax := range map[string]string{"jpeg-lossless": transcode.JPEGLosslessSV1, "jpeg-ls": transcode.JPEGLSLossless} {
		h := build(b, storagetest.NewDB(b), storagetest.NewBlobs(b))
		data := compressed(b, phantom.CT(3, phantom.Study{})[1], syntax)
		hash := h.put(b, data)
		src, err := pixel.Open(file(b, data), bytes.NewReader(data))
		if err != nil {
			b.Fatal(err)
		}
		d := h.open(b, nil)
		if _, err := d.Now(b.Context(), hash); err != nil {
			b.Fatal(err)
		}
		b.Run(name+"/decoded", func(b *testing.B) {
			for b.Loop() {
				p, err := src.Frame(b.Context(), 1)
				if err != nil {
					b.Fatal(err)
				}
				pixel.Reduce(p, 2)
			}
		})
		b.Run(name+"/prefix", func(b *testing.B) {
			for b.Loop() {
				if _, err := d.Reduced(b.Context(), hash, 1, 2, src.Info()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
