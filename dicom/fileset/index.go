package fileset

import (
	"fmt"
	"html/template"
	"io"
	"strings"

	"sira/dicom"
	"sira/dicom/write"
)

// line is one row of the index; Depth is its indentation.
type line struct {
	Depth      int
	Text, Path string
}

type indexData struct {
	Title, Made  string
	Notes        []string
	Lines        []line
	Others       []line
	HasDirectory bool
	LeftOut      int
}

// index writes what is in the archive, for people: as text and as a page.
func (a *archive) index(c Case) error {
	d := indexData{Title: c.Title, Notes: c.Notes, HasDirectory: a.result.Objects > 0, LeftOut: a.result.LeftOut}
	if d.Title == "" {
		d.Title = "Dossier"
	}
	if !c.Made.IsZero() {
		d.Made = c.Made.Format("02/01/2006 15:04")
	}
	for _, n := range a.tree.root.below {
		describe(&d.Lines, n, 0)
	}
	for _, o := range a.others {
		d.Others = append(d.Others, line{0, o.name, o.path})
	}
	text, err := a.entry("LISEZMOI.TXT", true)
	if err != nil {
		return err
	}
	if err := plainIndex(text, d); err != nil {
		return err
	}
	html, err := a.entry("INDEX.HTM", true)
	if err != nil {
		return err
	}
	return page.Execute(html, d)
}

// describe lists patients, studies and series with what they hold.
func describe(lines *[]line, n *node, depth int) {
	text := ""
	switch n.kind {
	case "PATIENT":
		text = "Patient : " + told(n.set, 0x00100010, 0x00100020, 0x00100030, 0x00100040)
	case "STUDY":
		text = "Examen : " + told(n.set, 0x00080020, 0x00081030, 0x00080050)
	case "SERIES":
		text = fmt.Sprintf("Série : %s (fichiers : %d)", told(n.set, 0x00080060, 0x0008103E), len(n.below))
	default:
		return
	}
	*lines = append(*lines, line{depth, text, strings.Join(n.folder, "/")})
	for _, c := range n.below {
		describe(lines, c, depth+1)
	}
}

// told joins what a record says.
func told(s *write.Set, tags ...dicom.Tag) string {
	var parts []string
	for _, t := range tags {
		if v := strings.TrimSpace(strings.ReplaceAll(s.String(t), "^", " ")); v != "" {
			parts = append(parts, v)
		}
	}
	return strings.Join(parts, ", ")
}

func plainIndex(w io.Writer, d indexData) error {
	var b strings.Builder
	b.WriteString("\uFEFF" + d.Title + "\n\n") // the mark lets old editors see UTF-8
	for _, note := range d.Notes {
		b.WriteString(note + "\n\n")
	}
	if d.HasDirectory {
		b.WriteString("IMAGES MÉDICALES (DICOM)\nOuvrez le fichier DICOMDIR, ou le dossier DICOM, avec n'importe quelle visionneuse DICOM.\n\n")
		for _, l := range d.Lines {
			fmt.Fprintf(&b, "%s%s\n%s  %s\n", strings.Repeat("  ", l.Depth), l.Text, strings.Repeat("  ", l.Depth), l.Path)
		}
		b.WriteString("\n")
	}
	if len(d.Others) > 0 {
		b.WriteString("AUTRES FICHIERS\n")
		for _, l := range d.Others {
			fmt.Fprintf(&b, "%s  (%s)\n", l.Path, l.Text)
		}
	}
	if d.LeftOut > 0 {
		fmt.Fprintf(&b, "\nNon joints au moment de l'export : %d fichier(s).\n", d.LeftOut)
	}
	if d.Made != "" {
		fmt.Fprintf(&b, "\nExporté le %s\n", d.Made)
	}
	_, err := io.WriteString(w, strings.ReplaceAll(b.String(), "\n", "\r\n"))
	return err
}

var page = template.Must(template.New("index").Parse(`<!DOCTYPE html>
<html lang="fr"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.Title}}</title>
<style>body{font:16px/1.5 sans-serif;max-width:50em;margin:2em auto;padding:0 1em}li{margin:.3em 0}small{color:#555}</style></head><body>
<h1>{{.Title}}</h1>
{{range .Notes}}<p style="white-space:pre-line">{{.}}</p>
{{end}}{{if .HasDirectory}}<h2>Images médicales (DICOM)</h2>
<p>Ouvrez le fichier DICOMDIR, ou le dossier DICOM, avec n'importe quelle visionneuse DICOM.</p>
<ul>{{range .Lines}}<li style="margin-left:{{.Depth}}em">{{.Text}} <small>{{.Path}}</small></li>
{{end}}</ul>
{{end}}{{if .Others}}<h2>Autres fichiers</h2>
<ul>{{range .Others}}<li><a href="{{.Path}}">{{.Text}}</a></li>
{{end}}</ul>
{{end}}{{if .LeftOut}}<p>Non joints au moment de l'export : {{.LeftOut}} fichier(s).</p>
{{end}}{{if .Made}}<p><small>Exporté le {{.Made}}</small></p>{{end}}
</body></html>
`))
