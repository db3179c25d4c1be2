package dimse

import "fmt"

// state of an association (PS3.8 section 9.2.1). Comments give the standard's
// numbers.
type state uint8

const (
	idle              state = iota // Sta1: no transport connection
	awaitingRequest                // Sta2: accepted the connection, ARTIM runs
	deciding                       // Sta3: accept or reject?
	connecting                     // Sta4: opening the connection
	awaitingAnswer                 // Sta5: A-ASSOCIATE-RQ sent
	established                    // Sta6
	releasing                      // Sta7: A-RELEASE-RQ sent
	releaseAsked                   // Sta8: A-RELEASE-RQ received, reply due
	collidedRequestor              // Sta9: both asked; the requestor replies first
	collidedAcceptor               // Sta10: both asked; the acceptor awaits the reply
	requestorReplied               // Sta11: collision: requestor awaits the reply
	acceptorReplyDue               // Sta12: collision: acceptor replies
	awaitingClose                  // Sta13: nothing left to say, ARTIM runs
	stateCount
)

func (s state) String() string { return fmt.Sprintf("Sta%d", s+1) }

// trigger is what happens to an association (PS3.8 table 9-10, left column).
type trigger uint8

const (
	localAssociate    trigger = iota // the user wants an association
	connected                        // transport open, on the requestor's side
	gotAccept                        // A-ASSOCIATE-AC
	gotReject                        // A-ASSOCIATE-RJ
	accepted                         // transport open, on the acceptor's side
	gotRequest                       // A-ASSOCIATE-RQ
	localAccept                      // the user accepts
	localReject                      // the user rejects
	localData                        // P-DATA to send
	gotData                          // P-DATA-TF
	localRelease                     // the user wants to end in order
	gotReleaseRQ                     // A-RELEASE-RQ
	gotReleaseRP                     // A-RELEASE-RP
	localReleaseReply                // the user agrees to the release
	localAbort                       // the user gives up
	gotAbort                         // A-ABORT
	transportClosed                  // the connection is gone
	artimExpired                     // association request/reject/release timer
	gotInvalid                       // unrecognised or invalid PDU
	triggerCount
)

// action is what the machine asks for (PS3.8 tables 9-6 to 9-9).
type action uint8

const (
	doNothing             action = iota // AA-6: ignore
	openTransport                       // AE-1
	sendRequest                         // AE-2
	confirmAccept                       // AE-3
	confirmReject                       // AE-4: and close
	startTimer                          // AE-5
	judgeRequest                        // AE-6
	sendAccept                          // AE-7
	sendReject                          // AE-8: and start ARTIM
	sendData                            // DT-1, AR-7
	takeData                            // DT-2, AR-6
	sendReleaseRQ                       // AR-1
	indicateRelease                     // AR-2
	confirmRelease                      // AR-3: and close
	sendReleaseRPAndWait                // AR-4: and start ARTIM
	stopTimer                           // AR-5
	collide                             // AR-8: indicate the release collision
	sendReleaseRP                       // AR-9
	confirmCollision                    // AR-10
	abortAsUser                         // AA-1: send A-ABORT, start ARTIM
	closeTransport                      // AA-2
	indicateAbort                       // AA-3: and close
	indicateProviderAbort               // AA-4: the connection broke
	stopTimerSilently                   // AA-5
	abortAgain                          // AA-7: send A-ABORT, ARTIM goes on
	abortAsProvider                     // AA-8: send A-ABORT, indicate, start ARTIM
	actionCount
)

// step is one cell of the table.
type step struct {
	known bool
	do    action
	next  state
}

// machine follows one association. It does nothing itself: the association
// carries out the action that step answers.
type machine struct {
	state     state
	requestor bool
}

// errState is a local request the state does not allow; what a peer does wrong
// is answered by an action instead.
type errState struct {
	trigger trigger
	state   state
}

func (e errState) Error() string {
	return fmt.Sprintf("association: trigger %d is not possible in %v", e.trigger, e.state)
}

func (m *machine) step(t trigger) (action, error) {
	s := table[t][m.state]
	if !s.known {
		return doNothing, errState{t, m.state}
	}
	m.state = s.next
	// The one cell with two outcomes: AR-8 parts requestor and acceptor.
	if s.do == collide && !m.requestor {
		m.state = collidedAcceptor
	}
	return s.do, nil
}
