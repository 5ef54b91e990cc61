package decision

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/reasons"
)

func TestDeleteDomainSessions(t *testing.T) {
	suffixedToo := inbound.NewNames("abc")
	all := []string{
		"__session=; Path=/; Domain=example.com; Max-Age=0; Secure", "__session_abc=; Path=/; Domain=example.com; Max-Age=0; Secure",
		"__refresh_abc=; Path=/; Domain=example.com; Max-Age=0; Secure",
	}
	for name, tc := range map[string]struct {
		root, host string
		names      inbound.Names
		want       []string
	}{
		"below the root domain":  {"example.com", "app.example.com", suffixedToo, all},
		"at the root domain":     {"example.com", "EXAMPLE.com:8443", suffixedToo, all},
		"without a suffix":       {"example.com", "app.example.com", inbound.NewNames(""), all[:1]},
		"a name that ends alike": {"example.com", "badexample.com", suffixedToo, nil},
		"another domain":         {"example.com", "satellite.example", suffixedToo, nil},
		"no root domain known":   {"", "app.example.com", suffixedToo, nil},
		"a host that cannot be":  {"example.com", "app example.com", suffixedToo, nil},
	} {
		s := &Settings{Settings: inbound.Settings{Names: tc.names}, RootDomain: tc.root}
		if got := s.deleteDomainSessions(&inbound.Request{RawHost: tc.host}); !slices.Equal(got, tc.want) {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

// deleted are the names of the cookies that Set-Cookie values delete, in order, with "@" and the domain for which.
func deleted(setCookies []string) []string {
	var names []string
	for _, line := range setCookies {
		c, err := http.ParseSetCookie(line)
		if err == nil && c.MaxAge < 0 {
			names = append(names, strings.TrimSuffix(c.Name+"@"+c.Domain, "@"))
		}
	}
	return names
}

// Cookies that keep somebody from signing in are deleted, and no others.
func TestDeletePlanted(t *testing.T) {
	const planted, uat, counted = "__session=x.y.z", "__client_uat=1", "__clerk_redirect_count=3"
	const count, countOfRoot = "__clerk_redirect_count", "__clerk_redirect_count@example.com"
	sessions := []string{"__session@example.com", "__session_" + suffix + "@example.com", "__refresh_" + suffix + "@example.com"}
	good, expired := token(t, nil), token(t, jwt.MapClaims{"iat": noon.Unix() - 100, "nbf": nil, "exp": noon.Unix() - 40})
	elsewhere := func(s *Settings) { s.RootDomain = "root.example" }
	unknown := func(s *Settings) { s.Frontend = "" }
	for name, tc := range map[string]struct {
		change  func(*Settings)
		cookies []string
		want    []string
	}{
		"a session that is none":           {cookies: []string{planted, uat}, want: sessions},
		"one beside a sign-out":            {cookies: []string{planted}},
		"not below the root domain":        {change: elsewhere, cookies: []string{planted, uat}},
		"a count that stops the page":      {cookies: []string{uat, counted}, want: []string{count, countOfRoot}},
		"one not below the root domain":    {change: elsewhere, cookies: []string{uat, counted}, want: []string{count}},
		"a count beside a session":         {cookies: []string{"__session=" + good, uat, counted}},
		"a session, signed in":             {cookies: []string{"__session=" + good, uat}},
		"a session to be renewed":          {cookies: []string{"__session=" + expired, uat}},
		"no session, and no handshake":     {change: unknown, cookies: []string{uat}},
		"a count beside what is no token":  {cookies: []string{planted, uat, counted}, want: sessions},
		"an expired one, and no handshake": {change: unknown, cookies: []string{"__session=" + expired, uat}},
	} {
		var changes []func(*Settings)
		if tc.change != nil {
			changes = append(changes, tc.change)
		}
		var e Evidence
		o := decider(t, changes...).outcome(request(http.MethodGet, appOrigin+"/", "Sec-Fetch-Dest: document", "Cookie: "+strings.Join(tc.cookies, "; ")), &e, noon)
		if got := deleted(o.Header["Set-Cookie"]); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q deletes %q, want %q", name, o.Reason, got, tc.want)
		}
	}
}

// Where the application is at the root domain, a deletion after the cookies of an answer would delete those.
func TestAnswerIsNotDeleted(t *testing.T) {
	for sts, reason := range map[string]reasons.Reason{"active": "", "pending": reasons.SessionPending} {
		fresh := token(t, jwt.MapClaims{"sts": sts})
		o := decider(t).visit(appOrigin+"/", cookies("__session=x.y.z", "__client_uat=1", "__clerk_handshake="+handshakeToken(t, nil, signsIn(fresh)...)))
		lines := o.Header["Set-Cookie"]
		at := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "__session="+fresh) })
		if o.Reason != reason || o.Source != FromHandshake || at < 0 {
			t.Fatalf("%s: got %q from %q, with %q, want %q and the answer's session", sts, o.Reason, o.Source, lines, reason)
		}
		if before := deleted(lines[:at]); !slices.Contains(before, "__session@example.com") {
			t.Errorf("%s: before the answer %q is deleted, want the planted session, too", sts, before)
		}
		if after := deleted(lines[at:]); slices.ContainsFunc(after, func(name string) bool { return strings.HasPrefix(name, "__session") }) {
			t.Errorf("%s: after the answer %q is deleted, want no session cookie", sts, after)
		}
	}
}

