package main

import (
	"context"
	"math"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/clerkauth/clerkauth"
)

// record is what is known about a request while it is decided.
type record struct {
	status, reason, source string
	cacheHit               bool
	requirement            string // from the gateway, once it is valid: before, it may be a client's query
	err                    error
}

type recordKey struct{}

func recordOf(ctx context.Context) *record {
	if rec, ok := ctx.Value(recordKey{}).(*record); ok {
		return rec
	}
	return &record{}
}

// observe is the Config.Observe of the gate.
func observe(ctx context.Context, e clerkauth.Event) {
	if e.Reason == clerkauth.ReasonCheckFailed {
		return // not a decision: refuse records it
	}
	rec := recordOf(ctx)
	rec.status, rec.reason, rec.source, rec.cacheHit = e.Status.String(), string(e.Reason), string(e.TokenSource), e.CacheHit
}

// refuse is the Config.ErrorHandler of the gate. It also gets what a check refused, after the decision was observed.
func refuse(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
	rec := recordOf(r.Context())
	rec.reason, rec.err = string(err.Reason), err
	clerkauth.DefaultErrorHandler(w, r, err)
}

// metrics are shown at /metrics. Every label has a fixed set of values, and none identifies a person.
type metrics struct {
	handler   http.Handler
	decisions *prometheus.CounterVec
	hits      prometheus.Counter
	seconds   prometheus.Histogram
	now       func() time.Time
	fetched   atomic.Int64 // when the keys were last fetched or confirmed, in Unix nanoseconds; 0: never
}

func newMetrics(now func() time.Time) *metrics {
	if now == nil {
		now = time.Now
	}
	m := &metrics{
		now: now,
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "clerk_gate_decisions_total",
			Help: "Requests decided. The status is that of the session, or refused, or preflight; the reason is empty when signed in.",
		}, []string{"status", "reason", "source"}),
		hits: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "clerk_gate_token_cache_hits_total",
			Help: "Decisions by a token whose signature had been verified before.",
		}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "clerk_gate_decision_seconds",
			Help:    "Time taken by decisions: microseconds, unless keys or a refresh had to be waited for.",
			Buckets: prometheus.ExponentialBuckets(1e-5, 10, 7), // 10 µs to 10 s
		}),
	}
	age := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "clerk_gate_key_age_seconds",
		Help: "Time since the instance's keys were last fetched or found unchanged. NaN: never, as with CLERK_JWT_KEY.",
	}, m.keyAge)
	registry := prometheus.NewRegistry()
	registry.MustRegister(m.decisions, m.hits, m.seconds, age,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.handler = promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	return m
}

func (m *metrics) count(rec *record, elapsed time.Duration) {
	m.decisions.WithLabelValues(rec.status, rec.reason, rec.source).Inc()
	m.seconds.Observe(elapsed.Seconds())
	if rec.cacheHit {
		m.hits.Inc()
	}
}

func (m *metrics) keyAge() float64 {
	fetched := m.fetched.Load()
	if fetched == 0 {
		return math.NaN()
	}
	return m.now().Sub(time.Unix(0, fetched)).Seconds()
}

// watch is client, which may be nil, with a transport that notices when keys are fetched.
func (m *metrics) watch(client *http.Client) *http.Client {
	var watched http.Client
	if client != nil {
		watched = *client
	}
	next := watched.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	watched.Transport = keyWatch{m, next}
	return &watched
}

type keyWatch struct {
	metrics *metrics
	next    http.RoundTripper
}

// RoundTrip records that keys were fetched, from either API.
func (k keyWatch) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := k.next.RoundTrip(r)
	if err == nil && (strings.HasSuffix(r.URL.Path, "/v1/jwks") || strings.HasSuffix(r.URL.Path, "/jwks.json")) &&
		(resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusNotModified) {
		k.metrics.fetched.Store(k.metrics.now().UnixNano())
	}
	return resp, err
}
