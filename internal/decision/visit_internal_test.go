package decision

import (
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/clerkauth/clerkauth/internal/backendapi"
	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
	"github.com/clerkauth/clerkauth/internal/transport"
)

// visit is the outcome of a page load at noon with these header lines.
func (d *Decider) visit(target string, lines ...string) Outcome {
	var e Evidence
	return d.outcome(request(http.MethodGet, target, append(lines, "Sec-Fetch-Dest: document")...), &e, noon)
}

// cookies is a Cookie header line.
func cookies(pairs ...string) string { return "Cookie: " + strings.Join(pairs, "; ") }

// counts is the cookie of a browser with these entries, as a pair.
func counts(entries ...attempt) string {
	texts := make([]string, len(entries))
	for i, a := range entries {
		texts[i] = a.String()
	}
	return inbound.PrefixHost + inbound.CookieAttempts + "=" + strings.Join(texts, "~")
}

// redirected is the entry of a page of the application that was redirected n times, the last time a while before noon.
func redirected(path string, n int, ago time.Duration) attempt {
	a, _ := attemptOf(nil, appOrigin+path+"?", noon)
	a.n, a.at = n, noon.Add(-ago).Unix()
	return a
}

// set is a cookie that an outcome sets; nil: it does not.
func (o *Outcome) set(name string) *http.Cookie {
	for _, c := range (&http.Response{Header: o.Header}).Cookies() {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// handshakeToken is a handshake token with these claims, and with these Set-Cookie values in it.
func handshakeToken(t *testing.T, claims jwt.MapClaims, directives ...string) string {
	t.Helper()
	all := jwt.MapClaims{"sub": nil, "sid": nil, "azp": nil, "handshake": directives}
	maps.Copy(all, claims)
	return token(t, all)
}

// signsIn and signsOut are the Set-Cookie values of handshake results.
func signsIn(token string) []string {
	return []string{"__session=" + token + "; Path=/", "__client_uat=1; Path=/; Domain=example.com"}
}

var signsOut = []string{"__session=; Path=/; Max-Age=0", "__client_uat=0; Path=/; Domain=example.com"}

var partyKey = PartyKey(strings.Repeat("k", MinStateKey))

func withParty(s *Settings) { s.Policy.Party = partyKey }

// party is the party cookie of a browser that had a session here, as a pair.
func party(sid string) string {
	c := &sessiontoken.Claims{Iss: issuer, SID: sid, Sub: "user_1"}
	return partyName() + "=" + partyKey.mint(c, appOrigin, noon.Add(partyLifetime))
}

func partyName() string {
	return inbound.PrefixHost + inbound.CookieParty + partyKey.tag(issuer, appOrigin)
}

type network func(*http.Request) (*http.Response, error)

func (n network) RoundTrip(r *http.Request) (*http.Response, error) { return n(r) }

// unreachable is a network that is down.
func unreachable(*http.Request) (*http.Response, error) { return nil, errors.New("unreachable") }

// asking gives d a Backend API.
func (d *Decider) asking(n network) *Decider {
	d.Secret = true
	clock := func() time.Time { return noon }
	d.backend = backendapi.New(&http.Client{Transport: n}, "https://api.example.com", "sk_live_secret", clock, func(*transport.OutageError) {})
	return d
}
