package decision

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/internal/inbound"
)

// A count ends half a minute after the last redirect of a page, and a page that asks for tokens gives other pages more
// handshakes only as long.
func TestCountsEnd(t *testing.T) {
	const uat, nonce = "__client_uat=1", inbound.CookieNonce + "=of_no_secret_key"
	elsewhere := func(ago time.Duration) attempt {
		a := redirected("/elsewhere", 1, ago)
		a.byToken = true
		return a
	}
	for name, tc := range map[string]struct {
		cookies []string
		want    bool
	}{
		"eight, a moment less than half a minute ago":  {[]string{uat, counts(redirected("/", maxUnreturned, attemptsWithin-time.Second))}, false},
		"eight, half a minute ago":                     {[]string{uat, counts(redirected("/", maxUnreturned, attemptsWithin))}, true},
		"three, and it comes back":                     {[]string{uat, nonce, counts(redirected("/", maxAttempts, 5*time.Second))}, false},
		"the same while another page asks for a token": {[]string{uat, nonce, counts(elsewhere(5*time.Second), redirected("/", maxAttempts, 5*time.Second))}, true},
		"the same when it has asked long ago":          {[]string{uat, nonce, counts(elsewhere(attemptsWithin), redirected("/", maxAttempts, 5*time.Second))}, false},
	} {
		if o := decider(t).visit(appOrigin+"/", cookies(tc.cookies...)); o.Handshake() != tc.want {
			t.Errorf("%s: to a handshake %t (%s), want %t", name, o.Handshake(), o.Reason, tc.want)
		}
	}
}

// The count has the prefix that keeps sibling subdomains from setting it, except in development without TLS, where browsers
// would not keep it.
func TestNameOfTheCount(t *testing.T) {
	for name, tc := range map[string]struct {
		live   bool
		origin string
		want   string
	}{
		"live keys":                      {true, appOrigin, inbound.PrefixHost},
		"live keys without TLS":          {true, "http://localhost:3000", inbound.PrefixHost},
		"a development instance":         {false, appOrigin, inbound.PrefixHost},
		"a development instance, no TLS": {false, "http://localhost:3000", ""},
	} {
		d := decider(t, func(s *Settings) { s.Live, s.Policy.List = tc.live, list(t, tc.origin) })
		r := request(http.MethodGet, tc.origin+"/", "Sec-Fetch-Dest: document", "Cookie: __client_uat=1")
		var e Evidence
		o := d.outcome(r, &e, noon)
		if c := o.set(tc.want + inbound.CookieAttempts); c == nil || c.Secure != (tc.want != "") {
			t.Errorf("%s: got the cookies %q, want one of %q", name, o.Header["Set-Cookie"], tc.want+inbound.CookieAttempts)
		}
	}
}

// A page that needs no handshake is taken out of the count, and Clerk's own counter goes with it, where it was sent. A browser
// that may never show the page, or that has no count, gets no cookies.
func TestAPageThatNeedsNoHandshakeEndsItsCount(t *testing.T) {
	signedIn := []string{"__session=" + token(t, nil), "__client_uat=1"}
	own, other := redirected("/", 2, time.Second), redirected("/other", 2, time.Second)
	for name, tc := range map[string]struct {
		cookies       []string
		ours, clerks  bool // the cookies are set
		deleted, line bool // ours is deleted; a line of the request says that it is a prefetch
	}{
		"its own count":                   {cookies: []string{counts(own)}, ours: true, deleted: true},
		"beside another page's":           {cookies: []string{counts(own, other)}, ours: true},
		"another page's alone":            {cookies: []string{counts(other)}},
		"its own count and Clerk's":       {cookies: []string{counts(own), inbound.CookieRedirects + "=1"}, ours: true, deleted: true, clerks: true},
		"Clerk's alone":                   {cookies: []string{inbound.CookieRedirects + "=1"}},
		"its own count, for a prefetch":   {cookies: []string{counts(own)}, line: true},
		"no count, as browsers mostly do": {},
	} {
		lines := []string{cookies(append(signedIn, tc.cookies...)...)}
		if tc.line {
			lines = append(lines, "Sec-Purpose: prefetch")
		}
		o := decider(t).visit(appOrigin+"/", lines...)
		ours, clerks := o.set(inbound.PrefixHost+inbound.CookieAttempts), o.set(inbound.CookieRedirects)
		if o.Reason != "" || (ours != nil) != tc.ours || ours != nil && (ours.MaxAge < 0) != tc.deleted || (clerks != nil) != tc.clerks {
			t.Errorf("%s: %q with the cookies %q; want ours %t, deleted %t, Clerk's %t", name, o.Reason, o.Header["Set-Cookie"], tc.ours, tc.deleted, tc.clerks)
		}
	}
}

// A redirect from the primary domain back to a satellite is no handshake of the primary domain's page.
func TestRedirectsToSatellitesAreNotCounted(t *testing.T) {
	o := decider(t, testKeys).visit(appOrigin+"/sign-in?__clerk_redirect_url=https%3A%2F%2Fother.example.com%2F", cookies("__clerk_db_jwt=dvb"))
	if to := o.Header.Get("Location"); !strings.HasPrefix(to, "https://other.example.com/?") {
		t.Errorf("Location = %q, want the satellite", to)
	}
	if c := o.set(inbound.PrefixHost + inbound.CookieAttempts); c != nil {
		t.Errorf("a redirect to the satellite is counted: %v", c)
	}
}

// AllowParty may ask a database: once a request's host is known to be the application's own, it is not asked again.
func TestAllowedHostIsReadOnce(t *testing.T) {
	calls := 0
	d := decider(t, func(s *Settings) {
		s.Policy.Allow = func(context.Context, string, string) bool { calls++; return true }
	})
	var e Evidence
	e.RawHost = "customer.example"
	first, ok := d.newReturnPoint(t.Context(), &e, noon)
	once := calls
	if again, _ := d.newReturnPoint(t.Context(), &e, noon); !ok || again.address != first.address || once == 0 || calls != once {
		t.Errorf("got %d calls and %d more, with the addresses %q and %q, want some, no more, and one address", once, calls-once, first.address, again.address)
	}
}
