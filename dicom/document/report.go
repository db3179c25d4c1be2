package document

import (
	"fmt"
	"time"

	"sira/dicom/write"
)

// Person wrote, asked for or verified something. Name is in DICOM form.
type Person struct{ Name, Organization string }

// Opinion is an expert's opinion on a study.
type Opinion struct {
	Question                     string // what was asked; may be empty
	Findings, Conclusion, Advice string // Conclusion is required
	Author                       Person
	Signed                       time.Time // when the author verified it; zero for a draft
	Language                     string    // of the text, RFC 5646: "fr" when empty
	Images                       []Reference
	Comprehensive                bool // Comprehensive SR instead of Basic Text SR
}

// Report makes a structured report of an opinion: PS3.16 TID 2000, Basic
// Diagnostic Imaging Report. ErrIncomplete without conclusion, author, study
// or time.
func Report(c Context, id Identity, op Opinion) (*write.Object, error) {
	if op.Conclusion == "" || op.Author.Name == "" {
		return nil, fmt.Errorf("making report: conclusion and author: %w", ErrIncomplete)
	}
	class := BasicTextSR
	if op.Comprehensive {
		class = ComprehensiveSR
	}
	o, err := begin(class, write.ExplicitLE, "SR", c, id)
	if err != nil {
		return nil, fmt.Errorf("making report: %w", err)
	}
	s := o.Set
	documentModules(s, c, id, op.Images, op.Author)
	s.Sequence(0x00081111) // referenced performed procedure step: type 2
	s.Text(0x0040A491, "CS", "COMPLETE")
	s.Text(0x0040A493, "CS", "UNVERIFIED")
	s.Sequence(0x0040A372) // performed procedure code: type 2
	if !op.Signed.IsZero() {
		s.Text(0x0040A493, "CS", "VERIFIED")
		s.Sequence(0x0040A073, verifier(op))
	}
	root := container(s, code("18748-4", "LN", "Diagnostic imaging report"))
	s.Sequence(0x0040A504, template("2000"))
	root.add("HAS CONCEPT MOD", languageItem(op.Language))
	root.observer(op.Author)
	if op.Question != "" {
		root.section("121060", "History", "121060", "History", op.Question, nil)
	}
	if op.Findings != "" {
		root.section("121070", "Findings", "121071", "Finding", op.Findings, op.Images)
	}
	images := op.Images
	if op.Findings != "" {
		images = nil // they are told with the findings
	}
	root.section("121072", "Impressions", "121073", "Impression", op.Conclusion, images)
	if op.Advice != "" {
		root.section("121074", "Recommendations", "121075", "Recommendation", op.Advice, nil)
	}
	root.close()
	return o, nil
}

// documentModules fills SR Document Series and General, or those of a key
// object document, as far as they are alike (PS3.3 C.17.1, C.17.2, C.17.6).
func documentModules(s *write.Set, c Context, id Identity, refs []Reference, author Person) {
	s.Text(0x00080023, "DA", id.At.Format("20060102"))
	s.Text(0x00080033, "TM", id.At.Format("150405"))
	if here, elsewhere := evidence(c.StudyUID, refs); len(here)+len(elsewhere) > 0 {
		if len(here) > 0 {
			s.Sequence(0x0040A375, here...)
		}
		if len(elsewhere) > 0 {
			s.Sequence(0x0040A385, elsewhere...)
		}
	}
	if author.Name != "" {
		observer := &write.Set{}
		observer.Text(0x0040A084, "CS", "PSN")
		observer.Text(0x0040A123, "PN", author.Name)
		observer.Sequence(0x00401101)
		observer.Text(0x00080080, "LO", short(author.Organization, 64))
		observer.Sequence(0x00080082)
		s.Sequence(0x0040A078, observer)
	}
}

func verifier(op Opinion) *write.Set {
	v := &write.Set{}
	organization := short(op.Author.Organization, 64)
	if organization == "" {
		organization = "Sira"
	}
	v.Text(0x0040A027, "LO", organization)
	v.Text(0x0040A030, "DT", op.Signed.Format("20060102150405-0700"))
	v.Text(0x0040A075, "PN", op.Author.Name)
	v.Sequence(0x0040A088)
	return v
}

// evidence lists references by study, series and instance, those of the
// object's own study apart (PS3.3 section C.17.2.3).
func evidence(study string, refs []Reference) (here, elsewhere []*write.Set) {
	type series struct {
		uid  string
		sops []*write.Set
	}
	studies := map[string][]*series{}
	seen := map[string]bool{}
	var order []string
	for _, r := range refs {
		if seen[r.SOPUID] {
			continue
		}
		seen[r.SOPUID] = true
		if studies[r.StudyUID] == nil {
			order = append(order, r.StudyUID)
		}
		var at *series
		for _, x := range studies[r.StudyUID] {
			if x.uid == r.SeriesUID {
				at = x
			}
		}
		if at == nil {
			at = &series{uid: r.SeriesUID}
			studies[r.StudyUID] = append(studies[r.StudyUID], at)
		}
		at.sops = append(at.sops, sop(r, false))
	}
	for _, uid := range order {
		item := &write.Set{}
		var items []*write.Set
		for _, x := range studies[uid] {
			one := &write.Set{}
			one.Sequence(0x00081199, x.sops...)
			one.Text(0x0020000E, "UI", x.uid)
			items = append(items, one)
		}
		item.Sequence(0x00081115, items...)
		item.Text(0x0020000D, "UI", uid)
		if uid == study {
			here = append(here, item)
		} else {
			elsewhere = append(elsewhere, item)
		}
	}
	return here, elsewhere
}

