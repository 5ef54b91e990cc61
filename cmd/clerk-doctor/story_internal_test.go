package main

import (
	"crypto/x509/pkix"
	"encoding/base64"
	"net/http"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
)

func TestKeyStories(t *testing.T) {
	in := newInternet(t)
	for _, st := range []story{
		{
			name: "keys that fit", args: []string{"example.com"}, exit: exitGood,
			env: map[string]string{"CLERK_PUBLISHABLE_KEY": publishable("clerk.example.com"), "CLERK_SECRET_KEY": secretKey},
		},
		{
			name: "domain from the key", exit: exitGood,
			env: map[string]string{"CLERK_PUBLISHABLE_KEY": publishable("clerk.example.com")},
		},
		{
			name: "development key", exit: exitFails,
			env: map[string]string{"CLERK_PUBLISHABLE_KEY": "pk_test_" + base64.RawStdEncoding.EncodeToString([]byte("able-owl-7.clerk.accounts.dev$"))},
		},
		{
			name: "key that does not decode", args: []string{"-publishable-key", "pk_live_Y2xlcmsuZXhhbXBsZS5jb20"}, exit: exitFails,
		},
		{
			name: "secret key for a publishable one", args: []string{"-publishable-key", secretKey, "example.com"}, exit: exitFails,
		},
		{
			name: "keys of different kinds", args: []string{"example.com"}, exit: exitFails,
			env: map[string]string{"CLERK_PUBLISHABLE_KEY": publishable("clerk.example.com"), "CLERK_SECRET_KEY": "sk_test_KeepThisOutOfEveryReport"},
		},
		{
			name: "something else for a secret key", args: []string{"example.com"}, exit: exitFails,
			env: map[string]string{"CLERK_SECRET_KEY": "KeepThisOutOfEveryReportToo"},
		},
		{
			name: "secret key of development", args: []string{"example.com"}, exit: exitFails,
			env: map[string]string{"CLERK_SECRET_KEY": "sk_test_KeepThisOutOfEveryReport"},
		},
		{
			name: "wrong domain", args: []string{"example.com"}, exit: exitFails,
			env: map[string]string{"CLERK_PUBLISHABLE_KEY": publishable("clerk.satellite.example")},
		},
		{
			name: "stale key", args: []string{"example.com"}, exit: exitFails,
			env: map[string]string{"CLERK_PUBLISHABLE_KEY": publishable("clerk.missing.example")},
		},
		{
			name: "page of the primary application", args: []string{"app.example.com"}, domain: "example.com", exit: exitGood,
			env: map[string]string{"CLERK_PUBLISHABLE_KEY": publishable("clerk.example.com")},
		},
		{
			name: "primary application", args: []string{"-secondary", "app.example.com"}, exit: exitFails, site: lost,
			env: map[string]string{"CLERK_PUBLISHABLE_KEY": publishable("clerk.example.com")},
		},
		{
			name: "secondary application by its key", args: []string{"app.apps.example"}, exit: exitGood,
			env: map[string]string{"CLERK_PUBLISHABLE_KEY": publishable("clerk.app.apps.example")},
		},
		{
			name: "secondary application by its records", args: []string{"app.apps.example"}, exit: exitGood,
		},
		{
			name: "key of a secondary application", args: []string{"example.com"}, exit: exitFails,
			env: map[string]string{"CLERK_PUBLISHABLE_KEY": publishable("clerk.app.example.com")},
		},
	} {
		t.Run(st.name, func(t *testing.T) {
			t.Parallel()
			st.run(t, in)
		})
	}
}

