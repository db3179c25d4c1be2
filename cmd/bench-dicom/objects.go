package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sira/dicom"
	"sira/dicom/phantom"
	"sira/dicom/write"
)

// sent are the generated objects, the same for every subject. All UIDs differ.
type sent struct {
	store  []string // folders of CT slices, one for each round of C-STORE
	stow   []string // the same for STOW-RS
	tiny   []string // folders that add up to the numbers of studies asked for
	bigA   string   // one large object for C-STORE
	bigB   string   // another for STOW-RS
	bigUID [3]string
	bytes  int64 // of the large object
	people []tiny
}

// Storage classes that everything takes (PS3.4 B.5).
const (
	secondaryCapture = "1.2.840.10008.5.1.4.1.1.7"
	multiFrameWord   = "1.2.840.10008.5.1.4.1.1.7.3"
	uidRoot          = "1.2.826.0.1.3680043.10.1462."
	tinyStudy        = uidRoot + "1." // and a number
)

func (b *bench) objects(ctx context.Context) error {
	study := phantom.Study{Seed: 1000, Patient: phantom.Patient{Name: "BENCH^CT", ID: "BENCH", Sex: "F", BirthDate: "19800101"}}
	slices, sets := phantom.CT(b.size.slices, study), 0
	for round := range b.size.rounds {
		for i, list := range []*[]string{&b.sent.store, &b.sent.stow} {
			dir := filepath.Join(b.dir, "files", fmt.Sprintf("ct-%d-%d", i, round))
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := writeCT(dir, slices, sets); err != nil {
				return err
			}
			sets++
			*list = append(*list, dir)
		}
	}
	b.sent.people = people(b.size.studies[len(b.size.studies)-1])
	done := 0
	for _, n := range b.size.studies {
		dir := filepath.Join(b.dir, "files", fmt.Sprintf("tiny-%d", n))
		if err := writeTiny(ctx, dir, b.sent.people[done:n], done); err != nil {
			return err
		}
		b.sent.tiny, done = append(b.sent.tiny, dir), n
	}
	b.sent.bigA, b.sent.bigB = filepath.Join(b.dir, "files", "big-a.dcm"), filepath.Join(b.dir, "files", "big-b.dcm")
	b.sent.bigUID = [3]string{uidRoot + "8.1", uidRoot + "8.2", uidRoot + "8.3.1"}
	if err := writeBig(ctx, b.sent.bigA, b.size.big, b.sent.bigUID); err != nil {
		return err
	}
	if err := writeBig(ctx, b.sent.bigB, b.size.big, [3]string{uidRoot + "9.1", uidRoot + "9.2", uidRoot + "9.3.1"}); err != nil {
		return err
	}
	info, err := os.Stat(b.sent.bigA)
	if err != nil {
		return fmt.Errorf("measuring the large object: %w", err)
	}
	b.sent.bytes = info.Size()
	return nil
}

// writeCT writes slices of 512×512×16 bits as a study of its own: those drawn
// once, with another beginning of all UIDs for each set.
func writeCT(dir string, slices [][]byte, set int) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("writing CT slices: %w", err)
	}
	for i, slice := range slices {
		slice = bytes.ReplaceAll(slice, []byte("2.25."), fmt.Appendf(nil, "2.%d.", 25+set))
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%04d.dcm", i)), slice, 0o600); err != nil {
			return fmt.Errorf("writing CT slices: %w", err)
		}
	}
	return nil
}

// tiny is a study of one small object.
type tiny struct{ name, modality, date string }

var (
	families = strings.Fields("TRAORE DIARRA COULIBALY KEITA SANGARE DIALLO CISSE TOURE SIDIBE KONATE DEMBELE MAIGA SISSOKO CAMARA DOUMBIA")
	givens   = strings.Fields("Awa Fatou Moussa Amadou Ibrahim Mariam Oumou Seydou Aminata Boubacar Kadiatou Modibo Rokia Souleymane")
)

// people are n studies over eleven years, always the same.
func people(n int) []tiny {
	r := rand.New(rand.NewPCG(3, 5))
	first := time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)
	list := make([]tiny, n)
	for i := range list {
		list[i] = tiny{name: families[r.IntN(len(families))] + "^" + givens[r.IntN(len(givens))],
			modality: []string{"CT", "DX", "US", "MR", "ECG"}[min(r.IntN(12), 4)],
			date:     first.AddDate(0, 0, r.IntN(11*365)).Format("20060102")}
	}
	return list
}

