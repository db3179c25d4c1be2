package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"

	"sira/dicom"
	"sira/dicom/jpeg"
	"sira/dicom/jpeg2000"
	"sira/dicom/jpegls"
	"sira/dicom/transcode"
	"sira/dicom/write"
)

// Transfer syntaxes that the objects of this program are in (PS3.6 table A-1).
const (
	baseline    = "1.2.840.10008.1.2.4.50"
	extended    = "1.2.840.10008.1.2.4.51"
	progressive = "1.2.840.10008.1.2.4.55"
	nearLS      = "1.2.840.10008.1.2.4.81"
	j2kLossy    = "1.2.840.10008.1.2.4.91"
)

// codec is one way of coding, as a peer codes and as both decode.
type codec struct {
	name, syntax string
	bits         int  // of the frames given to it
	lossy        bool // compared with what the first decoder gives, to one level
	by           tool // codes the frames that are decoded
	decoders     []tool
	goal, beyond float64 // milliseconds to decode a frame, 0 for none

	// Encoding, where ours does: the peers, and their decoders as judges.
	encode                   func(context.Context, []byte) ([]byte, error)
	encoders                 []tool
	encodeGoal, encodeBeyond float64
}

func objects(name string, args ...string) tool { return tool{name: name, args: args} }

var (
	gdcm = objects("gdcmconv", "gdcmconv", "--raw", "IN", "OUT")
	dct  = objects("dcmdjpeg", "dcmdjpeg", "+cn", "IN", "OUT")
	opj  = tool{"opj_decompress", []string{"opj_decompress", "-i", "IN", "-o", "OUT"}, true, ".j2k", ".rawl"}
	ojph = tool{"ojph_expand", []string{"ojph_expand", "-i", "IN", "-o", "OUT"}, true, ".j2c", ".pgm"}
)

var codecs = []codec{
	{name: "RLE", syntax: transcode.RLE, bits: 12, by: objects("dcmcrle", "dcmcrle", "IN", "OUT"),
		decoders: []tool{objects("dcmdrle", "dcmdrle", "IN", "OUT"), gdcm},
		encode:   encodeRLE, encoders: []tool{objects("dcmcrle", "dcmcrle", "IN", "OUT"), objects("gdcmconv", "gdcmconv", "--rle", "IN", "OUT")}},
	{name: "JPEG baseline, 8 bits", syntax: baseline, bits: 8, lossy: true, by: objects("dcmcjpeg", "dcmcjpeg", "+eb", "IN", "OUT"), decoders: []tool{dct, gdcm}},
	{name: "JPEG extended, 12 bits", syntax: extended, bits: 12, lossy: true, by: objects("dcmcjpeg", "dcmcjpeg", "+ee", "IN", "OUT"),
		decoders: []tool{dct, gdcm}, goal: 12, beyond: 8},
	{name: "JPEG progressive, 12 bits", syntax: progressive, bits: 12, lossy: true, by: objects("dcmcjpeg", "dcmcjpeg", "+ep", "IN", "OUT"),
		decoders: []tool{dct}, goal: 12, beyond: 8},
	{name: "JPEG lossless", syntax: transcode.JPEGLosslessSV1, bits: 12, by: objects("dcmcjpeg", "dcmcjpeg", "+e1", "IN", "OUT"),
		decoders: []tool{dct, gdcm}, goal: 12, beyond: 8,
		encode: encodeJPEG, encoders: []tool{objects("dcmcjpeg", "dcmcjpeg", "+e1", "IN", "OUT"), objects("gdcmconv", "gdcmconv", "--jpeg", "IN", "OUT")}},
	{name: "JPEG-LS", syntax: transcode.JPEGLSLossless, bits: 12, by: objects("dcmcjpls", "dcmcjpls", "IN", "OUT"),
		decoders: []tool{objects("dcmdjpls", "dcmdjpls", "IN", "OUT"), gdcm}, goal: 12, beyond: 8,
		encode: encodeJPEGLS, encoders: []tool{objects("dcmcjpls", "dcmcjpls", "IN", "OUT"), objects("gdcmconv", "gdcmconv", "--jpegls", "IN", "OUT")},
		encodeGoal: 12, encodeBeyond: 8},
	{name: "JPEG-LS near-lossless (2)", syntax: nearLS, bits: 12, lossy: true, by: objects("dcmcjpls", "dcmcjpls", "+en", "+md", "2", "IN", "OUT"),
		decoders: []tool{objects("dcmdjpls", "dcmdjpls", "IN", "OUT"), gdcm}, goal: 12, beyond: 8},
	{name: "JPEG 2000 lossless", syntax: transcode.JPEG2000Lossless, bits: 12,
		by:       tool{"opj_compress", []string{"opj_compress", "-i", "IN", "-o", "OUT"}, true, ".pgm", ".j2k"},
		decoders: []tool{opj, gdcm}, goal: 36, beyond: 25,
		encode: encodePart1, encoders: []tool{objects("gdcmconv", "gdcmconv", "--j2k", "IN", "OUT")},
		encodeGoal: 45},
	{name: "JPEG 2000 lossy, 8 to 1", syntax: j2kLossy, bits: 12, lossy: true,
		by:       tool{"opj_compress", []string{"opj_compress", "-I", "-r", "8", "-i", "IN", "-o", "OUT"}, true, ".pgm", ".j2k"},
		decoders: []tool{opj, gdcm}},
	{name: "HTJ2K lossless", syntax: transcode.HTJ2KLossless, bits: 12,
		by:       tool{"ojph_compress", []string{"ojph_compress", "-i", "IN", "-o", "OUT", "-reversible", "true"}, true, ".pgm", ".j2c"},
		decoders: []tool{ojph, opj}, goal: 12, beyond: 8,
		encode: encodeHTJ2K, encoders: []tool{{"ojph_compress", []string{"ojph_compress", "-i", "IN", "-o", "OUT", "-reversible", "true", "-prog_order", "RPCL"}, true, ".pgm", ".j2c"}},
		encodeGoal: 25, encodeBeyond: 12},
}

