package jpeg2000

type htDecoder struct{}

func (d *blockDecoder) decodeHT(b *block, planes int, causal bool) error { return ErrUnsupported }
