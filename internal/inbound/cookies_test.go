package inbound_test

import (
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/internal/inbound"
)

// Only Clerk's own cookies are passed on from an answer to a browser.
func TestNamesOfClerk(t *testing.T) {
	suffixed, plain := inbound.NewNames("abcd1234"), inbound.NewNames("")
	for _, name := range []string{
		"__session", "__session_abcd1234", "__client_uat", "__client_uat_abcd1234", "__clerk_db_jwt", "__clerk_db_jwt_abcd1234",
		"__refresh", "__refresh_abcd1234", "__clerk_handshake", "__clerk_handshake_nonce",
	} {
		if !suffixed.Clerks(name) {
			t.Errorf("Clerks(%q) = false, want true", name)
		}
		if got, want := plain.Clerks(name), !strings.HasSuffix(name, "_abcd1234"); got != want {
			t.Errorf("without a suffix: Clerks(%q) = %t, want %t", name, got, want)
		}
	}
	for _, name := range []string{"", "theme", "__session_other", "__refresh_other", "__SESSION", "__Host-__session", "__clerk_redirect_count"} {
		if suffixed.Clerks(name) || plain.Clerks(name) {
			t.Errorf("Clerks(%q) = true, want false", name)
		}
	}
}

// Clerk's script empties the cookie when it signs out: that is no session, and not one that cannot be read.
func TestEmptySessionCookie(t *testing.T) {
	if f := read(t, live, "/", "Cookie: __session=; __session_abcd1234="); len(f.SessionCookies()) != 0 {
		t.Errorf("SessionCookies() = %q, want none", f.SessionCookies())
	}
}

// A count that a sibling subdomain has planted does not take the place of this application's own if it is larger than
// any of those.
func TestAttemptCookies(t *testing.T) {
	const name = "__Host-" + inbound.CookieAttempts
	largest, larger := strings.Repeat("a", 512), strings.Repeat("b", 513)
	f := read(t, live, "/", "Cookie: "+name+"=older; "+name+"=old; "+name+"="+largest+"; "+name+"="+larger+"; "+name+"="+larger)
	if got, want := f.Attempts[inbound.Suffixed], (inbound.AttemptCookies{Previous: "old", Last: largest}); got != want {
		t.Errorf("Attempts = %.40q, want %.40q", got, want)
	}
}

// What is not percent-encoding of UTF-8 is kept as it was sent: a refresh token with other bytes would not reach the Backend
// API as it is.
func TestPercentEncoding(t *testing.T) {
	for sent, want := range map[string]string{"a%20b": "a b", "%C3%A9": "é", "a%": "a%", "%zz": "%zz", "%ec": "%ec", "%C3%A9%ff": "%C3%A9%ff", "a+b": "a+b"} {
		if got := read(t, live, "/", "Cookie: __refresh_abcd1234="+sent).Refresh; got != want {
			t.Errorf("%q is read as %q, want %q", sent, got, want)
		}
	}
}
