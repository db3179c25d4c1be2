package document

import (
	"fmt"

	"sira/dicom/write"
)

// Title is why images were selected (PS3.16 CID 7010).
type Title string

// Titles of selections.
const (
	OfInterest    Title = "113000"
	ForReferring  Title = "113002"
	ForSurgery    Title = "113003"
	ForTeaching   Title = "113004"
	ForConference Title = "113005"
	ForTherapy    Title = "113006"
	ForPatient    Title = "113007"
	ForPeerReview Title = "113008"
	BestInSet     Title = "113013"
	ForReport     Title = "113020"
)

var titles = map[Title]string{
	OfInterest: "Of Interest", ForReferring: "For Referring Provider", ForSurgery: "For Surgery", ForTeaching: "For Teaching",
	ForConference: "For Conference", ForTherapy: "For Therapy", ForPatient: "For Patient", ForPeerReview: "For Peer Review",
	BestInSet: "Best In Set", ForReport: "For Report Attachment",
}

// Selection is a set of images that matter, and why.
type Selection struct {
	Title  Title // OfInterest when empty
	Note   string
	Author Person
	Images []Reference // at least one
}

// KeyObjects makes a key object selection document: PS3.16 TID 2010.
// ErrIncomplete without image, study or time.
func KeyObjects(c Context, id Identity, sel Selection) (*write.Object, error) {
	if len(sel.Images) == 0 {
		return nil, fmt.Errorf("making selection: images: %w", ErrIncomplete)
	}
	if sel.Title == "" {
		sel.Title = OfInterest
	}
	if titles[sel.Title] == "" {
		return nil, fmt.Errorf("making selection: title: %w", ErrIncomplete)
	}
	o, err := begin(KeyObject, write.ExplicitLE, "KO", c, id)
	if err != nil {
		return nil, fmt.Errorf("making selection: %w", err)
	}
	documentModules(o.Set, c, id, sel.Images, Person{})
	// The evidence of a selection is all in one sequence (PS3.3 section C.17.6.2).
	if other := o.Set.Get(0x0040A385); other != nil {
		all := other.Items
		if own := o.Set.Get(0x0040A375); own != nil {
			all = append(own.Items, all...)
		}
		o.Set.Remove(0x0040A385)
		o.Set.Sequence(0x0040A375, all...)
	}
	o.Set.Sequence(0x00081111) // referenced performed procedure step: type 2
	root := container(o.Set, code(string(sel.Title), "DCM", titles[sel.Title]))
	o.Set.Sequence(0x0040A504, template("2010"))
	if sel.Author.Name != "" {
		root.observer(Person{Name: sel.Author.Name})
	}
	if sel.Note != "" {
		root.add("CONTAINS", textItem(code("113012", "DCM", "Key Object Description"), sel.Note))
	}
	for _, r := range sel.Images {
		root.add("CONTAINS", referenceItem(r))
	}
	root.close()
	return o, nil
}
