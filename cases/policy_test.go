package cases

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"sira/cases/directory"
)

// The policy as a table, written a second time and by hand: for each person and
// action the statuses in which it is allowed. S submitted, A assigned,
// C clarification, R answered, X closed, K cancelled.
const policyTable = `
                      opener  addressee  assignee  dispatcher
view                  SACRXK  SACRXK     SACRXK    SACRXK
post-message          SACR    SACR       SACR      SACR
attach                SACRX   SACRX      SACRX     -
assign                -       -          -         SAC
ask                   -       AC         AC        -
answer-clarification  C       -          -         -
give-opinion          -       AC         AC        -
close                 R       -          -         R
reopen                RX      RX         RX        RX
cancel                SAC     -          -         SAC
call                  SACR    SACR       SACR      SACR
export                SACRXK  SACRXK     SACRXK    -
see-access-log        SACRXK  SACRXK     SACRXK    SACRXK
attach-study          SACR    -          -         SACR
schedule              SACR    -          -         -
mark-image            SACRX   SACRX      SACRX     -
export-anonymous      SACRX   SACRX      SACRX     -
invite                SACR    SACR       SACR      -
admit                 SACR    SACR       SACR      SACR
create                -       -          -         -
`

var statusLetters = map[string]Status{"S": Submitted, "A": InAnalysis, "C": Clarification, "R": Answered, "X": StatusClosed, "K": StatusCancelled}

// policyCast is who stands in the columns of policyTable.
var policyCast = map[string]string{"opener": "aminata", "addressee": "seydou", "assignee": "kone", "dispatcher": "assetou"}

func policyCase(status Status) *State {
	return &State{ID: id1, Status: status, Clinician: "aminata", Assignees: []string{"seydou", "kone"},
		Participants: []string{"aminata", "seydou", "kone"}, Opened: OpenedData{Specialty: "cardiologie", To: []string{"seydou"}}}
}

func readPolicyTable(t *testing.T) map[Action]map[string]string {
	t.Helper()
	rows := strings.Split(strings.TrimSpace(policyTable), "\n")
	columns := strings.Fields(rows[0])
	table := map[Action]map[string]string{}
	for _, row := range rows[1:] {
		cells := strings.Fields(row)
		table[Action(cells[0])] = map[string]string{}
		for i, c := range columns {
			table[Action(cells[0])][c] = cells[i+1]
		}
	}
	return table
}

func TestAllowTable(t *testing.T) {
	table := readPolicyTable(t)
	if len(table) != len(Actions)+1 {
		t.Fatalf("%d actions in the table, %d exist", len(table), len(Actions)+1)
	}
	for action, cells := range table {
		for column, name := range policyCast {
			for letter, status := range statusLetters {
				err := Allow(person(name), action, policyCase(status))
				want := strings.Contains(cells[column], letter)
				if (err == nil) != want {
					t.Errorf("%s by %s when %s: got %v, want allowed %v", action, column, status, err, want)
				}
				var late *UserError
				if err != nil && !errors.Is(err, ErrForbidden) && (!errors.As(err, &late) || late.Code != "wrong-status" || cells[column] == "-") {
					t.Errorf("%s by %s when %s: odd refusal %v", action, column, status, err)
				}
				if cells[column] == "-" && !errors.Is(err, ErrForbidden) {
					t.Errorf("%s by %s when %s: got %v, want ErrForbidden", action, column, status, err)
				}
			}
		}
	}
}

// Nobody else may do anything, whatever their role, and in no status.
func TestAllowStrangers(t *testing.T) {
	strangers := map[string]directory.User{
		"unrelated clinician":              person("halima"),
		"specialist of the same specialty": person("mariam"),
		"dispatcher of another":            person("oumar"),
		"admin":                            person("modibo"),
		"nobody":                           {},
		"opener without a role":            {ID: "aminata"},
		"opener with an unknown role":      {ID: "aminata", Role: "root"},
	}
	for _, name := range []string{"aminata", "seydou", "kone", "assetou"} {
		off := person(name)
		off.Disabled = true
		strangers["disabled "+name] = off
	}
	for role := range slices.Values(directory.Roles) {
		strangers["unrelated "+string(role)] = directory.User{ID: "x", Role: role, Specialties: []string{"radiologie"}}
	}
	for name, u := range strangers {
		for _, status := range statusLetters {
			for _, action := range append([]Action{Create, "invented", ""}, Actions...) {
				if err := Allow(u, action, policyCase(status)); !errors.Is(err, ErrForbidden) {
					t.Errorf("%s by %s when %s: got %v", action, name, status, err)
				}
			}
			if may := Permitted(u, policyCase(status)); len(may) != 0 {
				t.Errorf("%s may %v", name, may)
			}
		}
	}
}

func TestAllowCreate(t *testing.T) {
	for _, role := range directory.Roles {
		err := Allow(directory.User{ID: "x", Role: role}, Create, nil)
		if (err == nil) != (role == directory.Clinician) {
			t.Errorf("create by %s: %v", role, err)
		}
	}
	for _, action := range Actions {
		wantErr(t, Allow(person("aminata"), action, nil), ErrForbidden)
	}
}

// An assignee whose role changed keeps what they took part in, but gives no
// opinion any more.
func TestAllowFormerExpert(t *testing.T) {
	u := person("seydou")
	u.Role = directory.Admin
	wantErr(t, Allow(u, GiveOpinion, policyCase(InAnalysis)), ErrForbidden)
	wantErr(t, Allow(u, Ask, policyCase(InAnalysis)), ErrForbidden)
	must(t, Allow(u, View, policyCase(InAnalysis)))
}

func TestPermitted(t *testing.T) {
	got := Permitted(person("seydou"), policyCase(InAnalysis))
	want := []Action{View, PostMessage, Attach, Ask, GiveOpinion, Call, Export, SeeAccessLog, MarkImage, ExportAnonymous, Invite, Admit}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
