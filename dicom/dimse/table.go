package dimse

// table is PS3.8 table 9-10. The rows that treat all states of an open
// association alike are filled in by ranges, the rest is written out.
var table = buildTable()

func buildTable() (t [triggerCount][stateCount]step) {
	on := func(e trigger, s state, do action, next state) { t[e][s] = step{true, do, next} }
	each := func(e trigger, from, to state, do action, next state) {
		for s := from; s <= to; s++ {
			on(e, s, do, next)
		}
	}
	// A PDU where none of its kind may come: before the request it is the
	// peer's first word and ARTIM runs on, later it ends the association.
	for _, e := range []trigger{gotAccept, gotReject, gotRequest, gotData, gotReleaseRQ, gotReleaseRP, gotInvalid} {
		on(e, awaitingRequest, abortAsUser, awaitingClose)
		on(e, deciding, abortAsProvider, awaitingClose)
		each(e, awaitingAnswer, acceptorReplyDue, abortAsProvider, awaitingClose)
		on(e, awaitingClose, doNothing, awaitingClose)
	}
	on(gotRequest, awaitingClose, abortAgain, awaitingClose)
	on(gotInvalid, awaitingClose, abortAgain, awaitingClose)

	// Establishment.
	on(localAssociate, idle, openTransport, connecting)
	on(connected, connecting, sendRequest, awaitingAnswer)
	on(gotAccept, awaitingAnswer, confirmAccept, established)
	on(gotReject, awaitingAnswer, confirmReject, idle)
	on(accepted, idle, startTimer, awaitingRequest)
	on(gotRequest, awaitingRequest, judgeRequest, deciding)
	on(localAccept, deciding, sendAccept, established)
	on(localReject, deciding, sendReject, awaitingClose)

	// Data transfer.
	on(localData, established, sendData, established)
	on(localData, releaseAsked, sendData, releaseAsked)
	on(gotData, established, takeData, established)
	on(gotData, releasing, takeData, releasing)

	// Release, and its collision.
	on(localRelease, established, sendReleaseRQ, releasing)
	on(gotReleaseRQ, established, indicateRelease, releaseAsked)
	on(gotReleaseRQ, releasing, collide, collidedRequestor)
	on(gotReleaseRP, releasing, confirmRelease, idle)
	on(gotReleaseRP, collidedAcceptor, confirmCollision, acceptorReplyDue)
	on(gotReleaseRP, requestorReplied, confirmRelease, idle)
	on(localReleaseReply, releaseAsked, sendReleaseRPAndWait, awaitingClose)
	on(localReleaseReply, collidedRequestor, sendReleaseRP, requestorReplied)
	on(localReleaseReply, acceptorReplyDue, sendReleaseRPAndWait, awaitingClose)

	// Abort and loss.
	on(localAbort, deciding, abortAsUser, awaitingClose)
	on(localAbort, connecting, closeTransport, idle)
	each(localAbort, awaitingAnswer, acceptorReplyDue, abortAsUser, awaitingClose)
	on(gotAbort, awaitingRequest, closeTransport, idle)
	on(gotAbort, deciding, indicateAbort, idle)
	each(gotAbort, awaitingAnswer, acceptorReplyDue, indicateAbort, idle)
	on(gotAbort, awaitingClose, closeTransport, idle)
	on(transportClosed, awaitingRequest, stopTimerSilently, idle)
	each(transportClosed, deciding, acceptorReplyDue, indicateProviderAbort, idle)
	on(transportClosed, awaitingClose, stopTimer, idle)
	on(artimExpired, awaitingRequest, closeTransport, idle)
	on(artimExpired, awaitingClose, closeTransport, idle)
	return t
}
