package main

import (
	"crypto/tls"
	"crypto/x509/pkix"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clerkauth/clerkauth/clerktest"
)

func tellKeyStories(t *testing.T, in internet) {
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
			name: "secondary application by its key alone", args: []string{"app.missing.example"}, exit: exitFails, site: lost,
			env: map[string]string{"CLERK_PUBLISHABLE_KEY": publishable("clerk.app.missing.example")},
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

func tellCertificateStories(t *testing.T, in internet) {
	for _, st := range []story{
		{name: "CAA blocks issuance", args: []string{"blocked.example"}, exit: exitFails, site: unserved},
		{name: "CAA permits one authority", args: []string{"half.example"}, exit: exitGood},
		{name: "CAA of the target not known", args: []string{"example.com"}, exit: exitUnknown, leads: func(t *testing.T, in internet) []string {
			return resolvers(faulty(t, in.resolver, about("accounts.clerk.services", says(dns.RcodeRefused, 0), dns.TypeCAA)), true)
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

func tellTLSStories(t *testing.T, in internet) {
	accounts := "accounts.example.com"
	alone := func(serve func(*testing.T, internet) string) func(*testing.T, internet) []string {
		return func(t *testing.T, in internet) []string { return []string{accounts + "=" + serve(t, in)} }
	}
	for _, st := range []story{
		{name: "TLS too old", exit: exitFails, leads: alone(func(t *testing.T, in internet) string {
			return serveTLS(t, &tls.Config{ //nolint:gosec // the command must find this
				MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10,
				Certificates: []tls.Certificate{in.ca.issue(t, noon.AddDate(0, 0, 60), accounts)},
			})
		})},
		{name: "HTTP on the TLS port", exit: exitFails, leads: alone(func(t *testing.T, _ internet) string {
			s := httptest.NewServer(http.NotFoundHandler())
			t.Cleanup(s.Close)
			return s.Listener.Addr().String()
		})},
		{name: "something else on the TLS port", exit: exitFails, leads: alone(func(t *testing.T, _ internet) string { return serveBanner(t, "SSH-2.0-OpenSSH_9.2\r\n") })},
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

func tellFrontendStories(t *testing.T, in internet) {
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
