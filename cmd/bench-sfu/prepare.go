package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// livekitVersion is the newest that the Go module proxy can build.
const livekitVersion = "v1.13.5"

// bench is one run of the command.
type bench struct {
	options
	dir    string
	log    io.Writer
	commit string
	chosen []row

	cache, driver, livekit string
	camera, speech         string
	ultrasound             string            // a camera that shows one; as frames beside it
	data                   string            // folder of the demo, kept from call to call
	floors                 map[int]forwarded // by seed
}

// subjects are what is measured: Sira, LiveKit as it comes, and LiveKit with
// the settings kindest to thin links that we know.
var subjects = []string{"ours", "livekit", "tuned"}

// prepare builds and fetches what is missing. Nothing is measured yet.
func (b *bench) prepare(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return errors.New("network namespaces need root")
	}
	if err := b.findCache(); err != nil {
		return err
	}
	if err := b.debian(ctx); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{b.buildLinkem, b.buildSira, b.buildLiveKit, b.buildTools, b.npm, b.media, b.cine} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// findCache takes the folder that .ci/env.sh uses.
func (b *bench) findCache() error {
	b.cache = os.Getenv("SIRA_CACHE")
	if b.cache == "" {
		home, err := os.UserCacheDir()
		if err != nil {
			return fmt.Errorf("finding the cache folder: %w", err)
		}
		b.cache = filepath.Join(home, "sira")
	}
	if err := os.MkdirAll(filepath.Join(b.cache, "bin"), 0o755); err != nil {
		return fmt.Errorf("making the cache folder: %w", err)
	}
	return nil
}

func (b *bench) debian(ctx context.Context) error {
	var missing []string
	for tool, pack := range map[string]string{"chromium": "chromium", "ffmpeg": "ffmpeg", "espeak-ng": "espeak-ng", "ip": "iproute2"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing = append(missing, pack)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	fmt.Fprintln(b.log, "installing", strings.Join(missing, " "))
	return command(ctx, "", []string{"DEBIAN_FRONTEND=noninteractive"}, "apt-get", append([]string{"install", "-y", "-q", "--no-install-recommends"}, missing...)...)
}

func (b *bench) buildLinkem(ctx context.Context) (err error) {
	if b.linkem == "" {
		b.linkem, err = b.tool(ctx, "linkem")
	}
	return err
}

// tool builds a program of ../shared/tools.
func (b *bench) tool(ctx context.Context, name string) (string, error) {
	source, to := filepath.Join("..", "shared", "tools", name), filepath.Join(b.dir, filepath.Base(name))
	if _, err := os.Stat(source); err != nil {
		return "", fmt.Errorf("a tool for measuring is not there: %s, seen from the project's folder", source)
	}
	return to, command(ctx, source, []string{"CGO_ENABLED=0", "GOFLAGS="}, "go", "build", "-o", to, ".")
}

// buildTools builds what only some rows need.
func (b *bench) buildTools(ctx context.Context) error {
	for _, r := range b.chosen {
		for _, name := range r.tools {
			if _, err := b.tool(ctx, name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *bench) buildSira(ctx context.Context) error {
	if b.binary != "" || b.only != "" && b.only != "ours" {
		return nil
	}
	b.binary = filepath.Join(b.dir, "sira")
	return command(ctx, "", []string{"CGO_ENABLED=0"}, "go", "build", "-o", b.binary, "./cmd/sira")
}

// buildLiveKit builds it once; it stays in the cache under its version.
func (b *bench) buildLiveKit(ctx context.Context) error {
	b.livekit = filepath.Join(b.cache, "bin", "livekit-server-"+livekitVersion)
	if _, err := os.Stat(b.livekit); err == nil || b.only == "ours" {
		return nil
	}
	fmt.Fprintf(b.log, "building LiveKit %s (kept in %s)\n", livekitVersion, b.cache)
	if err := command(ctx, b.dir, []string{"CGO_ENABLED=0", "GOBIN=" + b.dir}, "go", "install", "github.com/livekit/livekit-server/cmd/server@"+livekitVersion); err != nil {
		return err
	}
	return command(ctx, "", nil, "mv", filepath.Join(b.dir, "server"), b.livekit)
}

// npm installs the driver's packages when the lockfile is not the installed one.
func (b *bench) npm(ctx context.Context) error {
	var err error
	if b.driver, err = filepath.Abs(filepath.Join("cmd", "bench-sfu", "driver")); err != nil {
		return fmt.Errorf("finding the driver: %w", err)
	}
	lock, err := os.ReadFile(filepath.Join(b.driver, "package-lock.json"))
	if err != nil {
		return fmt.Errorf("reading the driver's lockfile (run from the project's folder): %w", err)
	}
	stamp := filepath.Join(b.driver, "node_modules", ".lock-installed")
	if had, err := os.ReadFile(stamp); err == nil && string(had) == string(lock) {
		return nil
	}
	if err := command(ctx, b.driver, []string{"PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1"}, "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"); err != nil {
		return err
	}
	return os.WriteFile(stamp, lock, 0o644)
}

// text is what the two say to each other, again and again.
const text = "Bonjour docteur, je vous appelle de Kati pour une patiente de vingt-huit ans. Elle est enceinte de huit mois. " +
	"Depuis hier elle a mal à la tête et voit trouble. La tension est à dix-sept sur onze, les pieds sont enflés. " +
	"J'entends bien le cœur de l'enfant. Voici l'échographie de ce matin. Faut-il donner du sulfate de magnésium, et l'envoyer à Bamako ce soir ?"

// media makes camera and speech once, about 140 MB: a moving picture with the
// noise of a cheap camera, and French speech with its pauses.
func (b *bench) media(ctx context.Context) error {
	folder := filepath.Join(b.cache, "bench-sfu-media-1")
	b.camera, b.speech = filepath.Join(folder, "camera.y4m"), filepath.Join(folder, "speech.wav")
	if _, err := os.Stat(b.speech); err == nil {
		return nil
	}
	fmt.Fprintf(b.log, "making camera and speech (kept in %s)\n", folder)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("making the folder of camera and speech: %w", err)
	}
	if err := command(ctx, folder, nil, "ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=640x480:rate=20", "-t", "15",
		"-vf", "gblur=sigma=2,noise=alls=6:allf=t", "-pix_fmt", "yuv420p", b.camera); err != nil {
		return err
	}
	raw := filepath.Join(b.dir, "speech.wav")
	if err := command(ctx, "", nil, "espeak-ng", "-v", "fr", "-s", "150", "-w", raw, text); err != nil {
		return err
	}
	// The file appears whole: it is the sign that both are there.
	if err := command(ctx, "", nil, "ffmpeg", "-v", "error", "-y", "-i", raw, "-ar", "48000", "-ac", "1", b.speech+".part.wav"); err != nil {
		return err
	}
	return os.Rename(b.speech+".part.wav", b.speech)
}

// command runs a program to its end in a folder; its output is in the error.
func command(ctx context.Context, folder string, env []string, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir, c.Env = folder, append(os.Environ(), env...)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out[max(0, len(out)-2000):])
	}
	return nil
}
