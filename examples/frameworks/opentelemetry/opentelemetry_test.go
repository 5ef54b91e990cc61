package opentelemetry_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/examples/frameworks/internal/contract"
	"github.com/clerkauth/clerkauth/examples/frameworks/opentelemetry"
)

// instrumented is an app that is measured, below tracing middleware of its own.
type instrumented struct {
	reader metric.Reader
	spans  *tracetest.SpanRecorder
	tracer *trace.TracerProvider
	change func(*clerkauth.Config)
}

func instrument(t *testing.T) instrumented {
	t.Helper()
	reader, spans := metric.NewManualReader(), tracetest.NewSpanRecorder()
	i := instrumented{reader: reader, spans: spans, tracer: trace.NewTracerProvider(trace.WithSpanProcessor(spans))}
	meters := metric.NewMeterProvider(metric.WithReader(reader))
	i.change = func(cfg *clerkauth.Config) {
		var err error
		if *cfg, err = opentelemetry.Instrument(*cfg, meters, i.tracer); err != nil {
			t.Fatal(err)
		}
	}
	return i
}

// routes stand below the tracing middleware of an app.
func (i instrumented) routes(auth *clerkauth.Authenticator) http.Handler {
	return otelhttp.NewHandler(contract.Routes(auth), "request", otelhttp.WithTracerProvider(i.tracer), otelhttp.WithMeterProvider(noop.NewMeterProvider()))
}

func TestMetricsAndEvents(t *testing.T) {
	i := instrument(t)
	contract.Run(t, i.routes, i.change)
	want := map[string]int{
		"clerkauth.decisions status=signed-out cache_hit=false reason=session-token-and-uat-missing":                        2,
		"clerkauth.decisions status=signed-in cache_hit=false token_source=header":                                          3,
		"clerkauth.decisions status=signed-out cache_hit=false reason=jwk-remote-failed-to-load token_source=header":        1,
		"clerkauth.decisions status=signed-out cache_hit=false reason=token-invalid-authorized-parties token_source=header": 1,
		"clerkauth.decisions status=signed-out cache_hit=false reason=token-invalid-signature token_source=header":          1,
		"clerkauth.refusals status_code=401 reason=session-token-and-uat-missing":                                           2,
		"clerkauth.refusals status_code=401 reason=token-invalid-authorized-parties":                                        1,
		"clerkauth.refusals status_code=401 reason=token-invalid-signature":                                                 1,
		"clerkauth.refusals status_code=503 reason=jwk-remote-failed-to-load":                                               1,
		"clerkauth.refusals status_code=403 reason=session-check-failed check=role org:admin":                               1,
		"clerkauth.decision.duration": 8,
	}
	got := collect(t, i.reader)
	maps.DeleteFunc(got, func(name string, _ int) bool {
		return strings.HasPrefix(name, "http.") || name == "clerkauth.keys.timestamp"
	})
	if !maps.Equal(got, want) {
		t.Errorf("measured %v, want %v", got, want)
	}
	events := map[string]int{}
	for _, span := range i.spans.Ended() {
		for _, event := range span.Events() {
			if event.Name == "clerkauth.decision" {
				events[words(t, "clerkauth.decisions", attribute.NewSet(event.Attributes...))]++
			}
		}
	}
	maps.DeleteFunc(want, func(name string, _ int) bool { return !strings.HasPrefix(name, "clerkauth.decisions") })
	if !maps.Equal(events, want) {
		t.Errorf("events of spans: got %v, want %v", events, want)
	}
}

// A browser returns from Clerk, and later its session is refreshed.
func TestSpansAroundRequestsToClerk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := instrument(t)
		clerk, auth := contract.App(t, i.change)
		browser := clerk.Browser(i.routes(auth))
		session := clerk.SignIn(browser.Jar, clerktest.Person{Claims: contract.Grace})
		for range 2 {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://example.com/me", http.NoBody)
			r.RequestURI = ""
			resp, err := browser.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				t.Fatalf("got %d, want 200", resp.StatusCode)
			}
			time.Sleep(2 * time.Minute) // of the bubble
		}
		got := map[string]string{} // the name of a span, and whether it is below a request's
		for _, span := range i.spans.Ended() {
			if span.SpanKind() != oteltrace.SpanKindClient {
				continue
			}
			got[span.Name()] = fmt.Sprintf("below a request: %t", span.Parent().IsValid())
			if text := fmt.Sprint(span.Attributes(), span.Events(), span.Status()); strings.Contains(text, session.ID) || strings.Contains(text, "nonce") {
				t.Errorf("%s says %s, want neither the session's ID nor a nonce", span.Name(), text)
			}
		}
		want := map[string]string{"clerk/keys": "below a request: false", "clerk/handshake": "below a request: true", "clerk/refresh": "below a request: false"}
		if !maps.Equal(got, want) {
			t.Errorf("spans %v, want %v", got, want)
		}
		measured := collect(t, i.reader)
		maps.DeleteFunc(measured, func(name string, _ int) bool {
			return !strings.Contains(name, "endpoint") && !strings.Contains(name, "keys")
		})
		if want := map[string]int{
			"http.client.request.duration endpoint=keys": 1, "http.client.request.duration endpoint=handshake": 1, "http.client.request.duration endpoint=refresh": 1,
			"clerkauth.keys.timestamp": 946684800, // when the bubble began
		}; !maps.Equal(measured, want) {
			t.Errorf("measured %v, want %v", measured, want)
		}
		for _, r := range clerk.Requests() {
			if r.Header.Get("Traceparent") != "" {
				t.Errorf("%s %s tells Clerk of the trace", r.Method, r.Path)
			}
		}
	})
}

