// Package opentelemetry counts and times decisions for go.opentelemetry.io/otel, and notes them on the request's span.
package opentelemetry

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/clerkauth/clerkauth"
)

// Metrics are those of one Authenticator. No attribute names anybody.
type Metrics struct {
	decisions metric.Int64Counter
	elapsed   metric.Float64Histogram
}

// New makes the instruments clerkauth.decisions and clerkauth.decision.duration, the latter in seconds.
func New(provider metric.MeterProvider) (*Metrics, error) {
	meter := provider.Meter("github.com/clerkauth/clerkauth")
	decisions, err := meter.Int64Counter("clerkauth.decisions",
		metric.WithUnit("{request}"), metric.WithDescription("Requests judged. Without a reason: signed in."))
	if err != nil {
		return nil, err
	}
	elapsed, err := meter.Float64Histogram("clerkauth.decision.duration",
		metric.WithUnit("s"), metric.WithDescription("Time taken by decisions."),
		metric.WithExplicitBucketBoundaries(1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10))
	if err != nil {
		return nil, err
	}
	return &Metrics{decisions, elapsed}, nil
}

// Observe is for Config.Observe. ctx is the request's: a span that tracing middleware outside of clerkauth has put there
// gets an event.
func (m *Metrics) Observe(ctx context.Context, e clerkauth.Event) {
	attributes := []attribute.KeyValue{attribute.String("clerkauth.status", e.Status.String())}
	if e.Reason != "" {
		attributes = append(attributes, attribute.String("clerkauth.reason", string(e.Reason)))
	}
	if e.Carrier != clerkauth.CarrierNone {
		attributes = append(attributes, attribute.String("clerkauth.carrier", string(e.Carrier)))
	}
	m.decisions.Add(ctx, 1, metric.WithAttributes(attributes...))
	m.elapsed.Record(ctx, e.Elapsed.Seconds())
	trace.SpanFromContext(ctx).AddEvent("clerkauth.decision", trace.WithAttributes(
		append(attributes, attribute.Bool("clerkauth.cache_hit", e.CacheHit))...))
}
