package jpeg_test

import (
	"context"
	"fmt"

	"sira/dicom/jpeg"
)

func Example() {
	ctx := context.Background()
	grey := &jpeg.Image{Width: 4, Height: 2, Components: 1, Bits: 12, Data: []byte{
		0x10, 0x01, 0x20, 0x01, 0x30, 0x01, 0x40, 0x01,
		0x10, 0x01, 0x20, 0x01, 0x30, 0x01, 0xFF, 0x0F,
	}}
	stream, err := jpeg.Encode(ctx, grey, jpeg.EncodeOptions{Predictor: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	header, err := jpeg.DecodeHeader(stream)
	if err != nil {
		fmt.Println(err)
		return
	}
	back, err := jpeg.Decode(ctx, stream, jpeg.Limits{Bytes: 1 << 20})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(header.Process == jpeg.Lossless, back.Bits, string(back.Data) == string(grey.Data))
	// Output: true 12 true
}