func TestCertificateStories(t *testing.T) {
	in := newInternet(t)
	for _, st := range []story{
		{name: "CAA blocks issuance", args: []string{"blocked.example"}, exit: exitFails, site: unserved},
		{name: "CAA permits one authority", args: []string{"half.example"}, exit: exitGood},
		{name: "CAA with conditions", args: []string{"fenced.example"}, exit: exitFails},
		{name: "certificates not deployed", args: []string{"example.com"}, exit: exitFails, site: unserved},
		{name: "certificate of another host", args: []string{"example.com"}, exit: exitFails, site: func(t *testing.T, in internet, s *site) {
			s.certs["clerk.example.com"] = in.ca.issue(t, noon.AddDate(0, 0, 60), "clerkprod-cloudflare.net", "*.clerkprod-cloudflare.net")
		}},
		{name: "certificate expired", args: []string{"example.com"}, exit: exitFails, site: func(t *testing.T, in internet, s *site) {
			s.certs["accounts.example.com"] = in.ca.issue(t, noon.AddDate(0, 0, -3), "accounts.example.com")
		}},
		{name: "certificate not renewed", args: []string{"blocked.example"}, exit: exitFails, site: func(t *testing.T, in internet, s *site) {
			s.certs["accounts.blocked.example"] = in.ca.issue(t, noon.Add(5*24*time.Hour+time.Hour), "accounts.blocked.example")
		}},
		{name: "certificate not renewed for no reason", args: []string{"example.com"}, exit: exitGood, site: func(t *testing.T, in internet, s *site) {
			s.certs["accounts.example.com"] = in.ca.issue(t, noon.Add(5*24*time.Hour+time.Hour), "accounts.example.com")
		}},
		{name: "certificate of a stranger", args: []string{"example.com"}, exit: exitFails, site: func(t *testing.T, _ internet, s *site) {
			other := newAuthority(t, pkix.Name{Organization: []string{"Middlebox Inc."}, CommonName: "Inspection CA"})
			for host := range s.certs {
				s.certs[host] = other.issue(t, noon.AddDate(0, 0, 60), host)
			}
		}},
		{name: "nothing listens", args: []string{"example.com"}, exit: exitFails, site: lost, leads: func(t *testing.T, _ internet) []string {
			nobody := freePort(t)
			return []string{"clerk.example.com=" + nobody, "accounts.example.com=" + nobody}
		}},
	} {
		t.Run(st.name, func(t *testing.T) {
			t.Parallel()
			st.run(t, in)
		})
	}
}

func TestFrontendStories(t *testing.T) {
	in := newInternet(t)
	for _, st := range []story{
		{name: "keys unusable", args: []string{"example.com"}, exit: exitFails, site: func(_ *testing.T, _ internet, s *site) {
			s.Fault(clerktest.FrontendJWKS, clerktest.EmptySet)
		}},
		{name: "Frontend API down", args: []string{"example.com"}, exit: exitFails, site: func(_ *testing.T, _ internet, s *site) {
			s.Fault(clerktest.FrontendJWKS, clerktest.Status(http.StatusServiceUnavailable, nil))
		}},
		{name: "clock behind", args: []string{"example.com"}, exit: exitFails, site: func(_ *testing.T, _ internet, s *site) {
			s.clock = noon.Add(42 * time.Second)
		}},
		{name: "clock ahead", args: []string{"example.com"}, exit: exitFails, site: func(_ *testing.T, _ internet, s *site) {
			s.clock = noon.Add(-8 * time.Second)
		}},
		{name: "another issuer", args: []string{"example.com"}, exit: exitFails, site: func(_ *testing.T, _ internet, s *site) {
			s.issuer = "https://clerk.other.example"
		}},
		{name: "no issuer told", args: []string{"example.com"}, exit: exitGood, site: func(_ *testing.T, _ internet, s *site) { s.issuer = "" }},
		{name: "issuer in an error", args: []string{"example.com"}, exit: exitGood, site: func(_ *testing.T, _ internet, s *site) { s.status = http.StatusForbidden }},
		{
			name: "behind a proxy", args: []string{"-proxy-url", "https://www.proxying.example/__clerk/", "proxying.example"}, exit: exitGood,
			site: func(t *testing.T, in internet, s *site) {
				s.certs["www.proxying.example"] = in.ca.issue(t, noon.AddDate(0, 0, 60), "www.proxying.example")
				s.prefix, s.issuer = "/__clerk", "https://www.proxying.example/__clerk"
			},
		},
	} {
		t.Run(st.name, func(t *testing.T) {
			t.Parallel()
			st.run(t, in)
		})
	}
}

func TestAllowlistStories(t *testing.T) {
	in := newInternet(t)
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
	} {
		t.Run(st.name, func(t *testing.T) {
			t.Parallel()
			st.run(t, in)
		})
	}
}

func TestTokenStories(t *testing.T) {
	in := newInternet(t)
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
