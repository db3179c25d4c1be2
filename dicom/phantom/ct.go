package phantom

import (
	"encoding/binary"
	"runtime"
	"sync"
)

const (
	ctSize   = 512
	ctPixel  = 0.46875 // mm
	ctBottom = -62.0   // mm, lowest slice
	ctRange  = 152.0   // mm, lowest to highest slice
	ctAir    = -1000.0
)

// CT returns n axial slices (60 or more look like an examination) of a head
// with a haemorrhage in the right basal ganglia: 512×512, 16-bit signed,
// rescale slope 1 and intercept -1024, instance 1 lowest.
func CT(n int, s Study) [][]byte {
	head := newHead(s.Seed)
	slices := make([][]byte, n)
	var group sync.WaitGroup
	next := make(chan int)
	for range min(runtime.GOMAXPROCS(0), n) {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := range next {
				slices[i] = ctSlice(s, head, i, n)
			}
		}()
	}
	for i := range n {
		next <- i
	}
	close(next)
	group.Wait()
	return slices
}

func ctSlice(s Study, head *head, i, n int) []byte {
	spacing := ctRange / float64(n)
	z := ctBottom + float64(i)*spacing
	d, sop := common(s, series{
		class: "1.2.840.10008.5.1.4.1.1.2", modality: "CT", number: 2,
		description: "CRANE SANS IV", protocol: "Crane urgence", studyDefault: "Scanner cerebral sans injection",
		bodyPart: "HEAD", manufacturer: "Sira", model: "Phantom CT",
	}, i+1)
	d.text(0x00080008, "CS", "ORIGINAL", "PRIMARY", "AXIAL")
	d.decimal(0x00180050, spacing)
	d.decimal(0x00180060, 120)
	d.decimal(0x00180090, 240)
	d.decimal(0x00181100, 240)
	d.decimal(0x00181120, 0)
	d.integer(0x00181150, 1000)
	d.integer(0x00181151, 280)
	d.text(0x00181210, "SH", "SOFT")
	d.text(0x00185100, "CS", "HFS")
	half := ctPixel * (ctSize - 1) / 2
	d.decimal(0x00200032, -half, -half, z)
	d.decimal(0x00200037, 1, 0, 0, 0, 1, 0)
	d.integer(0x00200012, 1)
	d.text(0x00200052, "UI", uid(s.Seed, "CT", "frame of reference"))
	d.text(0x00201040, "LO", "OM")
	d.decimal(0x00201041, z)
	greyPixel(d, ctSize, ctSize, 16, 16, true, "MONOCHROME2")
	d.decimal(0x00280030, ctPixel, ctPixel)
	d.decimal(0x00281050, 40, 600)
	d.decimal(0x00281051, 80, 2800)
	d.decimal(0x00281052, -1024)
	d.decimal(0x00281053, 1)
	d.text(0x00281054, "LO", "HU")
	d.text(0x00281055, "LO", "CERVEAU", "OS")
	d.put(0x7FE00010, "OW", head.slice(z, uint64(i)), 0)
	return part10(d, "1.2.840.10008.5.1.4.1.1.2", sop, explicitLE)
}

// greyPixel writes the Image Pixel module for one grey sample (PS3.3 C.7.6.3).
func greyPixel(d *dataset, rows, cols, allocated, stored int, signed bool, photometric string) {
	d.us(0x00280002, 1)
	d.text(0x00280004, "CS", photometric)
	d.us(0x00280010, uint16(rows))
	d.us(0x00280011, uint16(cols))
	d.us(0x00280100, uint16(allocated))
	d.us(0x00280101, uint16(stored))
	d.us(0x00280102, uint16(stored-1))
	representation := uint16(0)
	if signed {
		representation = 1
	}
	d.us(0x00280103, representation)
}

// slice draws the stored values of one axial slice at height z.
func (h *head) slice(z float64, index uint64) []byte {
	level := h.at(z)
	out := make([]byte, 0, ctSize*ctSize*2)
	dx, dy := int(index*197+31), int(index*101+57) // another piece of the noise for each slice
	for row := range ctSize {
		y := (float64(row) - (ctSize-1)/2.0) * ctPixel
		for col := range ctSize {
			x := (float64(col) - (ctSize-1)/2.0) * ctPixel
			value := 0.0 // outside the circle of reconstruction
			if x*x+y*y < 120*120 {
				hu := level.hounsfield(x, y)
				grain := 3.2 + 1.2*step(100, 20, x*x/90+y*y/90) // noisier in the middle
				value = hu + grain*h.grain.cell(col+dx, row+dy) + 1024
			}
			value = min(max(value, 0), 4095)
			out = binary.LittleEndian.AppendUint16(out, uint16(int16(value+0.5)))
		}
	}
	return out
}