func encodeJPEG(ctx context.Context, frame []byte) ([]byte, error) {
	return jpeg.Encode(ctx, &jpeg.Image{Width: side, Height: side, Components: 1, Bits: 12, Data: frame}, jpeg.EncodeOptions{})
}

func encodeJPEGLS(ctx context.Context, frame []byte) ([]byte, error) {
	return jpegls.Encode(ctx, &jpegls.Image{Width: side, Height: side, Components: 1, Bits: 12, Data: frame}, jpegls.EncodeOptions{})
}

func encodeHTJ2K(ctx context.Context, frame []byte) ([]byte, error) {
	return encodeJPEG2000(ctx, frame, jpeg2000.EncodeOptions{})
}

func encodePart1(ctx context.Context, frame []byte) ([]byte, error) {
	return encodeJPEG2000(ctx, frame, jpeg2000.EncodeOptions{Part1: true})
}

// encodeJPEG2000 includes what it takes to give the encoder its samples.
func encodeJPEG2000(ctx context.Context, frame []byte, o jpeg2000.EncodeOptions) ([]byte, error) {
	c := jpeg2000.Component{Width: side, Height: side, Bits: 12, Samples: make([]int32, side*side)}
	for k := range c.Samples {
		c.Samples[k] = int32(binary.LittleEndian.Uint16(frame[2*k:]))
	}
	e, err := jpeg2000.Encode(ctx, &jpeg2000.Image{Width: side, Height: side, Components: []jpeg2000.Component{c}}, o)
	if err != nil {
		return nil, err
	}
	return e.Data, nil
}

// encodeRLE goes through an object, as RLE is a part of transcoding.
func encodeRLE(ctx context.Context, frame []byte) ([]byte, error) {
	data, err := object(ctx, write.ExplicitLE, 12, [][]byte{frame})
	if err != nil {
		return nil, err
	}
	f, err := dicom.Read(ctx, bytes.NewReader(data), int64(len(data)), dicom.Limits{})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := transcode.Transcode(ctx, f, bytes.NewReader(data), transcode.RLE, &out); err != nil {
		return nil, err
	}
	// The frame is the one fragment behind the offset table (PS3.5 A.4).
	b := out.Bytes()
	at := bytes.LastIndex(b, []byte{0xE0, 0x7F, 0x10, 0, 'O', 'B', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF})
	if at < 0 {
		return nil, fmt.Errorf("no fragments")
	}
	b = b[at+12:]
	b = b[8+binary.LittleEndian.Uint32(b[4:]):]
	return b[8 : 8+binary.LittleEndian.Uint32(b[4:])], nil
}

// pgm is a picture as the single programs read it (samples most significant
// byte first).
func pgm(frame []byte, side int) []byte {
	out := fmt.Appendf(nil, "P5\n%d %d\n4095\n", side, side)
	for k := range side * side {
		out = append(out, frame[2*k+1], frame[2*k])
	}
	return out
}

// fromPGM gives the samples of a PGM or a raw file of one frame.
func fromPGM(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	const size = side * side * 2
	if len(b) == size {
		return b, nil
	}
	if len(b) < size || !bytes.HasPrefix(b, []byte("P5")) {
		return nil, fmt.Errorf("%s holds no frame", path)
	}
	b = b[len(b)-size:]
	for k := 0; k < size; k += 2 {
		b[k], b[k+1] = b[k+1], b[k]
	}
	return b, nil
}
