package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// uploading measures a call of ours without and one with an upload.
func (b *bench) uploading(ctx context.Context, r row, subject string, seed int) (figures, error) {
	quiet := r
	quiet.key, quiet.upload = r.key+"-without", 0
	without, err := b.call(ctx, quiet, subject, seed)
	if err != nil {
		return figures{}, fmt.Errorf("without the upload: %w", err)
	}
	with, err := b.twoPeople(ctx, r, subject, seed)
	if err != nil {
		return figures{}, fmt.Errorf("with the upload: %w", err)
	}
	f := &with.Figures
	f.AddedConcealment = worse(f.Down.Concealed-without.Down.Concealed, f.Up.Concealed-without.Up.Concealed)
	f.Spoiled = f.Spoiled || without.Spoiled
	return *f, b.save(with)
}

// certificate makes one of our own for the server's address.
func certificate(folder string) (cert, key string, err error) {
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", fmt.Errorf("making a key: %w", err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench-sfu"}, IPAddresses: []net.IP{net.ParseIP(cityIP)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, secret.Public(), secret)
	if err != nil {
		return "", "", fmt.Errorf("making a certificate: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		return "", "", fmt.Errorf("writing a key: %w", err)
	}
	cert, key = filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	return cert, key, errors.Join(os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed}), 0o644),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
}

// cineFrames and cineFPS are those of the cine that is shown to the camera.
const cineFrames, cineFPS = 10, "13"

// cine makes a camera of a real echocardiography of the corpus (10 frames of
// 600×430, which come again and again), in a frame of 640×480, when a row needs
// it.
func (b *bench) cine(ctx context.Context) error {
	wanted := false
	for _, r := range b.chosen {
		wanted = wanted || r.whip != nil
	}
	if !wanted {
		return nil
	}
	folder := filepath.Join(b.cache, "bench-sfu-media-1")
	b.ultrasound = filepath.Join(folder, "ultrasound.y4m")
	if _, err := os.Stat(b.ultrasound); err == nil {
		return nil
	}
	corpus := os.Getenv("SIRA_CORPUS")
	if corpus == "" {
		corpus = filepath.Join("..", "shared", "corpus")
	}
	object, raw := filepath.Join(corpus, "dcm4che", "US-PAL-8-10x-echo"), filepath.Join(b.dir, "cine.dcm")
	if _, err := os.Stat(object); err != nil {
		return fmt.Errorf("row whip needs the ultrasound of the corpus: %w", err)
	}
	if err := command(ctx, "", nil, "dcmdrle", object, raw); err != nil {
		return err
	}
	if err := command(ctx, "", nil, "dcmj2pnm", "--all-frames", "+op", raw, filepath.Join(b.dir, "cine")); err != nil {
		return err
	}
	part := filepath.Join(folder, "part.y4m")
	if err := command(ctx, "", nil, "ffmpeg", "-v", "error", "-y", "-framerate", cineFPS, "-i", filepath.Join(b.dir, "cine.%d.ppm"),
		"-vf", "pad=640:480:(ow-iw)/2:(oh-ih)/2,loop=loop=19:size="+strconv.Itoa(cineFrames), "-pix_fmt", "yuv420p", part); err != nil {
		return err
	}
	return os.Rename(part, b.ultrasound)
}

// inside leaves the black border out, which would flatter.
const inside = "crop=600:430"

// alike is the mean likeness (SSIM) of the pictures that the city saw to the
// frame of the cine that each is most like.
func (b *bench) alike(ctx context.Context, folder string) (figure, error) {
	pictures, err := filepath.Glob(filepath.Join(folder, "[0-9]*.png"))
	if err != nil || len(pictures) == 0 {
		return none, err
	}
	sum := 0.0
	for _, p := range pictures {
		out, err := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-loop", "1", "-i", p, "-i", b.ultrasound, "-frames:v", strconv.Itoa(cineFrames),
			"-lavfi", "[0:v]scale=640:480:out_color_matrix=bt601:out_range=tv,format=yuv420p,"+inside+"[a];[1:v]"+inside+"[b];[a][b]ssim=shortest=1:stats_file=-", "-f", "null", "-").Output()
		if err != nil {
			return none, fmt.Errorf("comparing pictures: %w", err)
		}
		v, err := mostAlike(string(out))
		if err != nil {
			return none, err
		}
		sum += v
	}
	return figure(sum / float64(len(pictures))), nil
}

// mostAlike reads the highest likeness of ffmpeg's statistics, a line a frame.
func mostAlike(stats string) (float64, error) {
	best := -1.0
	for _, line := range strings.Split(stats, "\n") {
		_, rest, found := strings.Cut(line, "All:")
		if !found {
			continue
		}
		word, _, _ := strings.Cut(rest, " ")
		v, err := strconv.ParseFloat(word, 64)
		if err != nil {
			return 0, fmt.Errorf("reading ffmpeg's comparison: %w", err)
		}
		best = max(best, v)
	}
	if best < 0 {
		return 0, errors.New("reading ffmpeg's comparison: it says nothing")
	}
	return best, nil
}
