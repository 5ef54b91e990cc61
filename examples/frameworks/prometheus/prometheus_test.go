package prometheus_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/examples/frameworks/internal/contract"
	"github.com/clerkauth/clerkauth/examples/frameworks/prometheus"
)

func TestExportedMetrics(t *testing.T) {
	registry := client.NewRegistry()
	metrics, err := prometheus.New(registry)
	if err != nil {
		t.Fatal(err)
	}
	contract.Run(t, contract.Routes, func(cfg *clerkauth.Config) { cfg.Observe = metrics.Observe })

	w := contract.Get(t.Context(), promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), "/metrics", "")
	if w.Code != http.StatusOK {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	var got []string
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, "clerkauth_decisions_total") || strings.HasPrefix(line, "clerkauth_decision_seconds_count") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	want := []string{
		`clerkauth_decision_seconds_count 8`,
		`clerkauth_decisions_total{carrier="",reason="session-token-and-uat-missing",status="signed-out"} 2`,
		`clerkauth_decisions_total{carrier="header",reason="",status="signed-in"} 3`,
		`clerkauth_decisions_total{carrier="header",reason="jwk-remote-failed-to-load",status="signed-out"} 1`,
		`clerkauth_decisions_total{carrier="header",reason="token-invalid-authorized-parties",status="signed-out"} 1`,
		`clerkauth_decisions_total{carrier="header",reason="token-invalid-signature",status="signed-out"} 1`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("exported:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, person := range []string{contract.Ada.Subject, contract.Grace.Subject, "sess_", "org_"} {
		if strings.Contains(w.Body.String(), person) {
			t.Errorf("%s is in the metrics", person)
		}
	}
}

func TestTwiceInARegistry(t *testing.T) {
	registry := client.NewRegistry()
	if _, err := prometheus.New(registry); err != nil {
		t.Fatal(err)
	}
	if _, err := prometheus.New(registry); err == nil {
		t.Error("registered twice, and no error")
	}
}
