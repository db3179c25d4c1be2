package transcode_test

import (
	"bytes"
	"context"
	"fmt"
	"log"

	"sira/dicom"
	"sira/dicom/phantom"
	"sira/dicom/transcode"
)

// Bring an object to HTJ2K and prove that its samples stay what they are.
func Example() {
	ctx := context.Background()
	data := phantom.CT(1, phantom.Study{Seed: 1})[0]
	read := func(b []byte) *dicom.File {
		f, err := dicom.Read(ctx, bytes.NewReader(b), int64(len(b)), dicom.Limits{})
		if err != nil {
			log.Fatal(err)
		}
		return f
	}
	sum := func(b []byte) string {
		s, err := transcode.PixelSum(ctx, read(b), bytes.NewReader(b))
		if err != nil {
			log.Fatal(err)
		}
		return s
	}
	var out bytes.Buffer
	if err := transcode.Transcode(ctx, read(data), bytes.NewReader(data), transcode.HTJ2KRPCL, &out); err != nil {
		log.Fatal(err)
	}
	fmt.Println(read(out.Bytes()).TransferSyntax, out.Len() < len(data)/2, sum(out.Bytes()) == sum(data))
	// Output: 1.2.840.10008.1.2.4.202 true true
}