// Of somebody who is signed out, a planted token of this instance is deleted with the answer to the first handshake: it would
// cause one for every page.
func TestPlantedSessionOfASignedOutBrowser(t *testing.T) {
	planted := "__session=" + token(t, jwt.MapClaims{"azp": "https://evil.example.com"})
	d := decider(t)
	if first := d.visit(appOrigin+"/", cookies(planted)); !first.Handshake() || len(deleted(first.Header["Set-Cookie"])) > 0 {
		t.Errorf("got %q, a handshake %t, %q, want a handshake that deletes nothing", first.Reason, first.Handshake(), first.Header["Set-Cookie"])
	}
	o := d.visit(appOrigin+"/", cookies(planted, "__clerk_handshake="+handshakeToken(t, nil, signsOut...)))
	if got := deleted(o.Header["Set-Cookie"]); o.Reason != reasons.SessionTokenMissing || !slices.Contains(got, "__session@example.com") {
		t.Errorf("got %q, and %q is deleted, want %q, and the planted session", o.Reason, got, reasons.SessionTokenMissing)
	}
}

// A page that was sent away too often is found again when the order of its parameters has changed. Nothing is deleted then
// that the browser did not send.
func TestCirclesInAnyOrder(t *testing.T) {
	d, kept := decider(t), ""
	for n, query := range []string{"a=1&b=2", "b=2&a=1", "a=1&b=2", "b=2&a=1"} {
		var e Evidence
		o := d.outcome(request(http.MethodGet, appOrigin+"/?"+query, "Sec-Fetch-Dest: document", "Cookie: __client_uat=1; "+kept), &e, noon)
		if last := n == maxAttempts; o.Handshake() == last || (o.Stuck == InCircles) != last {
			t.Fatalf("request %d: handshake %t, stuck %d, want %t, and %d at the end", n, o.Handshake(), o.Stuck, !last, InCircles)
		}
		for _, line := range o.Header["Set-Cookie"] {
			if strings.HasPrefix(line, inbound.PrefixHost+inbound.CookieAttempts+"=") {
				kept, _, _ = strings.Cut(line, ";")
			}
		}
		if got := deleted(o.Header["Set-Cookie"]); len(got) > 0 {
			t.Errorf("request %d deletes %q, want nothing", n, got)
		}
	}
}

// Without the Frontend API's address there is no handshake: it would lead to a page of the application itself.
func TestNoHandshakeWithoutFrontend(t *testing.T) {
	var e Evidence
	o := decider(t, func(s *Settings) { s.Frontend = "" }).outcome(request(http.MethodGet, appOrigin+"/", "Sec-Fetch-Dest: document", "Cookie: __client_uat=1"), &e, noon)
	if at := o.Header.Get("Location"); o.Handshake() || at != "" {
		t.Errorf("got a handshake %t at %q, want none", o.Handshake(), at)
	}
}
