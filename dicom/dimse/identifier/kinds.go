package identifier

// form tells how a value is written.
type form uint8

const (
	text    form = iota + 1 // characters, several values between backslashes
	passage                 // characters, one value
	number                  // binary
	bytes                   // as they are
	items                   // a sequence
)

// kind is what encoding and matching need to know of a VR (PS3.5 table 6.2-1
// and 7.1-1).
type kind struct {
	form  form
	width int  // of a number, in bytes
	long  bool // the explicit form has a 32-bit length
	utf8  bool // subject to Specific Character Set
	wild  bool // takes * and ? (PS3.4 section C.2.2.2.4)
	pad   byte
}

var kinds = map[string]kind{
	"AE": {form: text, wild: true, pad: ' '},
	"AS": {form: text, pad: ' '},
	"AT": {form: number, width: 4},
	"CS": {form: text, wild: true, pad: ' '},
	"DA": {form: text, pad: ' '},
	"DS": {form: text, pad: ' '},
	"DT": {form: text, pad: ' '},
	"FD": {form: number, width: 8},
	"FL": {form: number, width: 4},
	"IS": {form: text, pad: ' '},
	"LO": {form: text, utf8: true, wild: true, pad: ' '},
	"LT": {form: passage, utf8: true, wild: true, pad: ' '},
	"OB": {form: bytes, long: true},
	"OD": {form: bytes, long: true},
	"OF": {form: bytes, long: true},
	"OL": {form: bytes, long: true},
	"OV": {form: bytes, long: true},
	"OW": {form: bytes, long: true},
	"PN": {form: text, utf8: true, wild: true, pad: ' '},
	"SH": {form: text, utf8: true, wild: true, pad: ' '},
	"SL": {form: number, width: 4},
	"SQ": {form: items, long: true},
	"SS": {form: number, width: 2},
	"ST": {form: passage, utf8: true, wild: true, pad: ' '},
	"SV": {form: number, width: 8, long: true},
	"TM": {form: text, pad: ' '},
	"UC": {form: text, long: true, utf8: true, wild: true, pad: ' '},
	"UI": {form: text},
	"UL": {form: number, width: 4},
	"UN": {form: bytes, long: true},
	"UR": {form: passage, long: true, wild: true, pad: ' '},
	"US": {form: number, width: 2},
	"UT": {form: passage, long: true, utf8: true, wild: true, pad: ' '},
	"UV": {form: number, width: 8, long: true},
}
