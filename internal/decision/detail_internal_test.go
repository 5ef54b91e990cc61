package decision

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/clerkauth/clerkauth/internal/inbound"
)

// told is a request that is refused, and what the application's developer is told about it.
type told struct {
	change         func(*Settings)
	method, target string
	host           string
	lines          []string

	detail, field string
}

func wantTold(t *testing.T, cases map[string]told) {
	t.Helper()
	for name, tc := range cases {
		if tc.method == "" {
			tc.method = http.MethodGet
		}
		if tc.change == nil {
			tc.change = func(*Settings) {}
		}
		r := request(tc.method, appOrigin+tc.target, tc.lines...)
		if tc.host != "" {
			r.Host = tc.host
		}
		var e Evidence
		o := decider(t, tc.change).outcome(r, &e, noon)
		if got := fmt.Sprint(o.Detail); got != tc.detail {
			t.Errorf("%s, %s: got the detail\n%s, want\n%s", name, o.Reason, got, tc.detail)
		}
		if !whole(o.Detail) {
			t.Errorf("%s: an error in the detail wraps none", name)
		}
		if got := Field(o.Detail); got != tc.field {
			t.Errorf("%s: got the field %q, want %q", name, got, tc.field)
		}
	}
}

// whole reports whether every error that err wraps is one.
func whole(err error) bool {
	switch e := err.(type) { //nolint:errorlint // the whole chain
	case nil:
		return false
	case interface{ Unwrap() error }:
		return whole(e.Unwrap())
	case interface{ Unwrap() []error }:
		return !slices.ContainsFunc(e.Unwrap(), func(err error) bool { return !whole(err) })
	}
	return true
}

const asDocument, asScript = "Sec-Fetch-Dest: document", "Sec-Fetch-Dest: empty"

// Parts of details.
const (
	anHourAgo = "the token expired 1h0m0s ago by this machine's clock; ClockSkew is 5s; not refreshed: non-eligible-no-refresh-cookie"
	ofEvil    = `azp is "https://evil.example.com", which matches nothing in AuthorizedParties (2 entries)`
	noCookie  = "; __client_uat says that the browser signed in 2h0m0s ago, but there is no session cookie; browsers keep none larger than 4096 bytes"
)

// withoutFrontend is an application that knows no publishable key.
func withoutFrontend(s *Settings) { s.Frontend, s.Names = "", inbound.NewNames("") }

func allowingNobody(s *Settings) {
	s.Policy.Allow = func(context.Context, string, string) bool { return false }
}

// expiredBy is a session token that expired that long before noon.
func expiredBy(t *testing.T, age time.Duration) string {
	t.Helper()
	at := noon.Add(-age).Unix()
	return token(t, jwt.MapClaims{"iat": at - 60, "nbf": nil, "exp": at})
}

// handshakeOf is the cookie of a handshake token with these directives.
func handshakeOf(t *testing.T, directives ...any) string {
	t.Helper()
	return inbound.CookieHandshake + "=" + token(t, jwt.MapClaims{"sid": nil, "handshake": directives})
}

// Every detail of a page or a script that is signed in by cookie, whole: what was wrong, each thing once, and nothing else.
func TestDetailsOfCookies(t *testing.T) {
	const uat = "Cookie: __client_uat=1"
	expired := uat + "; __session=" + expiredBy(t, time.Hour)
	evil := uat + "; __session=" + token(t, jwt.MapClaims{"azp": "https://evil.example.com"})
	elsewhere := uat + "; __session=" + token(t, jwt.MapClaims{"v": 2, "o": map[string]any{"id": "org_1", "slg": "other"}})
	wantTold(t, map[string]told{
		"nothing":                             {detail: "the request has neither Authorization: Bearer nor the cookie __session or __session_abcd1234"},
		"nothing, without a publishable key":  {change: withoutFrontend, detail: "the request has neither Authorization: Bearer nor the cookie __session"},
		"expired, on a page":                  {lines: []string{asDocument, expired}, detail: anHourAgo},
		"expired, on a page without frontend": {change: withoutFrontend, lines: []string{asDocument, expired}, detail: anHourAgo + "; no handshake is possible, because without PublishableKey the URL of the Frontend API is unknown; set it", field: "PublishableKey"},
		"expired, a script without frontend":  {change: withoutFrontend, lines: []string{asScript, expired}, detail: anHourAgo},
		"another origin's, without frontend":  {change: withoutFrontend, lines: []string{asDocument, evil}, detail: ofEvil, field: "AuthorizedParties"},
		"expired, after three handshakes":     {lines: []string{asDocument, expired + "; __clerk_redirect_count=3"}, detail: anHourAgo + "; several handshakes for this page did not help: compare the instances of PublishableKey and SecretKey", field: "PublishableKey"},
		"another organization is active":      {target: "/orgs/acme", lines: []string{asDocument, elsewhere}, detail: "the URL is of another organization than the active one", field: "OrganizationSync"},
	})
}

