package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"

	"sira/dicom"
	"sira/dicom/dimse"
	"sira/dicom/index"
	"sira/storage"
	"sira/web"
	"sira/web/devices"
)

// newDIMSE is the DICOM port. Devices on the allow-list may verify, store, read
// their worklist and ask for commitment; those of --dicom-query may query and
// retrieve.
func (p *platform) newDIMSE(ctx context.Context, idx *index.Index, places map[string]string) (*dimse.Server, error) {
	c := p.config
	if len(c.DICOMAllow) == 0 {
		return nil, errors.New("--dicom-listen without --dicom-allow: say which devices may send (AET or AET@ADDRESS, comma-separated; * for all)")
	}
	senders, err := parsePeers("--dicom-allow", c.DICOMAllow)
	if err != nil {
		return nil, err
	}
	readers, err := parsePeers("--dicom-query", c.DICOMQuery)
	if err != nil {
		return nil, err
	}
	inbound, outbound, err := c.dicomTLS()
	if err != nil {
		return nil, err
	}
	nodes, err := destinations(c.DICOMDestinations, outbound)
	if err != nil {
		return nil, err
	}
	if err := p.knownPlaces(ctx, places); err != nil {
		return nil, err
	}
	// The web opens later, and before the port serves.
	sent := func(ctx context.Context, aet string, in dicom.Instance) error { return p.web.DeviceSent(ctx, aet, in) }
	note := func(ctx context.Context, tx storage.Querier, aet string, in dicom.Instance) error {
		return p.web.NoteSent(ctx, tx, aet, in)
	}
	noted := func() { p.web.DeviceNoted() }
	s := &dimse.Server{AET: c.AET, UnknownClasses: true, Logger: p.log, Nodes: dimse.KnownNodes(nodes), TLS: inbound}
	devices.New(devices.Config{Blobs: p.blobs, Index: idx, Ingest: p.ingest, Derive: p.derive, Cases: p.cases, Directory: p.directory, Audit: p.audit,
		Sent: sent, Note: note, Noted: noted, Facilities: places, Senders: senders, Readers: readers, Log: p.log}).Equip(s)
	return s, nil
}

func (p *platform) serveDICOM(ctx context.Context, ln net.Listener) error {
	if err := p.dimse.Serve(ctx, ln); err != nil && !errors.Is(err, dimse.ErrServerClosed) && ctx.Err() == nil {
		return fmt.Errorf("serving DICOM: %w", err)
	}
	return nil
}

