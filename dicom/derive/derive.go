// Package derive makes, in the background, what is sent instead of originals
// over thin links: of every lossless image a copy in HTJ2K RPCL
// (1.2.840.10008.1.2.4.202) with how much of each frame each resolution needs,
// of every film a poster, and an MP4 of the same coded pictures where browsers
// cannot read what it lies in. Originals are never touched; a copy is kept only when it
// decodes to the very samples of its original. The queue is in the database
// and survives the process. It must not know cases, users or HTTP.
package derive

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"sira/dicom/index"
	"sira/dicom/transcode"
	"sira/storage"
)

// ErrNone: there is no copy, or not yet.
var ErrNone = errors.New("derive: no derived copy")

// The kinds of copies.
const (
	HTJ2K = "htj2k" // a DICOM file in transcode.HTJ2KRPCL
	Film  = "film"  // MP4 of a film
)

// Level says that the first Bytes of a frame decode to Width×Height pixels.
type Level struct {
	Width  int `json:"w"`
	Height int `json:"h"`
	Bytes  int `json:"n"`
}

// Frame is one frame of a copy: a codestream at Offset of the copy's bytes.
// Sum is the SHA-256 of its decoded samples, as transcode.PixelSum takes them.
type Frame struct {
	Offset int64   `json:"o"`
	Length int64   `json:"l"`
	Levels []Level `json:"v"` // from the smallest to the whole
	Sum    string  `json:"s"`
}

// Copy is what was derived of one object.
type Copy struct {
	Kind   string
	Blob   string // hash of the copy's bytes, "" of a film that plays, or stays, as it lies
	Size   int64
	Pixels string  // transcode.PixelSum of copy and original
	Frames []Frame // of HTJ2K
	Poster string  // of Film: hash of a JPEG, "" when there is none
}

// Config names the parts. All but TempDir, Busy and Log are required.
type Config struct {
	DB    *storage.DB
	Blobs storage.Blobs
	Index *index.Index

	// TempDir is where copies are written before they are checked; the
	// system's default when empty.
	TempDir string
	// Workers is how many objects are worked on at once; 0 means none, and that
	// only what is derived already is served.
	Workers int
	// Busy tells that people are being served, which work gives way to.
	Busy func() bool
	Log  *slog.Logger
}

// Deriver is the queue and its workers.
type Deriver struct {
	cfg   Config
	log   *slog.Logger
	owner string
	wake  chan struct{}
	stop  context.CancelFunc
	done  sync.WaitGroup
	kept  remembered

	busyFor time.Duration // how long one frame gives way at most
	came    atomic.Int64  // when the last object was stored, ms

	freshMu  sync.Mutex
	fresh    []string // came and is not queued yet
	flushing *time.Timer
}

//go:embed migrations/*.sql
var migrations embed.FS

// Open migrates and takes up what an earlier process left undone. Start begins
// the work.
func Open(ctx context.Context, cfg Config) (*Deriver, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("opening migrations: %w", err)
	}
	if err := cfg.DB.Migrate(ctx, "derive", files); err != nil {
		return nil, fmt.Errorf("migrating derived copies: %w", err)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Busy == nil {
		cfg.Busy = func() bool { return false }
	}
	d := &Deriver{cfg: cfg, log: cfg.Log, owner: rand.Text(), wake: make(chan struct{}, 1), stop: func() {}, busyFor: 5 * time.Second}
	d.kept.byHash = map[string]Copy{}
	return d, d.takeUp(ctx)
}

