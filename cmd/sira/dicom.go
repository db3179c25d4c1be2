package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"sira/dicom"
	"sira/dicom/pixel"
	"sira/dicom/transcode"
)

func usageDICOM(w io.Writer) {
	fmt.Fprint(w, `Usage:
  sira dicom dump FILE                      the data elements, one a line
  sira dicom check FILE...                  accepted or why not, one file a line; exit code 1 when any is refused
  sira dicom pixels [--frame N] FILE        decoded samples of all frames, or of frame N from 1, to standard output
  sira dicom transcode --to UID IN OUT      the same object in another transfer syntax, without any loss
  sira dicom deid --key FILE IN OUT         the object without the identity (PS3.15 annex E)
  sira dicom echo HOST:PORT                 does another application entity answer (C-ECHO)
  sira dicom find [--model study|patient|worklist] [--level LEVEL] --key NAME=VALUE... HOST:PORT
                                            what it has (C-FIND); attributes by keyword or GGGGEEEE
  sira dicom move --to AET [--level LEVEL] --key NAME=VALUE... HOST:PORT
                                            has it send objects to the entity AET (C-MOVE)
  sira dicom send HOST:PORT FILE...         stores files there, as they are (C-STORE)
  sira dicom conformance                    the DICOM conformance statement

Verbs that talk to another entity take --aet (ours, SIRA), --called (its AE
title, ANY-SCP) and --tls-ca FILE (speak TLS).

Deid: --key holds the recipient's secret bytes, 16 at least: the same key gives
the same replacements. --dates removed|shifted|kept, --keep-patient,
--keep-device, --keep-institution, --keep-descriptions say what stays. Pictures
that may show text are refused until --looked, or a --mask X,Y,WIDTH,HEIGHT for
each text, says that a person has looked at every frame.

Samples are written as stored (palette and colour space included), row after
row, interleaved by pixel, little endian. Transcode writes OUT whole or not at
all; it writes these transfer syntaxes:
`)
	names := map[string]string{
		transcode.ImplicitLE: "implicit VR little endian", transcode.ExplicitLE: "explicit VR little endian",
		transcode.DeflatedLE: "deflated explicit VR little endian", transcode.RLE: "RLE lossless",
		transcode.JPEGLossless: "JPEG lossless", transcode.JPEGLosslessSV1: "JPEG lossless, first-order prediction",
		transcode.JPEGLSLossless: "JPEG-LS lossless", transcode.HTJ2KLossless: "HTJ2K lossless",
		transcode.HTJ2KRPCL: "HTJ2K lossless RPCL", transcode.JPEG2000Lossless: "JPEG 2000 lossless",
	}
	for _, uid := range transcode.Targets() {
		fmt.Fprintf(w, "  %-24s %s\n", uid, names[uid])
	}
}

func runDICOM(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	verb, rest := first(args)
	out := bufio.NewWriterSize(stdout, 64<<10)
	var err error
	switch verb {
	case "dump":
		err = dicomDump(ctx, rest, out, stderr)
	case "check":
		err = dicomCheck(ctx, rest, out, stderr)
	case "pixels":
		err = dicomPixels(ctx, rest, out, stderr)
	case "transcode":
		err = dicomTranscode(ctx, rest, stderr)
	case "echo", "find", "move", "send":
		err = dicomRemote(ctx, verb, rest, out, stderr)
	case "conformance":
		err = dicomConformance(rest, out, stderr)
	case "deid":
		err = dicomDeid(ctx, rest, out, stderr)
	case "help", "-h", "--help":
		usageDICOM(out)
	default:
		usageDICOM(stderr)
		return errUsage
	}
	if failed := out.Flush(); failed != nil && err == nil {
		err = fmt.Errorf("writing: %w", failed)
	}
	return err
}

