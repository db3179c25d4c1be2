package directory

import (
	"context"
	"errors"

	"sira/storage"
)

type hasher struct{}

var errTodo = errors.New("directory: not yet")

// Migrate brings the tables of this package up to date.
func Migrate(ctx context.Context, db *storage.DB) error { return errTodo }

func (d *Directory) PutFacility(ctx context.Context, f Facility) error { return errTodo }

func (d *Directory) Facilities(ctx context.Context) ([]Facility, error) { return nil, errTodo }

func (d *Directory) CreateUser(ctx context.Context, u User, password string) (User, error) {
	return User{}, errTodo
}
func (d *Directory) UpdateUser(ctx context.Context, u User) error { return errTodo }

func (d *Directory) SetPassword(ctx context.Context, userID, password string) error { return errTodo }

func (d *Directory) User(ctx context.Context, id string) (User, error) { return User{}, errTodo }

func (d *Directory) UserByLogin(ctx context.Context, login string) (User, error) {
	return User{}, errTodo
}
func (d *Directory) Users(ctx context.Context) ([]User, error) { return nil, errTodo }

func (d *Directory) Persons(ctx context.Context, ids []string) (map[string]Person, error) {
	return nil, errTodo
}
func (d *Directory) SpecialistsOf(ctx context.Context, specialty string) ([]Person, error) {
	return nil, errTodo
}
func (d *Directory) Login(ctx context.Context, login, password, remoteIP string) (User, error) {
	return User{}, errTodo
}
func (d *Directory) NewSession(ctx context.Context, userID, userAgent string) (token string, err error) {
	return "", errTodo
}
func (d *Directory) SessionUser(ctx context.Context, token string) (User, error) {
	return User{}, errTodo
}
func (d *Directory) EndSession(ctx context.Context, token string) error { return errTodo }

func (d *Directory) NewToken(ctx context.Context, userID, label string) (token string, err error) {
	return "", errTodo
}
func (d *Directory) TokenUser(ctx context.Context, token string) (User, error) {
	return User{}, errTodo
}
func (d *Directory) Tokens(ctx context.Context, userID string) ([]Token, error) { return nil, errTodo }

func (d *Directory) RevokeToken(ctx context.Context, id string) error { return errTodo }
