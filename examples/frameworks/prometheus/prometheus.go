// Package prometheus measures decisions, refusals and requests to Clerk, for github.com/prometheus/client_golang.
// dashboard.json shows all of them in Grafana.
package prometheus

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/examples/frameworks/requests"
)

// 10 µs to 10 s: decisions take microseconds, unless there is a request to Clerk.
var buckets = prometheus.ExponentialBuckets(1e-5, 10, 7)

// Instrument returns cfg with Observe, ErrorHandler and HTTPClient measured, calling those that cfg has. No label
// identifies a person, and each has a fixed set of values: every value is a time series of its own. It panics if the
// registry has the metrics already; several tenants need prometheus.WrapRegistererWith.
func Instrument(cfg clerkauth.Config, registry prometheus.Registerer) clerkauth.Config {
	factory := promauto.With(registry)
	decisions := factory.NewCounterVec(prometheus.CounterOpts{
		Name: "clerkauth_decisions_total",
		Help: "Requests judged. The reason is empty for those signed in; cached: their signature had been verified before. The source is that of the token.",
	}, []string{"status", "reason", "source", "cached"})
	elapsed := factory.NewHistogram(prometheus.HistogramOpts{Name: "clerkauth_decision_seconds", Help: "Time taken by decisions.", Buckets: buckets})
	observe := cfg.Observe
	cfg.Observe = func(ctx context.Context, e clerkauth.Event) {
		if observe != nil {
			observe(ctx, e)
		}
		if e.Reason == clerkauth.ReasonCheckFailed {
			return // not a decision: the ErrorHandler counts it
		}
		decisions.WithLabelValues(e.Status.String(), string(e.Reason), string(e.TokenSource), strconv.FormatBool(e.CacheHit)).Inc()
		elapsed.Observe(e.Elapsed.Seconds())
	}

	refusals := factory.NewCounterVec(prometheus.CounterOpts{
		Name: "clerkauth_refusals_total",
		Help: "Requests refused by Require and Authorize. The check is empty for those not signed in.",
	}, []string{"code", "reason", "check"})
	answer := cfg.ErrorHandler
	if answer == nil {
		answer = clerkauth.DefaultErrorHandler
	}
	cfg.ErrorHandler = func(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
		refusals.WithLabelValues(strconv.Itoa(err.StatusCode()), string(err.Reason), err.Check.String()).Inc()
		answer(w, r, err)
	}

	client := http.Client{}
	if cfg.HTTPClient != nil {
		client = *cfg.HTTPClient
	}
	client.Transport = newTransport(client.Transport, factory)
	cfg.HTTPClient = &client
	return cfg
}

func newTransport(base http.RoundTripper, factory promauto.Factory) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	clerkSeconds := factory.NewHistogramVec(prometheus.HistogramOpts{
		Name: "clerkauth_clerk_request_seconds", Help: "Time taken by Clerk. The code is empty where no answer arrived.", Buckets: buckets,
	}, []string{"endpoint", "code"})
	keys := factory.NewGauge(prometheus.GaugeOpts{Name: "clerkauth_keys_timestamp_seconds", Help: "Unix time at which Clerk last answered with usable keys. 0: never."})
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		begin, code, endpoint := time.Now(), "", requests.For(r)
		resp, err := base.RoundTrip(r)
		if err == nil {
			code = strconv.Itoa(resp.StatusCode)
			if endpoint == requests.Keys && requests.HasKeys(r, resp) {
				keys.SetToCurrentTime()
			}
		}
		clerkSeconds.WithLabelValues(endpoint, code).Observe(time.Since(begin).Seconds())
		return resp, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
