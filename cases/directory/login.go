package directory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// Login checks a password. An unknown login, a disabled account and a wrong
// password cost the same and are all ErrBadCredentials. Failures are counted per
// login and per remoteIP in the database, so that a restart forgives nothing:
// ErrThrottled. While a lock lasts even the right password is not looked at.
func (d *Directory) Login(ctx context.Context, login, password, remoteIP string) (User, error) {
	subs := subjects(login, remoteIP)
	if err := d.locked(ctx, subs); err != nil {
		return User{}, err
	}
	leave, err := d.hashes.enter(ctx)
	if err != nil {
		return User{}, err
	}
	defer leave()
	// Looked at again: while waiting in line others may have failed.
	if err := d.locked(ctx, subs); err != nil {
		return User{}, err
	}
	id, err := d.matching(ctx, login, password)
	if err != nil {
		return User{}, err
	}
	if id == "" {
		if err := d.failed(ctx, subs); err != nil {
			return User{}, err
		}
		return User{}, ErrBadCredentials
	}
	if err := d.forgive(ctx, login); err != nil {
		return User{}, err
	}
	return d.User(ctx, id)
}

// matching gives the ID of the enabled account with that login and password, or
// "".
func (d *Directory) matching(ctx context.Context, login, password string) (string, error) {
	id, hash, disabled, err := d.credentials(ctx, login)
	if err != nil {
		return "", err
	}
	known := id != "" && hash != ""
	if !known {
		hash = d.hashes.decoy
	}
	// An absurdly long password is not worth hashing, nor is it anyone's.
	tooLong := len(password) > 4*256
	if tooLong {
		password = ""
	}
	ok, err := d.hashes.match(password, hash)
	if err != nil {
		return "", err
	}
	if !ok || !known || disabled || tooLong {
		return "", nil
	}
	return id, nil
}

func (d *Directory) credentials(ctx context.Context, login string) (id, hash string, disabled bool, err error) {
	if checkLogin(strings.TrimSpace(login)) != nil {
		return "", "", false, nil
	}
	var off int64
	err = d.db.QueryRow(ctx, `SELECT id, password, disabled FROM directory_users WHERE login_key = ?`,
		loginKey(login)).Scan(&id, &hash, &off)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", false, nil
	}
	if err != nil {
		return "", "", false, fmt.Errorf("reading credentials: %w", err)
	}
	return id, hash, off != 0, nil
}
