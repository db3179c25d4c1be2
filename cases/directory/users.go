package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"sira/storage"
)

const userColumns = `u.id, u.login, u.name, u.title, u.role, u.phone, u.disabled,
	COALESCE(f.id, ''), COALESCE(f.name, ''), COALESCE(f.kind, ''),
	COALESCE(f.region, ''), COALESCE(f.code, ''), COALESCE(f.phone, '')`

const userTables = `directory_users u LEFT JOIN directory_facilities f ON f.id = u.facility`

// CreateUser makes an account and gives it as stored. An empty ID is replaced by
// a new one. With an empty password nobody can log in until SetPassword: machines
// use tokens. Errors: ErrInvalid, ErrWeakPassword, ErrLoginTaken, ErrNotFound
// (facility).
func (d *Directory) CreateUser(ctx context.Context, u User, password string) (User, error) {
	if u.ID == "" {
		u.ID = uuid.NewString()
	}
	if err := errors.Join(checkID("id", u.ID), checkUser(u)); err != nil {
		return User{}, err
	}
	hash, err := d.newHash(ctx, password)
	if err != nil {
		return User{}, err
	}
	err = d.db.Tx(ctx, func(tx storage.Querier) error {
		facility, err := facilityRef(ctx, tx, u.Facility.ID)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO directory_users
			(id, login, login_key, name, title, role, facility, phone, disabled, password, created)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			u.ID, u.Login, loginKey(u.Login), u.Name, u.Title, string(u.Role), facility, u.Phone,
			flag(u.Disabled), hash, d.now().UnixMilli())
		if err != nil {
			return err
		}
		return putSpecialties(ctx, tx, u)
	})
	if storage.IsUnique(err) {
		return User{}, ErrLoginTaken
	}
	if err != nil {
		return User{}, fmt.Errorf("creating user: %w", err)
	}
	return d.User(ctx, u.ID)
}

// newHash is "" for no password.
func (d *Directory) newHash(ctx context.Context, password string) (string, error) {
	if password == "" {
		return "", nil
	}
	if err := checkPassword(password); err != nil {
		return "", err
	}
	return d.hashes.hash(ctx, password)
}

// UpdateUser replaces everything but the password of the user with that ID.
// Disabling an account ends its sessions and tokens in the same transaction.
// Errors: ErrNotFound, ErrInvalid, ErrLoginTaken.
func (d *Directory) UpdateUser(ctx context.Context, u User) error {
	if err := errors.Join(checkID("id", u.ID), checkUser(u)); err != nil {
		return err
	}
	err := d.db.Tx(ctx, func(tx storage.Querier) error {
		facility, err := facilityRef(ctx, tx, u.Facility.ID)
		if err != nil {
			return err
		}
		err = one(tx.Exec(ctx, `UPDATE directory_users SET login = ?, login_key = ?, name = ?, title = ?,
			role = ?, facility = ?, phone = ?, disabled = ? WHERE id = ?`,
			u.Login, loginKey(u.Login), u.Name, u.Title, string(u.Role), facility, u.Phone, flag(u.Disabled), u.ID))
		if err != nil {
			return err
		}
		if u.Disabled {
			if err := endAll(ctx, tx, u.ID); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `DELETE FROM directory_specialties WHERE user_id = ?`, u.ID); err != nil {
			return err
		}
		return putSpecialties(ctx, tx, u)
	})
	if storage.IsUnique(err) {
		return ErrLoginTaken
	}
	if err != nil {
		return fmt.Errorf("updating user %s: %w", u.ID, err)
	}
	return nil
}

