package dicom

import "strings"

func isDirectory(f *File) bool {
	return f.Meta.String(tagMediaClass) == classDirectory || f.Has(tagDirectoryRecords) && !f.Has(tagSOPInstance)
}

// References lists the files that a DICOMDIR names, as slash-separated paths
// relative to it, once each (PS3.3 section F.3); nil when f is none. Records
// that are not in use or point outside are left out.
func References(f *File) []string {
	if !isDirectory(f) {
		return nil
	}
	var out []string
	seen := map[string]bool{}
	for _, record := range f.Sequence(tagDirectoryRecords) {
		if use, ok := record.Int(0x00041410); ok && use == 0 {
			continue
		}
		path, ok := fileID(record.Strings(tagReferencedFileID))
		if ok && !seen[path] {
			seen[path] = true
			out = append(out, path)
		}
	}
	return out
}

// fileID joins the components of a File ID (PS3.10 section 8.2). Lower case
// and long names, which the standard forbids, are common.
func fileID(parts []string) (string, bool) {
	if len(parts) == 0 || len(parts) > 64 {
		return "", false
	}
	for _, p := range parts {
		if p == "" || p == "." || p == ".." || len(p) > 255 || strings.ContainsAny(p, "/\x00") {
			return "", false
		}
	}
	return strings.Join(parts, "/"), true
}
