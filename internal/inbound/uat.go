package inbound

import (
	"strings"
	"unicode"

	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// SignedInAt is when the browser's client last changed, as the __client_uat of one name says it. Zero or nothing readable
// means that it is signed out. It is read as JavaScript's parseInt does, with which Clerk's script reads it: digits count
// up to the first other character.
func (f *Request) SignedInAt(slot Slot) int64 {
	s, base, negative := f.UAT[slot].Value, int64(10), false
	if s == "" {
		return 0
	}
	if s[0] <= '0' || s[0] > '9' { // not what Clerk writes
		s = strings.TrimLeftFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == '\ufeff' })
		negative = strings.HasPrefix(s, "-")
		s = strings.TrimPrefix(strings.TrimPrefix(s, "-"), "+")
		if len(s) > 1 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') {
			base, s = 16, s[2:]
		}
	}
	var n int64
	for _, c := range []byte(s) {
		d := digit(c)
		if d >= base {
			break
		}
		n = min(n*base+d, sessiontoken.LastDate)
	}
	if negative {
		return -n
	}
	return n
}

// digit is the value of a hexadecimal digit, or 16.
func digit(c byte) int64 {
	switch {
	case '0' <= c && c <= '9':
		return int64(c - '0')
	case 'a' <= c && c <= 'f':
		return int64(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int64(c-'A') + 10
	}
	return 16
}