// SetPassword replaces a password and ends every session and token of the
// account. Errors: ErrNotFound, ErrWeakPassword.
func (d *Directory) SetPassword(ctx context.Context, userID, password string) error {
	if err := checkPassword(password); err != nil {
		return err
	}
	hash, err := d.hashes.hash(ctx, password)
	if err != nil {
		return err
	}
	err = d.db.Tx(ctx, func(tx storage.Querier) error {
		if err := one(tx.Exec(ctx, `UPDATE directory_users SET password = ? WHERE id = ?`, hash, userID)); err != nil {
			return err
		}
		return endAll(ctx, tx, userID)
	})
	if err != nil {
		return fmt.Errorf("setting password of %s: %w", userID, err)
	}
	return nil
}

// User gives one account. Errors: ErrNotFound.
func (d *Directory) User(ctx context.Context, id string) (User, error) {
	return d.oneUser(ctx, `u.id = ?`, id)
}

// UserByLogin gives one account; the login's case does not matter. Errors:
// ErrNotFound.
func (d *Directory) UserByLogin(ctx context.Context, login string) (User, error) {
	if checkLogin(strings.TrimSpace(login)) != nil {
		return User{}, ErrNotFound
	}
	return d.oneUser(ctx, `u.login_key = ?`, loginKey(login))
}

// Users lists all accounts by name.
func (d *Directory) Users(ctx context.Context) ([]User, error) { return d.users(ctx, `1 = 1`) }

func (d *Directory) oneUser(ctx context.Context, where string, args ...any) (User, error) {
	found, err := d.users(ctx, where, args...)
	if err != nil {
		return User{}, err
	}
	if len(found) == 0 {
		return User{}, ErrNotFound
	}
	return found[0], nil
}

// users reads accounts and their specialties; where is never made of input.
func (d *Directory) users(ctx context.Context, where string, args ...any) ([]User, error) {
	rows, err := d.db.Query(ctx, `SELECT `+userColumns+`, COALESCE(s.specialty, '')
		FROM `+userTables+` LEFT JOIN directory_specialties s ON s.user_id = u.id
		WHERE `+where+` ORDER BY u.name, u.id, s.rank`, args...)
	if err != nil {
		return nil, fmt.Errorf("reading users: %w", err)
	}
	defer rows.Close()
	all := []User{}
	for rows.Next() {
		var u User
		var disabled int64
		var specialty string
		err := rows.Scan(&u.ID, &u.Login, &u.Name, &u.Title, &u.Role, &u.Phone, &disabled,
			&u.Facility.ID, &u.Facility.Name, &u.Facility.Kind, &u.Facility.Region, &u.Facility.Code,
			&u.Facility.Phone, &specialty)
		if err != nil {
			return nil, fmt.Errorf("reading a user: %w", err)
		}
		u.Disabled = disabled != 0
		u.Specialties = []string{}
		if n := len(all); n == 0 || all[n-1].ID != u.ID {
			all = append(all, u)
		}
		if specialty != "" {
			last := &all[len(all)-1]
			last.Specialties = append(last.Specialties, specialty)
		}
	}
	return all, rows.Err()
}

func facilityRef(ctx context.Context, tx storage.Querier, id string) (any, error) {
	if id == "" {
		return nil, nil
	}
	var found string
	err := tx.QueryRow(ctx, `SELECT id FROM directory_facilities WHERE id = ?`, id).Scan(&found)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("facility: %w", ErrNotFound)
	}
	return found, err
}

func putSpecialties(ctx context.Context, tx storage.Querier, u User) error {
	for i, s := range u.Specialties {
		_, err := tx.Exec(ctx, `INSERT INTO directory_specialties (user_id, specialty, rank) VALUES (?, ?, ?)`, u.ID, s, i)
		if err != nil {
			return err
		}
	}
	return nil
}

// endAll ends the sessions and tokens of a user.
func endAll(ctx context.Context, tx storage.Querier, userID string) error {
	if _, err := tx.Exec(ctx, `DELETE FROM directory_sessions WHERE user_id = ?`, userID); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM directory_tokens WHERE user_id = ?`, userID)
	return err
}

// one turns "no row was changed" into ErrNotFound.
func one(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(ErrNotFound, err)
	}
	return nil
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
