package directory

import (
	"context"
	"slices"
	"strings"
)

// Person is what others see of u.
func (u User) Person() Person {
	return Person{ID: u.ID, Name: u.Name, Title: u.Title, Role: u.Role, Facility: u.Facility.Name, Phone: u.Phone}
}

// maxAsked bounds the arguments of one query; SQLite allows 32,766.
const maxAsked = 500

// Persons gives those of the ids that exist, disabled ones too: they stay the
// authors of what they wrote.
func (d *Directory) Persons(ctx context.Context, ids []string) (map[string]Person, error) {
	found := make(map[string]Person, len(ids))
	for chunk := range slices.Chunk(ids, maxAsked) {
		args := make([]any, len(chunk))
		for i, id := range chunk {
			args[i] = id
		}
		users, err := d.users(ctx, `u.id IN (?`+strings.Repeat(`, ?`, len(chunk)-1)+`)`, args...)
		if err != nil {
			return nil, err
		}
		for _, u := range users {
			found[u.ID] = u.Person()
		}
	}
	return found, nil
}

// SpecialistsOf lists by name who can give opinions in a specialty: enabled
// specialists and radiologists.
func (d *Directory) SpecialistsOf(ctx context.Context, specialty string) ([]Person, error) {
	users, err := d.withSpecialty(ctx, specialty, Specialist, Radiologist)
	if err != nil {
		return nil, err
	}
	persons := make([]Person, len(users))
	for i, u := range users {
		persons[i] = u.Person()
	}
	return persons, nil
}

// DispatchersOf lists the IDs of the enabled dispatchers of a specialty.
func (d *Directory) DispatchersOf(ctx context.Context, specialty string) ([]string, error) {
	users, err := d.withSpecialty(ctx, specialty, Dispatcher, Dispatcher)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	return ids, nil
}

func (d *Directory) withSpecialty(ctx context.Context, specialty string, role, or Role) ([]User, error) {
	return d.users(ctx, `u.disabled = 0 AND u.role IN (?, ?) AND u.id IN
		(SELECT user_id FROM directory_specialties WHERE specialty = ?)`, string(role), string(or), specialty)
}
