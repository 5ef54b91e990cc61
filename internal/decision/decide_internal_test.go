package decision

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/jwks"
	"github.com/clerkauth/clerkauth/internal/orgpath"
	"github.com/clerkauth/clerkauth/internal/reasons"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

const (
	appOrigin = "https://app.example.com"
	issuer    = "https://clerk.example.com"
	suffix    = "abcd1234"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// signing is the instance's key.
var signing = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// outcome is what a request that requires a session comes to.
func (d *Decider) outcome(r *http.Request, e *Evidence, now time.Time) Outcome {
	var o Outcome
	d.Decide(r, e, &o, true, now)
	return o
}

// token is a session token of noon's minute, with these claims in place of its own; nil takes one away.
func token(t *testing.T, claims jwt.MapClaims) string {
	t.Helper()
	all := jwt.MapClaims{
		"iss": issuer, "sub": "user_1", "sid": "sess_1", "azp": appOrigin,
		"iat": noon.Unix() - 10, "nbf": noon.Unix() - 20, "exp": noon.Unix() + 50,
	}
	maps.Copy(all, claims)
	for name, value := range claims {
		if value == nil {
			delete(all, name)
		}
	}
	j := jwt.NewWithClaims(jwt.SigningMethodRS256, all)
	j.Header["kid"] = "k1"
	signed, err := j.SignedString(signing())
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// decider decides for an application at appOrigin with live keys and no Backend API.
func decider(t *testing.T, changes ...func(*Settings)) *Decider {
	t.Helper()
	organizations, errs := orgpath.New(orgpath.Lists{OrganizationPatterns: []string{"/orgs/:slug"}})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	s := &Settings{
		Settings: inbound.Settings{Live: true, Names: inbound.NewNames(suffix)},
		Policy:   Policy{List: list(t, appOrigin, "https://other.example.com"), Issuers: []string{issuer}, Skew: 5 * time.Second},
		Frontend: issuer, OwnIssuer: issuer, Accounts: "accounts.example.com", RootDomain: "example.com",
		Organizations: organizations,
		ClockOff:      func(time.Duration) {},
	}
	for _, change := range changes {
		change(s)
	}
	encode := base64.RawURLEncoding.EncodeToString
	set, err := jwks.ParseSet(fmt.Sprintf(`{"keys":[{"kty":"RSA","use":"sig","alg":"RS256","kid":"k1","n":%q,"e":%q}]}`,
		encode(signing().N.Bytes()), encode(big.NewInt(int64(signing().E)).Bytes())))
	if err != nil {
		t.Fatal(err)
	}
	return New(s, sessiontoken.New(jwks.Fixed(set, time.Hour), 16, s.Policy.Skew), nil)
}

// request is a request for a URL with these header lines, each "Name: value".
func request(method, target string, lines ...string) *http.Request {
	r := httptest.NewRequest(method, target, http.NoBody)
	r.TLS = nil
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	return r
}

// testKeys makes settings those of a development instance.
func testKeys(s *Settings) { s.Live = false }

func TestDecide(t *testing.T) {
	const page, script = "Sec-Fetch-Dest: document", "Sec-Fetch-Dest: empty"
	const uat, uatSuffixed = "__client_uat=1", "__client_uat_" + suffix + "=1"
	good := token(t, nil)
	expired := token(t, jwt.MapClaims{"iat": noon.Unix() - 100, "nbf": nil, "exp": noon.Unix() - 40})
	other := token(t, jwt.MapClaims{"sid": "sess_2", "sub": "user_2"})
	noAZP := token(t, jwt.MapClaims{"azp": nil})
	pending := token(t, jwt.MapClaims{"sts": "pending"})
	_, rest, _ := strings.Cut(expired, ".")
	replacedKey := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","kid":"k0"}`)) + "." + rest
	siblingSubdomain := token(t, jwt.MapClaims{"azp": "https://evil.example.com"})
	cookie := func(pairs ...string) string { return "Cookie: " + strings.Join(pairs, "; ") }
	for name, tc := range map[string]struct {
		change         func(*Settings)
		method, target string
		lines          []string

		reason    reasons.Reason
		source    TokenSource
		handshake bool
	}{
		"a bearer token":                       {lines: []string{script, "Authorization: Bearer " + good}, source: FromBearer},
		"one of a sibling subdomain":           {lines: []string{script, "Authorization: Bearer " + siblingSubdomain}, reason: reasons.TokenInvalidParties, source: FromBearer},
		"one without azp":                      {lines: []string{script, "Authorization: Bearer " + noAZP}, reason: reasons.TokenInvalidParties, source: FromBearer},
		"one without azp, allowed":             {change: func(s *Settings) { s.Policy.BearerWithout = true }, lines: []string{script, "Authorization: Bearer " + noAZP}, source: FromBearer},
		"one that has expired":                 {lines: []string{script, "Authorization: Bearer " + expired}, reason: reasons.TokenExpired, source: FromBearer},
		"one that has expired, on a page":      {lines: []string{page, "Authorization: Bearer " + expired}, reason: reasons.TokenExpired, source: FromBearer, handshake: true},
		"one of a pending session":             {lines: []string{script, "Authorization: Bearer " + pending}, reason: reasons.SessionPending, source: FromBearer},
		"a pending session, allowed":           {change: func(s *Settings) { s.AllowPending = true }, lines: []string{script, "Authorization: Bearer " + pending}, source: FromBearer},
		"two Authorization lines":              {lines: []string{"Authorization: Bearer " + good, "Authorization: Bearer " + good}, reason: reasons.MultipleAuthorization},
		"garbage":                              {lines: []string{script, "Authorization: Bearer garbage"}, reason: reasons.TokenInvalid, source: FromBearer},
		"a machine's key":                      {lines: []string{script, "Authorization: Bearer ak_123"}, reason: reasons.TokenTypeMismatch, source: FromBearer},
		"nothing":                              {lines: []string{page}, reason: reasons.SessionTokenAndUATMissing},
		"a session cookie":                     {lines: []string{page, cookie("__session="+good, uat)}, source: FromCookie},
		"both of its names":                    {lines: []string{script, cookie("__session="+good, "__session_"+suffix+"="+good, uat, uatSuffixed)}, source: FromCookie},
		"without __client_uat, on a page":      {lines: []string{page, cookie("__session=" + good)}, reason: reasons.SessionTokenWithoutUAT, source: FromCookie, handshake: true},
		"without __client_uat, for a script":   {lines: []string{script, cookie("__session=" + good)}, reason: reasons.SessionTokenWithoutUAT, source: FromCookie},
		"__client_uat alone":                   {lines: []string{page, cookie(uat)}, reason: reasons.UATWithoutSessionToken, source: FromCookie, handshake: true},
		"signed in again since":                {lines: []string{page, cookie("__session="+good, fmt.Sprintf("__client_uat=%d", noon.Unix()))}, reason: reasons.TokenBeforeUAT, source: FromCookie, handshake: true},
		"an expired cookie, on a page":         {lines: []string{page, cookie("__session="+expired, uat)}, reason: reasons.TokenExpired, source: FromCookie, handshake: true},
		"an expired cookie, for a script":      {lines: []string{script, cookie("__session="+expired, uat)}, reason: reasons.TokenExpired, source: FromCookie},
		"a cookie without azp, on a page":      {lines: []string{page, cookie("__session="+noAZP, uat)}, reason: reasons.TokenMissingAZP, source: FromCookie, handshake: true},
		"a cookie without azp, for a script":   {lines: []string{script, cookie("__session="+noAZP, uat)}, reason: reasons.TokenMissingAZP, source: FromCookie},
		"a sibling subdomain's session":        {lines: []string{page, cookie("__session="+siblingSubdomain, uat)}, reason: reasons.TokenInvalidParties, source: FromCookie},
		"garbage beside a session":             {lines: []string{page, cookie("__session=x.y.z", "__session="+good, uat)}, source: FromCookie},
		"two sessions, on a page":              {lines: []string{page, cookie("__session="+good, "__session="+other, uat)}, reason: reasons.SessionTokenAmbiguous, source: FromCookie, handshake: true},
		"two sessions, for a script":           {lines: []string{script, cookie("__session="+good, "__session="+other, uat)}, reason: reasons.SessionTokenAmbiguous, source: FromCookie},
		"a write from the page itself":         {method: http.MethodPost, lines: []string{script, "Sec-Fetch-Site: same-origin", "Origin: " + appOrigin, cookie("__session="+good, uat)}, source: FromCookie},
		"a write from a sibling subdomain":     {method: http.MethodPost, lines: []string{script, "Sec-Fetch-Site: same-site", "Origin: https://evil.example.com", cookie("__session="+good, uat)}, reason: reasons.CrossOriginRequest, source: FromCookie},
		"a WebSocket of a sibling subdomain":   {lines: []string{"Upgrade: websocket", "Sec-Fetch-Site: same-site", "Origin: https://evil.example.com", cookie("__session="+good, uat)}, reason: reasons.CrossOriginRequest, source: FromCookie},
		"a bearer token's write from anywhere": {method: http.MethodPost, lines: []string{script, "Origin: https://evil.example.com", "Authorization: Bearer " + good}, source: FromBearer},
		"a host that is not listed":            {target: "https://evil.example.com/", lines: []string{page, cookie("__session="+expired, uat)}, reason: reasons.RequestHostNotAuthorized, source: FromCookie},
		"another organization's page":          {target: appOrigin + "/orgs/acme", lines: []string{page, cookie("__session="+good, uat)}, reason: reasons.OrganizationMismatch, source: FromCookie, handshake: true},
		"another organization's, for a script": {target: appOrigin + "/orgs/acme", lines: []string{script, cookie("__session="+good, uat)}, source: FromCookie},
		"from another site":                    {lines: []string{page, "Referer: https://satellite.example/", cookie("__session="+good, uat)}, reason: reasons.CrossOriginSync, source: FromCookie, handshake: true},
		"from the account portal":              {lines: []string{page, "Referer: https://accounts.example.com/sign-in", cookie("__session="+good, uat)}, source: FromCookie},
		"an unknown development browser":       {change: testKeys, lines: []string{page, cookie("__session="+good, uat)}, reason: reasons.DevBrowserMissing, handshake: true},
		"a known development browser":          {change: testKeys, lines: []string{page, cookie("__session="+good, uat, "__clerk_db_jwt=dvb")}, source: FromCookie},
		"one that the address brings":          {change: testKeys, target: appOrigin + "/?__clerk_db_jwt=dvb", lines: []string{page, cookie("__session="+good, uat)}, reason: reasons.DevBrowserSync, handshake: true},
		"an answer that nobody fetched":        {change: testKeys, target: appOrigin + "/?__clerk_handshake_nonce=abcdefgh", lines: []string{page, cookie("__session="+good, uat, "__clerk_db_jwt=dvb")}, reason: reasons.DevBrowserSync, handshake: true, source: FromCookie},
		"one at a host that is not listed":     {change: testKeys, target: "https://evil.example.com/?__clerk_handshake_nonce=abcdefgh", lines: []string{page, cookie(uat, "__clerk_db_jwt=dvb")}, reason: reasons.RequestHostNotAuthorized, source: FromCookie},
		"one there, beside a replaced key":     {change: testKeys, target: "https://evil.example.com/?__clerk_handshake_nonce=abcdefgh", lines: []string{page, cookie("__session="+replacedKey, uat, "__clerk_db_jwt=dvb")}, reason: reasons.RequestHostNotAuthorized, source: FromCookie},
		"one beside a session, for a script":   {change: testKeys, target: appOrigin + "/?__clerk_handshake_nonce=abcdefgh", lines: []string{script, cookie("__session="+good, uat, "__clerk_db_jwt=dvb")}, source: FromCookie},
		"a satellite's first visit":            {change: func(s *Settings) { s.Satellite, s.AutoSync = true, true }, lines: []string{page}, reason: reasons.SatelliteNeedsSync, handshake: true},
		"a satellite that waits to be told":    {change: func(s *Settings) { s.Satellite = true }, lines: []string{page}, reason: reasons.SessionTokenAndUATMissing},
	} {
		method, target := tc.method, tc.target
		if method == "" {
			method = http.MethodGet
		}
		if target == "" {
			target = appOrigin + "/"
		}
		var changes []func(*Settings)
		if tc.change != nil {
			changes = append(changes, tc.change)
		}
		var e Evidence
		o := decider(t, changes...).outcome(request(method, target, tc.lines...), &e, noon)
		if o.Reason != tc.reason || o.Source != tc.source || o.Handshake() != tc.handshake {
			t.Errorf("%s: %q from %q, to a handshake %t; want %q from %q, %t", name, o.Reason, o.Source, o.Handshake(), tc.reason, tc.source, tc.handshake)
		}
		if signedIn := o.Reason == ""; signedIn != (o.Token != "" && o.Claims != nil) && o.Reason != reasons.SessionPending {
			t.Errorf("%s: got %q with token %t and claims %t, want both exactly when signed in", name, o.Reason, o.Token != "", o.Claims != nil)
		}
		if away := o.Header.Get("Location") != ""; away != o.Handshake() {
			t.Errorf("%s: got a Location %t, to a handshake %t, want both or neither", name, away, o.Handshake())
		}
	}
}

// Whether the host is one of the application's own is asked for once, whatever comes of a handshake.
func TestHostIsReadOnce(t *testing.T) {
	calls := 0
	d := decider(t, testKeys, func(s *Settings) {
		s.Policy.Allow = func(context.Context, string, string) bool { calls++; return false }
	})
	var e Evidence
	if _, ok := d.newReturnPoint(t.Context(), &e, noon); ok {
		t.Error("a request without a host has a page to come back to")
	}
	e.RawHost, e.nowhere = "evil.example.com", false
	d.newReturnPoint(t.Context(), &e, noon)
	once := calls
	d.newReturnPoint(t.Context(), &e, noon)
	if once == 0 || calls != once {
		t.Errorf("got %d calls, and %d more when it was known, want some and no more", once, calls-once)
	}
}

// What a handshake is told, and where it comes back to.
func TestHandshakeLocation(t *testing.T) {
	var e Evidence
	d := decider(t, func(s *Settings) { s.Secret = true })
	o := d.outcome(request(http.MethodGet, appOrigin+"/orgs/acme?a=b&__clerkauth_sent=1", "Sec-Fetch-Dest: document", "Cookie: __client_uat_"+suffix+"=1"), &e, noon)
	u, err := url.Parse(o.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if at := u.Scheme + "://" + u.Host + u.Path; at != issuer+"/v1/client/handshake" {
		t.Errorf("the redirect is to %s, want %s/v1/client/handshake", at, issuer)
	}
	for name, want := range map[string]string{
		"redirect_url": appOrigin + "/orgs/acme?a=b", "suffixed_cookies": "true", "__clerk_hs_reason": "client-uat-but-no-session-token",
		"format": "nonce", "organization_id": "acme",
	} {
		if q.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, q.Get(name), want)
		}
	}
	if o.Header.Get("Cache-Control") != "no-store" || len(o.Header["Set-Cookie"]) == 0 {
		t.Errorf("the redirect may be kept, or is not counted: %v", o.Header)
	}
}