func sop(r Reference, frames bool) *write.Set {
	s := &write.Set{}
	s.Text(0x00081150, "UI", r.SOPClass)
	s.Text(0x00081155, "UI", r.SOPUID)
	if frames && len(r.Frames) > 0 {
		texts := make([]string, len(r.Frames))
		for i, n := range r.Frames {
			texts[i] = fmt.Sprint(n)
		}
		s.Text(0x00081160, "IS", texts...)
	}
	return s
}

// tree is a content item being filled (PS3.3 section C.17.3).
type tree struct {
	set   *write.Set
	items []*write.Set
}

func code(value, scheme, meaning string) *write.Set { return write.Code(value, scheme, meaning) }

// container makes s a container of content.
func container(s *write.Set, name *write.Set) *tree {
	s.Text(0x0040A040, "CS", "CONTAINER")
	s.Sequence(0x0040A043, name)
	s.Text(0x0040A050, "CS", "SEPARATE")
	return &tree{set: s}
}

func template(id string) *write.Set {
	t := &write.Set{}
	t.Text(0x00080105, "CS", "DCMR")
	t.Text(0x0040DB00, "CS", id)
	return t
}

func (t *tree) add(relationship string, item *write.Set) {
	item.Text(0x0040A010, "CS", relationship)
	t.items = append(t.items, item)
}

func (t *tree) close() {
	if len(t.items) > 0 {
		t.set.Sequence(0x0040A730, t.items...)
	}
}

// section adds a heading with one text and the images it was drawn from.
func (t *tree) section(heading, headingName, concept, conceptName, text string, images []Reference) {
	head := container(&write.Set{}, code(heading, "DCM", headingName))
	item := textItem(code(concept, "DCM", conceptName), text)
	from := &tree{set: item}
	for _, r := range images {
		from.add("INFERRED FROM", referenceItem(r))
	}
	from.close()
	head.add("CONTAINS", item)
	head.close()
	t.add("CONTAINS", head.set)
}

func textItem(name *write.Set, text string) *write.Set {
	s := &write.Set{}
	s.Text(0x0040A040, "CS", "TEXT")
	s.Sequence(0x0040A043, name)
	s.Text(0x0040A160, "UT", long(text))
	return s
}

func codeItem(name, value *write.Set) *write.Set {
	s := &write.Set{}
	s.Text(0x0040A040, "CS", "CODE")
	s.Sequence(0x0040A043, name)
	s.Sequence(0x0040A168, value)
	return s
}

func languageItem(language string) *write.Set {
	names := map[string]string{"fr": "French", "en": "English", "bm": "Bambara"}
	if names[language] == "" {
		language = "fr"
	}
	return codeItem(code("121049", "DCM", "Language of Content Item and Descendants"), code(language, "RFC5646", names[language]))
}

// observer says who speaks (PS3.16 TID 1001 to 1003).
func (t *tree) observer(p Person) {
	t.add("HAS OBS CONTEXT", codeItem(code("121005", "DCM", "Observer Type"), code("121006", "DCM", "Person")))
	name := &write.Set{}
	name.Text(0x0040A040, "CS", "PNAME")
	name.Sequence(0x0040A043, code("121008", "DCM", "Person Observer Name"))
	name.Text(0x0040A123, "PN", p.Name)
	t.add("HAS OBS CONTEXT", name)
	if p.Organization != "" {
		t.add("HAS OBS CONTEXT", textItem(code("121009", "DCM", "Person Observer's Organization Name"), p.Organization))
	}
}

// referenceItem is an IMAGE, WAVEFORM or COMPOSITE item, by the SOP class.
func referenceItem(r Reference) *write.Set {
	s := &write.Set{}
	s.Text(0x0040A040, "CS", valueType(r.SOPClass))
	s.Sequence(0x00081199, sop(r, true))
	return s
}

func valueType(class string) string {
	const root = "1.2.840.10008.5.1.4.1.1."
	for _, p := range []struct{ prefix, kind string }{
		{root + "9.", "WAVEFORM"}, {root + "88.", "COMPOSITE"}, {root + "104.", "COMPOSITE"}, {root + "11.", "COMPOSITE"},
		{root + "66.4", "IMAGE"}, {root + "66", "COMPOSITE"}, {root + "481.2", "IMAGE"}, {root + "481.1", "IMAGE"}, {root + "481.", "COMPOSITE"},
	} {
		if len(class) >= len(p.prefix) && class[:len(p.prefix)] == p.prefix {
			return p.kind
		}
	}
	return "IMAGE"
}
