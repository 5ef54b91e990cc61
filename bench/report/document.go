package main

import (
	"os"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/bench"
)

// document is everything that was measured, before it is written down.
type document struct {
	began    time.Time
	command  string
	slices   int // of each contestant, on one core
	machine  machine
	rows     []bench.Row
	guards   []bench.Guard
	loads    []bench.Workload
	speed    speed
	token    int // bytes
	cached   int // bytes of the cache for each token
	live     []bench.Live
	served   *served
	programs *programs
	profiles []profiled
	answers  []answer
	faults   []faultRow
}

type answer struct {
	question bench.Case
	codes    map[string]int // by guard
}

type faultRow struct {
	fault bench.Fault
	cells map[string][]bench.Cell // by guard
}

// The guards that others are compared with.
const (
	stdFloor = "floor: standard library"
	ownName  = "clerkauth"
	clerkSDK = "clerk-sdk-go v2"
	goOIDC   = "coreos/go-oidc v3"

	golangJWT = "golang-jwt v5 + keyfunc v3"
)

func (d document) write() error {
	for name, text := range map[string]string{"RESULTS.md": d.markdown(), "PROFILE.md": d.profile(), "chart.svg": d.chart()} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil { //nolint:gosec // made to be read by everybody
			return err
		}
	}
	return writeReadme(readmePath, d.sentence())
}

func (d document) markdown() string {
	var b strings.Builder
	d.preface(&b)
	d.goals(&b)
	d.rowTable(&b)
	d.timeTable(&b)
	d.coreTable(&b)
	d.served.table(&b)
	d.programs.table(&b)
	d.sessionTable(&b)
	d.memoryTable(&b)
	d.machineTable(&b)
	d.proxyTable(&b)
	d.answerTable(&b)
	d.faultTables(&b)
	return strings.TrimSpace(b.String()) + "\n"
}

func (d document) at(name, load string) *figure { return d.speed.of(name, load) }

// row is one of bench.Rows.
func (d document) row(name string) *figure { return d.at(name, bench.RowLoad) }

// floor is the time of a middleware that only adds a context value.
func (d document) floor() float64 { return d.row(bench.FloorRow).serial.median }
