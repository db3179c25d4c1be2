package export

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"database/sql"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"sira/storage"
)

// maxName bounds the name of a recipient and a purpose, in runes.
const maxName = 120

// foldName is a recipient's name without what people write differently: case,
// accents, spaces and signs.
func foldName(name string) string {
	words := strings.FieldsFunc(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(name)), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return strings.Join(words, " ")
}

// oneLine is text fit to be kept, "" when it is not.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if !utf8.ValidString(text) || utf8.RuneCountInString(text) > maxName || strings.ContainsFunc(text, unicode.IsControl) {
		return ""
	}
	return text
}

// recipient gives the ID and the secret of a recipient by name, who is noted
// when they are new.
func (s *Service) recipient(ctx context.Context, name string) (id string, key []byte, err error) {
	folded := foldName(name)
	if folded == "" {
		return "", nil, fmt.Errorf("recipient's name: %w", ErrRecipient)
	}
	fresh := make([]byte, 32)
	_, _ = rand.Read(fresh) // never fails, see crypto/rand
	made := uuid.NewString()
	var secret string
	err = s.cfg.DB.Tx(ctx, func(tx storage.Querier) error {
		_, err := tx.Exec(ctx, `INSERT INTO export_recipients (id, folded, name, secret, created) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (folded) DO NOTHING`, made, folded, name, hex.EncodeToString(fresh), s.cfg.Now().UnixMilli())
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT id, secret FROM export_recipients WHERE folded = ?`, folded).Scan(&id, &secret)
	})
	if err != nil {
		return "", nil, fmt.Errorf("noting a recipient: %w", err)
	}
	if key, err = hex.DecodeString(secret); err != nil {
		return "", nil, fmt.Errorf("reading a recipient's secret: %w", err)
	}
	return id, key, nil
}

// key gives a recipient's secret by ID.
func (s *Service) key(ctx context.Context, id string) ([]byte, error) {
	var secret string
	if err := s.cfg.DB.QueryRow(ctx, `SELECT secret FROM export_recipients WHERE id = ?`, id).Scan(&secret); err != nil {
		return nil, fmt.Errorf("reading a recipient: %w", err)
	}
	key, err := hex.DecodeString(secret)
	if err != nil {
		return nil, fmt.Errorf("reading a recipient's secret: %w", err)
	}
	return key, nil
}

// Recipients lists the names of those that a user sent to before, the last
// first: whoever writes the name anew must hit the same secret.
func (s *Service) Recipients(ctx context.Context, user string) ([]string, error) {
	rows, err := s.cfg.DB.Query(ctx, `SELECT r.name, MAX(o.created) AS last FROM export_recipients r JOIN export_orders o ON o.recipient = r.id
		WHERE o.user_id = ? GROUP BY r.name ORDER BY last DESC LIMIT 50`, user)
	if err != nil {
		return nil, fmt.Errorf("listing recipients: %w", err)
	}
	defer rows.Close()
	names := []string{}
	for rows.Next() {
		var name string
		var last int64
		if err := rows.Scan(&name, &last); err != nil {
			return nil, fmt.Errorf("listing recipients: %w", err)
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// Order is an export that somebody decided on.
type Order struct {
	ID        string         `json:"-"`
	Case      string         `json:"-"`
	User      string         `json:"-"`
	Created   time.Time      `json:"-"`
	Mode      Mode           `json:"mode"`
	Recipient string         `json:"recipient"` // as written; to whom it goes
	Purpose   string         `json:"purpose"`
	Options   Options        `json:"options"`
	Looked    []Looked       `json:"looked"`  // what a person has looked at
	Exclude   []string       `json:"exclude"` // SOP instance UIDs that shall not leave
	recipient string         // ID
	looked    map[string]int // SOP instance UID to index in Looked
}

// Looked says that a person has looked at all frames of an instance with these
// masks and none else: x, y, width, height in pixels.
type Looked struct {
	SOP   string   `json:"sop"`
	Masks [][4]int `json:"masks"`
}

// lasts is for how long an order can be fetched.
const lasts = 24 * time.Hour

// keep stores an order, so that its fetch survives a restart. Orders of
// recipients stay for the list of names; what they asked for does not.
func (s *Service) keep(ctx context.Context, o *Order) error {
	raw, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("encoding an export: %w", err)
	}
	o.ID, o.Created = uuid.NewString(), s.cfg.Now().UTC()
	err = s.cfg.DB.Tx(ctx, func(tx storage.Querier) error {
		before := o.Created.Add(-lasts).UnixMilli()
		if _, err := tx.Exec(ctx, `UPDATE export_orders SET order_json = '' WHERE created < ? AND order_json <> ''`, before); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO export_orders (id, case_id, user_id, recipient, order_json, created) VALUES (?, ?, ?, ?, ?, ?)`,
			o.ID, o.Case, o.User, o.recipient, string(raw), o.Created.UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("keeping an export: %w", err)
	}
	return nil
}

// Order gives a kept order. Errors: ErrNotFound, also after a day.
func (s *Service) Order(ctx context.Context, id string) (*Order, error) {
	o := &Order{ID: id}
	var raw string
	var created int64
	err := s.cfg.DB.QueryRow(ctx, `SELECT case_id, user_id, recipient, order_json, created FROM export_orders WHERE id = ?`, id).
		Scan(&o.Case, &o.User, &o.recipient, &raw, &created)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("looking for an export: %w", ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("looking for an export: %w", err)
	}
	o.Created = time.UnixMilli(created).UTC()
	if raw == "" || s.cfg.Now().Sub(o.Created) > lasts {
		return nil, fmt.Errorf("looking for an export: expired: %w", ErrNotFound)
	}
	if err := json.Unmarshal([]byte(raw), o); err != nil {
		return nil, fmt.Errorf("reading an export: %w", err)
	}
	return o, nil
}
