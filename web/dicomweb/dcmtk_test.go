package dicomweb_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"sira/dicom"
	"sira/dicom/index/jsonmodel"
)

// TestMetadataAgainstDCMTK compares metadata of real files with dcm2json's.
func TestMetadataAgainstDCMTK(t *testing.T) {
	tool, err := exec.LookPath("dcm2json")
	if err != nil {
		if os.Getenv("SIRA_TEST_STRICT") == "1" {
			t.Fatal("dcm2json is missing")
		}
		t.Skip("NOT RUN: no dcm2json")
	}
	dir := corpus(t)
	compared, values := 0, 0
	for _, pattern := range []string{"pydicom/*", "series/*/01.dcm", "ecg/*.dcm", "charset/*", "misc/*", "dcm4che/*"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			info, err := os.Stat(path)
			if err != nil || info.IsDir() || info.Size() > 4<<20 {
				continue
			}
			data := read(t, path)
			f, err := dicom.Read(t.Context(), bytes.NewReader(data), int64(len(data)), dicom.Limits{ModelBytes: -1})
			if err != nil {
				continue
			}
			out, err := exec.Command(tool, path).Output()
			var theirs, ours map[string]any
			if err != nil || json.Unmarshal(out, &theirs) != nil {
				continue // files that only one of the two reads
			}
			if err := json.Unmarshal([]byte(strings.ReplaceAll(string(jsonmodel.File(f)), "\x01", "")), &ours); err != nil {
				t.Errorf("%s: %v", path, err)
				continue
			}
			compared++
			for _, d := range compare("", ours, theirs, &values) {
				t.Errorf("%s: %s", filepath.Base(path), d)
			}
		}
	}
	t.Logf("%d files, %d values", compared, values)
	if compared < 30 {
		t.Errorf("only %d files compared", compared)
	}
}

// compare lists differences of two data sets, bulk left out.
func compare(at string, ours, theirs map[string]any, values *int) (diff []string) {
	for tag, v := range theirs {
		their, _ := v.(map[string]any)
		our, _ := ours[tag].(map[string]any)
		where := at + tag
		switch {
		case tag == "00080005" || tag < "0008" && at == "" || strings.HasSuffix(tag, "0000") || tag == "FFFCFFFC":
			continue
		case our == nil:
			diff = append(diff, where+" is missing")
			continue
		case their["InlineBinary"] != nil || their["BulkDataURI"] != nil || our["BulkDataURI"] != nil || our["InlineBinary"] != nil:
			if a, b := our["InlineBinary"], their["InlineBinary"]; a != nil && b != nil && a != b {
				diff = append(diff, where+" has other bytes")
			}
			continue
		case our["vr"] != their["vr"]:
			diff = append(diff, fmt.Sprintf("%s is %v, theirs %v", where, our["vr"], their["vr"]))
			continue
		}
		a, _ := our["Value"].([]any)
		b, _ := their["Value"].([]any)
		if len(a) != len(b) {
			diff = append(diff, fmt.Sprintf("%s has %d values, theirs %d", where, len(a), len(b)))
			continue
		}
		for i := range a {
			*values++
			x, isSet := a[i].(map[string]any)
			y, _ := b[i].(map[string]any)
			if isSet && our["vr"] == "SQ" {
				diff = append(diff, compare(fmt.Sprintf("%s/%d/", where, i), x, y, values)...)
			} else if !same(a[i], b[i]) {
				diff = append(diff, fmt.Sprintf("%s is %v, theirs %v", where, a[i], b[i]))
			}
		}
	}
	return diff
}

func same(a, b any) bool {
	x, errA := strconv.ParseFloat(fmt.Sprint(a), 64)
	y, errB := strconv.ParseFloat(fmt.Sprint(b), 64)
	if errA == nil && errB == nil {
		return x == y || math.Abs(x-y) <= 1e-6*math.Max(math.Abs(x), math.Abs(y))
	}
	return strings.TrimSpace(fmt.Sprint(a)) == strings.TrimSpace(fmt.Sprint(b))
}
