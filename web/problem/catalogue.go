package problem

import "sort"

type entry struct {
	status        int
	title, detail string
}

// catalogue is every problem the server states, in the words of its users.
var catalogue = map[string]entry{
	"unauthenticated":      {401, "Connexion nécessaire", "Connectez-vous, puis recommencez. Ce que vous avez écrit est gardé sur cet appareil."},
	"bad-credentials":      {401, "Identifiant ou mot de passe incorrect", "Vérifiez l’identifiant et le mot de passe, puis recommencez."},
	"throttled":            {429, "Trop d’essais", "Attendez un moment avant de recommencer."},
	"forbidden":            {403, "Action non permise", "Votre rôle ou l’état du dossier ne permet pas cette action."},
	"cross-origin":         {403, "Demande venue d’un autre site", "Ouvrez Sira dans cet onglet et recommencez."},
	"not-found":            {404, "Introuvable", "Ce dossier ou ce fichier n’existe pas, ou vous n’y participez pas."},
	"method":               {405, "Méthode non prise en charge", "Cette adresse ne connaît pas cette méthode."},
	"conflict":             {409, "Quelqu’un a agi avant vous", "Relisez le dossier ; votre texte est gardé et peut être envoyé comme message."},
	"bad-request":          {400, "Demande illisible", "La demande n’a pas la forme attendue."},
	"too-large":            {413, "Trop volumineux", "Envoyez moins à la fois."},
	"media-type":           {415, "Format non pris en charge", "Envoyez du JSON (application/json)."},
	"invalid":              {422, "Donnée à corriger", "Corrigez ce qui est signalé, puis renvoyez."},
	"range":                {416, "Plage hors du fichier", "Demandez des octets que le fichier contient."},
	"unsupported":          {422, "Image dans un format pas encore pris en charge", "Téléchargez le fichier original pour l’ouvrir dans un autre logiciel."},
	"no-preview":           {404, "Pas de vignette", "Ce fichier n’a pas d’aperçu ; ouvrez-le."},
	"broken-file":          {422, "Fichier illisible", "Le fichier est abîmé ; demandez un nouvel envoi."},
	"upload-too-large":     {413, "Fichier trop gros", "Ce fichier dépasse la taille permise. Découpez-le ou envoyez les séries séparément."},
	"disk-full":            {507, "Plus de place sur le serveur", "Le serveur n’a plus assez de place pour ce fichier. Il n’est pas perdu : gardez-le et prévenez l’administrateur."},
	"upload-unknown":       {404, "Envoi introuvable", "Cet envoi n’existe plus ; recommencez-le."},
	"upload-gone":          {404, "Envoi expiré", "Cet envoi est resté trop longtemps inachevé ; recommencez-le."},
	"upload-offset":        {409, "Envoi à reprendre", "Demandez au serveur où il en est (HEAD), puis reprenez à cet octet."},
	"upload-locked":        {423, "Envoi déjà en cours", "Ce fichier est déjà en train d’arriver par une autre connexion ; attendez un instant."},
	"upload-cut":           {503, "Envoi interrompu", "La liaison s’est coupée ; l’envoi reprend à l’octet où il s’est arrêté."},
	"upload-done":          {409, "Fichier déjà reçu", "Ce fichier est déjà arrivé en entier ; il ne peut plus être annulé."},
	"upload-bad":           {400, "Envoi mal formé", "Le navigateur a envoyé une demande incomplète ; rechargez la page et recommencez."},
	"tus-version":          {412, "Protocole d’envoi non pris en charge", "Le serveur parle tus 1.0.0."},
	"patient-differs":      {409, "Patient peut-être différent", "Le nom ou le sexe inscrit par l’appareil ne correspond pas au patient du dossier. Vérifiez, puis confirmez le rattachement."},
	"own-account":          {409, "C’est votre propre compte", "Vous ne pouvez pas fermer votre propre compte. Demandez-le à un autre administrateur."},
	"export-look":          {422, "Images à regarder", "Des images peuvent porter un nom. Regardez-les avant l’envoi."},
	"export-recipient":     {422, "Destinataire à préciser", "Écrivez à qui, et pourquoi, ces fichiers sont remis."},
	"export-nothing":       {422, "Rien à envoyer", "Aucun fichier de ce dossier ne peut partir sans l’identité."},
	"no-waveform":          {422, "Tracé illisible", "Cet enregistrement ne peut pas être lu comme un ECG ; téléchargez le fichier original."},
	"bad-sdp":              {400, "Description de session illisible", "L’appareil a envoyé une offre que Sira ne comprend pas ; vérifiez ses réglages (WHIP, VP8, VP9 ou H.264, Opus)."},
	"tag-missing":          {428, "Session ICE non nommée", "Nommez la session ICE dans If-Match : son étiquette pour des candidats, « * » pour recommencer."},
	"tag-differs":          {412, "Session ICE dépassée", "La connexion a été refaite entre-temps ; employez la dernière étiquette reçue."},
	"call-full":            {503, "Appel complet", "Il n’y a plus de place dans cet appel ; recommencez quand quelqu’un l’aura quitté."},
	"call-gone":            {410, "Connexion à refaire", "La connexion préparée n’existe plus ; rejoignez l’appel."},
	"invitation-unknown":   {404, "Lien inconnu", "Ce lien n’est pas complet ou n’existe pas. Demandez un nouveau lien à la personne qui vous invite."},
	"invitation-expired":   {410, "Lien expiré", "Ce lien n’est plus valable. Demandez un nouveau lien à la personne qui vous invite."},
	"invitation-used":      {410, "Lien déjà utilisé", "Ce lien a déjà servi sur un autre appareil et ne sert qu’une fois. Demandez un nouveau lien à la personne qui vous invite."},
	"invitation-withdrawn": {410, "Invitation reprise", "Cette invitation a été reprise. Demandez un nouveau lien à la personne qui vous invite."},
	"invitation-ended":     {410, "Invitation terminée", "Cette invitation a pris fin : l’appel s’est terminé pour vous. Demandez un nouveau lien si on vous attend encore."},
	"invitations-full":     {409, "Trop d’invitations", "Dix invitations sont déjà en cours pour ce dossier. Reprenez-en une, puis recommencez."},
	"guest-session":        {401, "Lien nécessaire", "Ouvrez le lien que vous avez reçu pour rejoindre l’appel."},
	"guest-closed":         {410, "Appel terminé", "Cet appel n’est plus ouvert. Demandez un nouveau lien à la personne qui vous invite."},
	"guest-away":           {409, "Cette personne n’attend plus", "Cette personne a quitté la salle d’attente. Elle pourra entrer quand elle reviendra."},
	"unavailable":          {503, "Momentanément indisponible", "Recommencez dans un instant ; rien de ce qui a été reçu n’est perdu."},
	"internal":             {500, "Erreur du serveur", "Recommencez ; si cela continue, donnez ce numéro à l’administrateur."},
}

// Codes lists the catalogue, sorted, for the API description's test.
func Codes() []string {
	out := make([]string, 0, len(catalogue))
	for c := range catalogue {
		out = append(out, c)
	}
	sort.Strings(out)
	return out
}
