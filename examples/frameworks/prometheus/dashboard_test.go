package prometheus_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/VictoriaMetrics/metricsql"
	client "github.com/prometheus/client_golang/prometheus"

	"github.com/clerkauth/clerkauth/examples/frameworks/internal/contract"
)

// series is the name and the labels of a time series.
type series map[string]string

// allSeries are those of an app that has seen everything, as Prometheus would store them.
func allSeries(t *testing.T) (all []series) {
	t.Helper()
	registry := client.NewRegistry()
	synctest.Test(t, func(t *testing.T) {
		clerk, app := app(t, registry)
		browse(t, clerk, app)
		contract.Get(t.Context(), app, "/me", "")
	})
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			s := series{"__name__": family.GetName()}
			for _, l := range m.GetLabel() {
				s[l.GetName()] = l.GetValue()
			}
			all = append(all, s)
			if m.GetHistogram() != nil {
				for suffix, le := range map[string]string{"_bucket": "1", "_count": "", "_sum": ""} {
					part := maps.Clone(s)
					part["__name__"] += suffix
					if le != "" {
						part["le"] = le
					}
					all = append(all, part)
				}
			}
		}
	}
	return all
}

func (s series) matches(filters []metricsql.LabelFilter) bool {
	for _, f := range filters {
		matches := s[f.Label] == f.Value
		if f.IsRegexp {
			matches = regexp.MustCompile("^(?:" + f.Value + ")$").MatchString(s[f.Label])
		}
		if _, ok := s[f.Label]; !ok || matches == f.IsNegative {
			return false
		}
	}
	return true
}

// queries are the expressions of the dashboard, each with its legend.
func queries(t *testing.T) map[string]string {
	t.Helper()
	raw, err := os.ReadFile("dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Targets []struct{ Expr, LegendFormat string }
		}
	}
	if err := json.Unmarshal(raw, &dashboard); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, p := range dashboard.Panels {
		if len(p.Targets) == 0 {
			t.Error("a panel without a query")
		}
		for _, target := range p.Targets {
			all[target.Expr] = target.LegendFormat
		}
	}
	return all
}

// TestDashboardAsksForMetricsThatThereAre finds a time series for each selector of the dashboard, with every label that it names,
// and a selector for each metric.
func TestDashboardAsksForMetricsThatThereAre(t *testing.T) {
	all, used := allSeries(t), map[string]bool{}
	for query, legend := range queries(t) {
		expr, err := metricsql.Parse(strings.ReplaceAll(query, "$__rate_interval", "5m"))
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		var grouped []string
		metricsql.VisitAll(expr, func(e metricsql.Expr) {
			switch e := e.(type) {
			case *metricsql.AggrFuncExpr:
				grouped = append(grouped, e.Modifier.Args...)
			case *metricsql.MetricExpr:
				for _, filters := range e.LabelFilterss {
					i := slices.IndexFunc(all, func(s series) bool { return s.matches(filters) })
					if i < 0 {
						t.Errorf("%s: no time series for %s", query, e.AppendString(nil))
						continue
					}
					used[family(all[i]["__name__"])] = true
					for _, label := range grouped {
						if _, ok := all[i][label]; !ok {
							t.Errorf("%s: %s has no label %s", query, e.AppendString(nil), label)
						}
					}
				}
			}
		})
		for _, name := range regexp.MustCompile(`{{(.*?)}}`).FindAllStringSubmatch(legend, -1) {
			if name[1] != "instance" && !slices.Contains(grouped, name[1]) {
				t.Errorf("%s: the legend has %s, want instance or one of %q", query, name[1], grouped)
			}
		}
	}
	for _, s := range all {
		if name := family(s["__name__"]); !used[name] {
			t.Errorf("nothing shows %s", name)
		}
	}
}

// TestShareIsOfTheSameThing wants of each division that what is above the line is a part of what is below it: the same metric,
// and every condition of below also above.
func TestShareIsOfTheSameThing(t *testing.T) {
	shares := 0
	for query := range queries(t) {
		expr, err := metricsql.Parse(strings.ReplaceAll(query, "$__rate_interval", "5m"))
		if err != nil {
			t.Fatal(err)
		}
		metricsql.VisitAll(expr, func(e metricsql.Expr) {
			if share, ok := e.(*metricsql.BinaryOpExpr); ok && share.Op == "/" {
				shares++
				above, below := conditions(share.Left), conditions(share.Right)
				if len(below) == 0 || len(above) <= len(below) || slices.ContainsFunc(below, func(c string) bool { return !slices.Contains(above, c) }) {
					t.Errorf("%s: the conditions are %q above and %q below, want all those below, and more, above", query, above, below)
				}
			}
		})
	}
	if shares == 0 {
		t.Error("the dashboard has no share of cache hits")
	}
}

// conditions are what the selectors of an expression want of a time series.
func conditions(expr metricsql.Expr) (all []string) {
	metricsql.VisitAll(expr, func(e metricsql.Expr) {
		if selector, ok := e.(*metricsql.MetricExpr); ok {
			for _, filter := range slices.Concat(selector.LabelFilterss...) {
				all = append(all, string(filter.AppendString(nil)))
			}
		}
	})
	return all
}

func family(name string) string {
	for _, suffix := range []string{"_bucket", "_count", "_sum"} {
		name = strings.TrimSuffix(name, suffix)
	}
	return name
}