// A detail says of the answer of a handshake why it was refused, before what is wrong with the cookies, and not twice.
func TestDetailsOfAnswers(t *testing.T) {
	signedIn := fmt.Sprintf("__client_uat=%d", noon.Add(-2*time.Hour).Unix())
	session := func(token string) string { return "__session=" + token }
	large := token(t, jwt.MapClaims{"exp": noon.Unix() - 120, "x": strings.Repeat("x", 4000)})
	pages := map[string]told{
		"expired, beside an expired cookie": {lines: []string{session(expiredBy(t, time.Hour)), handshakeOf(t, session(expiredBy(t, 2*time.Minute)))}, detail: "the handshake result was refused: session-token-expired: the token expired 2m0s ago by this machine's clock; ClockSkew is 5s; " + anHourAgo},
		"without azp":                       {lines: []string{handshakeOf(t, session(token(t, jwt.MapClaims{"azp": nil})))}, detail: "azp is missing, and without StateKey or SecretKey no cookie can show that this browser had the session here before", field: "StateKey"},
		"for another origin":                {lines: []string{handshakeOf(t, session(token(t, jwt.MapClaims{"azp": "https://evil.example.com"})))}, detail: "the handshake result was refused: token-invalid-authorized-parties: " + ofEvil + noCookie, field: "AuthorizedParties"},
		"no token":                          {lines: []string{inbound.CookieHandshake + "=x.y"}, detail: "the handshake result was refused: the token is not three parts of base64url with dots between them: was it cut off?" + noCookie},
		"a nonce, without a secret key":     {lines: []string{inbound.CookieNonce + "=abcdefgh"}, detail: "the handshake result was refused: the handshake result is a nonce, which cannot be exchanged without SecretKey; set it" + noCookie, field: "SecretKey"},
		"a number before a cookie":          {lines: []string{handshakeOf(t, 5, "__client_uat=0")}, detail: "the handshake result was refused: the claim handshake is not a list of strings" + noCookie},
		"a number after a cookie":           {lines: []string{handshakeOf(t, "__client_uat=0", 5)}, detail: "the handshake result was refused: the claim handshake is not a list of strings" + noCookie},
		"too large for a cookie":            {change: func(s *Settings) { s.TooLarge = func(int, int) {} }, lines: []string{handshakeOf(t, session(large))}, detail: fmt.Sprintf("the handshake result was refused: session-token-expired: the token expired 2m0s ago by this machine's clock; ClockSkew is 5s; the session cookie has %d bytes, and browsers keep none larger than 4096", len("__session")+len(large))},
	}
	for name, tc := range pages {
		tc.lines = []string{asDocument, "Cookie: " + signedIn + "; " + strings.Join(tc.lines, "; ")}
		pages[name] = tc
	}
	wantTold(t, pages)
}

func TestDetailsOfBearerTokens(t *testing.T) {
	bearer := func(token string) []string { return []string{asScript, "Authorization: Bearer " + token} }
	evil := jwt.MapClaims{"azp": "https://evil.example.com"}
	header, _, _ := strings.Cut(token(t, nil), ".")
	wantTold(t, map[string]told{
		"another origin's":                   {lines: bearer(token(t, evil)), detail: ofEvil, field: "AuthorizedParties"},
		"the same, with AllowParty":          {change: allowingNobody, lines: bearer(token(t, evil)), detail: ofEvil + `, and AllowParty refuses it`, field: "AuthorizedParties"},
		"expired as long as leeway can be":   {lines: bearer(expiredBy(t, time.Minute)), detail: "the token expired 1m0s ago by this machine's clock; ClockSkew is 5s; not refreshed: non-eligible-no-refresh-cookie", field: "ClockSkew"},
		"expired longer than leeway can be":  {lines: bearer(expiredBy(t, time.Minute+time.Second)), detail: "the token expired 1m1s ago by this machine's clock; ClockSkew is 5s; not refreshed: non-eligible-no-refresh-cookie"},
		"another instance's, of two":         {change: func(s *Settings) { s.Policy.Issuers = append(s.Policy.Issuers, "https://clerk.example.org") }, lines: bearer(token(t, jwt.MapClaims{"iss": "https://clerk.other.example"})), detail: `iss is "https://clerk.other.example", but must be "https://clerk.example.com" or "https://clerk.example.org"`, field: "Issuers"},
		"features that cannot be read":       {lines: bearer(token(t, jwt.MapClaims{"v": 2, "o": map[string]any{"id": "org_1"}, "fea": 7})), detail: "the claim o or fea is missing or malformed"},
		"a payload that is a list":           {lines: bearer(header + ".W10."), detail: "the token's payload is not a JSON object, or repeats a name"},
		"two parts":                          {lines: bearer("a.b"), detail: "the token is not three parts of base64url with dots between them: was it cut off?"},
		"three parts, of which one is empty": {lines: bearer(".a.b"), detail: "the token is not three parts of base64url with dots between them: was it cut off?"},
		"no part":                            {lines: bearer("ab"), detail: "the token has no dots; a session token is a JWT, three parts with dots between them"},
	})
}

