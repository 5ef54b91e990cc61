package main

import (
	"crypto/tls"
	"crypto/x509/pkix"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/miekg/dns"
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
		{name: "CAA of the target not known", args: []string{"example.com"}, exit: exitUnknown, leads: func(t *testing.T, in internet) []string {
			return resolvers(moody(t, in.resolver, about("accounts.clerk.services", says(dns.RcodeRefused, 0), dns.TypeCAA)), true)
		}},
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

func TestTLSStories(t *testing.T) {
	in := newInternet(t)
	accounts := "accounts.example.com"
	alone := func(serve func(*testing.T, internet) string) func(*testing.T, internet) []string {
		return func(t *testing.T, in internet) []string { return []string{accounts + "=" + serve(t, in)} }
	}
	for _, st := range []story{
		{name: "TLS too old", exit: exitFails, leads: alone(func(t *testing.T, in internet) string {
			return serveTLS(t, &tls.Config{
				MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10, //nolint:gosec // that is what is looked for
				Certificates: []tls.Certificate{in.ca.issue(t, noon.AddDate(0, 0, 60), accounts)},
			})
		})},
		{name: "HTTP on the TLS port", exit: exitFails, leads: alone(func(t *testing.T, _ internet) string {
			s := httptest.NewServer(http.NotFoundHandler())
			t.Cleanup(s.Close)
			return s.Listener.Addr().String()
		})},
		{name: "intermediate certificate missing", exit: exitFails, site: func(t *testing.T, in internet, s *site) {
			s.certs[accounts] = in.ca.intermediate(t, pkix.Name{Organization: []string{"Google Trust Services"}, CommonName: "WR1"}).issue(t, noon.AddDate(0, 0, 60), accounts)
		}},
		{name: "certificate by another authority", exit: exitGood, site: func(t *testing.T, in internet, s *site) {
			other := in.ca.intermediate(t, pkix.Name{Organization: []string{"Other Authority Ltd"}, CommonName: "TLS 1"})
			cert := other.issue(t, noon.AddDate(0, 0, 60), accounts)
			cert.Certificate = append(cert.Certificate, other.cert.Raw)
			s.certs[accounts] = cert
		}},
		{name: "short certificate renewed in time", exit: exitGood, site: func(t *testing.T, in internet, s *site) {
			s.certs[accounts] = in.ca.issueFor(t, noon.Add(48*time.Hour), 160*time.Hour, accounts)
		}},
		{name: "short certificate not renewed", exit: exitGood, site: func(t *testing.T, in internet, s *site) {
			s.certs[accounts] = in.ca.issueFor(t, noon.Add(20*time.Hour), 160*time.Hour, accounts)
		}},
		{name: "certificate not valid yet", exit: exitFails, site: func(t *testing.T, in internet, s *site) {
			s.certs[accounts] = in.ca.issueFor(t, noon.Add(48*time.Hour), 24*time.Hour, accounts)
		}},
		{name: "no way to one host", exit: exitUnknown, leads: func(*testing.T, internet) []string { return []string{accounts + "=[2001:db8::1]:443"} }},
		{name: "handshake broken off", exit: exitFails, leads: alone(func(t *testing.T, _ internet) string {
			return serveTLS(t, &tls.Config{
				MinVersion:     tls.VersionTLS12,
				GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, nil }, //nolint:nilnil // as documented: none
			})
		})},
	} {
		st.args = []string{"example.com"}
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
		{name: "no date told", args: []string{"example.com"}, exit: exitUnknown, site: func(_ *testing.T, _ internet, s *site) { s.undated = true }},
		{
			name: "no way to the proxy", args: []string{"-proxy-url", "https://www.proxying.example/__clerk", "proxying.example"}, exit: exitUnknown,
			leads: func(*testing.T, internet) []string { return []string{"www.proxying.example=[2001:db8::1]:443"} },
		},
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
				return resolvers(moody(t, in.resolver, about("broken.hoster.example", says(dns.RcodeServerFailure, dns.ExtendedErrorCodeNetworkError))), true)
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
