// Package opentelemetry measures decisions and refusals for go.opentelemetry.io/otel, records decisions on the request's
// span, and makes spans around requests to Clerk.
package opentelemetry

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/clerkauth/clerkauth"
)

const scope = "github.com/clerkauth/clerkauth"

// Instrument returns cfg with Observe, ErrorHandler and HTTPClient measured, calling those that cfg has. No attribute
// identifies a person. The instruments are clerkauth.decisions, clerkauth.decision.duration, clerkauth.refusals and
// clerkauth.keys.timestamp; otelhttp adds http.client.request.duration, with clerkauth.endpoint.
func Instrument(cfg clerkauth.Config, meters metric.MeterProvider, tracers trace.TracerProvider) (clerkauth.Config, error) {
	meter := meters.Meter(scope)
	decisions, err := meter.Int64Counter("clerkauth.decisions",
		metric.WithUnit("{request}"), metric.WithDescription("Requests judged. Without a reason: signed in."))
	if err != nil {
		return cfg, err
	}
	elapsed, err := meter.Float64Histogram("clerkauth.decision.duration",
		metric.WithUnit("s"), metric.WithDescription("Time taken by decisions."),
		metric.WithExplicitBucketBoundaries(1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10))
	if err != nil {
		return cfg, err
	}
	refusals, err := meter.Int64Counter("clerkauth.refusals",
		metric.WithUnit("{request}"), metric.WithDescription("Requests refused by Require and Authorize."))
	if err != nil {
		return cfg, err
	}

	// ctx is the request's: if tracing middleware around clerkauth has started a span, it gets an event.
	observe := cfg.Observe
	cfg.Observe = func(ctx context.Context, e clerkauth.Event) {
		if observe != nil {
			observe(ctx, e)
		}
		if e.Reason == clerkauth.ReasonCheckFailed {
			return // not a decision: the ErrorHandler counts it
		}
		attributes := attributesOf(e)
		decisions.Add(ctx, 1, metric.WithAttributes(attributes...))
		elapsed.Record(ctx, e.Elapsed.Seconds())
		trace.SpanFromContext(ctx).AddEvent("clerkauth.decision", trace.WithAttributes(attributes...))
	}
	answer := cfg.ErrorHandler
	if answer == nil {
		answer = clerkauth.DefaultErrorHandler
	}
	cfg.ErrorHandler = func(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
		attributes := []attribute.KeyValue{attribute.Int("http.response.status_code", err.StatusCode()), attribute.String("clerkauth.reason", string(err.Reason))}
		if check := err.Check.String(); check != "" {
			attributes = append(attributes, attribute.String("clerkauth.check", check))
		}
		refusals.Add(r.Context(), 1, metric.WithAttributes(attributes...))
		answer(w, r, err)
	}
	client := http.Client{}
	if cfg.HTTPClient != nil {
		client = *cfg.HTTPClient
	}
	client.Transport, err = traced(client.Transport, meters, tracers)
	cfg.HTTPClient = &client
	return cfg, err
}

func attributesOf(e clerkauth.Event) []attribute.KeyValue {
	all := []attribute.KeyValue{attribute.String("clerkauth.status", e.Status.String()), attribute.Bool("clerkauth.cache_hit", e.CacheHit)}
	if e.Reason != "" {
		all = append(all, attribute.String("clerkauth.reason", string(e.Reason)))
	}
	if e.TokenSource != clerkauth.TokenSourceNone {
		all = append(all, attribute.String("clerkauth.token_source", string(e.TokenSource)))
	}
	return all
}
