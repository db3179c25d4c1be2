package jpeg2000

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// array is an MCT to write: numbers of a type, as elements of a kind.
type array struct {
	kind, index, element int
	numbers              []float64
}

// set is a collection to write.
type set struct {
	kind    int
	in, out []int
	wide    byte // 0x80: indices of what comes out take two bytes
	flags   byte
	matrix  int
	offset  int
}

// marked is a segment: marker, length and body.
func marked(code int, body []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(code))
	b = binary.BigEndian.AppendUint16(b, uint16(2+len(body)))
	return append(b, body...)
}

// bytes are the numbers as MCT holds them.
func (a array) bytes() []byte {
	var b []byte
	for _, v := range a.numbers {
		switch a.element {
		case elementInt16:
			b = binary.BigEndian.AppendUint16(b, uint16(int16(v)))
		case elementInt32:
			b = binary.BigEndian.AppendUint32(b, uint32(int32(v)))
		case elementFloat32:
			b = binary.BigEndian.AppendUint32(b, math.Float32bits(float32(v)))
		default:
			b = binary.BigEndian.AppendUint64(b, math.Float64bits(v))
		}
	}
	return b
}

// segment is the MCT, or part z of last+1 with some of the bytes.
func (a array) segment(z, last int, part []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(z))
	b = binary.BigEndian.AppendUint16(b, uint16(a.index|a.kind<<8|a.element<<10))
	if z == 0 {
		b = binary.BigEndian.AppendUint16(b, uint16(last))
	}
	return marked(mMCT, append(b, part...))
}

// collect is the MCC of index.
func collect(index byte, sets ...set) []byte {
	b := []byte{0, 0, index, 0, 0, 0, byte(len(sets))}
	for _, s := range sets {
		b = append(b, byte(s.kind), 0, byte(len(s.in)))
		for _, i := range s.in {
			b = append(b, byte(i))
		}
		b = append(b, s.wide, byte(len(s.out)))
		for _, i := range s.out {
			if s.wide != 0 {
				b = append(b, 0)
			}
			b = append(b, byte(i))
		}
		b = append(b, s.flags, byte(s.offset), byte(s.matrix))
	}
	return marked(mMCC, b)
}

// depths is the CBD.
func depths(n, bits int, signed bool) []byte {
	b := []byte{0, byte(n)}
	for range n {
		v := byte(bits - 1)
		if signed {
			v |= 0x80
		}
		b = append(b, v)
	}
	return marked(mCBD, b)
}

// across turns a stream of part 1 without component transform into one of part
// 2 by putting segments into its main header.
func across(t testing.TB, data []byte, segments ...[]byte) []byte {
	t.Helper()
	cod := bytes.Index(data, []byte{0xFF, 0x52, 0})
	sot := bytes.Index(data, []byte{0xFF, 0x90, 0, 10})
	if cod < 0 || sot < cod || data[cod+8] != 0 {
		t.Fatal("no stream of part 1 without component transform")
	}
	out := slices.Insert(slices.Clone(data), sot, bytes.Join(segments, nil)...)
	out[cod+8] = 2
	out[6], out[7] = 0x81, 0 // Rsiz: part 2, multiple component transform
	return out
}

