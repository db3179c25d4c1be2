package pixel_test

import (
	"bytes"
	"context"
	"fmt"
	"log"

	"sira/dicom"
	"sira/dicom/phantom"
	"sira/dicom/pixel"
)

// Open an object, decode its first frame and make a picture of it in the
// window that the object proposes.
func Example() {
	ctx := context.Background()
	data := phantom.CT(1, phantom.Study{Seed: 1})[0]
	r := bytes.NewReader(data)
	f, err := dicom.Read(ctx, r, int64(len(data)), dicom.Limits{})
	if err != nil {
		log.Fatal(err)
	}
	s, err := pixel.Open(f, r)
	if err != nil {
		log.Fatal(err)
	}
	p, err := s.Frame(ctx, 1)
	if err != nil {
		log.Fatal(err)
	}
	img := s.Info()
	picture := pixel.Render(p, img, img.Windows[0])
	fmt.Println(p.Cols, p.Rows, p.Bits, p.Signed, picture.Bounds().Dx())
	// Output: 512 512 16 true 512
}
