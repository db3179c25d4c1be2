package phantom

import (
	"image"
	"runtime"
	"sync"
)

const (
	usWidth, usHeight = 640, 480
	usApexX, usApexY  = 320.0, 26.0
	usDepth           = 16.0         // cm
	usPerCm           = 420.0 / 16.0 // pixels
	usFrameTime       = 40.0         // ms
	usClass           = "1.2.840.10008.5.1.4.1.1.3.1"
	usHalfAngle       = 0.72 // radians
)

// USCine returns a loop of an apical four-chamber view of a beating heart:
// multi-frame, JPEG baseline 4:2:2, calibrated in cm, two beats a loop.
// 40 to 60 frames look natural.
func USCine(frames int, s Study) []byte {
	heart := newHeart(s.Seed)
	encoded := make([][]byte, frames)
	var group sync.WaitGroup
	next := make(chan int)
	for range min(runtime.GOMAXPROCS(0), max(frames, 1)) {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := range next {
				m := image.NewRGBA(image.Rect(0, 0, usWidth, usHeight))
				heart.draw(m, i, frames)
				overlay(m, i, frames)
				encoded[i] = encode422(m, 78)
			}
		}()
	}
	for i := range frames {
		next <- i
	}
	close(next)
	group.Wait()
	return usObject(s, encoded)
}

func usObject(s Study, encoded [][]byte) []byte {
	d, sop := common(s, series{
		class: usClass, modality: "US", number: 1, description: "Apical 4 cavites",
		protocol: "Echocardiographie", studyDefault: "Echocardiographie transthoracique", bodyPart: "HEART",
		manufacturer: "Sira", model: "Phantom US",
	}, 1)
	size := 0
	for _, e := range encoded {
		size += len(e)
	}
	d.text(0x00080008, "CS", "ORIGINAL", "PRIMARY", "TTE", "0001")
	d.integer(0x00082144, int(1000/usFrameTime))
	d.integer(0x00180040, int(1000/usFrameTime))
	d.decimal(0x00180072, float64(len(encoded))*usFrameTime/1000)
	d.decimal(0x00181063, usFrameTime)
	d.integer(0x00181088, 60000*2/max(int(usFrameTime)*len(encoded), 1))
	d.sequence(0x00186011, usRegion())
	d.text(0x00200020, "CS", "")
	d.us(0x00280002, 3)
	d.text(0x00280004, "CS", "YBR_FULL_422")
	d.us(0x00280006, 0)
	d.integer(0x00280008, len(encoded))
	d.put(0x00280009, "AT", le16([]uint16{0x0018, 0x1063}), 0)
	d.us(0x00280010, usHeight)
	d.us(0x00280011, usWidth)
	d.us(0x00280014, 0)
	d.us(0x00280100, 8)
	d.us(0x00280101, 8)
	d.us(0x00280102, 7)
	d.us(0x00280103, 0)
	d.text(0x00280301, "CS", "NO")
	d.text(0x00282110, "CS", "01")
	d.decimal(0x00282112, float64(int(10*float64(len(encoded))*usWidth*usHeight*3/float64(max(size, 1))))/10)
	d.text(0x00282114, "CS", "ISO_10918_1")
	d.encapsulated(encoded)
	return part10(d, usClass, sop, jpegBaseline)
}

// usRegion is the calibration of the sector (PS3.3 C.8.5.5): 2D tissue, cm in
// both directions, the apex as reference.
func usRegion() *dataset {
	r := &dataset{}
	r.us(0x00186012, 1)
	r.us(0x00186014, 1)
	r.ul(0x00186016, 0)
	left, right := usSectorX()
	r.ul(0x00186018, uint32(left))
	r.ul(0x0018601A, uint32(usApexY))
	r.ul(0x0018601C, uint32(right))
	r.ul(0x0018601E, uint32(usApexY+usDepth*usPerCm))
	r.sl(0x00186020, int32(usApexX-left))
	r.sl(0x00186022, 0)
	r.us(0x00186024, 3)
	r.us(0x00186026, 3)
	r.fd(0x0018602C, 1/usPerCm)
	r.fd(0x0018602E, 1/usPerCm)
	return r
}
