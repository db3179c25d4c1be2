package main

import (
	"crypto/tls"
	"io"
	"strings"
	"testing"

	"sira/dicom/dimse"
)

func TestDeviceSettings(t *testing.T) {
	secure := &tls.Config{MinVersion: tls.VersionTLS12}
	peers, err := parsePeers("--dicom-query", []string{"WS1", "WS2@10.0.0.7", "WS 3@10.1.0.0/16"})
	if err != nil || len(peers) != 3 || peers[0].Network.IsValid() || peers[1].Network.String() != "10.0.0.7/32" || peers[2].AET != "WS 3" {
		t.Errorf("%v, %v", peers, err)
	}
	if peers, err := parsePeers("--dicom-allow", []string{"*"}); err != nil || peers != nil {
		t.Errorf("everybody may send: %v, %v", peers, err)
	}
	places, err := devicePlaces([]string{"CART1=kati", "CART2=gao"})
	if err != nil || places["CART2"] != "gao" {
		t.Errorf("%v, %v", places, err)
	}
	nodes, err := destinations([]string{"PACS=10.0.0.9:104", "WS=[::1]:11112", "FAR=tls://pacs.example.ml:2762"}, secure)
	if err != nil || nodes["PACS"].Addr != "10.0.0.9:104" || nodes["WS"] != (dimse.Node{Addr: "[::1]:11112"}) ||
		nodes["FAR"] != (dimse.Node{Addr: "pacs.example.ml:2762", TLS: secure}) {
		t.Errorf("%v, %v", nodes, err)
	}
	for what, bad := range map[string]func() error{
		"everybody reads":   func() error { _, err := parsePeers("--dicom-query", []string{"*"}); return err },
		"no title":          func() error { _, err := parsePeers("--dicom-allow", []string{"@10.0.0.7"}); return err },
		"no address":        func() error { _, err := parsePeers("--dicom-allow", []string{"A@host"}); return err },
		"long title":        func() error { _, err := parsePeers("--dicom-allow", []string{"SEVENTEEN-LETTERS"}); return err },
		"no facility":       func() error { _, err := devicePlaces([]string{"CART1"}); return err },
		"an empty facility": func() error { _, err := devicePlaces([]string{"CART1="}); return err },
		"two places":        func() error { _, err := devicePlaces([]string{"A=x", "A=y"}); return err },
		"no port":           func() error { _, err := destinations([]string{"A=10.0.0.9"}, nil); return err },
		"no host":           func() error { _, err := destinations([]string{"A=:104"}, nil); return err },
	} {
		if bad() == nil {
			t.Errorf("%s: taken", what)
		}
	}
}

func TestPortWithoutAllowListIsRefused(t *testing.T) {
	c, err := parseConfig("serve", []string{"--dicom-listen", "127.0.0.1:0", "--dicom-devices", "A=x,B=y"}, io.Discard, nil, nil)
	if err != nil || len(c.DICOMDevices) != 2 {
		t.Fatalf("%+v, %v", c.DICOMDevices, err)
	}
	if _, err := (&platform{config: c}).newDIMSE(t.Context(), nil, nil); err == nil || !strings.Contains(err.Error(), "--dicom-allow") {
		t.Errorf("got %v", err)
	}
}
