package export

import (
	"fmt"
	"strings"
	"time"

	"sira/cases"
	"sira/cases/directory"
)

var sexWords = map[string]string{"F": "femme", "M": "homme", "O": "autre"}
var unitWords = map[string]string{"Y": "ans", "M": "mois", "D": "jours"}

// story is the case in paragraphs, for whoever opens the archive without any
// software of ours.
func story(st *cases.State, names map[string]directory.Person) []string {
	d, p := st.Opened, st.Opened.Patient
	who := []string{p.Name, sexWords[p.Sex]}
	switch {
	case p.BirthDate != "":
		who = append(who, "né(e) le "+p.BirthDate)
	case p.Age != nil:
		who = append(who, fmt.Sprintf("%d %s", p.Age.Value, unitWords[p.Age.Unit]))
	}
	for _, i := range p.Identifiers {
		who = append(who, i.System+" "+i.Value)
	}
	notes := []string{"Patient : " + joined(who),
		fmt.Sprintf("Demande du %s, %s : %s", day(st.OpenedAt), said(names[st.Clinician]), d.Question)}
	if d.History != "" {
		notes = append(notes, "Histoire : "+d.History)
	}
	for _, m := range st.Messages {
		switch m.Kind {
		case string(cases.ClarificationAsked):
			notes = append(notes, fmt.Sprintf("Complément demandé le %s, %s : %s", day(m.Received), said(names[m.By]), m.Text))
		case string(cases.ClarificationAnswered):
			notes = append(notes, fmt.Sprintf("Réponse du %s, %s : %s", day(m.Received), said(names[m.By]), m.Text))
		}
	}
	for _, o := range st.Opinions {
		lines := []string{fmt.Sprintf("Avis du %s, %s", day(o.Received), said(names[o.By]))}
		for _, part := range [][2]string{{"Constatations", o.Findings}, {"Conclusion", o.Conclusion}, {"Conduite à tenir", o.Advice}} {
			if part[1] != "" {
				lines = append(lines, part[0]+" : "+part[1])
			}
		}
		notes = append(notes, strings.Join(lines, "\n"))
	}
	return notes
}

func joined(parts []string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, ", ")
}

func said(p directory.Person) string {
	return joined([]string{strings.TrimSpace(p.Title + " " + p.Name), p.Facility})
}

func day(t time.Time) string { return t.Local().Format("02/01/2006 15:04") }
