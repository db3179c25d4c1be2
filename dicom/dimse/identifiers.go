package dimse

import (
	"bytes"
	"fmt"

	"sira/dicom/dimse/identifier"
)

// readIdentifier reads the data set that follows a command set in memory. It
// fails with a malformed one; a.over tells whether the association went on.
func (a *association) readIdentifier(d *dataSet, pc PresentationContext) (*identifier.Set, error) {
	b, err := d.all(a.limits.Identifier)
	if err != nil {
		return nil, err
	}
	set, err := identifier.Decode(b, pc.TransferSyntax, identifier.Limits{})
	if err != nil {
		return nil, fmt.Errorf("dimse: %w", err)
	}
	return set, nil
}

// sendMessage sends a command set and, unless nil, the data set encoded in b.
func (a *association) sendMessage(pc PresentationContext, c Command, b []byte) error {
	if b == nil {
		c.setUint16(tagDataSetType, noDataSet)
		return a.sendCommand(pc.ID, c.Encode())
	}
	c.setUint16(tagDataSetType, withDataSet)
	if err := a.sendCommand(pc.ID, c.Encode()); err != nil {
		return err
	}
	return a.sendData(pc.ID, bytes.NewReader(b))
}

// identifier reads the identifier of a request; with a status other than
// success there is none.
func (v *serving) identifier(m *message) (*identifier.Set, uint16, string) {
	if m.data == nil {
		return nil, StatusDataSetMismatch, "no identifier"
	}
	set, err := v.readIdentifier(m.data, m.context)
	if err != nil {
		return nil, StatusCannotUnderstand, "malformed identifier"
	}
	return set, StatusSuccess, ""
}
