package main

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clerkauth/clerkauth/clerktest"
)

func tellAllowlistStories(t *testing.T, in internet) {
	for _, st := range []story{
		{
			name: "allowlist that fits", args: []string{"example.com"}, exit: exitGood,
			env: map[string]string{"CLERK_AUTHORIZED_PARTIES": "https://example.com, https://app.example.com,chrome-extension://abcdefghijklmnop"},
		},
		{
			name: "allowlist with mistakes", exit: exitFails,
			args: []string{
				"-authorized-party", "http://example.com", "-authorized-party", "example.com", "-authorized-party", "https://accounts.example.com",
				"-authorized-party", "https://able-owl-7.clerk.accounts.dev", "-authorized-party", "https://gone.example.com",
				"-authorized-party", "https://*.example.com", "-authorized-party", "https://satellite.example",
				"-authorized-party", "https://nosuch.example", "example.com",
			},
		},
		{
			name: "allowlist with development entries", exit: exitGood,
			args: []string{
				"-authorized-party", "http://localhost:3000", "-authorized-party", "http://127.0.0.1:5173", "-authorized-party", "http://tauri.localhost",
				"-authorized-party", "https://[::1]:3000", "-authorized-party", "https://app.test", "-authorized-party", "https://192.168.1.7:8443",
				"-authorized-party", "https://nas.local", "-authorized-party", "https://example.com", "example.com",
			},
		},
		{
			name: "allowlist with addresses and other schemes", exit: exitGood,
			args: []string{
				"-authorized-party", "https://203.0.113.7", "-authorized-party", "Capacitor://localhost", "-authorized-party", "TAURI://localhost",
				"-authorized-party", "Chrome-Extension://abcdefghijklmnop", "-authorized-party", "HTTPS://App.Example.com", "example.com",
			},
		},
		{
			name: "allowlist that cannot be looked up", exit: exitFails,
			args: []string{"-authorized-party", "https://hollow.example.com", "-authorized-party", "https://broken.hoster.example", "example.com"},
			leads: func(t *testing.T, in internet) []string {
				return resolvers(faulty(t, in.resolver, about("broken.hoster.example", says(dns.RcodeServerFailure, dns.ExtendedErrorCodeNetworkError))), true)
			},
		},
		{
			name: "allowlist of a development instance", exit: exitFails,
			args: []string{
				"-publishable-key", "pk_test_" + base64.RawStdEncoding.EncodeToString([]byte("able-owl-7.clerk.accounts.dev$")),
				"-authorized-party", "http://localhost:3000", "-authorized-party", "localhost:3000",
			},
		},
	} {
		t.Run(st.name, func(t *testing.T) {
			t.Parallel()
			st.run(t, in)
		})
	}
}

func tellTokenStories(t *testing.T, in internet) {
	parties := []string{"-token", "-", "-authorized-party", "https://example.com", "example.com"}
	for _, st := range []struct {
		story
		mint func(*site) string
	}{
		{story{name: "token accepted", args: parties, exit: exitGood}, func(s *site) string { return s.Token(clerktest.Claims{}) }},
		{story{name: "token without an allowlist", args: []string{"-token", "-", "example.com"}, exit: exitGood}, func(s *site) string { return s.Token(clerktest.Claims{}) }},
		{story{name: "token of no page", args: []string{"-token", "-", "example.com"}, exit: exitGood}, func(s *site) string {
			return s.Token(clerktest.Claims{Extra: map[string]any{"azp": clerktest.Absent}})
		}},
		{story{name: "token with a bad allowlist", args: []string{"-token", "-", "-authorized-party", "example.com", "example.com"}, exit: exitFails}, func(s *site) string {
			return s.Token(clerktest.Claims{})
		}},
		{story{name: "token expired", args: parties, exit: exitFails}, func(s *site) string {
			return s.Token(clerktest.Claims{ExpiresAt: noon.Add(-time.Minute), IssuedAt: noon.Add(-2 * time.Minute), NotBefore: noon.Add(-2 * time.Minute)})
		}},
		{story{name: "token of another page", args: parties, exit: exitFails}, func(s *site) string {
			return s.Token(clerktest.Claims{AuthorizedParty: "https://blog.example.com"})
		}},
		{story{
			name: "token at a satellite", exit: exitGood,
			args: []string{
				"-satellite", "-publishable-key", publishable("clerk.example.com"), "-token", "-",
				"-authorized-party", "https://satellite.example", "satellite.example",
			},
		}, func(s *site) string { return s.Token(clerktest.Claims{Issuer: "https://clerk.example.com"}) }},
		{story{name: "token of another instance", args: parties, exit: exitFails}, func(s *site) string {
			return s.Token(clerktest.Claims{Issuer: "https://clerk.other.example"})
		}},
		{story{name: "token with odd claims", args: parties, exit: exitFails}, func(s *site) string {
			return s.Token(clerktest.Claims{Extra: map[string]any{"azp": "https://e\u202e\u001b[2Jvil.example", "iss": 7, "exp": "soon"}})
		}},
		{story{
			name: "token of development with a key of development", exit: exitFails,
			args: []string{"-token", "-", "-publishable-key", "pk_test_" + base64.RawStdEncoding.EncodeToString([]byte("able-owl-7.clerk.accounts.dev$"))},
			leads: func(t *testing.T, _ internet) []string {
				return []string{"able-owl-7.clerk.accounts.dev=" + freePort(t)}
			},
		}, func(s *site) string {
			return s.Token(clerktest.Claims{Issuer: "https://able-owl-7.clerk.accounts.dev", AuthorizedParty: "http://localhost:3000"})
		}},
		{story{
			name: "token of development accepted", exit: exitFails,
			args: []string{"-token", "-", "-publishable-key", "pk_test_" + base64.RawStdEncoding.EncodeToString([]byte("able-owl-7.clerk.accounts.dev$")), "-authorized-party", "http://localhost:3000"},
			site: func(t *testing.T, in internet, s *site) {
				const dev = "able-owl-7.clerk.accounts.dev"
				s.certs[dev] = in.ca.issue(t, noon.AddDate(0, 0, 60), dev)
				s.issuer = "https://" + dev
			},
		}, func(s *site) string {
			return s.Token(clerktest.Claims{Issuer: "https://able-owl-7.clerk.accounts.dev", AuthorizedParty: "http://localhost:3000"})
		}},
		{story{
			name: "token and allowlist without the internet", exit: exitUnknown,
			args: []string{"-token", "-", "-authorized-party", "https://example.com", "-authorized-party", "https://shop.example", "-authorized-party", "http://localhost:3000", "example.com"},
			site: lost, leads: func(t *testing.T, _ internet) []string { return resolvers(freePort(t), true) },
		}, func(s *site) string { return s.Token(clerktest.Claims{}) }},
		{story{name: "token forged", args: parties, exit: exitFails}, func(s *site) string { return s.Forge(clerktest.Claims{}) }},
		{story{name: "token not judged", args: parties, exit: exitFails}, func(s *site) string {
			s.Fault(clerktest.FrontendJWKS, clerktest.Down)
			return s.Token(clerktest.Claims{})
		}},
		{story{name: "not a token", args: parties, exit: exitFails}, func(*site) string { return "not-a-token-but-long-enough-to-be-noticed" }},
	} {
		t.Run(st.name, func(t *testing.T) {
			t.Parallel()
			st.token = st.mint
			st.run(t, in)
		})
	}
}
