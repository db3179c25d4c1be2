package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"sira/cases/directory"
)

func usageUser(w io.Writer) {
	fmt.Fprint(w, `Usage:
  sira user create --login LOGIN --name NAME --role ROLE [--title T] [--facility ID] [--specialties A,B] [--phone P]
                   [--facility-name NAME --facility-kind CSRéf --facility-code ABC --region R]    when the facility is new
  sira user list
  sira user password --login LOGIN
  sira user disable --login LOGIN
  sira user enable --login LOGIN

A password is read from standard input, or from SIRA_PASSWORD.
Roles: clinician, specialist, radiologist, dispatcher, admin.
Every setting of "sira serve" that says where the data is applies (--data, --database).
`)
}

func usageToken(w io.Writer) {
	fmt.Fprint(w, `Usage:
  sira token create --user LOGIN [--label TEXT]    prints a token for Authorization: Bearer TOKEN, once
  sira token list --user LOGIN
  sira token revoke --id ID

Every setting of "sira serve" that says where the data is applies (--data, --database).
`)
}

// account are the flags of the user and token commands.
type account struct {
	login, name, title, role, facility, specialties, phone string
	facilityName, facilityKind, facilityCode, region       string
	user, label, id                                        string
}

func (a *account) flags(fs *flag.FlagSet) {
	fs.StringVar(&a.login, "login", "", "login of the person")
	fs.StringVar(&a.name, "name", "", "name of the person")
	fs.StringVar(&a.title, "title", "", "Dr, Pr, Sage-femme")
	fs.StringVar(&a.role, "role", "", "clinician, specialist, radiologist, dispatcher or admin")
	fs.StringVar(&a.facility, "facility", "", "ID of the person's facility")
	fs.StringVar(&a.facilityName, "facility-name", "", "name of the facility, when it is new")
	fs.StringVar(&a.facilityKind, "facility-kind", "CSRéf", "CSCom, CSRéf, EPH or CHU, when it is new")
	fs.StringVar(&a.facilityCode, "facility-code", "", "short code that prefixes its case numbers, when it is new")
	fs.StringVar(&a.region, "region", "", "region of the facility, when it is new")
	fs.StringVar(&a.specialties, "specialties", "", "codes of specialties, comma-separated")
	fs.StringVar(&a.phone, "phone", "", "telephone")
	fs.StringVar(&a.user, "user", "", "login of the token's owner")
	fs.StringVar(&a.label, "label", "", "what the token is for")
	fs.StringVar(&a.id, "id", "", "ID of a token")
}

// withDirectory parses the flags after the sub-command, opens the data and runs
// fn on it.
func withDirectory(ctx context.Context, name string, args []string, stderr io.Writer, fn func(context.Context, *directory.Directory, account) error) error {
	var a account
	c, err := parseConfig(name, args, stderr, nil, a.flags)
	if err != nil {
		return err
	}
	s, err := openStores(ctx, c)
	if err != nil {
		return err
	}
	return errors.Join(fn(ctx, s.directory, a), s.db.Close())
}

func runUser(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	verb, rest := first(args)
	var fn func(context.Context, *directory.Directory, account) error
	switch verb {
	case "create":
		fn = func(ctx context.Context, d *directory.Directory, a account) error {
			return createUser(ctx, d, a, stdout, stderr)
		}
	case "list":
		fn = func(ctx context.Context, d *directory.Directory, _ account) error { return listUsers(ctx, d, stdout) }
	case "password":
		fn = func(ctx context.Context, d *directory.Directory, a account) error {
			return changePassword(ctx, d, a, stderr)
		}
	case "disable", "enable":
		fn = func(ctx context.Context, d *directory.Directory, a account) error {
			u, err := d.UserByLogin(ctx, a.login)
			if err != nil {
				return fmt.Errorf("looking for %q: %w", a.login, err)
			}
			u.Disabled = verb == "disable"
			return d.UpdateUser(ctx, u)
		}
	default:
		usageUser(stderr)
		return errUsage
	}
	return withDirectory(ctx, "user "+verb, rest, stderr, fn)
}

