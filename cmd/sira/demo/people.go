// Package demo makes a country in small: facilities of the Malian pyramid, a
// dozen people and cases in every state with generated images. Everything goes
// in by the doors that real work uses (directory, ingest, case log), so that a
// demo is also a rehearsal. Names and stories are invented.
package demo

import "sira/cases/directory"

// Facilities, from the village to the teaching hospital.
var facilities = []directory.Facility{
	{ID: "cscom-sangarebougou", Name: "CSCom de Sangarébougou", Kind: "CSCom", Region: "Koulikoro", Code: "SGB"},
	{ID: "cscom-tindirma", Name: "CSCom de Tindirma", Kind: "CSCom", Region: "Tombouctou", Code: "TDM"},
	{ID: "csref-kati", Name: "CSRéf de Kati", Kind: "CSRéf", Region: "Koulikoro", Code: "KAT"},
	{ID: "csref-kidal", Name: "CSRéf de Kidal", Kind: "CSRéf", Region: "Kidal", Code: "KDL"},
	{ID: "hr-gao", Name: "Hôpital régional de Gao", Kind: "EPH", Region: "Gao", Code: "GAO"},
	{ID: "chu-point-g", Name: "CHU du Point G", Kind: "CHU", Region: "Bamako", Code: "PTG"},
	{ID: "chu-gabriel-toure", Name: "CHU Gabriel Touré", Kind: "CHU", Region: "Bamako", Code: "CGT"},
	{ID: "chu-dermatologie", Name: "Hôpital de dermatologie de Bamako", Kind: "CHU", Region: "Bamako", Code: "DER"},
}

type person struct {
	login, name, title, facility, phone string
	role                                directory.Role
	specialties                         []string
}

var people = []person{
	{"a.coulibaly", "Aminata Coulibaly", "Dr", "csref-kati", "+223 70 00 00 01", "clinician", nil},
	{"i.agali", "Ibrahim Ag Ali", "Dr", "csref-kidal", "+223 70 00 00 02", "clinician", nil},
	{"f.keita", "Fatoumata Keïta", "Sage-femme", "cscom-sangarebougou", "+223 70 00 00 03", "clinician", nil},
	{"h.maiga", "Halimatou Maïga", "Dr", "hr-gao", "+223 70 00 00 04", "clinician", nil},
	{"s.traore", "Seydou Traoré", "Pr", "chu-point-g", "+223 70 00 00 11", "specialist", []string{"cardiologie"}},
	{"m.diarra", "Mariam Diarra", "Dr", "chu-gabriel-toure", "+223 70 00 00 12", "specialist", []string{"gyneco-obstetrique"}},
	{"b.sidibe", "Boubacar Sidibé", "Dr", "chu-dermatologie", "+223 70 00 00 13", "specialist", []string{"dermatologie"}},
	{"k.sangare", "Kadiatou Sangaré", "Dr", "chu-gabriel-toure", "+223 70 00 00 14", "specialist", []string{"pediatrie"}},
	{"o.toure", "Oumar Touré", "Pr", "chu-gabriel-toure", "+223 70 00 00 15", "specialist", []string{"chirurgie"}},
	{"m.kone", "Moussa Koné", "Dr", "chu-point-g", "+223 70 00 00 21", "radiologist", []string{"radiologie"}},
	{"a.dembele", "Awa Dembélé", "Dr", "chu-gabriel-toure", "+223 70 00 00 22", "radiologist", []string{"radiologie"}},
	{"a.cisse", "Assétou Cissé", "Mme", "chu-point-g", "+223 70 00 00 31", "dispatcher",
		[]string{"cardiologie", "radiologie", "dermatologie", "gyneco-obstetrique", "pediatrie", "chirurgie", "noma"}},
	{"m.sissoko", "Modibo Sissoko", "M.", "chu-point-g", "+223 70 00 00 41", "admin", nil},
}
