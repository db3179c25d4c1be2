package signaling

import (
	"fmt"

	"github.com/gorilla/websocket"
)

// code is why a call ends, in `error` messages.
type code string

// The codes, all but codeNone told to the client before the connection is
// closed.
const (
	codeNone       code = "" // the client left by itself
	codeBadMessage code = "bad-message"
	codeBadSDP     code = "bad-sdp"
	codeRoomFull   code = "room-full"
	codeForbidden  code = "forbidden"
	codeReplaced   code = "replaced"
	codeTooFast    code = "too-fast"
	codeLate       code = "join-timeout"
	codeClosing    code = "server-closing"
	codeInternal   code = "internal"
	codeGone       code = "gone"
	codeDoorFull   code = "waiting-full"
	codeRefused    code = "refused"
	codeRemoved    code = "removed"
	codeWithdrawn  code = "withdrawn"
	codeAlone      code = "alone"
)

// reasons gives each code its sentence for the user and the WebSocket close
// code (RFC 6455, 7.4.1).
var reasons = map[code]struct {
	message string
	close   int
}{
	codeNone:       {"", websocket.CloseNormalClosure},
	codeBadMessage: {"Le serveur n'a pas compris un message de l'appel. Rechargez la page.", websocket.CloseInvalidFramePayloadData},
	codeBadSDP:     {"La connexion audio et vidéo n'a pas pu être préparée. Relancez l'appel.", websocket.ClosePolicyViolation},
	codeRoomFull:   {"L'appel est complet.", websocket.CloseTryAgainLater},
	codeForbidden:  {"Vous n'avez pas accès à cet appel.", websocket.ClosePolicyViolation},
	codeReplaced:   {"Vous avez rejoint l'appel depuis une autre page ou un autre appareil.", websocket.ClosePolicyViolation},
	codeTooFast:    {"Trop de messages ont été envoyés. Relancez l'appel.", websocket.ClosePolicyViolation},
	codeLate:       {"L'entrée dans l'appel a pris trop de temps. Réessayez.", websocket.ClosePolicyViolation},
	codeClosing:    {"Le serveur redémarre. L'appel reprendra dans un instant.", websocket.CloseGoingAway},
	codeInternal:   {"L'appel a été interrompu par une erreur du serveur. Relancez l'appel.", websocket.CloseInternalServerErr},
	codeGone:       {"L'appel a été coupé trop longtemps. Il reprend depuis le début.", websocket.ClosePolicyViolation},
	codeDoorFull:   {"Trop de personnes attendent déjà d'entrer. Réessayez dans quelques minutes.", websocket.CloseTryAgainLater},
	codeRefused:    {"On n'a pas pu vous faire entrer dans cet appel.", websocket.ClosePolicyViolation},
	codeRemoved:    {"On a mis fin à votre participation à cet appel.", websocket.ClosePolicyViolation},
	codeWithdrawn:  {"Cette invitation a été reprise. Demandez un nouveau lien à la personne qui vous invite.", websocket.ClosePolicyViolation},
	codeAlone:      {"Il n'y a plus que vous dans l'appel. Revenez quand la personne qui vous invite y sera.", websocket.CloseNormalClosure},
}

func text(c code) string { return reasons[c].message }

// failure is an error with the code that the client is told.
type failure struct {
	code code
	err  error
}

func (f *failure) Error() string { return fmt.Sprintf("%s: %v", f.code, f.err) }
func (f *failure) Unwrap() error { return f.err }

func fail(c code, format string, args ...any) *failure {
	return &failure{c, fmt.Errorf(format, args...)}
}
