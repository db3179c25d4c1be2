package dimse

import "testing"

// The table of PS3.8 written once more, row by row as printed there: action and
// next state under each of Sta1..Sta13; "-" is an empty cell.
var printed = [triggerCount][stateCount]string{
	localAssociate:    row("AE1>4 - - - - - - - - - - - -"),
	connected:         row("- - - AE2>5 - - - - - - - - -"),
	gotAccept:         row("- AA1>13 AA8>13 - AE3>6 AA8>13 AA8>13 AA8>13 AA8>13 AA8>13 AA8>13 AA8>13 AA6>13"),
	gotReject:         row("- AA1>13 AA8>13 - AE4>1 AA8>13 AA8>13 AA8>13 AA8>13 AA8>13 AA8>13 AA8>13 AA6>13"),
	accepted:          row("AE5>2 - - - - - - - - - - - -"),
	gotRequest:        row("- AE6>3 AA8>13 - AA8>13 AA8>13 AA8>13 AA8>13 AA8>13 AA8>13 AA8>13 AA8>13 AA7>13"),
	localAccept:       row("- - AE7>6 - - - - - - - - - -"),
	localReject:       row("- - AE8>13 - - - - - - - - - -"),
	localData:         row("- - - - - DT1>6 - AR7>8 - - - - -"),
	gotData:           row("- AA1>13 AA8>13 - AA8>13 DT2>6 AR6>7 AA8>13 AA8>13 AA8>13 AA8>13 AA8>13 AA6>13"),
	localRelease:      row("- - - - - AR1>7 - - - - - - -"),
	gotReleaseRQ:      row("- AA1>13 AA8>13 - AA8>13 AR2>8 AR8>9 AA8>13 AA8>13 AA8>13 AA8>13 AA8>13 AA6>13"),
	gotReleaseRP:      row("- AA1>13 AA8>13 - AA8>13 AA8>13 AR3>1 AA8>13 AA8>13 AR10>12 AR3>1 AA8>13 AA6>13"),
	localReleaseReply: row("- - - - - - - AR4>13 AR9>11 - - AR4>13 -"),
	localAbort:        row("- - AA1>13 AA2>1 AA1>13 AA1>13 AA1>13 AA1>13 AA1>13 AA1>13 AA1>13 AA1>13 -"),
	gotAbort:          row("- AA2>1 AA3>1 - AA3>1 AA3>1 AA3>1 AA3>1 AA3>1 AA3>1 AA3>1 AA3>1 AA2>1"),
	transportClosed:   row("- AA5>1 AA4>1 AA4>1 AA4>1 AA4>1 AA4>1 AA4>1 AA4>1 AA4>1 AA4>1 AA4>1 AR5>1"),
	artimExpired:      row("- AA2>1 - - - - - - - - - - AA2>1"),
	gotInvalid:        row("- AA1>13 AA8>13 - AA8>13 AA8>13 AA8>13 AA8>13 AA8>13 AA8>13 AA8>13 AA8>13 AA7>13"),
}

func row(s string) (cells [stateCount]string) {
	i := 0
	for _, c := range s {
		if c == ' ' {
			i++
			continue
		}
		cells[i] += string(c)
	}
	return cells
}

var names = map[action]string{
	doNothing: "AA6", openTransport: "AE1", sendRequest: "AE2", confirmAccept: "AE3", confirmReject: "AE4",
	startTimer: "AE5", judgeRequest: "AE6", sendAccept: "AE7", sendReject: "AE8", sendReleaseRQ: "AR1",
	indicateRelease: "AR2", confirmRelease: "AR3", sendReleaseRPAndWait: "AR4", stopTimer: "AR5", collide: "AR8",
	sendReleaseRP: "AR9", confirmCollision: "AR10", abortAsUser: "AA1", closeTransport: "AA2", indicateAbort: "AA3",
	indicateProviderAbort: "AA4", stopTimerSilently: "AA5", abortAgain: "AA7", abortAsProvider: "AA8",
}

func TestTableAsPrinted(t *testing.T) {
	for trig := range triggerCount {
		for st := range stateCount {
			m := machine{state: st, requestor: true}
			do, err := m.step(trig)
			got := "-"
			if err == nil {
				got = names[do] + ">" + m.state.String()[3:]
				switch {
				case do == sendData && st == releaseAsked:
					got = "AR7>8"
				case do == sendData:
					got = "DT1>6"
				case do == takeData && st == releasing:
					got = "AR6>7"
				case do == takeData:
					got = "DT2>6"
				}
			}
			if want := printed[trig][st]; got != want {
				t.Errorf("trigger %d in %v: %s, want %s", trig, st, got, want)
			}
		}
	}
}

func TestCollisionOfTheAcceptor(t *testing.T) {
	m := machine{state: releasing}
	if do, err := m.step(gotReleaseRQ); err != nil || do != collide || m.state != collidedAcceptor {
		t.Errorf("action %d, %v, %v", do, m.state, err)
	}
}