// opponent is a transform that spreads each component over all, as decoders
// apply it: well conditioned, not orthogonal, not symmetric.
func opponent(n int) []float64 {
	m := make([]float64, n*n)
	for j := range n {
		for k := range n {
			m[j*n+k] = 0.5 * math.Cos(float64((2*k+1)*j+k)*0.7) / math.Sqrt(float64(n))
		}
		m[j*n+j] += 0.75
	}
	return m
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

const oldScript = `
const fs = require('fs');
const [file, list] = process.argv.slice(2);
const lines = fs.readFileSync(file, 'latin1').split('\n');
const from = lines.findIndex(l => l.startsWith('var OpenJPEG ='));
let to = from;
while (lines[to].trim() !== '};') to++;
// Without module and process it takes itself for a browser's.
const make = new Function('module', 'require', 'process', lines.slice(from, to + 1).join('\n') + '\nreturn OpenJPEG;');
const m = make()({ print: console.log, printErr: console.error });
for (const path of JSON.parse(list)) {
  const data = fs.readFileSync(path);
  const at = m._malloc(data.length);
  m.writeArrayToMemory(data, at);
  const out = [0, 1, 2, 3, 4].map(() => m._malloc(4));
  const r = m.ccall('jp2_decode', 'number', Array(7).fill('number'), [at, data.length, ...out]);
  if (r !== 0) { console.error(path, 'refused'); process.exit(1); }
  const [samples, , w, h, n] = out.map(x => m.getValue(x, 'i32'));
  fs.writeFileSync(path + '.raw', Buffer.from(new Int32Array(m.HEAP32.buffer, samples, w * h * n).slice().buffer));
}
`

// oldOpenJPEG has the OpenJPEG 2.1 of earlier browser viewers decode streams:
// later versions refuse the transforms of part 2 on principle.
func oldOpenJPEG(t *testing.T, streams [][]byte, like []*Image) []*Image {
	t.Helper()
	file := filepath.Join(os.Getenv("SIRA_TEST_NODE_CODECS"), "node_modules", "cornerstone-wado-image-loader", "dist", "cornerstoneWADOImageLoaderCodecs.js")
	if _, err := os.Stat(file); err != nil {
		if os.Getenv("SIRA_TEST_STRICT") == "1" {
			t.Fatal("SIRA_TEST_NODE_CODECS names no folder with cornerstone-wado-image-loader")
		}
		t.Skip("NOT RUN: SIRA_TEST_NODE_CODECS names no folder with cornerstone-wado-image-loader")
	}
	node := tool(t, "node", "nodejs")
	dir := t.TempDir()
	script := filepath.Join(dir, "decode.cjs")
	if err := os.WriteFile(script, []byte(oldScript), 0o600); err != nil {
		t.Fatal(err)
	}
	list := "["
	var paths []string
	for i, s := range streams {
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, s, 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
		list += fmt.Sprintf("%q,", path)
	}
	if out, err := exec.Command(node, script, file, list[:len(list)-1]+"]").CombinedOutput(); err != nil {
		t.Fatalf("%v: %.2000s", err, out)
	}
	var images []*Image
	for i, path := range paths {
		b, err := os.ReadFile(path + ".raw")
		if err != nil {
			t.Fatal(err)
		}
		m := &Image{Width: like[i].Width, Height: like[i].Height}
		n := len(like[i].Components)
		if len(b) != 4*n*m.Width*m.Height {
			t.Fatalf("%d bytes of %d×%d×%d", len(b), m.Width, m.Height, n)
		}
		for c, k := range like[i].Components {
			k.Samples = make([]int32, m.Width*m.Height)
			for x := range k.Samples {
				k.Samples[x] = int32(binary.LittleEndian.Uint32(b[4*(x*n+c):]))
			}
			m.Components = append(m.Components, k)
		}
		images = append(images, m)
	}
	return images
}

// TestMultiComponent has OpenJPEG code components, puts the transforms of part
// 2 on top, and has another OpenJPEG decode the result. That one gives images
// of three components and one tile, and takes integers for unsigned: what is
// beyond is judged by the definition in TestMultiComponentWords.
func TestMultiComponent(t *testing.T) {
	tool(t, "opj_compress", "libopenjp2-tools")
	var streams [][]byte
	var ours []*Image
	var names []string
	for _, c := range []struct {
		name         string
		n, bits      int
		signed       bool
		args         string
		matrix       []float64
		element      int
		offset       float64
		depth        int
		signedResult bool
	}{
		{"floats", 3, 8, false, "-I", opponent(3), elementFloat32, 128, 8, false},
		{"doubles, layers", 3, 8, false, "-I -r 9,3", opponent(3), 3, 128, 8, false},
		{"16-bit integers", 3, 8, false, "-I", []float64{1, 0, 0, 1, 1, 0, 0, 0, 1}, elementInt16, 100, 8, false},
		{"32-bit integers", 3, 8, false, "-I -n 3", []float64{0, 1, 0, 1, 0, 0, 1, 1, 1}, elementInt32, 3, 8, false},
		{"12 bits signed", 3, 12, true, "-I -n 3", opponent(3), elementFloat32, -7, 12, true},
		{"12 bits", 3, 12, false, "-I", opponent(3), elementFloat32, 2048, 12, false},
		{"offsets without matrix, lossless", 3, 8, false, "", nil, elementInt16, 128, 8, false},
		{"offsets into another depth, lossless", 3, 8, true, "-n 3", nil, elementFloat32, 300, 10, false},
	} {
		coded := openjpeg(t, picture(71, 53, c.n, c.bits, c.signed, 3), "-mct 0 "+c.args)
		segments := [][]byte{depths(c.n, c.depth, c.signedResult)}
		s := set{kind: collectDecorrelation, in: upTo(c.n), out: upTo(c.n), offset: 2}
		if c.matrix != nil {
			a := array{arrayDecorrelation, 1, c.element, c.matrix}
			segments, s.matrix = append(segments, a.segment(0, 0, a.bytes())), 1
		}
		offsets := array{arrayOffset, 2, c.element, nil}
		for i := range c.n {
			offsets.numbers = append(offsets.numbers, c.offset+float64(i))
		}
		segments = append(segments, offsets.segment(0, 0, offsets.bytes()), collect(1, s), marked(mMCO, []byte{1, 1}))
		data := across(t, coded, segments...)
		m, err := Decode(t.Context(), data, Options{})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		config, err := DecodeConfig(data)
		if k := m.Components[0]; err != nil || k.Bits != c.depth || k.Signed != c.signedResult ||
			!config.MultiComponent || config.Reversible != (c.matrix == nil) || config.Components[1].Bits != c.depth {
			t.Errorf("%s: %d bits, signed %v, %+v, %v", c.name, k.Bits, k.Signed, config, err)
		}
		if c.matrix == nil {
			// By the definition too: what was coded, plus the offset instead of
			// the level shift.
			want := picture(71, 53, c.n, c.bits, c.signed, 3)
			for i := range want.Components {
				k := &want.Components[i]
				for x, v := range k.Samples {
					if !c.signed {
						v -= 1 << (c.bits - 1)
					}
					k.Samples[x] = min(max(v+int32(c.offset)+int32(i), 0), 1<<c.depth-1)
				}
			}
			same(t, c.name, m, want)
		}
		region, err := Decode(t.Context(), data, Options{Region: image.Rect(20, 10, 33, 29)})
		if err != nil {
			t.Fatal(err)
		}
		for i := range region.Components {
			for y := range 19 {
				if !slices.Equal(region.Components[i].Samples[y*13:][:13], m.Components[i].Samples[(y+10)*71+20:][:13]) {
					t.Fatalf("%s: component %d, line %d of a region differs", c.name, i, y)
				}
			}
		}
		if half, err := Decode(t.Context(), data, Options{Discard: 1}); err != nil || half.Width != 36 || len(half.Components) != c.n {
			t.Errorf("%s: at half the size: %v", c.name, err)
		}
		streams, ours, names = append(streams, data), append(ours, m), append(names, c.name)
	}
	for i, want := range oldOpenJPEG(t, streams, ours) {
		d := difference(t, names[i], ours[i], want)
		t.Logf("%s: %d from OpenJPEG", names[i], d)
		if d > 1 || strings.Contains(names[i], "lossless") && d > 0 {
			t.Errorf("%s: differs from OpenJPEG by %d", names[i], d)
		}
	}
}

// joined are streams that mean the same transform of four components in other
// words; the first is in those that TestMultiComponent has judged.
func joined(t testing.TB, coded []byte) map[string][]byte {
	t.Helper()
	// Components 1 and 3 go through a matrix, 0 and 2 through another.
	a, b := opponent(2), []float64{1, 0.5, -0.25, 1}
	full := []float64{
		b[0], 0, b[1], 0,
		0, a[0], 0, a[1],
		b[2], 0, b[3], 0,
		0, a[2], 0, a[3],
	}
	offsets := array{arrayOffset, 9, elementInt16, []float64{100, 110, -20, 130}}
	whole := array{arrayDecorrelation, 1, 3, full}
	first, second := array{arrayDecorrelation, 1, 3, a}, array{arrayDecorrelation, 2, 3, b}
	// In the order in which the sets below give them.
	firstBack := array{arrayDecorrelation, 1, 3, []float64{a[3], a[2], a[1], a[0]}}
	head := depths(4, 8, false)
	order := marked(mMCO, []byte{1, 1})
	id := upTo(4)
	shift := set{kind: collectDecorrelation, in: id, out: id, offset: 9}
	parts := whole.bytes()
	return map[string][]byte{
		"": across(t, coded, head, whole.segment(0, 0, parts), offsets.segment(0, 0, offsets.bytes()),
			collect(1, set{kind: collectDecorrelation, in: id, out: id, matrix: 1, offset: 9}), order),
		"an array in three parts, one depth for all": across(t, coded, marked(mCBD, []byte{0x80, 4, 7}),
			whole.segment(0, 2, parts[:5]), whole.segment(1, 0, parts[5:77]), whole.segment(2, 0, parts[77:]),
			offsets.segment(0, 0, offsets.bytes()),
			collect(1, set{kind: collectDecorrelation, in: id, out: id, matrix: 1, offset: 9}), order),
		"two collections, then the offsets": across(t, coded, head, first.segment(0, 0, first.bytes()),
			second.segment(0, 0, second.bytes()), offsets.segment(0, 0, offsets.bytes()),
			collect(4, set{kind: collectDecorrelation, in: []int{1, 3}, out: []int{1, 3}, matrix: 1},
				set{kind: collectDecorrelation, in: []int{0, 2}, out: []int{0, 2}, matrix: 2}),
			collect(5, shift), marked(mMCO, []byte{2, 4, 5})),
		"in another order": across(t, coded, head, firstBack.segment(0, 0, firstBack.bytes()),
			second.segment(0, 0, second.bytes()), offsets.segment(0, 0, offsets.bytes()),
			collect(4, set{kind: collectDecorrelation, in: []int{3, 1}, out: []int{3, 1}, wide: 0x80, matrix: 1},
				set{kind: collectDecorrelation, in: []int{0, 2}, out: []int{0, 2}, matrix: 2}),
			collect(5, shift), marked(mMCO, []byte{2, 4, 5})),
		"exchanged and back": across(t, coded, head, whole.segment(0, 0, parts), offsets.segment(0, 0, offsets.bytes()),
			collect(1, set{kind: collectDecorrelation, in: []int{0, 1}, out: []int{3, 0}},
				set{kind: collectDecorrelation, in: []int{2, 3}, out: []int{1, 2}}),
			collect(2, set{kind: collectDecorrelation, in: []int{3, 0, 1, 2}, out: []int{0, 1, 2, 3}, matrix: 1, offset: 9}),
			marked(mMCO, []byte{2, 1, 2})),
	}
}

func TestMultiComponentWords(t *testing.T) {
	for _, args := range []string{"-mct 0 -I", "-mct 0", "-mct 0 -n 3 -t 40,30"} {
		all := joined(t, openjpeg(t, picture(64, 40, 4, 8, false, 5), args))
		want, err := Decode(t.Context(), all[""], Options{})
		if err != nil {
			t.Fatal(err)
		}
		for name, data := range all {
			got, err := Decode(t.Context(), data, Options{})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if d := difference(t, name, got, want); d > 1 { // floats are rounded between stages
				t.Errorf("%s, %s: differs by %d", args, name, d)
			}
		}
		if args == "-mct 0 -I" {
			continue
		}
		// Of a lossless stream the components are known: by the definition.
		m := picture(64, 40, 4, 8, false, 5)
		a, b := opponent(2), []float64{1, 0.5, -0.25, 1}
		for x := range 64 * 40 {
			var v [4]float64
			for i := range v {
				v[i] = float64(m.Components[i].Samples[x] - 128)
			}
			v = [4]float64{b[0]*v[0] + b[1]*v[2] + 100, a[0]*v[1] + a[1]*v[3] + 110, b[2]*v[0] + b[3]*v[2] - 20, a[2]*v[1] + a[3]*v[3] + 130}
			for i := range v {
				m.Components[i].Samples[x] = int32(min(max(math.RoundToEven(v[i]), 0), 255))
			}
		}
		if d := difference(t, "definition", want, m); d > 1 {
			t.Errorf("differs from the definition by %d", d)
		}
	}
}

// TestMultiComponentRefused wants a clear no, rather than other samples, where
// part 2 goes further, and an error for what contradicts itself.
func TestMultiComponentRefused(t *testing.T) {
	e, err := Encode(t.Context(), picture(40, 30, 3, 8, false, 1), EncodeOptions{NoColourTransform: true})
	if err != nil {
		t.Fatal(err)
	}
	id := upTo(3)
	m := array{arrayDecorrelation, 1, elementFloat32, opponent(3)}
	matrix, head, order := m.segment(0, 0, m.bytes()), depths(3, 8, false), marked(mMCO, []byte{1, 1})
	good := set{kind: collectDecorrelation, in: id, out: id, matrix: 1}
	if _, err := Decode(t.Context(), across(t, e.Data, head, matrix, collect(1, good), order), Options{}); err != nil {
		t.Fatal(err)
	}
	nan := array{arrayDecorrelation, 1, elementFloat32, slices.Repeat([]float64{math.NaN()}, 9)}
	unasked := across(t, e.Data, head, matrix, collect(1, good), order)
	unasked[bytes.Index(unasked, []byte{0xFF, 0x52, 0})+8] = 0
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"dependency":           {across(t, e.Data, head, matrix, collect(1, set{kind: collectDependency, in: id, out: id, matrix: 1}), order), ErrUnsupported},
		"wavelet":              {across(t, e.Data, head, matrix, collect(1, set{kind: collectWavelet, in: id, out: id}), order), ErrUnsupported},
		"reversible matrix":    {across(t, e.Data, head, matrix, collect(1, set{kind: collectDecorrelation, in: id, out: id, matrix: 1, flags: 1}), order), ErrUnsupported},
		"fewer out than in":    {across(t, e.Data, head, matrix, collect(1, set{kind: collectDecorrelation, in: id, out: id[:2], matrix: 1}), order), ErrUnsupported},
		"more components":      {across(t, e.Data, depths(4, 8, false), matrix, collect(1, good), order), ErrUnsupported},
		"some left out":        {across(t, e.Data, head, matrix, collect(1, set{kind: collectDecorrelation, in: id[:2], out: id[:2]}), order), ErrUnsupported},
		"no order":             {across(t, e.Data, head, matrix, collect(1, good)), ErrUnsupported},
		"too many stages":      {across(t, e.Data, head, matrix, collect(1, good), marked(mMCO, append([]byte{200}, bytes.Repeat([]byte{1}, 200)...))), ErrUnsupported},
		"not asked for":        {unasked, ErrUnsupported},
		"without depths":       {across(t, e.Data, matrix, collect(1, good), order), ErrCorrupt},
		"without array":        {across(t, e.Data, head, collect(1, good), order), ErrCorrupt},
		"without collections":  {across(t, e.Data, head, matrix, order), ErrCorrupt},
		"twice the same":       {across(t, e.Data, head, matrix, collect(1, set{kind: collectDecorrelation, in: id, out: []int{0, 1, 1}, matrix: 1}), order), ErrCorrupt},
		"beyond the last":      {across(t, e.Data, head, matrix, collect(1, set{kind: collectDecorrelation, in: []int{0, 1, 7}, out: id, matrix: 1}), order), ErrCorrupt},
		"short array":          {across(t, e.Data, head, m.segment(0, 0, m.bytes()[:32]), collect(1, good), order), ErrCorrupt},
		"part missing":         {across(t, e.Data, head, m.segment(0, 1, m.bytes()), collect(1, good), order), ErrCorrupt},
		"part out of its turn": {across(t, e.Data, head, m.segment(1, 0, m.bytes()), collect(1, good), order), ErrCorrupt},
		"no number":            {across(t, e.Data, head, nan.segment(0, 0, nan.bytes()), collect(1, good), order), ErrCorrupt},
	} {
		if _, err := Decode(t.Context(), c.data, Options{}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
