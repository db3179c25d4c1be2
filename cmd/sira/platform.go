package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"sira/cases"
	"sira/cases/audit"
	"sira/cases/directory"
	"sira/dicom"
	"sira/dicom/derive"
	"sira/dicom/dimse"
	"sira/dicom/index"
	"sira/dicom/ingest"
	"sira/sfu"
	"sira/sfu/relay"
	"sira/signaling"
	"sira/storage"
	"sira/web"
)

// stores is what every command that touches data needs.
type stores struct {
	db        *storage.DB
	directory *directory.Directory
}

func openStores(ctx context.Context, c config) (*stores, error) {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, fmt.Errorf("making the data folder: %w", err)
	}
	db, err := storage.OpenDB(ctx, c.Database)
	if err != nil {
		return nil, err
	}
	dir, err := directory.Open(ctx, db)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &stores{db: db, directory: dir}, nil
}

// platform is everything that runs in the one process.
type platform struct {
	config config
	log    *slog.Logger
	*stores
	blobs  storage.Blobs
	ingest *ingest.Ingest
	cases  *cases.Service
	sfu    *sfu.SFU
	calls  *signaling.Server
	relay  *relay.Relay // nil: the web server does not speak TLS itself
	web    *web.Server
	audit  *audit.Journal
	dimse  *dimse.Server
	derive *derive.Deriver
}

// open builds the platform from the bottom up; on an error what was opened is
// closed again.
func open(ctx context.Context, c config, log *slog.Logger) (_ *platform, err error) {
	p := &platform{config: c, log: log}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	if p.stores, err = openStores(ctx, c); err != nil {
		return nil, err
	}
	if p.blobs, err = storage.OpenBlobs(ctx, c.Blobs); err != nil {
		return nil, err
	}
	if p.audit, err = audit.Open(ctx, p.db); err != nil {
		return nil, err
	}
	if p.cases, err = cases.Open(ctx, p.db, p.directory, cases.Options{Logger: log}); err != nil {
		return nil, err
	}
	idx, err := index.Open(ctx, p.db)
	if err != nil {
		return nil, err
	}
	p.ingest = ingest.New(p.blobs, idx, dicom.DefaultLimits)
	p.ingest.MaxBytes = c.MaxUpload
	if p.ingest.TempDir, err = emptyFolder(c.Data, "incoming"); err != nil {
		return nil, err
	}
	deriving, err := emptyFolder(c.Data, "deriving")
	if err != nil {
		return nil, err
	}
	// The web opens later, and before work starts.
	busy := func() bool { return p.web.Busy() }
	if p.derive, err = derive.Open(ctx, derive.Config{DB: p.db, Blobs: p.blobs, Index: idx, TempDir: deriving,
		Workers: c.DeriveWorkers, Busy: busy, Log: log}); err != nil {
		return nil, err
	}
	p.ingest.Added = func(ctx context.Context, in dicom.Instance) { p.derive.Added(ctx, in.Hash) }
	if p.sfu, err = sfu.New(sfu.Config{UDPAddr: c.MediaListen, TCPAddr: c.MediaTCPListen, PublicIPs: c.MediaPublicIPs, RoomLimit: c.CallLimit, Logger: log}); err != nil {
		return nil, fmt.Errorf("opening the media port: %w", err)
	}
	p.calls = signaling.New(p.sfu, signaling.Options{Logger: log})
	places, err := devicePlaces(c.DICOMDevices)
	if err != nil {
		return nil, err
	}
	if c.DICOMListen != "" {
		if p.dimse, err = p.newDIMSE(ctx, idx, places); err != nil {
			return nil, err
		}
	}
	dicomSettings, err := c.dicomSettings()
	if err != nil {
		return nil, err
	}
	kind, _, _ := strings.Cut(c.Blobs, ":")
	p.web, err = web.New(web.Config{
		DB: p.db, Blobs: p.blobs, Directory: p.directory, Cases: p.cases, Audit: p.audit,
		Index: idx, Ingest: p.ingest, SFU: p.sfu, Signaling: p.calls,
		SpoolDir: filepath.Join(c.Data, "spool"), MaxUploadBytes: c.MaxUpload, MinFreeBytes: c.MinFree,
		Logger: log, TLS: c.TLSCert != "", PublicURL: c.PublicURL, Version: buildVersion(), Devices: places, DICOMWebService: c.DICOMWebService,
		DICOM: dicomSettings, BlobKind: kind,
		Derive: p.derive,
	})
	if err != nil {
		return nil, err
	}
	p.derive.Start()
	return p, nil
}

// emptyFolder makes a folder for files on their way and clears what a power cut
// left in it: nothing there was acknowledged.
func emptyFolder(data, name string) (string, error) {
	dir := filepath.Join(data, name)
	if err := os.RemoveAll(dir); err != nil {
		return "", fmt.Errorf("clearing %s: %w", name, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("making %s: %w", name, err)
	}
	return dir, nil
}

func (p *platform) close() {
	if p.relay != nil {
		if err := p.relay.Close(); err != nil {
			p.log.Warn("closing the relay", "err", err)
		}
	}
	if p.sfu != nil {
		if err := p.sfu.Close(context.Background()); err != nil {
			p.log.Warn("closing the media port", "err", err)
		}
	}
	if p.derive != nil {
		p.derive.Close()
	}
	if p.stores != nil {
		if err := p.db.Close(); err != nil {
			p.log.Warn("closing the database", "err", err)
		}
	}
}
