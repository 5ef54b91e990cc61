package decision

import (
	"net/http"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/reasons"
)

// The address of a page is cleaned of what a handshake left in it, again if need be, but not for a browser that did not keep
// the cookies: it would come back with another handshake result for ever.
func TestAddressIsCleaned(t *testing.T) {
	good := token(t, nil)
	in, out := handshakeToken(t, nil, signsIn(good)...), handshakeToken(t, nil, signsOut...)
	cleaned := func(path string) string {
		a := redirected(path, 1, time.Second)
		a.cleaned = true
		return counts(a)
	}
	const browser, uat = "__clerk_db_jwt=dvb", "__client_uat=1"
	for name, tc := range map[string]struct {
		change   func(*Settings)
		target   string
		cookies  []string
		prefetch bool
		reason   reasons.Reason
		to       string // empty: the page is shown
		stuck    Stuck
		count    bool // the redirect is counted
	}{
		"once":                                 {testKeys, "/?__clerk_handshake=" + in, []string{browser, counts(redirected("/", 1, time.Second))}, false, "", "/", NotStuck, true},
		"once, for a prefetch":                 {testKeys, "/?__clerk_handshake=" + in, []string{browser, counts(redirected("/", 1, time.Second))}, true, "", "/", NotStuck, false},
		"again, and the cookies sign in":       {testKeys, "/?__clerk_handshake=" + in, []string{browser, "__session=" + good, uat, cleaned("/")}, false, "", "/", NotStuck, true},
		"again, without cookies":               {testKeys, "/?__clerk_handshake=" + in, []string{cleaned("/")}, false, reasons.DevBrowserMissing, "", InCircles, false},
		"again, without the session's":         {testKeys, "/?__clerk_handshake=" + in, []string{browser, uat, cleaned("/")}, false, reasons.UATWithoutSessionToken, "", InCircles, false},
		"again, signed out":                    {testKeys, "/?__clerk_handshake=" + out, []string{browser, cleaned("/")}, false, reasons.SessionTokenMissing, "/", NotStuck, true},
		"again, signed out, an organization's": {testKeys, "/orgs/acme?__clerk_handshake=" + out, []string{browser, cleaned("/orgs/acme")}, false, reasons.SessionTokenMissing, "/orgs/acme", NotStuck, true},
		"live keys, once":                      {nil, "/?__clerkauth_sent=1", []string{"__clerk_handshake=" + in}, false, "", "/", NotStuck, true},
		"live keys, again, and they sign in":   {nil, "/?__clerkauth_sent=1", []string{"__clerk_handshake=" + in, "__session=" + good, uat, cleaned("/")}, false, "", "/", NotStuck, true},
		"live keys, again, without cookies":    {nil, "/?__clerkauth_sent=1", []string{"__clerk_handshake=" + in, uat, cleaned("/")}, false, "", "", NotStuck, false},
	} {
		var changes []func(*Settings)
		if tc.change != nil {
			changes = append(changes, tc.change)
		}
		lines := []string{cookies(tc.cookies...)}
		if tc.prefetch {
			lines = append(lines, "Sec-Purpose: prefetch")
		}
		o := decider(t, changes...).visit(appOrigin+tc.target, lines...)
		want := tc.to
		if want != "" {
			want = appOrigin + want
		}
		if got := o.Header.Get("Location"); o.Reason != tc.reason || got != want || o.Stuck != tc.stuck {
			t.Errorf("%s: %q, to %q, stuck %d; want %q, %q, %d", name, o.Reason, got, o.Stuck, tc.reason, want, tc.stuck)
		}
		c := o.set(inbound.PrefixHost + inbound.CookieAttempts)
		if (c != nil && c.MaxAge > 0) != tc.count || c != nil && c.MaxAge < 0 && tc.stuck != NotStuck {
			t.Errorf("%s: got the count %v, want one: %t, and no deletion while stuck", name, c, tc.count)
		}
		if tc.change != nil && o.set(inbound.CookieHandshake) != nil {
			t.Errorf("%s: a cookie of the handshake is deleted, but in development there is none", name)
		}
	}
}

// At a host that is not listed, nobody is redirected anywhere, and a live handshake result signs in all the same.
func TestAddressOfAnUnlistedHostStays(t *testing.T) {
	in := "__clerk_handshake=" + handshakeToken(t, nil, signsIn(token(t, nil))...)
	o := decider(t).visit("https://evil.example.com/?__clerkauth_sent=1", cookies(in))
	if _, redirects := o.Header["Location"]; o.Reason != "" || o.Source != FromHandshake || redirects {
		t.Errorf("%q from %q with %v, want to be signed in and not redirected", o.Reason, o.Source, o.Header)
	}
	if c := o.set(inbound.PrefixHost + inbound.CookieAttempts); c != nil {
		t.Errorf("a redirect is counted: %v", c)
	}
}

// The package's own parameters do not stay in an address, as somebody could go back to it: only where it could not be told
// who is signed in, so that the page can be loaded again.
func TestOwnParametersAreRemoved(t *testing.T) {
	in := []string{"__session=" + token(t, nil), "__client_uat=1"}
	for name, tc := range map[string]struct {
		target  string
		cookies []string
		want    bool
	}{
		"signed in":                 {"/?__clerkauth_sent=1", in, true},
		"signed in, with a state":   {"/?__clerkauth_state=x", in, true},
		"signed out":                {"/?__clerkauth_sent=1", nil, false},
		"signed out, with a state":  {"/?__clerkauth_state=x", nil, true},
		"it cannot be told who":     {"/?__clerkauth_state=x&__clerkauth_sent=1772625599t", []string{"__client_uat=1", "__clerk_handshake_nonce=nonce_nonce"}, false},
		"signed in, nothing to see": {"/", in, false},
	} {
		o := decider(t).asking(unreachable).visit(appOrigin+tc.target, cookies(tc.cookies...))
		if got := o.Header.Get("Location") == appOrigin+"/"; got != tc.want {
			t.Errorf("%s: %q with %v, want the address cleaned: %t", name, o.Reason, o.Header, tc.want)
		} else if got && o.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Cache-Control = %q, want no-store", name, o.Header.Get("Cache-Control"))
		}
	}
}

// Only a page load uses up the cookies of a handshake: a script that runs at the same time, or a HEAD, must not take them away.
func TestHandshakeCookiesAreForPages(t *testing.T) {
	line := cookies("__clerk_handshake="+handshakeToken(t, nil, signsIn(token(t, nil))...), "__session="+token(t, nil), "__client_uat=1")
	for name, tc := range map[string]struct {
		method, dest string
		want         bool
	}{
		"a page":   {http.MethodGet, "document", true},
		"a HEAD":   {http.MethodHead, "document", false},
		"a script": {http.MethodGet, "empty", false},
	} {
		var e Evidence
		o := decider(t).outcome(request(tc.method, appOrigin+"/", line, "Sec-Fetch-Dest: "+tc.dest), &e, noon)
		if c := o.set(inbound.CookieHandshake); o.Reason != "" || (c != nil) != tc.want {
			t.Errorf("%s: %q, deletes %v, want a deletion: %t", name, o.Reason, c, tc.want)
		}
		if o.Detail != nil || o.Browser {
			t.Errorf("%s: got the detail %v and Browser %t, want no refusal's", name, o.Detail, o.Browser)
		}
	}
}
