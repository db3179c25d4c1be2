package jpeg

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
)

// slice is a 512×512 image of 12 bits with edges and noise as a CT has them.
func slice() *Image {
	m := &Image{Width: 512, Height: 512, Components: 1, Bits: 12}
	random := rand.New(rand.NewPCG(3, 4))
	for y := range 512 {
		for x := range 512 {
			v := 24.0
			if r := math.Hypot(float64(x-256), float64(y-256)*1.3); r < 230 {
				v = 1064 + 400*math.Exp(-(r-215)*(r-215)/90) + 30*math.Sin(float64(x)/40) + 9*random.NormFloat64()
			}
			m.Data = append(m.Data, byte(int(v)), byte(int(v)>>8))
		}
	}
	return m
}

func benchmarkDecode(b *testing.B, stream []byte) {
	b.SetBytes(512 * 512 * 2)
	for b.Loop() {
		if _, err := Decode(b.Context(), stream, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeLossless(b *testing.B) {
	stream, err := Encode(context.Background(), slice(), EncodeOptions{})
	if err != nil {
		b.Fatal(err)
	}
	benchmarkDecode(b, stream)
}

func BenchmarkDecodeExtended(b *testing.B) {
	benchmarkDecode(b, newCoefficients(512, 512, 12, 1, [2]int{1, 1}).sequential(Extended, true))
}

func BenchmarkDecodeProgressive(b *testing.B) {
	benchmarkDecode(b, newCoefficients(512, 512, 12, 1, [2]int{1, 1}).progressive())
}

func BenchmarkEncodeLossless(b *testing.B) {
	m := slice()
	b.SetBytes(int64(len(m.Data)))
	for b.Loop() {
		if _, err := Encode(b.Context(), m, EncodeOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
