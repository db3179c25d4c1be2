package directory

import (
	"context"
	"fmt"
)

// PutFacility creates the facility, or replaces the one with the same ID.
func (d *Directory) PutFacility(ctx context.Context, f Facility) error {
	if err := checkID("id", f.ID); err != nil {
		return err
	}
	for _, v := range []struct{ field, text string }{
		{"name", f.Name}, {"kind", f.Kind}, {"region", f.Region}, {"code", f.Code}, {"phone", f.Phone},
	} {
		if err := checkText(v.field, v.text); err != nil {
			return err
		}
	}
	if f.Name == "" {
		return invalid("name")
	}
	_, err := d.db.Exec(ctx, `INSERT INTO directory_facilities (id, name, kind, region, code, phone)
		VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, kind = excluded.kind,
			region = excluded.region, code = excluded.code, phone = excluded.phone`,
		f.ID, f.Name, f.Kind, f.Region, f.Code, f.Phone)
	if err != nil {
		return fmt.Errorf("writing facility %s: %w", f.ID, err)
	}
	return nil
}

// Facilities lists all facilities by name.
func (d *Directory) Facilities(ctx context.Context) ([]Facility, error) {
	rows, err := d.db.Query(ctx, `SELECT id, name, kind, region, code, phone
		FROM directory_facilities ORDER BY name, id`)
	if err != nil {
		return nil, fmt.Errorf("listing facilities: %w", err)
	}
	defer rows.Close()
	all := []Facility{}
	for rows.Next() {
		var f Facility
		if err := rows.Scan(&f.ID, &f.Name, &f.Kind, &f.Region, &f.Code, &f.Phone); err != nil {
			return nil, fmt.Errorf("reading a facility: %w", err)
		}
		all = append(all, f)
	}
	return all, rows.Err()
}
