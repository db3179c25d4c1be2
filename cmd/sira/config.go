package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"sira/sfu"
)

// config is everything `sira serve` can be told. Each field is a flag and an
// environment variable of the same name (--dicom-listen, SIRA_DICOM_LISTEN); a
// flag wins over the environment.
type config struct {
	Listen, DICOMListen, MediaListen string
	MediaTCPListen                   string
	MediaPublicIPs                   []string
	Database, Blobs, Data            string
	PublicURL                        string
	TLSCert, TLSKey                  string
	AET                              string
	DICOMAllow, DICOMDevices         []string
	DICOMQuery, DICOMDestinations    []string
	DICOMWebService                  []string
	DICOMTLSCert, DICOMTLSKey        string
	DICOMTLSCA                       string
	MaxUpload, MinFree               int64
	CallLimit, DeriveWorkers         int
	LogLevel, LogFormat              string
}

// setting is one line of `sira help serve`.
type setting struct {
	name, value, text string // value: the default, as one would type it
	set               func(c *config, v string) error
}

// settings lists them in the order in which an operator meets them.
func settings() []setting {
	str := func(field func(*config) *string) func(*config, string) error {
		return func(c *config, v string) error { *field(c) = v; return nil }
	}
	list := func(field func(*config) *[]string) func(*config, string) error {
		return func(c *config, v string) error { *field(c) = splitList(v); return nil }
	}
	size := func(field func(*config) *int64) func(*config, string) error {
		return func(c *config, v string) (err error) { *field(c), err = parseSize(v); return err }
	}
	number := func(low, high int, field func(*config) *int) func(*config, string) error {
		return func(c *config, v string) error {
			n, err := strconv.Atoi(v)
			if err != nil || n < low || n > high {
				return fmt.Errorf("%q is not a number from %d to %d", v, low, high)
			}
			*field(c) = n
			return nil
		}
	}
	return []setting{
		{"listen", ":8080", "address of the web server", str(func(c *config) *string { return &c.Listen })},
		{"public-url", "", "URL under which people reach the server, when a proxy stands before it", str(func(c *config) *string { return &c.PublicURL })},
		{"tls-cert", "", "TLS certificate file (PEM); with --tls-key the server speaks HTTPS itself", str(func(c *config) *string { return &c.TLSCert })},
		{"tls-key", "", "TLS key file (PEM)", str(func(c *config) *string { return &c.TLSKey })},
		{"data", "sira-data", "folder for uploads on their way, and for the database and blobs unless told otherwise", str(func(c *config) *string { return &c.Data })},
		{"database", "", "sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME (default sqlite:DATA/sira.db)", str(func(c *config) *string { return &c.Database })},
		{"blobs", "", "file:PATH or s3://BUCKET?endpoint=HOST:PORT&tls=true, credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (default file:DATA/blobs)", str(func(c *config) *string { return &c.Blobs })},
		{"max-upload", "4GiB", "largest file taken in", size(func(c *config) *int64 { return &c.MaxUpload })},
		{"min-free", "1GiB", "space on the data disk that uploads must leave free", size(func(c *config) *int64 { return &c.MinFree })},
		{"media-listen", ":7443", "UDP address of calls", str(func(c *config) *string { return &c.MediaListen })},
		{"media-tcp-listen", "", "TCP address of calls, for networks that let no UDP pass; off: none (default: as --media-listen)", str(func(c *config) *string { return &c.MediaTCPListen })},
		{"media-public-ip", "", "addresses to announce for calls when the server is behind NAT, comma-separated", list(func(c *config) *[]string { return &c.MediaPublicIPs })},
		{"call-limit", strconv.Itoa(sfu.DefaultRoomLimit), "people, devices and screens in one call at most", number(2, 1000, func(c *config) *int { return &c.CallLimit })},
		{"dicom-listen", "", "TCP address for DICOM devices (verification, storage, worklist, commitment; queries with --dicom-query), for example :11112; empty: off", str(func(c *config) *string { return &c.DICOMListen })},
		{"aet", "SIRA", "DICOM application entity title of this server", str(func(c *config) *string { return &c.AET })},
		{"dicom-allow", "", "AE titles of devices that may send, comma-separated, each AET or AET@ADDRESS (address or network); * for all", list(func(c *config) *[]string { return &c.DICOMAllow })},
		{"dicom-devices", "", "where devices stand, comma-separated AET=FACILITY-ID: what they send without a case waits for the clinicians there", list(func(c *config) *[]string { return &c.DICOMDevices })},
		{"dicom-query", "", "AE titles that may query and retrieve everything (C-FIND, C-MOVE, C-GET), comma-separated, each AET or AET@ADDRESS; empty: none", list(func(c *config) *[]string { return &c.DICOMQuery })},
		{"dicom-destinations", "", "where C-MOVE may send and commitment reports go, comma-separated AET=HOST:PORT, or AET=tls://HOST:PORT", list(func(c *config) *[]string { return &c.DICOMDestinations })},
		{"dicom-tls-cert", "", "TLS certificate file (PEM) of the DICOM port; with --dicom-tls-key it speaks TLS and nothing else", str(func(c *config) *string { return &c.DICOMTLSCert })},
		{"dicom-tls-key", "", "TLS key file (PEM) of the DICOM port", str(func(c *config) *string { return &c.DICOMTLSKey })},
		{"dicom-tls-ca", "", "certificates (PEM) that sign those of devices: devices must show one, and tls:// destinations are checked by them (default: any device; the system's certificates)", str(func(c *config) *string { return &c.DICOMTLSCA })},
		{"dicomweb-service", "", "logins of machines that read and store everything under /dicomweb, comma-separated; others see what their cases hold", list(func(c *config) *[]string { return &c.DICOMWebService })},
		{"derive-workers", "1", "lossless images that are made ready for thin links at once, in the background; 0: none", number(0, 64, func(c *config) *int { return &c.DeriveWorkers })},
		{"log-level", "info", "debug, info, warn or error", str(func(c *config) *string { return &c.LogLevel })},
		{"log-format", "json", "json or text", str(func(c *config) *string { return &c.LogFormat })},
	}
}

