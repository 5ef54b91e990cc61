package opentelemetry

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/clerkauth/clerkauth/examples/frameworks/requests"
)

// traced makes a span around each request to Clerk. A handshake's is below the request's own; those for keys and refreshes,
// for which several requests may wait, are separate. The URL of a request contains a session's ID or a nonce, which people
// who read traces must not see: the span has only the host and the endpoint's name. Clerk does not see the trace.
func traced(base http.RoundTripper, meters metric.MeterProvider, tracers trace.TracerProvider) (http.RoundTripper, error) {
	keys, err := meters.Meter(scope).Int64Gauge("clerkauth.keys.timestamp",
		metric.WithUnit("s"), metric.WithDescription("Unix time at which Clerk last answered with usable keys."))
	if base == nil {
		base = http.DefaultTransport
	}
	spans := otelhttp.NewTransport(
		roundTripper(func(shown *http.Request) (*http.Response, error) {
			r, _ := shown.Context().Value(whole{}).(*http.Request)
			r = r.WithContext(r.Context())
			r.Body = shown.Body // otelhttp measures until it is closed
			resp, err := base.RoundTrip(r)
			if err == nil && requests.For(r) == requests.Keys && requests.HasKeys(r, resp) {
				keys.Record(r.Context(), time.Now().Unix())
			}
			return resp, err
		}),
		otelhttp.WithMeterProvider(meters), otelhttp.WithTracerProvider(tracers),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return "clerk" + r.URL.Path }),
	)
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		endpoint, labeler := requests.For(r), new(otelhttp.Labeler)
		labeler.Add(attribute.String("clerkauth.endpoint", endpoint))
		shown := r.Clone(context.WithValue(otelhttp.ContextWithClientLabeler(r.Context(), labeler), whole{}, r))
		shown.URL = &url.URL{Scheme: r.URL.Scheme, Host: r.URL.Host, Path: "/" + endpoint}
		return spans.RoundTrip(shown)
	}), err
}

// whole is the context's key for the original request.
type whole struct{}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