// writeTiny writes one object of 16×16 pixels for each study; from numbers them.
func writeTiny(ctx context.Context, dir string, list []tiny, from int) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("writing small objects: %w", err)
	}
	for i, p := range list {
		n := from + i
		o := object(secondaryCapture, [3]string{fmt.Sprintf("%s%d", tinyStudy, n), fmt.Sprintf("%s2.%d", uidRoot, n), fmt.Sprintf("%s3.%d", uidRoot, n)},
			p, fmt.Sprintf("T%06d", n))
		o.Set.Put(pixels(o.Set, 16, 8, 1, func(context.Context, int) ([]byte, error) { return make([]byte, 16*16), nil }))
		if err := writeObject(ctx, filepath.Join(dir, fmt.Sprintf("%06d.dcm", n)), o); err != nil {
			return err
		}
	}
	return nil
}

// writeBig writes one object of n frames of 512×512×16 bits; uids are those of
// study, series and instance.
func writeBig(ctx context.Context, path string, n int, uids [3]string) error {
	r := rand.New(rand.NewPCG(8, 8))
	frame := make([]byte, 512*512*2)
	for i := 0; i < len(frame); i += 2 {
		v := 900 + i/2%512 + i/1024 + r.IntN(40)
		frame[i], frame[i+1] = byte(v), byte(v>>8)
	}
	o := object(multiFrameWord, uids, tiny{"BENCH^BIG", "CT", "20200101"}, "BIG")
	o.Set.Integer(0x00280008, n)
	o.Set.Decimal(0x00281050, 1400)
	o.Set.Decimal(0x00281051, 1200)
	o.Set.Put(pixels(o.Set, 512, 16, n, func(_ context.Context, k int) ([]byte, error) {
		frame[0], frame[1] = byte(k), byte(k>>8) // no two frames are the same
		return frame, nil
	}))
	return writeObject(ctx, path, o)
}

// object has the attributes that every archive wants.
func object(class string, uids [3]string, p tiny, id string) *write.Object {
	o := write.New(write.ExplicitLE)
	for _, e := range []struct {
		tag       dicom.Tag
		vr, value string
	}{
		{0x00080016, "UI", class}, {0x00080018, "UI", uids[2]}, {0x00080020, "DA", p.date}, {0x00080030, "TM", "101500"},
		{0x00080050, "SH", "A" + id}, {0x00080060, "CS", p.modality}, {0x00080064, "CS", "WSD"}, {0x00080090, "PN", ""},
		{0x00081030, "LO", "BENCH"}, {0x00100010, "PN", p.name}, {0x00100020, "LO", id}, {0x00100030, "DA", "19800101"}, {0x00100040, "CS", "F"},
		{0x0020000D, "UI", uids[0]}, {0x0020000E, "UI", uids[1]}, {0x00200010, "SH", "1"}, {0x00200011, "IS", "1"}, {0x00200013, "IS", "1"},
	} {
		o.Set.Text(e.tag, e.vr, e.value)
	}
	return o
}

// pixels describes square grey frames in the data set and returns their element.
func pixels(s *write.Set, side, bits, n int, frame func(context.Context, int) ([]byte, error)) write.Element {
	s.US(0x00280002, 1)
	s.Text(0x00280004, "CS", "MONOCHROME2")
	for tag, v := range map[dicom.Tag]int{0x00280010: side, 0x00280011: side, 0x00280100: bits, 0x00280101: bits, 0x00280102: bits - 1, 0x00280103: 0} {
		s.US(tag, uint16(v))
	}
	return write.Element{Tag: 0x7FE00010, VR: map[int]string{8: "OB", 16: "OW"}[bits], Body: write.Native(n, int64(side*side*bits/8), frame)}
}

func writeObject(ctx context.Context, path string, o *write.Object) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("writing an object: %w", err)
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	if err := o.Write(ctx, w); err != nil {
		return fmt.Errorf("writing an object: %w", err)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing an object: %w", err)
	}
	return f.Close()
}
