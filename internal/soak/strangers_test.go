package soak_test

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// The kinds of requests of strangers.
const (
	forgeries = "forgeries"
	unknown   = "unknown kids"
)

// Nobody is signed in as these.
const (
	thief   = "user_thief"   // whose tokens are not valid
	planter = "user_planter" // whose cookies are in other people's browsers
)

// forgery is a request of a stranger with no valid credential, or with one that names another person.
func (s *soak) forgery() func() {
	b, n, choice := s.anyBrowser(), s.rand.IntN(1<<30), s.rand.IntN(2)
	claims := b.claims()
	if choice == 0 {
		claims = clerktest.Claims{Subject: thief}
	}
	with := func(change func(*clerktest.Claims)) string {
		c := claims
		change(&c)
		return s.clerk.Token(c)
	}
	bearer := func(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }
	switch n % 13 {
	case 0:
		return s.stranger("signed with another key", "/app/", bearer(s.clerk.Forge(claims)))
	case 1:
		return s.stranger("signed with another key, in cookies", "/app/", s.cookiesOf(s.clerk.Forge(claims)))
	case 2:
		return s.stranger("alg none", "/app/", bearer(with(func(c *clerktest.Claims) { c.Header = map[string]any{"alg": "none"} })))
	case 3:
		return s.stranger("alg HS256 with the public key", "/app/", bearer(with(func(c *clerktest.Claims) { c.Header = map[string]any{"alg": "HS256"} })))
	case 4:
		return s.stranger("for another site", "/app/", bearer(with(func(c *clerktest.Claims) { c.AuthorizedParty = "https://blog.example.com" })))
	case 5:
		return s.stranger("for another site, in cookies", "/app/", s.cookiesOf(with(func(c *clerktest.Claims) { c.AuthorizedParty = "https://blog.example.com" })))
	case 6:
		return s.stranger("expired", "/app/", bearer(with(func(c *clerktest.Claims) { c.ExpiresAt = s.clock.now().Add(-10 * time.Second) })))
	case 7:
		return s.stranger("of another issuer", "/app/", bearer(with(func(c *clerktest.Claims) { c.Issuer = s.other.Issuer() })))
	case 8:
		return s.stranger("with a changed signature", "/app/", bearer(harness.SpoilSignature(with(func(*clerktest.Claims) {}))))
	case 9:
		return s.stranger("a machine's token for people", "/app/", bearer(s.clerk.M2MJWT(clerktest.MachineClaims{})))
	case 10:
		return s.stranger("a person's token for machines", "/machines", bearer(with(func(*clerktest.Claims) {})))
	case 11:
		secret := fmt.Sprint("ak_", n)
		if len(s.withdrawn) > 0 && choice == 0 {
			secret = s.withdrawn[n%len(s.withdrawn)]
		}
		return s.stranger("a credential that was made up or revoked", "/machines", bearer(secret))
	}
	return s.crossSite(b)
}

// crossSite is a form on another site, sent with the cookies of an honest person.
func (s *soak) crossSite(b *browser) func() {
	header := maps.Clone(formHeader)
	header["Origin"], header["Sec-Fetch-Site"] = []string{"https://evil.example"}, []string{"cross-site"}
	header["Cookie"] = s.cookiesOf(s.clerk.Token(b.claims()))["Cookie"]
	return func() {
		begin := time.Now()
		s.strange(forgeries, "a form of another site", s.visit(nil, http.MethodPost, origin+"/app/", header, nil), time.Since(begin))
	}
}

// unknownKID sends a token of a key that was not published.
func (s *soak) unknownKID() func() {
	n := s.rand.IntN(1 << 30)
	claims := clerktest.Claims{Subject: thief}
	switch n % 3 {
	case 0:
		return s.unknownKey(s.other.Token(claims))
	default:
		return s.unknownKey(withKID(s.other.Token(claims), n))
	}
}

func (s *soak) unknownKey(token string) func() {
	return func() {
		begin := time.Now()
		got := s.visit(nil, http.MethodGet, origin+"/app/", http.Header{"Authorization": {"Bearer " + token}}, nil)
		s.strange(unknown, "a key that nobody published", got, time.Since(begin))
	}
}

// withKID returns a token that names another key.
func withKID(token string, n int) string {
	_, rest, _ := strings.Cut(token, ".")
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"alg":"RS256","kid":"ins_%d"}`, n)) + "." + rest
}

// withRevokedKey sends a token of a key that was revoked some time ago.
func (s *soak) withRevokedKey() func() {
	token, until := s.old, s.oldUntil
	return func() {
		if s.clock.now().Before(until) {
			return
		}
		begin := time.Now()
		got := s.visit(nil, http.MethodGet, origin+"/app/", http.Header{"Authorization": {"Bearer " + token}}, nil)
		s.strange(forgeries, "a revoked key", got, time.Since(begin))
	}
}

func (s *soak) cookiesOf(token string) http.Header {
	header := maps.Clone(pageHeader)
	for _, c := range s.clerk.Cookies(token) {
		header["Cookie"] = append(header["Cookie"], c.Name+"="+c.Value)
	}
	header["Cookie"] = []string{strings.Join(header["Cookie"], "; ")}
	return header
}

func (s *soak) stranger(name, path string, header http.Header) func() {
	return func() {
		begin := time.Now()
		s.strange(forgeries, name, s.visit(nil, http.MethodGet, origin+path, header, nil), time.Since(begin))
	}
}
