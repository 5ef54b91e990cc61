package opentelemetry_test

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/examples/frameworks/internal/contract"
	"github.com/clerkauth/clerkauth/examples/frameworks/opentelemetry"
)

func TestExportedMetricsAndSpans(t *testing.T) {
	reader := metric.NewManualReader()
	metrics, err := opentelemetry.New(metric.NewMeterProvider(metric.WithReader(reader)))
	if err != nil {
		t.Fatal(err)
	}
	spans := tracetest.NewSpanRecorder()
	provider := trace.NewTracerProvider(trace.WithSpanProcessor(spans))
	contract.Run(t, func(auth *clerkauth.Authenticator) http.Handler { return traced(provider, contract.Routes(auth)) },
		func(cfg *clerkauth.Config) { cfg.Observe = metrics.Observe })

	want := map[string]int{
		"signed-out session-token-and-uat-missing ":          2,
		"signed-in  header":                                  3,
		"signed-out jwk-remote-failed-to-load header":        1,
		"signed-out token-invalid-authorized-parties header": 1,
		"signed-out token-invalid-signature header":          1,
	}
	counted, timed := collect(t, reader)
	if !maps.Equal(counted, want) || timed != 8 {
		t.Errorf("counted %v and timed %d, want %v and 8", counted, timed, want)
	}
	events := map[string]int{}
	for _, span := range spans.Ended() {
		for _, event := range span.Events() {
			events[words(t, attribute.NewSet(event.Attributes...))]++
		}
	}
	if !maps.Equal(events, want) {
		t.Errorf("events of spans: %v, want %v", events, want)
	}
}

// traced stands for the tracing middleware of an app.
func traced(provider *trace.TracerProvider, next http.Handler) http.Handler {
	tracer := provider.Tracer("app")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, span := tracer.Start(r.Context(), "request")
		defer span.End()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func collect(t *testing.T, reader metric.Reader) (counted map[string]int, timed uint64) {
	t.Helper()
	var exported metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &exported); err != nil {
		t.Fatal(err)
	}
	counted = map[string]int{}
	for _, scope := range exported.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch points := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range points.DataPoints {
					counted[words(t, p.Attributes)] += int(p.Value)
				}
			case metricdata.Histogram[float64]:
				for _, p := range points.DataPoints {
					timed += p.Count
				}
			}
		}
	}
	return counted, timed
}

// words are status, reason and carrier. Nothing else may be said, so that nobody is named.
func words(t *testing.T, said attribute.Set) string {
	t.Helper()
	for _, a := range said.ToSlice() {
		if !slices.Contains([]attribute.Key{"clerkauth.status", "clerkauth.reason", "clerkauth.carrier", "clerkauth.cache_hit"}, a.Key) {
			t.Errorf("attribute %s", a.Key)
		}
	}
	value := func(key attribute.Key) string {
		v, _ := said.Value(key)
		return v.AsString()
	}
	return value("clerkauth.status") + " " + value("clerkauth.reason") + " " + value("clerkauth.carrier")
}
