package write

import (
	"bufio"
	"compress/flate"
	"context"
	"fmt"
	"io"

	"sira/dicom"
)

// Object is what becomes one Part 10 file. Syntax may be changed as long as
// the pixel data fits it: the native syntaxes (implicit and explicit VR little
// endian, deflated) can replace each other freely.
type Object struct {
	Syntax string // transfer syntax UID
	Set    *Set

	implicit        bool   // a maker's own syntax is implicit VR
	class, instance string // for the meta group, when the data set has none
}

// New returns an empty object.
func New(syntax string) *Object { return &Object{Syntax: syntax, Set: &Set{}} }

// Identify names class and instance in the meta group of an object whose data
// set does not, such as a DICOMDIR.
func (o *Object) Identify(class, instance string) { o.class, o.instance = class, instance }

// Meta is the file meta information of o, all but the group length (PS3.10
// section 7.1). ErrNoInstance when o says neither here nor there what it is.
func (o *Object) Meta() (*Set, error) {
	class, instance := o.Set.String(tagSOPClass), o.Set.String(tagSOPInstance)
	if class == "" {
		class = o.class
	}
	if instance == "" {
		instance = o.instance
	}
	m := &Set{}
	m.Put(Element{Tag: 0x00020001, VR: "OB", Value: []byte{0, 1}})
	m.Text(0x00020002, "UI", class)
	m.Text(0x00020003, "UI", instance)
	m.Text(tagTransferSyntax, "UI", o.Syntax)
	m.Text(0x00020012, "UI", ImplementationUID)
	m.Text(0x00020013, "SH", ImplementationName)
	if class == "" || instance == "" || o.Syntax == "" {
		return m, fmt.Errorf("writing meta group: %w", ErrNoInstance)
	}
	return m, nil
}

func (o *Object) isImplicit() bool { return o.Syntax == ImplicitLE || o.implicit }

// head is preamble and meta group.
func (o *Object) head() ([]byte, error) {
	meta, err := o.Meta()
	if err != nil {
		return nil, err
	}
	var body []byte
	for _, e := range meta.elements {
		if body, err = appendValue(body, e, false); err != nil {
			return nil, err
		}
	}
	length := &Set{}
	length.UL(0x00020000, uint32(len(body)))
	head := append(make([]byte, 128), "DICM"...)
	if head, err = appendValue(head, length.elements[0], false); err != nil {
		return nil, err
	}
	return append(head, body...), nil
}

// Size is how many bytes Write writes, Unknown when only writing tells.
func (o *Object) Size() int64 {
	head, err := o.head()
	if err != nil || o.Syntax == DeflatedLE {
		return Unknown
	}
	n := newEncoder(o.isImplicit()).setSize(o.Set)
	if n == Unknown {
		return Unknown
	}
	return int64(len(head)) + n
}

// Write writes preamble, meta group and data set. Errors: ErrNoInstance,
// ErrEmpty, ErrTooLong, ErrBody, those of w, of ctx and of the bodies.
func (o *Object) Write(ctx context.Context, w io.Writer) error {
	head, err := o.head()
	if err != nil {
		return err
	}
	if len(o.Set.elements) == 0 {
		return fmt.Errorf("writing DICOM object: %w", ErrEmpty)
	}
	out := bufio.NewWriterSize(w, 64<<10)
	if _, err := out.Write(head); err != nil {
		return fmt.Errorf("writing DICOM object: %w", err)
	}
	if o.Syntax == DeflatedLE {
		err = deflated(out, func(z io.Writer) error { return newEncoder(false).set(ctx, z, o.Set) })
	} else {
		err = newEncoder(o.isImplicit()).set(ctx, out, o.Set)
	}
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return fmt.Errorf("writing DICOM object: %w", err)
	}
	return nil
}

// deflated runs write through a deflater; the stream is padded to even length
// (PS3.5 section A.5).
func deflated(w io.Writer, write func(io.Writer) error) error {
	count := &counter{w: w}
	z, err := flate.NewWriter(count, flate.DefaultCompression)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(z, 32<<10)
	if err := write(buffered); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if count.n%2 == 1 {
		_, err = w.Write([]byte{0})
	}
	return err
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// SetSize is the encoded length of a data set in explicit VR little endian,
// Unknown when it holds a body that is.
func SetSize(s *Set) int64 { return newEncoder(false).setSize(s) }

// File writes f, whose bytes r holds, in its own syntax (big endian becomes
// little) with what edit changes; edit may be nil.
func File(ctx context.Context, w io.Writer, f *dicom.File, r io.ReaderAt, c Charset, edit func(*Object) error) error {
	o := Load(f, r, c)
	if edit != nil {
		if err := edit(o); err != nil {
			return err
		}
	}
	return o.Write(ctx, w)
}
