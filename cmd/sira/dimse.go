package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"sira/cases/audit"
	"sira/dicom"
	"sira/dicom/dimse"
	"sira/dicom/ingest"
	"sira/storage"
)

// newDIMSE is the DICOM port: devices on the allow-list may verify (C-ECHO) and
// store (C-STORE). What they send goes through the same ingest as an upload.
func (p *platform) newDIMSE() (*dimse.Server, error) {
	peers, err := allowedPeers(p.config.DICOMAllow)
	if err != nil {
		return nil, err
	}
	return &dimse.Server{
		AET: p.config.AET, Store: p.storeInstance, Allowed: peers,
		UnknownClasses: true, Logger: p.log, Events: p.auditDIMSE,
	}, nil
}

func (p *platform) serveDICOM(ctx context.Context, ln net.Listener) error {
	if err := p.dimse.Serve(ctx, ln); err != nil && !errors.Is(err, dimse.ErrServerClosed) && ctx.Err() == nil {
		return fmt.Errorf("serving DICOM: %w", err)
	}
	return nil
}

// allowedPeers reads --dicom-allow: "*" alone is everybody, otherwise AET or
// AET@ADDRESS. An empty list would be everybody too, so it names nobody.
func allowedPeers(list []string) ([]dimse.Peer, error) {
	if len(list) == 1 && list[0] == "*" {
		return nil, nil
	}
	if len(list) == 0 {
		return nil, errors.New("--dicom-listen without --dicom-allow: say which devices may send (AET or AET@ADDRESS, comma-separated; * for all)")
	}
	var peers []dimse.Peer
	for _, item := range list {
		aet, addr, _ := strings.Cut(item, "@")
		if aet == "" || len(aet) > 16 {
			return nil, fmt.Errorf("--dicom-allow: %q is not AET or AET@ADDRESS", item)
		}
		peer := dimse.Peer{AET: aet}
		if addr != "" {
			network, err := parseNetwork(addr)
			if err != nil {
				return nil, fmt.Errorf("--dicom-allow %q: %w", item, err)
			}
			peer.Network = network
		}
		peers = append(peers, peer)
	}
	return peers, nil
}

// parseNetwork reads an address (10.0.0.7) or a network (10.0.0.0/24).
func parseNetwork(s string) (netip.Prefix, error) {
	if strings.Contains(s, "/") {
		return netip.ParsePrefix(s)
	}
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return netip.PrefixFrom(addr, addr.BitLen()), nil
}

// storeInstance answers a C-STORE once the object is durable and indexed, or
// says why it is not (PS3.4 annex B.2.3).
func (p *platform) storeInstance(ctx context.Context, req dimse.StoreRequest) uint16 {
	_, err := p.ingest.Stream(ctx, req.Part10())
	var bad *dicom.Error
	switch {
	case err == nil:
		return dimse.StatusSuccess
	case errors.Is(err, ingest.ErrConflict):
		return dimse.StatusDuplicateInstance
	case errors.Is(err, storage.ErrNoSpace):
		return dimse.StatusOutOfResources
	case errors.As(err, &bad):
		p.log.Info("refused an object of a device", "aet", req.CallingAET, "reason", bad.Reason)
		return dimse.StatusCannotUnderstand
	}
	p.log.Error("storing an object of a device", "aet", req.CallingAET, "err", err)
	return dimse.StatusProcessingFailure
}

// auditDIMSE records who sent what.
func (p *platform) auditDIMSE(e dimse.Event) {
	if e.Kind != dimse.EventStore && e.Kind != dimse.EventRejected && e.Kind != dimse.EventRefused {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	outcome := "ok"
	if e.Kind != dimse.EventStore || dimse.StatusFailed(e.Status) {
		outcome = "denied"
	}
	err := p.audit.Record(ctx, audit.Entry{Actor: "aet:" + e.CallingAET, Action: "dicom-store", Object: e.SOPUID,
		Outcome: outcome, Surface: "dicom", Remote: e.Remote})
	if err != nil {
		p.log.Error("recording a device's transfer", "err", err)
	}
}
