package deid

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"math/big"
	"strings"
	"time"
)

// mac is HMAC-SHA-256 of what for one purpose; the lengths keep (a,bc) apart
// from (ab,c).
func (p *Profile) mac(purpose string, what ...string) []byte {
	h := hmac.New(sha256.New, p.key)
	for _, s := range append([]string{purpose}, what...) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
	return h.Sum(nil)
}

// UID is the replacement of an instance's UID for this recipient, under 2.25
// (PS3.5 section B.2): always the same for the same UID. UIDs that DICOM itself
// defines stay.
func (p *Profile) UID(uid string) string {
	uid = strings.Trim(uid, " \x00")
	if uid == "" || strings.HasPrefix(uid, "1.2.840.10008.") && isUID(uid) {
		return uid
	}
	sum := p.mac("uid", uid)
	sum[6] = sum[6]&0x0F | 0x80 // UUID version 8: made by the application's own rule
	sum[8] = sum[8]&0x3F | 0x80
	return "2.25." + new(big.Int).SetBytes(sum[:16]).String()
}

func isUID(s string) bool {
	return len(s) <= 64 && strings.Trim(s, "0123456789.") == ""
}

// PatientID is the pseudonym of a patient for this recipient.
func (p *Profile) PatientID(issuer, id string) string {
	text := base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").EncodeToString(p.mac("patient", issuer, id)[:10])
	return "P" + text[:12]
}

// shiftDays is by how many days the patient's dates go back, 30 to 1,123.
func (p *Profile) shiftDays(patient string) int {
	return 30 + int(binary.BigEndian.Uint32(p.mac("dates", patient))%1094)
}

// shiftValue moves each date of a value of VR DA or DT; what is no date becomes
// empty, times of day stay.
func shiftValue(value, vr string, days int) string {
	if vr != "DA" && vr != "DT" {
		return value
	}
	parts := strings.Split(value, `\`)
	for i, part := range parts {
		parts[i] = shiftDate(strings.Trim(part, " \x00"), vr, days)
	}
	return strings.Join(parts, `\`)
}

func shiftDate(s, vr string, days int) string {
	digits := s
	if vr == "DA" {
		digits = strings.ReplaceAll(s, ".", "") // the form of ACR-NEMA
	}
	n := min(len(digits), 8)
	for i := range n {
		if digits[i] < '0' || digits[i] > '9' {
			n = i
			break
		}
	}
	layouts := map[int]string{4: "2006", 6: "200601", 8: "20060102"}
	layout := layouts[n]
	if layout == "" || vr == "DA" && (n != 8 || len(digits) != 8) {
		return ""
	}
	at, err := time.Parse(layout, digits[:n])
	if err != nil {
		return ""
	}
	moved := at.AddDate(0, 0, -days)
	if moved.Year() < 1 {
		return ""
	}
	return moved.Format(layout) + strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '.' || r == '+' || r == '-' {
			return r
		}
		return -1
	}, digits[n:])
}
