package jpegls_test

import (
	"context"
	"fmt"

	"sira/dicom/jpegls"
)

func Example() {
	ctx := context.Background()
	grey := &jpegls.Image{Width: 4, Height: 2, Components: 1, Bits: 12, Data: []byte{
		0x10, 0x01, 0x20, 0x01, 0x30, 0x01, 0x40, 0x01,
		0x10, 0x01, 0x20, 0x01, 0x30, 0x01, 0xFF, 0x0F,
	}}
	stream, err := jpegls.Encode(ctx, grey, jpegls.EncodeOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	back, err := jpegls.Decode(ctx, stream, jpegls.Limits{Bytes: 1 << 20})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(back.Width, back.Height, back.Bits, string(back.Data) == string(grey.Data))
	// Output: 4 2 12 true
}