// A host or an origin that is not on the list is named, beside the entry that it comes close to.
func TestDetailsOfHosts(t *testing.T) {
	signedIn := "Cookie: __client_uat=1; __session=" + token(t, nil)
	expired := []string{asDocument, "Cookie: __client_uat=1; __session=" + expiredBy(t, time.Hour)}
	expiredPlain := []string{asDocument, "Cookie: __client_uat=1; __session=" + token(t, jwt.MapClaims{"azp": "http://app.example.com", "exp": noon.Unix() - 60})}
	plain := func(s *Settings) { s.Policy.List = list(t, "http://app.example.com") }
	anyParty := func(s *Settings) { s.Policy.List, s.Policy.Any = list(t), true }
	wantTold(t, map[string]told{
		"another host":                  {host: "www.example.com", lines: expired, detail: `Host is "www.example.com", which matches nothing in AuthorizedParties (2 entries)`, field: "AuthorizedParties"},
		"another host, AllowParty":      {host: "www.example.com", lines: expired, change: allowingNobody, detail: `Host is "www.example.com", which matches nothing in AuthorizedParties (2 entries), and AllowParty refuses it`, field: "AuthorizedParties"},
		"no browser's host":             {host: "a..b", lines: expired, change: anyParty, detail: `Host is "a..b", a host that no browser sends`, field: "AuthorizedParties"},
		"a port":                        {host: "app.example.com:8080", lines: expired, detail: `Host is "app.example.com:8080", which matches nothing in AuthorizedParties (2 entries); without the port it matches: is it that of a server behind a proxy, which must pass on the Host that the browser sent?`, field: "AuthorizedParties"},
		"a port, listed with http":      {host: "app.example.com:8080", lines: expiredPlain, change: plain, detail: `Host is "app.example.com:8080", which matches nothing in AuthorizedParties (1 entry); without the port it matches: is it that of a server behind a proxy, which must pass on the Host that the browser sent?`, field: "AuthorizedParties"},
		"a write from another site":     {method: http.MethodPost, lines: []string{signedIn, "Sec-Fetch-Site: cross-site"}, detail: `Sec-Fetch-Site is "cross-site", Host is "app.example.com", and neither AuthorizedParties (2 entries) nor TrustedOrigins (0 entries) allows this write`, field: "TrustedOrigins"},
		"a write from another origin":   {method: http.MethodPost, lines: []string{signedIn, "Origin: https://evil.example.com"}, detail: `Origin is "https://evil.example.com", Host is "app.example.com", and neither AuthorizedParties (2 entries) nor TrustedOrigins (0 entries) allows this write`, field: "TrustedOrigins"},
		"a write from two pages":        {method: http.MethodPost, lines: []string{signedIn, "Origin: https://app.example.com", "Referer: https://app.example.com/hidden", "Referer: https://app.example.com/"}, detail: `Origin is "https://app.example.com", Referer's origin is "https://app.example.com, https://app.example.com", Host is "app.example.com", and neither AuthorizedParties (2 entries) nor TrustedOrigins (0 entries) allows this write`, field: "TrustedOrigins"},
		"a write from a page elsewhere": {method: http.MethodPost, lines: []string{signedIn, "Sec-Fetch-Site: same-site", "Origin: https://evil.example.com", "Referer: https://evil.example.com/hidden"}, detail: `Origin is "https://evil.example.com", Referer's origin is "https://evil.example.com", Sec-Fetch-Site is "same-site", Host is "app.example.com", and neither AuthorizedParties (2 entries) nor TrustedOrigins (0 entries) allows this write`, field: "TrustedOrigins"},
	})
}