// dicomFlags parses the flags of one verb, which may stand before or after the
// files, and wants at least least and, unless 0, at most most files.
func dicomFlags(verb string, args []string, least, most int, stderr io.Writer, define func(*flag.FlagSet)) ([]string, error) {
	fs := flag.NewFlagSet("dicom "+verb, flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() { usageDICOM(stderr) }
	if define != nil {
		define(fs)
	}
	var files []string
	for len(args) > 0 {
		if err := fs.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, errUsage
		}
		rest := fs.Args()
		if n := len(args) - len(rest); n > 0 && args[n-1] == "--" {
			files = append(files, rest...)
			break
		}
		if len(rest) > 0 {
			files, rest = append(files, rest[0]), rest[1:]
		}
		args = rest
	}
	if len(files) < least || most > 0 && len(files) > most {
		usageDICOM(stderr)
		return nil, errUsage
	}
	return files, nil
}

// withDICOM reads the file at path and runs fn on it.
func withDICOM(ctx context.Context, path string, fn func(f *dicom.File, r io.ReaderAt) error) error {
	r, err := os.Open(path)
	if err != nil {
		return err
	}
	defer r.Close()
	info, err := r.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	f, err := dicom.Read(ctx, r, info.Size(), dicom.Limits{ModelBytes: -1})
	if err != nil {
		return err
	}
	return fn(f, r)
}

// dicomCheck says of each file whether it would be taken in.
func dicomCheck(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	files, err := dicomFlags("check", args, 1, 0, stderr, nil)
	if err != nil {
		return err
	}
	refused := 0
	for _, path := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		line, err := checkFile(ctx, path)
		if err != nil {
			refused++
			line = "refused: " + err.Error()
		}
		if _, err := fmt.Fprintf(stdout, "%s: %s\n", printable(path), printable(line)); err != nil {
			return err
		}
	}
	if refused > 0 {
		return fmt.Errorf("%d of %d files refused", refused, len(files))
	}
	return nil
}

func checkFile(ctx context.Context, path string) (string, error) {
	var line string
	err := withDICOM(ctx, path, func(f *dicom.File, r io.ReaderAt) error {
		in, err := dicom.Describe(f)
		if err != nil {
			return err
		}
		line = fmt.Sprintf("accepted: %s, transfer syntax %s", in.Kind, f.TransferSyntax)
		if in.Kind == "image" {
			line += fmt.Sprintf(", %d×%d, %d frames", in.Rows, in.Cols, in.Frames)
			src, err := pixel.Open(f, r)
			if err == nil && !src.Decodable() {
				err = pixel.ErrUnsupportedSyntax
			}
			if err != nil {
				line += "; not shown: " + err.Error()
			}
		}
		if len(f.Warnings) > 0 {
			line += "; " + strings.Join(f.Warnings, "; ")
		}
		return nil
	})
	return line, err
}

func dicomPixels(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	frame := 0
	files, err := dicomFlags("pixels", args, 1, 1, stderr, func(fs *flag.FlagSet) {
		fs.IntVar(&frame, "frame", 0, "one frame only, from 1")
	})
	if err != nil {
		return err
	}
	if frame < 0 {
		return errors.New("frames count from 1")
	}
	return withDICOM(ctx, files[0], func(f *dicom.File, r io.ReaderAt) error {
		return transcode.WriteSamples(ctx, f, r, frame, stdout)
	})
}

func dicomTranscode(ctx context.Context, args []string, stderr io.Writer) error {
	to := ""
	files, err := dicomFlags("transcode", args, 2, 2, stderr, func(fs *flag.FlagSet) {
		fs.StringVar(&to, "to", "", "transfer syntax UID")
	})
	if err != nil {
		return err
	}
	if to == "" {
		return errors.New("--to is needed: a transfer syntax UID")
	}
	return withDICOM(ctx, files[0], func(f *dicom.File, r io.ReaderAt) error {
		return writeWhole(files[1], func(w io.Writer) error {
			return transcode.Transcode(ctx, f, r, to, w)
		})
	})
}

// writeWhole writes the file at path, readable by its owner alone, so that
// there is all of it or none, power cuts included.
func writeWhole(path string, write func(io.Writer) error) (err error) {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, ".sira-*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if err = write(tmp); err != nil {
		return err
	}
	if err = tmp.Sync(); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err = tmp.Close(); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err = os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
