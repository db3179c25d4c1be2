package fileset

import (
	"context"
	"fmt"
	"io"
	"path"
	"strings"
)

// folder of what is not DICOM; its name keeps to the characters of a file ID.
const othersFolder = "FICHIERS"

// other adds a file that is not DICOM.
func (a *archive) other(ctx context.Context, f File) error {
	content, err := a.open(ctx, &f)
	if content == nil {
		return err
	}
	defer content.Close()
	return a.copyOther(ctx, f, content)
}

func (a *archive) copyOther(ctx context.Context, f File, content io.ReaderAt) error {
	name := othersFolder + "/" + a.free(safeName(f.Name))
	out, err := a.entry(name, compressible(name))
	if err != nil {
		return err
	}
	a.result.Others++
	a.others = append(a.others, listed{name, f.Name, f.Size})
	return copyAll(ctx, out, content, f.Size)
}

// compressible tells kinds that deflate makes smaller.
func compressible(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".heic", ".mp4", ".mov", ".webm", ".m4a", ".ogg", ".zip", ".gz", ".pdf", ".docx", ".xlsx", ".odt":
		return false
	}
	return true
}

// safeName makes of any name one that every file system takes and that leads
// nowhere: ASCII letters, digits, - and _, and an extension.
func safeName(name string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	ext := clean(strings.TrimPrefix(path.Ext(name), "."), 5)
	stem := clean(strings.TrimSuffix(name, path.Ext(name)), 48)
	if stem == "" {
		stem = "fichier"
	}
	switch strings.ToUpper(stem) {
	case "CON", "PRN", "AUX", "NUL", "COM1", "COM2", "COM3", "COM4", "LPT1", "LPT2", "LPT3":
		stem = "_" + stem
	}
	if ext == "" {
		return stem
	}
	return stem + "." + ext
}

var plain = strings.NewReplacer("é", "e", "è", "e", "ê", "e", "ë", "e", "à", "a", "â", "a", "î", "i", "ï", "i", "ô", "o", "ù", "u", "û", "u", "ç", "c", "œ", "oe",
	"É", "E", "È", "E", "À", "A", "Ç", "C", "ɛ", "e", "ɔ", "o", "ɲ", "n", "ŋ", "n")

func clean(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '-'
	}, plain.Replace(s))
	for strings.Contains(s, "--") {
		s = strings.ReplaceAll(s, "--", "-")
	}
	s = strings.Trim(s, "-")
	return s[:min(len(s), most)]
}

// free numbers a name that is taken.
func (a *archive) free(name string) string {
	ext := path.Ext(name)
	stem, try := strings.TrimSuffix(name, ext), name
	for n := 2; a.names[strings.ToUpper(try)]; n++ {
		try = fmt.Sprintf("%s-%d%s", stem, n, ext)
	}
	a.names[strings.ToUpper(try)] = true
	return try
}
