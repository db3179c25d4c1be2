package directory

// Specialty is a field that an opinion can be asked of. Label is French.
type Specialty struct {
	Code  string `json:"code"`
	Label string `json:"label"`
}

// Specialties lists the fields of the national plan's first acts, in the order
// they are shown.
var Specialties = []Specialty{
	{"cardiologie", "Cardiologie"},
	{"radiologie", "Radiologie"},
	{"dermatologie", "Dermatologie"},
	{"gyneco-obstetrique", "Gynécologie-obstétrique"},
	{"pediatrie", "Pédiatrie"},
	{"chirurgie", "Chirurgie"},
	{"noma", "Noma"},
	{"neurologie", "Neurologie"},
	{"medecine-interne", "Médecine interne"},
	{"ophtalmologie", "Ophtalmologie"},
	{"orl", "ORL"},
	{"odonto-stomatologie", "Odonto-stomatologie"},
}

// IsSpecialty says whether code is one of Specialties.
func IsSpecialty(code string) bool {
	for _, s := range Specialties {
		if s.Code == code {
			return true
		}
	}
	return false
}
