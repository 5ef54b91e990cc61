package prometheus_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/examples/frameworks/internal/contract"
	"github.com/clerkauth/clerkauth/examples/frameworks/prometheus"
)

// app is an instance, and what trusts it and is measured.
func app(t *testing.T, registry client.Registerer) (*clerktest.Instance, http.Handler) {
	t.Helper()
	clerk, auth := contract.App(t, func(cfg *clerkauth.Config) { *cfg = prometheus.Instrument(*cfg, registry) })
	return clerk, contract.Routes(auth)
}

// browse is a person's visits: one through a handshake, one with the same token, one with a token that is refreshed. At the
// end Clerk is unreachable.
func browse(t *testing.T, clerk *clerktest.Instance, app http.Handler) {
	t.Helper()
	browser := clerk.Browser(app)
	clerk.SignIn(browser.Jar, clerktest.Person{Claims: contract.Grace})
	visit := func(path string, want int) {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://example.com"+path, http.NoBody)
		r.RequestURI = ""
		resp, err := browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: got %d, want %d", path, resp.StatusCode, want)
		}
	}
	visit("/me", http.StatusOK)
	visit("/me", http.StatusOK)
	visit("/admin", http.StatusForbidden)
	time.Sleep(2 * time.Minute) // of the bubble
	visit("/me", http.StatusOK)
}

// exported are the lines of the export that begin with one of the prefixes.
func exported(t *testing.T, registry *client.Registry, prefixes ...string) []string {
	t.Helper()
	w := contract.Get(t.Context(), promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), "/metrics", "")
	if w.Code != http.StatusOK {
		t.Fatalf("/metrics: got %d, want 200: %s", w.Code, w.Body)
	}
	for _, person := range []string{contract.Ada.Subject, contract.Grace.Subject, "sess_", "org_"} {
		if strings.Contains(w.Body.String(), person) {
			t.Errorf("%s is in the metrics", person)
		}
	}
	var lines []string
	for line := range strings.Lines(w.Body.String()) {
		if slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(line, p) }) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("exported:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestDecisionsAndRefusals(t *testing.T) {
	registry := client.NewRegistry()
	shared := prometheus.Instrument(clerkauth.Config{}, registry)
	contract.Run(t, contract.Routes, func(cfg *clerkauth.Config) { cfg.Observe, cfg.ErrorHandler = shared.Observe, shared.ErrorHandler })
	expect(t, exported(t, registry, "clerkauth_decision_seconds_count", "clerkauth_decisions", "clerkauth_refusals"),
		`clerkauth_decision_seconds_count 8`,
		`clerkauth_decisions_total{cached="false",reason="",source="header",status="signed-in"} 3`,
		`clerkauth_decisions_total{cached="false",reason="jwk-remote-failed-to-load",source="header",status="signed-out"} 1`,
		`clerkauth_decisions_total{cached="false",reason="session-token-and-uat-missing",source="",status="signed-out"} 2`,
		`clerkauth_decisions_total{cached="false",reason="token-invalid-authorized-parties",source="header",status="signed-out"} 1`,
		`clerkauth_decisions_total{cached="false",reason="token-invalid-signature",source="header",status="signed-out"} 1`,
		`clerkauth_refusals_total{check="",code="401",reason="session-token-and-uat-missing"} 2`,
		`clerkauth_refusals_total{check="",code="401",reason="token-invalid-authorized-parties"} 1`,
		`clerkauth_refusals_total{check="",code="401",reason="token-invalid-signature"} 1`,
		`clerkauth_refusals_total{check="",code="503",reason="jwk-remote-failed-to-load"} 1`,
		`clerkauth_refusals_total{check="role org:admin",code="403",reason="session-check-failed"} 1`)
}

func TestBrowserAndClerk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := client.NewRegistry()
		clerk, app := app(t, registry)
		browse(t, clerk, app)
		expect(t, exported(t, registry, "clerkauth_decisions", "clerkauth_refusals", "clerkauth_clerk_request_seconds_count", "clerkauth_keys"),
			`clerkauth_clerk_request_seconds_count{code="200",endpoint="handshake"} 1`,
			`clerkauth_clerk_request_seconds_count{code="200",endpoint="keys"} 1`,
			`clerkauth_clerk_request_seconds_count{code="200",endpoint="refresh"} 1`,
			`clerkauth_decisions_total{cached="false",reason="",source="handshake",status="signed-in"} 1`,
			`clerkauth_decisions_total{cached="false",reason="",source="refresh",status="signed-in"} 1`,
			`clerkauth_decisions_total{cached="false",reason="client-uat-but-no-session-token",source="cookie",status="handshake"} 1`,
			`clerkauth_decisions_total{cached="true",reason="",source="cookie",status="signed-in"} 2`,
			`clerkauth_keys_timestamp_seconds 9.466848e+08`, // when the bubble began
			`clerkauth_refusals_total{check="role org:admin",code="403",reason="session-check-failed"} 1`)
	})
}

