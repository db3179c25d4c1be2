package jpeg2000_test

import (
	"context"
	"fmt"
	"log"

	"sira/dicom/jpeg2000"
)

// Encode a picture, then decode it from a part of the bytes at half the size,
// and from all of them exactly.
func Example() {
	const width, height = 200, 100
	samples := make([]int32, width*height)
	for i := range samples {
		samples[i] = int32(i%width) * 20
	}
	m := &jpeg2000.Image{Width: width, Height: height, Components: []jpeg2000.Component{
		{Width: width, Height: height, Bits: 12, Samples: samples},
	}}
	ctx := context.Background()
	e, err := jpeg2000.Encode(ctx, m, jpeg2000.EncodeOptions{})
	if err != nil {
		log.Fatal(err)
	}
	level := e.Levels[len(e.Levels)-2]
	half, err := jpeg2000.Decode(ctx, e.Data[:level.Bytes], jpeg2000.Options{Discard: level.Discard})
	if err != nil {
		log.Fatal(err)
	}
	whole, err := jpeg2000.Decode(ctx, e.Data, jpeg2000.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(level.Bytes < len(e.Data), half.Width, half.Height)
	fmt.Println(whole.Components[0].Samples[57], samples[57])
	// Output:
	// true 100 50
	// 1140 1140
}

// DecodeConfig tells what a stream holds before anything is decoded.
func ExampleDecodeConfig() {
	m := &jpeg2000.Image{Width: 2, Height: 1, Components: []jpeg2000.Component{
		{Width: 2, Height: 1, Bits: 16, Signed: true, Samples: []int32{-1000, 1000}},
	}}
	e, err := jpeg2000.Encode(context.Background(), m, jpeg2000.EncodeOptions{})
	if err != nil {
		log.Fatal(err)
	}
	c, err := jpeg2000.DecodeConfig(e.Data)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.Width, c.Height, c.Components[0].Bits, c.Components[0].Signed, c.Reversible, c.Progression)
	// Output: 2 1 16 true true RPCL
}
