package dicomweb_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"sira/dicom/phantom"
	"sira/storage/storagetest"
)

// TestClient drives the service with npm's dicomweb-client. It needs node and
// "npm ci" in testdata/client.
func TestClient(t *testing.T) {
	dir := filepath.Join("testdata", "client")
	node, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat(filepath.Join(dir, "node_modules", "dicomweb-client"))
	}
	if err != nil {
		if os.Getenv("SIRA_TEST_STRICT") == "1" {
			t.Fatal("node or testdata/client/node_modules is missing: npm ci there")
		}
		t.Skip("NOT RUN: no node, or no npm ci in web/dicomweb/testdata/client")
	}
	h := build(t, storagetest.NewDB(t))
	object := phantom.CT(1, study(1, "TRAORÉ^Awa", "KATI-1", 1))[0]
	path := filepath.Join(t.TempDir(), "ct.dcm")
	if err := os.WriteFile(path, object, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), node, "drive.mjs", h.URL+"/dicomweb", path)
	cmd.Dir = dir
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	raw, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, complaints.Bytes())
	}
	var got struct {
		Sent, Name, Instance, Rendered, PNG, FrameRendered, Thumbnail   string
		Series, Study                                                   []string
		None, Rows, SeriesMetadata, StudyMetadata, Frame, Bulk, Missing int
	}
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	if got.Sent != string(storagetest.HashOf(object)) || got.Instance != got.Sent || len(got.Series) != 1 || got.Series[0] != got.Sent || len(got.Study) != 1 || got.Study[0] != got.Sent {
		t.Errorf("other bytes came back: %s", raw)
	}
	if got.Name != "TRAORÉ^Awa" || got.None != 0 || got.Rows != 512 || got.SeriesMetadata != 1 || got.StudyMetadata != 1 || got.Missing != 404 {
		t.Errorf("lists: %s", raw)
	}
	if got.Frame != 512*512*2 || got.Bulk != got.Frame {
		t.Errorf("frame: %s", raw)
	}
	if got.Rendered != "ffd8" || got.FrameRendered != "ffd8" || got.Thumbnail != "ffd8" || got.PNG != "8950" {
		t.Errorf("pictures: %s", raw)
	}
}