// Start looks for objects that the queue does not know yet and works until
// Close.
func (d *Deriver) Start() {
	if d.cfg.Workers <= 0 {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	d.stop = cancel
	d.done.Go(func() {
		if err := d.redraw(ctx); err != nil && ctx.Err() == nil {
			d.log.Warn("looking for films without poster", "err", err)
		}
		if n, err := d.backfill(ctx); err != nil && ctx.Err() == nil {
			d.log.Warn("looking for objects to derive from", "queued", n, "err", err)
		} else if n > 0 {
			d.log.Info("queued objects to derive from", "queued", n)
		}
	})
	for range d.cfg.Workers {
		d.done.Go(func() { d.work(ctx) })
	}
}

// Close ends the work; what is under way is taken up again at the next Start.
func (d *Deriver) Close() {
	d.freshMu.Lock()
	if d.flushing != nil {
		d.flushing.Stop()
	}
	d.freshMu.Unlock()
	d.flush()
	d.stop()
	d.done.Wait()
}

// Added has a stored object queued, a moment later and with those that came
// with it: a row for each at once would cost each as much as its own. It never
// fails: what could not be queued is found at the next Start.
func (d *Deriver) Added(_ context.Context, hash string) {
	d.came.Store(time.Now().UnixMilli())
	d.freshMu.Lock()
	defer d.freshMu.Unlock()
	d.fresh = append(d.fresh, hash)
	if len(d.fresh) == 1 {
		d.flushing = time.AfterFunc(gather, d.flush)
	}
}

// gather is how long objects that came wait to be queued together.
const gather = 300 * time.Millisecond

// flush queues what has come.
func (d *Deriver) flush() {
	d.freshMu.Lock()
	defer d.freshMu.Unlock()
	if len(d.fresh) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := d.queue(ctx, d.fresh); err != nil {
		d.log.Warn("objects not queued to derive from", "objects", len(d.fresh), "err", err)
	}
	d.fresh = nil
}

// Get tells what was derived of an object. Errors: ErrNone.
func (d *Deriver) Get(ctx context.Context, hash string) (Copy, error) {
	if c, ok := d.kept.get(hash); ok {
		return c, nil
	}
	c, err := d.read(ctx, hash)
	if err == nil {
		d.kept.put(hash, c)
	}
	return c, err
}

// Open opens the copy of an object; its bytes are those the index of frames
// speaks of. A copy whose bytes are lost is queued again, and is ErrNone.
func (d *Deriver) Open(ctx context.Context, hash, kind string) (Copy, storage.Reader, error) {
	c, err := d.Get(ctx, hash)
	if err == nil && (c.Kind != kind || c.Blob == "") {
		err = ErrNone
	}
	if err != nil {
		return Copy{}, nil, err
	}
	blob, err := d.bytes(ctx, hash, c.Blob, c.Size)
	return c, blob, err
}

// Poster gives the poster of a film, a JPEG. Errors: ErrNone.
func (d *Deriver) Poster(ctx context.Context, hash string) ([]byte, error) {
	c, err := d.Get(ctx, hash)
	if err == nil && c.Poster == "" {
		err = ErrNone
	}
	if err != nil {
		return nil, err
	}
	blob, err := d.bytes(ctx, hash, c.Poster, -1)
	if err != nil {
		return nil, err
	}
	defer blob.Close()
	raw, err := io.ReadAll(io.LimitReader(blob, 8<<20))
	if err != nil {
		return nil, fmt.Errorf("reading a poster: %w", err)
	}
	return raw, nil
}

// bytes opens what was derived of an object, of size unless that is negative.
func (d *Deriver) bytes(ctx context.Context, hash, derived string, size int64) (storage.Reader, error) {
	blob, err := d.cfg.Blobs.Open(ctx, storage.Hash(derived))
	if err == nil && size >= 0 && blob.Size() != size {
		err = errors.Join(storage.ErrNotFound, blob.Close())
	}
	if errors.Is(err, storage.ErrNotFound) {
		d.kept.drop(hash)
		d.log.Warn("derived copy lost, made again", "hash", hash, "copy", derived)
		if err := d.again(ctx, hash); err != nil {
			d.log.Warn("queueing a lost copy", "hash", hash, "err", err)
		}
		return nil, ErrNone
	}
	if err != nil {
		return nil, fmt.Errorf("opening a derived copy: %w", err)
	}
	return blob, nil
}

// Syntax reports whether a copy of kind HTJ2K serves who asks for this syntax.
func Syntax(uid string) bool { return uid == transcode.HTJ2KRPCL || uid == transcode.HTJ2KLossless }

// remembered keeps the copies asked for last: the frames of one object are
// asked for one by one.
type remembered struct {
	mu     sync.Mutex
	byHash map[string]Copy
	frames int
}

const rememberedFrames = 20_000

func (r *remembered) get(hash string) (Copy, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.byHash[hash]
	return c, ok
}

func (r *remembered) put(hash string, c Copy) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.frames += len(c.Frames) + 1; r.frames > rememberedFrames {
		clear(r.byHash)
		r.frames = len(c.Frames) + 1
	}
	r.byHash[hash] = c
}

func (r *remembered) drop(hash string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.byHash, hash)
}