func envName(flagName string) string {
	return "SIRA_" + strings.ToUpper(strings.ReplaceAll(flagName, "-", "_"))
}

// parseConfig reads defaults, then environment, then flags. overrides changes
// defaults (the demo has its own); extra adds flags of one command.
func parseConfig(command string, args []string, stderr io.Writer, overrides map[string]string, extra func(*flag.FlagSet)) (config, error) {
	var c config
	fs := flag.NewFlagSet(command, flag.ContinueOnError)
	fs.SetOutput(stderr)
	values := map[string]*string{}
	for _, s := range settings() {
		def := s.value
		if v, ok := overrides[s.name]; ok {
			def = v
		}
		if v, ok := os.LookupEnv(envName(s.name)); ok {
			def = v
		}
		values[s.name] = fs.String(s.name, def, s.text)
	}
	if extra != nil {
		extra(fs)
	}
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return c, err
		}
		return c, errUsage
	}
	if fs.NArg() > 0 {
		return c, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	for _, s := range settings() {
		if err := s.set(&c, *values[s.name]); err != nil {
			return c, fmt.Errorf("--%s (or %s): %w", s.name, envName(s.name), err)
		}
	}
	return c, c.complete()
}

// complete fills what follows from other settings and refuses what cannot work.
func (c *config) complete() error {
	if c.Database == "" {
		c.Database = "sqlite:" + filepath.Join(c.Data, "sira.db")
	}
	if c.Blobs == "" {
		c.Blobs = "file:" + filepath.Join(c.Data, "blobs")
	}
	switch c.MediaTCPListen {
	case "":
		c.MediaTCPListen = c.MediaListen
	case "off":
		c.MediaTCPListen = ""
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New("--tls-cert and --tls-key go together")
	}
	if (c.DICOMTLSCert == "") != (c.DICOMTLSKey == "") {
		return errors.New("--dicom-tls-cert and --dicom-tls-key go together")
	}
	if len(c.AET) == 0 || len(c.AET) > 16 {
		return errors.New("--aet: 1 to 16 characters (PS3.5 section 6.2)")
	}
	for _, a := range []string{c.Listen, c.DICOMListen, c.MediaListen, c.MediaTCPListen} {
		if a == "" {
			continue
		}
		if _, _, err := net.SplitHostPort(a); err != nil {
			return fmt.Errorf("address %q: want HOST:PORT or :PORT", a)
		}
	}
	return nil
}

func (c *config) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return nil, fmt.Errorf("--log-level: %w", err)
	}
	opts := &slog.HandlerOptions{Level: level}
	switch c.LogFormat {
	case "json":
		return slog.New(slog.NewJSONHandler(w, opts)), nil
	case "text":
		return slog.New(slog.NewTextHandler(w, opts)), nil
	}
	return nil, fmt.Errorf("--log-format: %q is neither json nor text", c.LogFormat)
}

func usageSettings(w io.Writer, overrides map[string]string) {
	for _, s := range settings() {
		def := s.value
		if v, ok := overrides[s.name]; ok {
			def = v
		}
		if def != "" {
			def = " (default " + def + ")"
		}
		fmt.Fprintf(w, "  --%s, %s\n        %s%s\n", s.name, envName(s.name), s.text, def)
	}
}

func splitList(v string) []string {
	var out []string
	for _, s := range strings.Split(v, ",") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// parseSize reads a number of bytes with an optional binary unit: 500MiB, 4GiB.
func parseSize(v string) (int64, error) {
	for unit, shift := range map[string]uint{"KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40} {
		if n, ok := strings.CutSuffix(v, unit); ok {
			f, err := strconv.ParseInt(strings.TrimSpace(n), 10, 64)
			if err != nil || f < 0 || f > (1<<62)>>shift {
				return 0, fmt.Errorf("%q is not a size like 500MiB or 4GiB", v)
			}
			return f << shift, nil
		}
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is not a size like 500MiB or 4GiB", v)
	}
	return n, nil
}
