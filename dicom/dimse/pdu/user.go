package pdu

import "encoding/binary"

// Sub-items of user information (PS3.8 annex D, PS3.7 annex D.3.3).
const (
	itemMaxLength        = 0x51
	itemImplementation   = 0x52
	itemAsync            = 0x53
	itemRole             = 0x54
	itemVersion          = 0x55
	itemExtended         = 0x56
	itemCommonExtended   = 0x57
	itemIdentity         = 0x58
	itemIdentityResponse = 0x59
	maxVersionName       = 16
)

// UserInfo is the user information of A-ASSOCIATE. MaxLength is the largest
// P-DATA-TF body its sender takes, 0 when it sets no limit.
type UserInfo struct {
	MaxLength             uint32
	ImplementationUID     string
	ImplementationVersion string
	Async                 *Async
	Roles                 []Role
	Extended              []Extended
	CommonExtended        []CommonExtended
	Identity              *Identity
	IdentityResponse      []byte // AC only
}

// Async is the asynchronous operations window; 0 means without limit.
type Async struct{ Invoked, Performed uint16 }

// Role is a SCP/SCU role selection for one SOP class.
type Role struct {
	SOPClass string
	SCU, SCP bool
}

// Extended is a SOP class extended negotiation; Info belongs to the service.
type Extended struct {
	SOPClass string
	Info     []byte
}

// CommonExtended names the service class of a SOP class that an acceptor may
// not know, and the general classes it can be treated as.
type CommonExtended struct {
	SOPClass, ServiceClass string
	Related                []string
}

// Identity is a user identity (PS3.7 annex D.3.3.7): type 1 user name, 2 with
// passcode, 3 Kerberos, 4 SAML, 5 JWT. It may hold a secret: never log it.
type Identity struct {
	Type               byte
	ResponseRequested  bool
	Primary, Secondary []byte
}

func (u *UserInfo) decode(b []byte) error {
	seen := map[byte]bool{}
	return eachItem(b, func(kind byte, b []byte) (err error) {
		switch kind {
		case itemMaxLength, itemImplementation, itemAsync, itemVersion, itemIdentity, itemIdentityResponse:
			if seen[kind] {
				return invalid("user information %#02x twice", kind)
			}
			seen[kind] = true
		}
		f := fields{b: b}
		switch kind {
		case itemMaxLength:
			u.MaxLength = f.u32()
		case itemImplementation:
			u.ImplementationUID, err = uid(f.rest())
		case itemAsync:
			u.Async = &Async{Invoked: f.u16(), Performed: f.u16()}
		case itemRole:
			var r Role
			r.SOPClass, err = f.uid()
			r.SCU, r.SCP = f.u8() != 0, f.u8() != 0
			u.Roles = append(u.Roles, r)
		case itemVersion:
			u.ImplementationVersion = printable(f.rest())
		case itemExtended:
			var x Extended
			x.SOPClass, err = f.uid()
			x.Info = f.rest()
			u.Extended = append(u.Extended, x)
		case itemCommonExtended:
			var x CommonExtended
			x, err = f.common()
			u.CommonExtended = append(u.CommonExtended, x)
		case itemIdentity:
			u.Identity = &Identity{Type: f.u8(), ResponseRequested: f.u8() != 0, Primary: f.bytes(), Secondary: f.bytes()}
		case itemIdentityResponse:
			u.IdentityResponse = f.bytes()
		default:
			return nil
		}
		if err == nil && (f.short || len(f.b) > 0) {
			err = invalid("user information %#02x of %d bytes", kind, len(b))
		}
		return err
	})
}

func (u *UserInfo) encode(e *encoder) {
	e.item(itemMaxLength, func(e *encoder) { e.b = binary.BigEndian.AppendUint32(e.b, u.MaxLength) })
	if u.ImplementationUID != "" {
		e.text(itemImplementation, u.ImplementationUID)
	}
	if a := u.Async; a != nil {
		e.item(itemAsync, func(e *encoder) {
			e.b = binary.BigEndian.AppendUint16(e.b, a.Invoked)
			e.b = binary.BigEndian.AppendUint16(e.b, a.Performed)
		})
	}
	for _, r := range u.Roles {
		e.item(itemRole, func(e *encoder) {
			e.field([]byte(r.SOPClass))
			e.b = append(e.b, flag(r.SCU), flag(r.SCP))
		})
	}
	if u.ImplementationVersion != "" {
		e.text(itemVersion, u.ImplementationVersion)
	}
	for _, x := range u.Extended {
		e.item(itemExtended, func(e *encoder) {
			e.field([]byte(x.SOPClass))
			e.b = append(e.b, x.Info...)
		})
	}
	for _, x := range u.CommonExtended {
		e.item(itemCommonExtended, func(e *encoder) { e.common(x) })
	}
	if i := u.Identity; i != nil {
		e.item(itemIdentity, func(e *encoder) {
			e.b = append(e.b, i.Type, flag(i.ResponseRequested))
			e.field(i.Primary)
			e.field(i.Secondary)
		})
	}
	if u.IdentityResponse != nil {
		e.item(itemIdentityResponse, func(e *encoder) { e.field(u.IdentityResponse) })
	}
}

func (e *encoder) common(x CommonExtended) {
	e.field([]byte(x.SOPClass))
	e.field([]byte(x.ServiceClass))
	at := len(e.b)
	e.b = append(e.b, 0, 0)
	for _, r := range x.Related {
		e.field([]byte(r))
	}
	e.size(at, "related general SOP classes")
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// printable keeps a peer's version name fit for a log line: it is information
// only, so odd characters are dropped rather than refused.
func printable(b []byte) string {
	out := make([]byte, 0, maxVersionName)
	for _, c := range b {
		if c >= ' ' && c <= '~' && len(out) < maxVersionName {
			out = append(out, c)
		}
	}
	return string(out)
}
