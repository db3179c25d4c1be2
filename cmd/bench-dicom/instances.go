package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"sira/dicom"
)

// instances are the DICOMweb paths of the first n files of a folder.
func instances(ctx context.Context, folder string, n int) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.dcm"))
	if err != nil {
		return nil, fmt.Errorf("listing objects: %w", err)
	}
	var paths []string
	for _, name := range files[:min(n, len(files))] {
		in, err := identify(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("reading an object: %w", err)
		}
		paths = append(paths, fmt.Sprintf("/studies/%s/series/%s/instances/%s", in.StudyUID, in.SeriesUID, in.SOPUID))
	}
	return paths, nil
}

func identify(ctx context.Context, name string) (dicom.Instance, error) {
	r, err := os.Open(name)
	if err != nil {
		return dicom.Instance{}, err
	}
	defer r.Close()
	info, err := r.Stat()
	if err != nil {
		return dicom.Instance{}, err
	}
	f, err := dicom.Read(ctx, r, info.Size(), dicom.DefaultLimits)
	if err != nil {
		return dicom.Instance{}, err
	}
	return dicom.Describe(f)
}
