package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestFlagWinsOverEnvironmentWinsOverDefault(t *testing.T) {
	t.Setenv("SIRA_LISTEN", ":1111")
	t.Setenv("SIRA_MAX_UPLOAD", "2MiB")
	c, err := parseConfig("serve", []string{"--listen", ":2222"}, io.Discard, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.CallLimit != 8 || c.DeriveWorkers != 1 {
		t.Errorf("call-limit %d, derive-workers %d", c.CallLimit, c.DeriveWorkers)
	}
	if c.Listen != ":2222" {
		t.Errorf("listen = %q, want the flag's", c.Listen)
	}
	if c.MaxUpload != 2<<20 {
		t.Errorf("max-upload = %d, want the environment's 2 MiB", c.MaxUpload)
	}
	if c.Database != "sqlite:sira-data/sira.db" || c.Blobs != "file:sira-data/blobs" {
		t.Errorf("database %q, blobs %q do not follow from --data", c.Database, c.Blobs)
	}
}

func TestBadConfigurationIsRefusedWithItsName(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"--max-upload", "lots"}, "--max-upload (or SIRA_MAX_UPLOAD)"},
		{[]string{"--max-upload", "99999999999TiB"}, "not a size"},
		{[]string{"--tls-cert", "x.pem"}, "go together"},
		{[]string{"--listen", "8080"}, "want HOST:PORT"},
		{[]string{"--aet", "AN-AE-TITLE-THAT-IS-TOO-LONG"}, "1 to 16"},
		{[]string{"--call-limit", "1"}, "--call-limit (or SIRA_CALL_LIMIT): \"1\" is not a number from 2 to 1000"},
		{[]string{"--derive-workers", "many"}, "not a number from 0 to 64"},
		{[]string{"stray"}, "unexpected argument"},
	} {
		_, err := parseConfig("serve", tc.args, io.Discard, nil, nil)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v: error %v, want %q in it", tc.args, err, tc.want)
		}
	}
	if _, err := parseConfig("serve", []string{"--no-such-flag"}, io.Discard, nil, nil); !errors.Is(err, errUsage) {
		t.Errorf("an unknown flag gave %v", err)
	}
}

func TestHelpServeListsEverySettingAndItsVariable(t *testing.T) {
	var out bytes.Buffer
	if code := run(context.Background(), []string{"help", "serve"}, &out, io.Discard); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	for _, s := range settings() {
		if !strings.Contains(out.String(), "--"+s.name+", "+envName(s.name)+"\n") {
			t.Errorf("help does not list --%s", s.name)
		}
	}
}

func TestUnknownCommand(t *testing.T) {
	var out bytes.Buffer
	if code := run(context.Background(), []string{"sevre"}, io.Discard, &out); code != 2 || !strings.Contains(out.String(), "sevre") {
		t.Errorf("exit code %d, said %q", code, out.String())
	}
}