// parsePeers reads AE titles, each AET or AET@ADDRESS. "*" alone is everybody
// that may send, an empty list; nobody else is allowed to be everybody.
func parsePeers(flag string, list []string) ([]dimse.Peer, error) {
	if len(list) == 1 && list[0] == "*" && flag == "--dicom-allow" {
		return nil, nil
	}
	var peers []dimse.Peer
	for _, item := range list {
		aet, addr, _ := strings.Cut(item, "@")
		if !isAETitle(aet) || aet == "*" {
			return nil, fmt.Errorf("%s: %q is not AET or AET@ADDRESS", flag, item)
		}
		peer := dimse.Peer{AET: aet}
		if addr != "" {
			network, err := parseNetwork(addr)
			if err != nil {
				return nil, fmt.Errorf("%s %q: %w", flag, item, err)
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

// devicePlaces reads --dicom-devices: AET=FACILITY-ID.
func devicePlaces(list []string) (map[string]string, error) {
	out := map[string]string{}
	for _, item := range list {
		aet, facility, ok := strings.Cut(item, "=")
		if !ok || !isAETitle(aet) || facility == "" {
			return nil, fmt.Errorf("--dicom-devices: %q is not AET=FACILITY-ID", item)
		}
		if _, twice := out[aet]; twice {
			return nil, fmt.Errorf("--dicom-devices: %s stands in two places", aet)
		}
		out[aet] = facility
	}
	return out, nil
}

// knownPlaces warns of facilities that nobody works at: what their devices send
// would wait unseen.
func (p *platform) knownPlaces(ctx context.Context, places map[string]string) error {
	list, err := p.directory.Facilities(ctx)
	if err != nil {
		return fmt.Errorf("looking for the devices' facilities: %w", err)
	}
	known := map[string]bool{}
	for _, f := range list {
		known[f.ID] = true
	}
	for aet, facility := range places {
		if !known[facility] {
			p.log.Warn("a DICOM device stands at a facility that does not exist", "aet", aet, "facility", facility)
		}
	}
	return nil
}

// dicomTLS is the security of the DICOM port (nil: plain TCP) and that of
// associations that we ask tls:// destinations for, which see our certificate
// when there is one (PS3.15 annex B.12).
func (c *config) dicomTLS() (inbound, outbound *tls.Config, err error) {
	outbound = &tls.Config{MinVersion: tls.VersionTLS12}
	if c.DICOMTLSCert != "" {
		pair, err := tls.LoadX509KeyPair(c.DICOMTLSCert, c.DICOMTLSKey)
		if err != nil {
			return nil, nil, fmt.Errorf("--dicom-tls-cert, --dicom-tls-key: %w", err)
		}
		inbound = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
		outbound.Certificates = inbound.Certificates
	}
	if c.DICOMTLSCA != "" {
		raw, err := os.ReadFile(c.DICOMTLSCA)
		if err != nil {
			return nil, nil, fmt.Errorf("--dicom-tls-ca: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(raw) {
			return nil, nil, fmt.Errorf("--dicom-tls-ca: no certificate (PEM) in %s", c.DICOMTLSCA)
		}
		outbound.RootCAs = pool
		if inbound != nil {
			inbound.ClientCAs, inbound.ClientAuth = pool, tls.RequireAndVerifyClientCert
		}
	}
	return inbound, outbound, nil
}

// dicomSettings is what administrators are shown of the DICOM port.
func (c *config) dicomSettings() (web.DICOMSettings, error) {
	v := web.DICOMSettings{Listen: c.DICOMListen, AET: c.AET, TLS: "off"}
	if c.DICOMTLSCert != "" {
		v.TLS = "on"
		if c.DICOMTLSCA != "" {
			v.TLS = "mutual"
		}
	}
	senders, err := parsePeers("--dicom-allow", c.DICOMAllow)
	if err != nil {
		return v, err
	}
	readers, err := parsePeers("--dicom-query", c.DICOMQuery)
	if err != nil {
		return v, err
	}
	v.Everybody = len(senders) == 0 && len(c.DICOMAllow) > 0
	at := map[dimse.Peer]int{}
	for i, peer := range slices.Concat(senders, readers) {
		n, known := at[peer]
		if !known {
			n = len(v.Peers)
			at[peer] = n
			p := web.DICOMPeer{AET: peer.AET, Send: v.Everybody}
			if peer.Network.IsValid() {
				p.Network = peer.Network.String()
				if peer.Network.IsSingleIP() {
					p.Network = peer.Network.Addr().String()
				}
			}
			v.Peers = append(v.Peers, p)
		}
		if i < len(senders) {
			v.Peers[n].Send = true
		} else {
			v.Peers[n].Query = true
		}
	}
	for _, item := range c.DICOMDestinations {
		aet, addr, _ := strings.Cut(item, "=")
		addr, secured := strings.CutPrefix(addr, tlsPrefix)
		v.Destinations = append(v.Destinations, web.DICOMDestination{AET: aet, Address: addr, TLS: secured})
	}
	return v, nil
}

// tlsPrefix marks a destination that is reached over TLS.
const tlsPrefix = "tls://"

// destinations reads --dicom-destinations: AET=HOST:PORT or
// AET=tls://HOST:PORT, the latter with the security given.
func destinations(list []string, secure *tls.Config) (map[string]dimse.Node, error) {
	out := map[string]dimse.Node{}
	for _, item := range list {
		aet, addr, ok := strings.Cut(item, "=")
		addr, secured := strings.CutPrefix(addr, tlsPrefix)
		host, port, err := net.SplitHostPort(addr)
		if !ok || !isAETitle(aet) || err != nil || host == "" || port == "" {
			return nil, fmt.Errorf("--dicom-destinations: %q is not AET=HOST:PORT or AET=tls://HOST:PORT", item)
		}
		node := dimse.Node{Addr: addr}
		if secured {
			node.TLS = secure
		}
		out[aet] = node
	}
	return out, nil
}

// isAETitle accepts an application entity title (PS3.5 table 6.2-1, AE) without
// the signs that separate in our lists.
func isAETitle(s string) bool {
	return s != "" && len(s) <= 16 && strings.TrimSpace(s) == s &&
		!strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || r == '\\' || r == '=' || r == '@' })
}
