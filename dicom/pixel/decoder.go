package pixel

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// Decoder decompresses one frame. encoded is what the frame's fragments hold,
// joined; it must not be changed. img tells what to expect. The result has
// img's rows, columns and samples in stored colour space (for JPEG of
// YBR_FULL_422: YBR_FULL), samples interleaved; it is checked by the caller.
// A Decoder must not panic and must not take memory that img does not justify.
type Decoder interface {
	Decode(ctx context.Context, encoded []byte, img Image) (*Pixels, error)
}

// Chooser is a Decoder that handles only some images of its syntax.
type Chooser interface {
	Decoder
	Handles(img Image) bool
}

var (
	decodersMu sync.RWMutex
	decoders   = map[string]Decoder{}
)

// Register makes d the decoder of an encapsulated transfer syntax UID.
func Register(syntax string, d Decoder) {
	decodersMu.Lock()
	defer decodersMu.Unlock()
	decoders[syntax] = d
}

// Syntaxes lists the encapsulated transfer syntaxes that have a decoder.
func Syntaxes() []string {
	decodersMu.RLock()
	defer decodersMu.RUnlock()
	return slices.Sorted(maps.Keys(decoders))
}

func decoderFor(syntax string) Decoder {
	decodersMu.RLock()
	defer decodersMu.RUnlock()
	return decoders[syntax]
}
