package prometheus_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"

	client "github.com/prometheus/client_golang/prometheus"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/examples/frameworks/internal/contract"
	"github.com/clerkauth/clerkauth/examples/frameworks/prometheus"
)

// Visitors choose what they request through FrontendAPIProxy. It creates no time series of its own, and does not make the
// keys look fresh.
func TestProxiedRequestsAreOneThing(t *testing.T) {
	registry := client.NewRegistry()
	_, auth := contract.App(t, func(cfg *clerkauth.Config) {
		cfg.ProxyURL = "https://example.com/__clerk"
		*cfg = prometheus.Instrument(*cfg, registry)
	})
	proxy := auth.FrontendAPIProxy()
	for i := range 20 {
		for _, path := range []string{"/.well-known/jwks.json", "/v1/jwks", fmt.Sprintf("/v1/client/sessions/sess_%d/refresh", i), fmt.Sprintf("/v1/made-up-%d", i)} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/__clerk"+path, http.NoBody)
			proxy.ServeHTTP(httptest.NewRecorder(), r)
		}
	}
	expect(t, exported(t, registry, "clerkauth_clerk_request_seconds_count", "clerkauth_keys"),
		`clerkauth_clerk_request_seconds_count{code="200",endpoint="proxy"} 20`,
		`clerkauth_clerk_request_seconds_count{code="404",endpoint="proxy"} 60`,
		`clerkauth_keys_timestamp_seconds 0`)
}

func TestAnswersWithoutKeys(t *testing.T) {
	for name, fault := range map[string]clerktest.Fault{
		"garbage": clerktest.Garbage, "an empty set": clerktest.EmptySet, "a huge body": clerktest.HugeBody, "not modified": clerktest.Status(http.StatusNotModified, nil),
	} {
		synctest.Test(t, func(t *testing.T) {
			registry := client.NewRegistry()
			clerk, app := app(t, registry)
			clerk.Fault(clerktest.BackendJWKS, fault)
			if w := contract.Get(t.Context(), app, "/me", clerk.Token(contract.Ada)); w.Code != http.StatusServiceUnavailable {
				t.Errorf("%s: got %d, want 503: %s", name, w.Code, w.Body)
			}
			expect(t, exported(t, registry, "clerkauth_keys"), `clerkauth_keys_timestamp_seconds 0`)
		})
	}
}
