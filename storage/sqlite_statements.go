package storage

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
)

// keptStatements bounds the statements that one connection keeps.
const keptStatements = 128

// sqliteConnector opens connections that parse a statement once and keep it:
// parsing costs SQLite about as much as running most of ours.
type sqliteConnector struct {
	driver.Connector
	writer bool
}

func (c *sqliteConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	whole, ok := conn.(sqliteDriverConn)
	if !ok {
		return nil, errors.Join(errors.New("the SQLite driver lacks what it once had"), conn.Close())
	}
	return &sqliteConn{sqliteDriverConn: whole, writer: c.writer, kept: map[string]*keptStatement{}}, nil
}

// sqliteDriverConn is what the driver's connections do beside driver.Conn.
type sqliteDriverConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// sqliteConn is used by one goroutine at a time, as database/sql promises.
type sqliteConn struct {
	sqliteDriverConn
	writer bool
	kept   map[string]*keptStatement
}

type keptStatement struct {
	driver.Stmt
	exec  driver.StmtExecContext
	query driver.StmtQueryContext
	open  bool // its rows are being read
}

// within is the context that a statement runs in. A write is short, and is
// refused before it begins or goes through: to watch for the end of its context
// the driver would start a goroutine for each.
func (c *sqliteConn) within(ctx context.Context) (context.Context, error) {
	if !c.writer {
		return ctx, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return context.WithoutCancel(ctx), nil
}

func (c *sqliteConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	ctx, err := c.within(ctx)
	if err != nil {
		return nil, err
	}
	return c.sqliteDriverConn.BeginTx(ctx, opts)
}

func (c *sqliteConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	ctx, err := c.within(ctx)
	if err != nil {
		return nil, err
	}
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.sqliteDriverConn.ExecContext(ctx, query, args)
	}
	return s.exec.ExecContext(ctx, args)
}

func (c *sqliteConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	ctx, err := c.within(ctx)
	if err != nil {
		return nil, err
	}
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.sqliteDriverConn.QueryContext(ctx, query, args)
	}
	rows, err := s.query.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	s.open = true
	return &keptRows{rows, s}, nil
}

// keptRows gives its statement back at the end.
type keptRows struct {
	driver.Rows
	statement *keptStatement
}

func (r *keptRows) Close() error {
	r.statement.open = false
	return r.Rows.Close()
}

// statement is the kept statement of a query, nil for one that is not to be
// kept or that is being read just now. SQLite itself parses a kept statement
// again after the schema has changed.
func (c *sqliteConn) statement(ctx context.Context, query string) (*keptStatement, error) {
	if s := c.kept[query]; s != nil {
		if s.open {
			return nil, nil
		}
		return s, nil
	}
	verb := strings.TrimLeft(query, " \t\n")
	switch verb[:max(0, strings.IndexAny(verb, " \t\n"))] {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "WITH":
	default:
		return nil, nil
	}
	prepared, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s := &keptStatement{Stmt: prepared}
	var ok, ok2 bool
	s.exec, ok = prepared.(driver.StmtExecContext)
	s.query, ok2 = prepared.(driver.StmtQueryContext)
	if !ok || !ok2 {
		return nil, prepared.Close()
	}
	if len(c.kept) >= keptStatements {
		if err := c.forget(); err != nil {
			return nil, errors.Join(err, prepared.Close())
		}
	}
	c.kept[query] = s
	return s, nil
}

// forget closes the statements whose rows are not being read.
func (c *sqliteConn) forget() error {
	var err error
	for query, s := range c.kept {
		if !s.open {
			err = errors.Join(err, s.Close())
			delete(c.kept, query)
		}
	}
	return err
}

func (c *sqliteConn) Close() error {
	for _, s := range c.kept {
		s.open = false
	}
	return errors.Join(c.forget(), c.sqliteDriverConn.Close())
}