func TestKeysOutOfReach(t *testing.T) {
	for code, fault := range map[string]clerktest.Fault{"": clerktest.Down, "503": clerktest.Status(http.StatusServiceUnavailable, nil)} {
		synctest.Test(t, func(t *testing.T) {
			registry := client.NewRegistry()
			clerk, app := app(t, registry)
			clerk.Fault(clerktest.BackendJWKS, fault)
			if w := contract.Get(t.Context(), app, "/me", clerk.Token(contract.Ada)); w.Code != http.StatusServiceUnavailable {
				t.Errorf("got %d, want 503: %s", w.Code, w.Body)
			}
			expect(t, exported(t, registry, "clerkauth_clerk_request_seconds_count", "clerkauth_keys"),
				`clerkauth_clerk_request_seconds_count{code="`+code+`",endpoint="keys"} 1`,
				`clerkauth_keys_timestamp_seconds 0`)
		})
	}
}

func TestWhatConfigHadGoesOn(t *testing.T) {
	observed := 0
	clerk, auth := contract.App(t, func(cfg *clerkauth.Config) {
		theirs := cfg.HTTPClient
		cfg.Observe = func(context.Context, clerkauth.Event) { observed++ }
		cfg.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ *clerkauth.Error) { w.WriteHeader(http.StatusTeapot) }
		*cfg = prometheus.Instrument(*cfg, client.NewRegistry())
		if theirs == cfg.HTTPClient {
			t.Error("the client is the caller's own")
		}
	})
	app := contract.Routes(auth)
	if w := contract.Get(t.Context(), app, "/me", ""); w.Code != http.StatusTeapot {
		t.Errorf("got %d, want the ErrorHandler's", w.Code)
	}
	if w := contract.Get(t.Context(), app, "/me", clerk.Token(contract.Ada)); w.Code != http.StatusOK {
		t.Errorf("got %d, want 200: %s", w.Code, w.Body)
	}
	contract.Get(t.Context(), app, "/admin", clerk.Token(contract.Grace))
	if want := 3 + 1; observed != want { // the failed check is counted, too
		t.Errorf("the Observe of before was told of %d, want %d", observed, want)
	}
}

// Several tenants share a registry, each under a label of its own.
func TestTenants(t *testing.T) {
	registry := client.NewRegistry()
	for tenant, want := range map[string]int{"acme": 1, "zeta": 2} {
		_, app := app(t, client.WrapRegistererWith(client.Labels{"tenant": tenant}, registry))
		for range want {
			contract.Get(t.Context(), app, "/me", "")
		}
	}
	expect(t, exported(t, registry, "clerkauth_refusals"),
		`clerkauth_refusals_total{check="",code="401",reason="session-token-and-uat-missing",tenant="acme"} 1`,
		`clerkauth_refusals_total{check="",code="401",reason="session-token-and-uat-missing",tenant="zeta"} 2`)
}

func TestTwiceInARegistry(t *testing.T) {
	registry := client.NewRegistry()
	prometheus.Instrument(clerkauth.Config{}, registry)
	defer func() {
		if recover() == nil {
			t.Error("registered twice: got no panic, want one")
		}
	}()
	prometheus.Instrument(clerkauth.Config{}, registry)
}

// No label identifies or authenticates a person.
func TestNobodyIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := client.NewRegistry()
		names := contract.Names(t, contract.Routes, func(cfg *clerkauth.Config) { *cfg = prometheus.Instrument(*cfg, registry) })
		page := contract.Get(t.Context(), promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), "/metrics", "").Body.String()
		for _, name := range names {
			if strings.Contains(page, name) {
				t.Errorf("%q is in the metrics", name)
			}
		}
		if !strings.Contains(page, `source="refresh"`) || !strings.Contains(page, `source="handshake"`) {
			t.Error("a handshake or a refresh was not measured")
		}
	})
}