func TestKeysOutOfReach(t *testing.T) {
	for name, fault := range map[string]clerktest.Fault{"unavailable": clerktest.Status(http.StatusServiceUnavailable, nil), "garbage": clerktest.Garbage, "an empty set": clerktest.EmptySet} {
		synctest.Test(t, func(t *testing.T) {
			i := instrument(t)
			clerk, auth := contract.App(t, i.change)
			clerk.Fault(clerktest.BackendJWKS, fault)
			contract.Get(t.Context(), i.routes(auth), "/me", clerk.Token(contract.Ada))
			got := collect(t, i.reader)
			if at, ok := got["clerkauth.keys.timestamp"]; ok || got["http.client.request.duration endpoint=keys"] != 1 {
				t.Errorf("%s: got the timestamp %d of the keys in %v, want none, and one request for keys", name, at, got)
			}
		})
	}
}

// Visitors choose what they request through FrontendAPIProxy. None of it is in a metric or a span, and it does not make the
// keys look fresh.
func TestProxiedRequestsAreOneThing(t *testing.T) {
	i := instrument(t)
	_, auth := contract.App(t, func(cfg *clerkauth.Config) {
		cfg.ProxyURL = "https://example.com/__clerk"
		i.change(cfg)
	})
	proxy := auth.FrontendAPIProxy()
	paths := []string{"/.well-known/jwks.json?visitor", "/v1/jwks?visitor", "/v1/client/sessions/sess_visitor/refresh", "/v1/visitor"}
	for _, path := range paths {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/__clerk"+path, http.NoBody)
		r.Header.Set("User-Agent", "visitor")
		proxy.ServeHTTP(httptest.NewRecorder(), r)
	}
	got := collect(t, i.reader)
	if _, ok := got["clerkauth.keys.timestamp"]; ok || got["http.client.request.duration endpoint=proxy"] != len(paths) {
		t.Errorf("measured %v, want %d requests of the proxy and no timestamp of the keys", got, len(paths))
	}
	for _, span := range i.spans.Ended() {
		if text := fmt.Sprint(span.Attributes(), span.Events(), span.Status()); span.Name() != "clerk/proxy" || strings.Contains(text, "visitor") {
			t.Errorf("%s says %s, want clerk/proxy, without the visitor's User-Agent", span.Name(), text)
		}
	}
	if n := len(i.spans.Ended()); n != len(paths) {
		t.Errorf("got %d spans, want %d", n, len(paths))
	}
}

func TestWhatConfigHadGoesOn(t *testing.T) {
	i, observed := instrument(t), 0
	_, auth := contract.App(t, func(cfg *clerkauth.Config) {
		cfg.Observe = func(context.Context, clerkauth.Event) { observed++ }
		cfg.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ *clerkauth.Error) { w.WriteHeader(http.StatusTeapot) }
		i.change(cfg)
	})
	if w := contract.Get(t.Context(), i.routes(auth), "/me", ""); w.Code != http.StatusTeapot {
		t.Errorf("got %d, want the ErrorHandler's", w.Code)
	}
	if observed != 1 {
		t.Errorf("the Observe of before was told of %d, want 1", observed)
	}
}

// collect is how often each set of attributes was counted or timed.
func collect(t *testing.T, reader metric.Reader) map[string]int {
	t.Helper()
	var exported metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &exported); err != nil {
		t.Fatal(err)
	}
	counted := map[string]int{}
	for _, scope := range exported.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch points := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range points.DataPoints {
					counted[words(t, m.Name, p.Attributes)] += int(p.Value)
				}
			case metricdata.Histogram[float64]:
				for _, p := range points.DataPoints {
					name := m.Name
					if endpoint, ok := p.Attributes.Value("clerkauth.endpoint"); ok {
						name += " endpoint=" + endpoint.String()
					}
					counted[name] += int(p.Count) //nolint:gosec // G115: few
				}
			case metricdata.Gauge[int64]:
				for _, p := range points.DataPoints {
					counted[m.Name] = int(p.Value)
				}
			}
		}
	}
	return counted
}

// words are a name and its attributes. Nothing else is allowed, so that no person is identified.
func words(t *testing.T, name string, said attribute.Set) string {
	t.Helper()
	allowed := []attribute.Key{"clerkauth.status", "http.response.status_code", "clerkauth.cache_hit", "clerkauth.reason", "clerkauth.token_source", "clerkauth.check"}
	for _, a := range said.ToSlice() {
		if !slices.Contains(allowed, a.Key) {
			t.Errorf("got the attribute %s, want one of %v", a.Key, allowed)
		}
	}
	for _, key := range allowed {
		if v, ok := said.Value(key); ok {
			name += " " + string(key[strings.LastIndexByte(string(key), '.')+1:]) + "=" + v.String()
		}
	}
	return name
}

// No attribute of a metric, a span or an event identifies or authenticates a person.
func TestNobodyIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := instrument(t)
		names := contract.Names(t, i.routes, i.change)
		var exported metricdata.ResourceMetrics
		if err := i.reader.Collect(t.Context(), &exported); err != nil {
			t.Fatal(err)
		}
		var seen strings.Builder
		fmt.Fprintf(&seen, "%+v", exported)
		for _, span := range i.spans.Ended() {
			fmt.Fprintln(&seen, span.Name(), span.Attributes(), span.Events(), span.Links(), span.Status(), span.Resource())
		}
		for _, name := range names {
			if strings.Contains(seen.String(), name) {
				t.Errorf("%q is in a metric or a span", name)
			}
		}
		if !strings.Contains(seen.String(), "clerk/refresh") || !strings.Contains(seen.String(), "clerk/handshake") {
			t.Error("a handshake or a refresh was not traced")
		}
	})
}
