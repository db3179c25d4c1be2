package dimse

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/iotest"
)

func TestEcho(t *testing.T) {
	var r recorder
	c := dial(t, serve(t, &Server{Events: r.event}))
	for range 3 {
		if err := c.Echo(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.heard(t, EventReleased)
	if e := r.heard(t, EventEcho); e.CallingAET != "TEST" || e.CalledAET != "SIRA" || e.At.IsZero() || e.Association == "" {
		t.Errorf("%+v", e)
	}
}

// Sizes around the fragment's, so that last fragments are empty-handed, full
// and one byte long, with a small and a large maximum on the receiving side.
func TestStoreEverySize(t *testing.T) {
	for _, max := range []uint32{256, 65536} {
		var r recorder
		addr := serve(t, &Server{Store: r.store, Limits: Limits{PDU: max}})
		c := dial(t, addr, ctProposal())
		head := len(object(testUID(10), 0))
		var want [][]byte
		for i, size := range []int{0, 1, int(max) - 6 - head - 2, int(max) - 6 - head, int(max) - 6 - head + 1, 2 * (int(max) - 6), 100_000} {
			data := object(testUID(10+i), max0(size))
			want = append(want, data)
			if status, err := c.Store(t.Context(), bytes.NewReader(file(testUID(10+i), data))); err != nil || status != 0 {
				t.Fatalf("size %d: %#x, %v", size, status, err)
			}
		}
		for i, k := range r.all() {
			if k.err != nil || !bytes.Equal(k.data, want[i]) {
				t.Errorf("maximum %d, object %d: %d bytes of %d, %v", max, i, len(k.data), len(want[i]), k.err)
			}
			if k.req.SOPUID != testUID(10+i) || k.req.SOPClass != ctStorage || k.req.TransferSyntax != ExplicitVRLittleEndian || k.req.CallingAET != "TEST" {
				t.Errorf("%+v", k.req)
			}
		}
	}
}

func max0(n int) int { return max(n, 0) }

func TestPart10OfRequest(t *testing.T) {
	data := object(testUID(1), 70_000)
	var read, copied []byte
	s := &Server{Store: func(_ context.Context, req StoreRequest) uint16 {
		if read == nil {
			read, _ = io.ReadAll(struct{ io.Reader }{req.Part10()})
		} else {
			var b bytes.Buffer
			_, _ = io.Copy(&b, req.Part10())
			copied = b.Bytes()
		}
		return StatusSuccess
	}}
	c := dial(t, serve(t, s), ctProposal())
	for range 2 {
		if _, err := c.Store(t.Context(), bytes.NewReader(file(testUID(1), data))); err != nil {
			t.Fatal(err)
		}
	}
	want := file(testUID(1), data)
	if !bytes.Equal(read, want) || !bytes.Equal(copied, want) {
		t.Errorf("read %d, copied %d of %d bytes", len(read), len(copied), len(want))
	}
	br := bufio.NewReader(bytes.NewReader(read))
	if m, err := ReadMeta(br); err != nil || m != (Meta{ctStorage, testUID(1), ExplicitVRLittleEndian}) {
		t.Errorf("%+v, %v", m, err)
	}
	if rest, _ := io.ReadAll(br); !bytes.Equal(rest, data) {
		t.Error("data set does not follow the meta information")
	}
}

func TestStatusReachesTheSender(t *testing.T) {
	for _, status := range []uint16{StatusDuplicateInstance, StatusOutOfResources, StatusWarningCoercion} {
		s := &Server{Store: func(context.Context, StoreRequest) uint16 { return status }} // reads nothing
		c := dial(t, serve(t, s), ctProposal(), verification())
		got, err := c.Store(t.Context(), bytes.NewReader(file(testUID(1), object(testUID(1), 300_000))))
		var failure *StatusError
		if got != status || errors.As(err, &failure) != StatusFailed(status) {
			t.Errorf("%#x: got %#x, %v", status, got, err)
		}
		if err := c.Echo(t.Context()); err != nil { // the association goes on
			t.Error(err)
		}
	}
}

func TestPanicInTheCallback(t *testing.T) {
	s := &Server{Store: func(context.Context, StoreRequest) uint16 { panic("boom") }}
	c := dial(t, serve(t, s), ctProposal(), verification())
	status, err := c.Store(t.Context(), bytes.NewReader(file(testUID(1), object(testUID(1), 1000))))
	if status != StatusProcessingFailure || err == nil {
		t.Errorf("%#x, %v", status, err)
	}
	if err := c.Echo(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestNoContextForTheFile(t *testing.T) {
	c := dial(t, serve(t, &Server{}), ctProposal(), verification())
	if _, err := c.Store(t.Context(), bytes.NewReader(file(testUID(1), object(testUID(1), 10)))); !errors.Is(err, ErrNoContext) {
		t.Error(err)
	}
	if _, err := c.Store(t.Context(), bytes.NewReader([]byte("not DICOM"))); !errors.Is(err, ErrNotPart10) {
		t.Error(err)
	}
	if err := c.Echo(t.Context()); err != nil {
		t.Error(err)
	}
}

type endless struct{ left int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), e.left)
	e.left -= n
	return int(n), nil
}

// Half a gigabyte goes through while the heap of both sides together stays
// within a few PDUs.
func TestMemoryDoesNotGrowWithTheObject(t *testing.T) {
	const size = 512 << 20
	var got, peak atomic.Int64
	s := &Server{Store: func(_ context.Context, req StoreRequest) uint16 {
		buf := make([]byte, 32<<10)
		for i := 0; ; i++ {
			n, err := req.Data.Read(buf)
			got.Add(int64(n))
			if err == io.EOF {
				return StatusSuccess
			} else if err != nil {
				return StatusProcessingFailure
			}
			if i%1000 == 0 {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak.Store(max(peak.Load(), int64(m.HeapAlloc)))
			}
		}
	}}
	c := dial(t, serve(t, s), ctProposal())
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	src := io.MultiReader(bytes.NewReader(file(testUID(1), nil)), &endless{left: size})
	if _, err := c.Store(t.Context(), src); err != nil {
		t.Fatal(err)
	}
	if got.Load() != size {
		t.Errorf("%d bytes arrived", got.Load())
	}
	if grown := peak.Load() - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
}

// A consumer that stands still holds the sender back: what has been sent then
// is what the sockets and our buffer hold, not the object.
func TestBackPressure(t *testing.T) {
	const size = 256 << 20
	began, goOn := make(chan struct{}), make(chan struct{})
	s := &Server{Store: func(_ context.Context, req StoreRequest) uint16 {
		close(began)
		<-goOn
		_, _ = io.Copy(io.Discard, req.Data)
		return StatusSuccess
	}}
	c := dial(t, serve(t, s), ctProposal())
	src := &counted{r: &endless{left: size}}
	done := make(chan error, 1)
	go func() {
		_, err := c.Store(context.Background(), io.MultiReader(bytes.NewReader(file(testUID(1), nil)), src))
		done <- err
	}()
	<-began
	last := int64(-1)
	eventually(t, "a standstill", func() bool { n := src.n.Load(); same := n == last; last = n; return same && n > 0 })
	if last > size/4 {
		t.Errorf("%d bytes sent to a consumer that reads none", last)
	}
	close(goOn)
	if err := <-done; err != nil || src.n.Load() != size {
		t.Errorf("%d bytes, %v", src.n.Load(), err)
	}
}

type counted struct {
	r io.Reader
	n atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

func TestSourceFailsMidway(t *testing.T) {
	var r recorder
	c := dial(t, serve(t, &Server{Store: r.store, Events: r.event}), ctProposal())
	broken := errors.New("disk on fire")
	src := io.MultiReader(bytes.NewReader(file(testUID(1), object(testUID(1), 200_000))), failing{broken})
	if _, err := c.Store(t.Context(), src); !errors.Is(err, broken) {
		t.Error(err)
	}
	r.heard(t, EventAborted)
	var abort *AbortError
	if k := r.all(); len(k) != 1 || !errors.As(k[0].err, &abort) {
		t.Errorf("%+v", k)
	}
	if err := c.Echo(t.Context()); err == nil {
		t.Error("association still usable")
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestManyQuickAssociations(t *testing.T) {
	var r recorder
	addr := serve(t, &Server{Store: r.store, Limits: Limits{PerAddress: 64}})
	before := runtime.NumGoroutine()
	errs := make(chan error, 100)
	for i := range 100 {
		go func() { errs <- quick(addr, i) }()
		if i%8 == 7 {
			for range 8 {
				if err := <-errs; err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for range 100 % 8 {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	if len(r.all()) != 100 {
		t.Errorf("%d instances", len(r.all()))
	}
	eventually(t, "the end of all goroutines", func() bool { return runtime.NumGoroutine() <= before })
}

func quick(addr string, i int) error {
	ctx := context.Background()
	c, err := Dial(ctx, addr, DialOptions{AET: fmt.Sprintf("T%d", i), CalledAET: "X", Proposals: []Proposal{ctProposal(), verification()}})
	if err != nil {
		return err
	}
	if err := c.Echo(ctx); err != nil {
		return err
	}
	if _, err := c.Store(ctx, bytes.NewReader(file(testUID(i), object(testUID(i), 5000)))); err != nil {
		return err
	}
	return c.Release(ctx)
}

func BenchmarkStore(b *testing.B) {
	s := &Server{Store: func(_ context.Context, req StoreRequest) uint16 {
		_, _ = io.Copy(io.Discard, req.Data)
		return StatusSuccess
	}}
	c := dial(b, serve(b, s), ctProposal())
	f := file(testUID(1), object(testUID(1), 525_000))
	b.SetBytes(int64(len(f)))
	b.ReportAllocs()
	start := cpuTime(b)
	for b.Loop() {
		if _, err := c.Store(context.Background(), bytes.NewReader(f)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpuTime(b)-start).Microseconds())/float64(b.N), "cpu-µs/op")
}

func TestOddDeflatedDataSetIsPadded(t *testing.T) {
	for size := range 5 {
		for _, r := range []io.Reader{
			bytes.NewReader(make([]byte, size)),
			iotest.DataErrReader(bytes.NewReader(make([]byte, size))),
			iotest.OneByteReader(bytes.NewReader(make([]byte, size))),
		} {
			got, err := io.ReadAll(evened(r, DeflatedLittleEndian))
			if err != nil || len(got) != size+size%2 {
				t.Errorf("%d bytes become %d, %v", size, len(got), err)
			}
		}
	}
}
