// Package prometheus counts and times decisions for github.com/prometheus/client_golang.
package prometheus

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clerkauth/clerkauth"
)

// Metrics are those of one Authenticator. All labels have closed sets of values, and none names anybody: an event has
// no user, and one that a handler knows would not belong into a label, as each value is a time series of its own.
type Metrics struct {
	decisions *prometheus.CounterVec
	elapsed   prometheus.Histogram
}

// New registers clerkauth_decisions_total and clerkauth_decision_seconds. It fails where they are there already.
func New(registry prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "clerkauth_decisions_total",
			Help: "Requests judged. The reason is empty for those signed in.",
		}, []string{"status", "reason", "carrier"}),
		elapsed: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "clerkauth_decision_seconds",
			Help: "Time taken by decisions: microseconds, unless keys or a refresh had to be waited for.",
			// 10 µs to 10 s
			Buckets: prometheus.ExponentialBuckets(1e-5, 10, 7),
		}),
	}
	for _, c := range []prometheus.Collector{m.decisions, m.elapsed} {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Observe is for Config.Observe. What it sees is who is signed in: a check of Authorize that fails comes later, and
// can be counted in Config.ErrorHandler.
func (m *Metrics) Observe(_ context.Context, e clerkauth.Event) {
	m.decisions.WithLabelValues(e.Status.String(), string(e.Reason), string(e.Carrier)).Inc()
	m.elapsed.Observe(e.Elapsed.Seconds())
}
