package dicom

// Element is one data element of a data set.
type Element struct {
	Tag     Tag
	VR      string     // as stored, or from the dictionary where the file has none (or UN)
	Section Section    // of the value; of the whole encapsulation when there are Fragments
	Items   []*DataSet // of a sequence

	Fragments []Section // of an encapsulated value
}

// DataSet is an ordered set of data elements: a file's, or one sequence item.
type DataSet struct {
}

// Has reports whether the element is present, even if empty.
func (d *DataSet) Has(t Tag) bool { return false }

// Element returns the element, or nil.
func (d *DataSet) Element(t Tag) *Element { return nil }

// Elements returns all elements in ascending order of tag.
func (d *DataSet) Elements() []*Element { return nil }

// String returns the first value as UTF-8 text without padding, "" when
// absent. Numbers are formatted; sequences and bulk give "".
func (d *DataSet) String(t Tag) string { return "" }

// Text is String that also says whether the characters are sure: false when
// the character set was missing, unknown or wrong, and had to be guessed.
func (d *DataSet) Text(t Tag) (string, bool) { return "", false }

// Strings returns all values as UTF-8 text without padding.
func (d *DataSet) Strings(t Tag) []string { return nil }

// Int returns the first value as an integer.
func (d *DataSet) Int(t Tag) (int, bool) { return 0, false }

// Ints returns all values that are integers.
func (d *DataSet) Ints(t Tag) []int { return nil }

// Float returns the first value as a number.
func (d *DataSet) Float(t Tag) (float64, bool) { return 0, false }

// Floats returns all values that are numbers.
func (d *DataSet) Floats(t Tag) []float64 { return nil }

// Bytes returns the raw value in the byte order of the file when it is held
// in memory (see Limits.InlineBytes), else nil.
func (d *DataSet) Bytes(t Tag) []byte { return nil }

// Sequence returns the items of a sequence.
func (d *DataSet) Sequence(t Tag) []*DataSet { return nil }