func runToken(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	verb, rest := first(args)
	var fn func(context.Context, *directory.Directory, account) error
	switch verb {
	case "create":
		fn = func(ctx context.Context, d *directory.Directory, a account) error {
			u, err := d.UserByLogin(ctx, a.user)
			if err != nil {
				return fmt.Errorf("looking for %q: %w", a.user, err)
			}
			token, err := d.NewToken(ctx, u.ID, a.label)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(stdout, token)
			return err
		}
	case "list":
		fn = func(ctx context.Context, d *directory.Directory, a account) error {
			return listTokens(ctx, d, a, stdout)
		}
	case "revoke":
		fn = func(ctx context.Context, d *directory.Directory, a account) error { return d.RevokeToken(ctx, a.id) }
	default:
		usageToken(stderr)
		return errUsage
	}
	return withDirectory(ctx, "token "+verb, rest, stderr, fn)
}

func createUser(ctx context.Context, d *directory.Directory, a account, stdout, stderr io.Writer) error {
	if a.login == "" || a.name == "" || a.role == "" {
		return errors.New("--login, --name and --role are needed")
	}
	if a.facilityName != "" {
		f := directory.Facility{ID: a.facility, Name: a.facilityName, Kind: a.facilityKind, Region: a.region, Code: a.facilityCode}
		if err := d.PutFacility(ctx, f); err != nil {
			return fmt.Errorf("recording facility %s: %w", a.facility, err)
		}
	}
	password, err := readPassword(stderr)
	if err != nil {
		return err
	}
	u, err := d.CreateUser(ctx, directory.User{Login: a.login, Name: a.name, Title: a.title, Role: directory.Role(a.role),
		Facility: directory.Facility{ID: a.facility}, Specialties: splitList(a.specialties), Phone: a.phone}, password)
	if err != nil {
		return fmt.Errorf("creating %s: %w", a.login, err)
	}
	_, err = fmt.Fprintln(stdout, u.ID)
	return err
}

func changePassword(ctx context.Context, d *directory.Directory, a account, stderr io.Writer) error {
	u, err := d.UserByLogin(ctx, a.login)
	if err != nil {
		return fmt.Errorf("looking for %q: %w", a.login, err)
	}
	password, err := readPassword(stderr)
	if err != nil {
		return err
	}
	return d.SetPassword(ctx, u.ID, password)
}

// readPassword takes it from the environment or standard input, never from a
// flag, which other users of the machine could read.
func readPassword(stderr io.Writer) (string, error) {
	if p := os.Getenv("SIRA_PASSWORD"); p != "" {
		return p, nil
	}
	fmt.Fprint(stderr, "Password: ")
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && line == "" {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

func listUsers(ctx context.Context, d *directory.Directory, stdout io.Writer) error {
	users, err := d.Users(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(stdout, 0, 4, 2, ' ', 0)
	for _, u := range users {
		state := ""
		if u.Disabled {
			state = "disabled"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", u.Login, u.Role, u.Title+" "+u.Name, u.Facility.Name, strings.Join(u.Specialties, ","), state)
	}
	return w.Flush()
}

func listTokens(ctx context.Context, d *directory.Directory, a account, stdout io.Writer) error {
	u, err := d.UserByLogin(ctx, a.user)
	if err != nil {
		return fmt.Errorf("looking for %q: %w", a.user, err)
	}
	tokens, err := d.Tokens(ctx, u.ID)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(stdout, 0, 4, 2, ' ', 0)
	for _, t := range tokens {
		fmt.Fprintf(w, "%s\t%s\t%s\n", t.ID, t.Created.Format("2006-01-02 15:04"), t.Label)
	}
	return w.Flush()
}

func first(args []string) (string, []string) {
	if len(args) == 0 {
		return "", nil
	}
	return args[0], args[1:]
}
