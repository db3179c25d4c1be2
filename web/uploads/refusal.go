package uploads

import (
	"errors"

	"sira/dicom"
)

// Refusal is why a file isn't taken: a stable code and what the user should
// do, in French.
type Refusal struct {
	Code, Message string
}

func (r *Refusal) Error() string { return "uploads: refused: " + r.Code }

var refusals = map[string]string{
	"unsupported-type":   "Type de fichier non pris en charge. Sira prend les fichiers DICOM, JPEG, PNG, PDF, MP4, les ECG (SCP, aECG) et les ZIP qui en contiennent.",
	"empty":              "Fichier vide : choisissez-le à nouveau depuis l’appareil d’origine.",
	"heic":               "Photo au format HEIC : réglez l’appareil photo sur « le plus compatible » (JPEG), ou envoyez une capture d’écran de la photo.",
	"broken-image":       "Image abîmée ou incomplète : reprenez la photo ou renvoyez le fichier d’origine.",
	"image-too-large":    "Image trop grande (plus de 100 millions de points) : réduisez-la avant de l’envoyer.",
	"truncated-pdf":      "PDF incomplet : renvoyez le fichier d’origine.",
	"truncated-video":    "Vidéo incomplète : renvoyez le fichier d’origine.",
	"nested-zip":         "Un ZIP dans un ZIP n’est pas ouvert : envoyez ce ZIP à part.",
	"broken-zip":         "ZIP abîmé ou incomplet : refaites l’archive et renvoyez-la.",
	"encrypted-zip":      "ZIP protégé par un mot de passe : refaites l’archive sans mot de passe.",
	"empty-zip":          "Ce ZIP ne contient aucun fichier.",
	"zip-bomb":           "Ce ZIP grossit de façon anormale en s’ouvrant ; par sécurité il n’est pas ouvert. Envoyez les fichiers eux-mêmes.",
	"zip-too-many":       "Ce ZIP contient trop de fichiers (5 000 au plus) : découpez-le.",
	"zip-too-large":      "Ce ZIP est trop gros une fois ouvert (8 Go au plus) : découpez-le.",
	"unreadable":         "La lecture de ce fichier a échoué ; il est peut-être abîmé. Renvoyez le fichier d’origine.",
	"instance-conflict":  "Une autre image porte déjà ce numéro d’identification DICOM avec un contenu différent. Le fichier est mis en quarantaine ; un administrateur ou un régulateur décidera.",
	"case-closed":        "Le dossier n’accepte plus de fichiers. Demandez sa réouverture, puis renvoyez.",
	"case-full":          "Ce dossier ne peut pas recevoir plus de fichiers.",
	"forbidden":          "Vous ne pouvez pas ajouter de fichiers à ce dossier.",
	"lost":               "Le fichier reçu n’est plus sur le serveur : renvoyez-le.",
	"not-dicom":          "Ce fichier se dit DICOM mais ne l’est pas : renvoyez le fichier d’origine de l’appareil.",
	"truncated":          "Fichier DICOM incomplet : refaites la copie depuis l’appareil ou le CD, puis renvoyez-le.",
	"too-deep":           "Fichier DICOM de structure anormale (imbrications) : renvoyez l’original ou prévenez l’administrateur.",
	"too-many-elements":  "Fichier DICOM de structure anormale (trop d’éléments) : renvoyez l’original ou prévenez l’administrateur.",
	"element-too-large":  "Fichier DICOM de structure anormale (élément trop grand) : renvoyez l’original ou prévenez l’administrateur.",
	"header-too-large":   "Fichier DICOM de structure anormale (en-tête trop grand) : renvoyez l’original ou prévenez l’administrateur.",
	"inflated-too-large": "Fichier DICOM trop grand une fois décompressé : exportez-le sans compression.",
	"bad-length":         "Fichier DICOM abîmé (longueurs fausses) : refaites la copie depuis l’appareil, puis renvoyez-le.",
	"malformed":          "Fichier DICOM abîmé : refaites la copie depuis l’appareil, puis renvoyez-le.",
	"unsupported":        "Ce genre d’objet DICOM n’est pas pris en charge.",
	"no-sop-instance":    "Fichier DICOM sans numéro d’identification : exportez-le à nouveau depuis l’appareil.",
	"bad-uid":            "Fichier DICOM au numéro d’identification faux : exportez-le à nouveau depuis l’appareil.",
	"timeout":            "La lecture de ce fichier DICOM a pris trop de temps ; il est peut-être abîmé.",
}

// notices are outcomes of duplicates.
var notices = map[string]string{
	"same-content": "Déjà dans ce dossier : rien à faire.",
	"dicomdir":     "Sommaire de CD (DICOMDIR) lu : ses images sont reçues à part. Choisissez tout le dossier du CD si elles manquent.",
}

func refusal(code string) *Refusal {
	msg, ok := refusals[code]
	if !ok {
		return &Refusal{Code: "unreadable", Message: refusals["unreadable"]}
	}
	return &Refusal{Code: code, Message: msg}
}

// Refuse makes the refusal of a known code, for Config.Deliver.
func Refuse(code string) *Refusal { return refusal(code) }

// refusalOf tells a file's fault from the server's: nil means try again later.
func refusalOf(err error) *Refusal {
	var r *Refusal
	if errors.As(err, &r) {
		return r
	}
	var d *dicom.Error
	if errors.As(err, &d) {
		return refusal(string(d.Reason))
	}
	return nil
}
