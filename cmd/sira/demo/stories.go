package demo

import (
	"time"

	"sira/cases"
)

// file names a generated attachment of a story.
type file string

const (
	fileCT    file = "ct"    // head CT, 64 slices
	fileUS    file = "us"    // cardiac ultrasound cine
	fileECG   file = "ecg"   // 12-lead ECG with ST elevation
	fileDX    file = "dx"    // chest radiograph with an opacity
	filePhoto file = "photo" // skin lesion
	filePDF   file = "pdf"   // referral letter
)

// step is one thing that happened to a case, some time after it was opened.
type step struct {
	after time.Duration
	by    string // login
	kind  cases.EventType
	to    string // login, for assigned
	text  string
	// opinion
	findings, conclusion, advice string
	outcome                      string
}

type story struct {
	by, specialty, urgency string
	to                     string // login the request is addressed to, or "" for the dispatcher
	ago                    time.Duration
	patient                cases.Patient
	question, history      string
	consent                string
	files                  []file
	steps                  []step
}

func years(n int) *cases.Age { return &cases.Age{Value: n, Unit: "Y"} }

func record(n string) []cases.Identifier {
	return []cases.Identifier{{System: "dossier", Value: n}}
}

// stories are the cases of the demo, one for each state that a case can be in.
var stories = []story{
	{
		by: "h.maiga", specialty: "cardiologie", urgency: "U1", to: "s.traore", ago: 48 * time.Minute,
		patient:  cases.Patient{Name: "Mariam TANGARA", Sex: "F", Age: years(31), Village: "Gao, Aljanabandia", Identifiers: record("GA-2026-2251"), Phone: "+223 66 00 00 01"},
		question: "Cardiomyopathie du péripartum ? Peut-on la traiter à Gao ?",
		history:  "Dyspnée de repos et œdèmes des membres inférieurs, trois semaines après l'accouchement. TA 100/65, FC 118, SpO2 91 % à l'air. Crépitants des deux bases. Furosémide 40 mg IV fait.",
		consent:  "oral", files: []file{fileUS, filePDF},
		steps: []step{{after: 6 * time.Minute, by: "h.maiga", kind: cases.MessagePosted, text: "Boucle d'échographie ajoutée, fenêtre apicale. La fonction me paraît basse."}},
	},
	{
		by: "f.keita", specialty: "gyneco-obstetrique", urgency: "U2", ago: 70 * time.Minute,
		patient:  cases.Patient{Name: "Djénéba SAMAKÉ", Sex: "F", Age: years(24), Village: "Sangarébougou", Identifiers: record("SB-2026-0412")},
		question: "TA 150/95 à 33 SA avec protéinurie une croix : référer aujourd'hui ?",
		history:  "G2P1. Pas de céphalées, pas de barre épigastrique, mouvements actifs perçus. Bandelette à une croix deux fois.",
		consent:  "oral", files: []file{filePDF},
	},
	{
		by: "a.coulibaly", specialty: "cardiologie", urgency: "U1", to: "s.traore", ago: 95 * time.Minute,
		patient:  cases.Patient{Name: "Moussa DOUMBIA", Sex: "M", Age: years(58), Village: "Kati Koko", Identifiers: record("KT-2026-1178")},
		question: "Sus-décalage inférieur ? Conduite à tenir sans angioplastie sur place ?",
		history:  "Douleur thoracique constrictive depuis 7 h ce matin. Tabac, HTA non suivie. TA 130/80, FC 78, SpO2 97 %. Aspirine 300 mg donnée.",
		consent:  "written", files: []file{fileECG},
		steps: []step{
			{after: 20 * time.Minute, by: "s.traore", kind: cases.ClarificationAsked, text: "Heure exacte du début de la douleur ? Avez-vous de la ténectéplase, et une contre-indication à la thrombolyse ?"},
		},
	},
	{
		by: "i.agali", specialty: "radiologie", urgency: "U2", to: "m.kone", ago: 26 * time.Hour,
		patient:  cases.Patient{Name: "Fadimata WALET AHMED", Sex: "F", Age: years(64), Village: "Kidal, Étambar", Identifiers: record("KD-2026-0093")},
		question: "Hématome ? Déplacement de la ligne médiane ? Évacuation vers Gao justifiée ?",
		history:  "Chute de sa hauteur, puis céphalées et hémiparésie gauche d'installation rapide. Glasgow 14. Pas d'anticoagulant. TA 170/95.",
		consent:  "representative", files: []file{fileCT},
		steps: []step{
			{after: 2 * time.Hour, by: "m.kone", kind: cases.OpinionGiven,
				findings:   "Hyperdensité spontanée de la région capsulo-lenticulaire, œdème périlésionnel modéré. Déviation de la ligne médiane d'environ 3 mm. Citernes de la base libres.",
				conclusion: "Hématome intraparenchymateux profond, d'allure hypertensive, sans engagement.",
				advice:     "Pas d'indication neurochirurgicale immédiate. Contrôle tensionnel progressif (PAS < 160), surveillance neurologique horaire 24 h. Évacuer si Glasgow ≤ 12 ou vomissements. Scanner de contrôle à 24 h."},
		},
	},
	{
		by: "h.maiga", specialty: "radiologie", urgency: "U3", to: "a.dembele", ago: 6 * 24 * time.Hour,
		patient:  cases.Patient{Name: "Abdoulaye CISSÉ", Sex: "M", BirthDate: "1979-04-02", Village: "Gao, Château", Identifiers: record("GA-2026-2240")},
		question: "Foyer du lobe inférieur droit ? Tuberculose à écarter ?",
		history:  "Toux productive depuis 10 jours, fièvre 39 °C, crépitants à droite. Contage tuberculeux non connu.",
		consent:  "written", files: []file{fileDX},
		steps: []step{
			{after: 90 * time.Minute, by: "a.dembele", kind: cases.OpinionGiven,
				findings:   "Opacité alvéolaire de la base droite avec bronchogramme aérien. Pas d'image cavitaire, pas d'épanchement abondant. Silhouette cardiaque normale.",
				conclusion: "Pneumopathie franche de la base droite. Pas d'argument radiologique pour une tuberculose.",
				advice:     "Amoxicilline 1 g × 3 par jour, 7 jours. Réévaluer à 72 h. Recherche de BK si la toux persiste au-delà de 3 semaines. Radiographie de contrôle à 6 semaines."},
			{after: 5 * 24 * time.Hour, by: "h.maiga", kind: cases.Closed, outcome: "improved", text: "Apyrétique à 48 h, bien cliniquement."},
		},
	},
	{
		by: "f.keita", specialty: "dermatologie", urgency: "U3", ago: 20 * time.Hour,
		patient:  cases.Patient{Name: "Awa KOUYATÉ", Sex: "F", Age: years(4), MotherName: "Rokia Kouyaté", Village: "Sangarébougou"},
		question: "Lésion de la joue depuis deux semaines, quel traitement ?",
		history:  "Plaque croûteuse, peu prurigineuse, pas de fièvre. Trois enfants de la concession ont la même chose.",
		consent:  "representative", files: []file{filePhoto},
	},
	{
		by: "i.agali", specialty: "chirurgie", urgency: "U2", ago: 3 * time.Hour,
		patient:  cases.Patient{Name: "Attaher AG MOHAMED", Sex: "M", Age: years(22), Village: "Aguelhok"},
		question: "Fracture ouverte du tibia : parage sur place ou évacuation ?",
		history:  "Accident de moto ce matin. Plaie de 4 cm, pouls pédieux perçus, sensibilité conservée. Céfazoline et SAT faits.",
		consent:  "fingerprint", files: []file{filePhoto},
	},
	{
		by: "a.coulibaly", specialty: "pediatrie", urgency: "U2", to: "k.sangare", ago: 4 * 24 * time.Hour,
		patient:  cases.Patient{Name: "Sékou BAGAYOKO", Sex: "M", Age: &cases.Age{Value: 9, Unit: "M"}, MotherName: "Nana Bagayoko", Village: "Kati"},
		question: "Malnutrition aiguë sévère avec diarrhée : schéma de réhydratation ?",
		history:  "PB 108 mm, œdèmes absents, diarrhée depuis 3 jours, pleure avec larmes. TDR palu négatif.",
		consent:  "representative",
		steps: []step{
			{after: 3 * time.Hour, by: "a.coulibaly", kind: cases.Cancelled, text: "Enfant transféré en URENI avec sa mère avant la réponse."},
		},
	},
	{
		by: "h.maiga", specialty: "radiologie", urgency: "U2", to: "m.kone", ago: 9 * 24 * time.Hour,
		patient:  cases.Patient{Name: "Oumou TOURÉ", Sex: "F", Age: years(47), Village: "Gao", Identifiers: record("GA-2026-2198")},
		question: "Opacité pulmonaire : bilan complémentaire à prévoir ?",
		history:  "Toux sèche et amaigrissement de 6 kg en trois mois. Non fumeuse.",
		consent:  "written", files: []file{fileDX},
		steps: []step{
			{after: 5 * time.Hour, by: "m.kone", kind: cases.OpinionGiven,
				findings:   "Opacité ronde paracardiaque droite à contours flous.",
				conclusion: "Aspect non spécifique : foyer infectieux ou lésion tumorale.",
				advice:     "Antibiothérapie d'épreuve 10 jours puis radiographie de contrôle ; scanner si persistance."},
			{after: 2 * 24 * time.Hour, by: "h.maiga", kind: cases.Closed, outcome: "stable", text: "Traitement débuté, contrôle prévu."},
			{after: 8 * 24 * time.Hour, by: "h.maiga", kind: cases.Reopened, text: "Radiographie de contrôle disponible : l'opacité persiste. Votre avis sur le scanner ?"},
		},
	},
}
