package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/bench"
)

// document is everything that was measured, before it is written down.
type document struct {
	began   time.Time
	command string
	passes  int
	machine machine
	guards  []bench.Guard
	loads   []bench.Workload
	speed   speed
	token   int // bytes
	cached  int // bytes of the cache for each token
	answers []answer
	faults  []faultRow
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
	contextFloor = "floor: a context value"
	stdFloor     = "floor: standard library"
	ownName      = "clerkauth"

	bareGarbage = "VerifyToken of garbage" // has no guard and no request
	proxiedLoad = "a request through a proxy"
)

func (d document) markdown() string {
	var b strings.Builder
	d.preface(&b)
	d.goals(&b)
	d.timeTable(&b)
	d.parallelTable(&b)
	d.memoryTable(&b)
	d.proxyTable(&b)
	d.answerTable(&b)
	d.faultTables(&b)
	return b.String()
}

func (d document) preface(b *strings.Builder) {
	fmt.Fprintf(b, "# Results\n\nWritten by `%s` in bench/, %s. Do not edit.\n\n", d.command, d.began.UTC().Format(time.DateOnly))
	fmt.Fprintf(b, "%s, %d cores, %s, %s. The fastest of %d interleaved passes: other tenants\n"+
		"of the machine only slow things down. Compare rows of one table, not numbers of two machines.\n\n",
		d.machine.processor, d.machine.cores, d.machine.system, d.machine.goVersion, d.passes)
	fmt.Fprintf(b, "![The cost of one request](chart.svg)\n\n")
	fmt.Fprintf(b, "Every row is net/http middleware, set up as its documentation says, around the same handler, with its keys fetched\n"+
		"from a server on this machine before the clock starts. All see the same RS256 session tokens of a 2048-bit key, in the\n"+
		"Authorization header unless the name says otherwise. The tokens carry `aud`, which Clerk's do not by default, because\n"+
		"auth0/go-jwt-middleware cannot be set up without one. Two floors: a middleware that only adds a value to the context, and\n"+
		"encoding/base64, encoding/json and crypto/rsa alone.\n\n")
	head(b, "what", "module", "version", "who compares azp", "fetches keys")
	for _, g := range d.guards {
		version := d.machine.versions[g.Module]
		switch {
		case g.Module == "":
			version = d.machine.goVersion
		case g.Kind == bench.Own:
			version = "this tree"
		}
		keys := "no"
		if g.Keys == bench.Fetched {
			keys = "yes"
		}
		line(b, g.Name, orDash(g.Module), version, g.Party, keys)
	}
	fmt.Fprintln(b)
}

func (d document) timeTable(b *strings.Builder) {
	fmt.Fprintf(b, "## One request\n\nOne request at a time. In parentheses: how many times what `%s` takes. The workloads:\n\n", ownName)
	columns := []string{""}
	for _, w := range d.loads {
		fmt.Fprintf(b, "- %s: %s\n", w.Name, w.Note)
		columns = append(columns, w.Name)
	}
	fmt.Fprintln(b)
	d.table(b, columns, func(f, own figure) string {
		return fmt.Sprintf("%s (%s)", nanoseconds(f.serial), times(f.serial/own.serial))
	})
}

func (d document) parallelTable(b *strings.Builder) {
	fmt.Fprintf(b, "## On %d cores\n\nTime divided by requests, with as many requests at a time as there are cores. In parentheses: the throughput,\n"+
		"as a multiple of one request at a time.\n\n", d.machine.cores)
	d.table(b, d.columns(), func(f, _ figure) string {
		return fmt.Sprintf("%s (%.2f)", nanoseconds(f.parallel), f.serial/f.parallel)
	})
}

func (d document) memoryTable(b *strings.Builder) {
	fmt.Fprintf(b, "## Memory\n\nA full cache of `%s` holds %d bytes for each token of %d bytes: the token, its claims and their text.\n\n"+
		"Allocations per request: how many, and bytes.\n\n", ownName, d.cached, d.token)
	d.table(b, d.columns(), func(f, _ figure) string { return fmt.Sprintf("%d (%d)", f.allocs, f.bytes) })
}

func (d document) proxyTable(b *strings.Builder) {
	bare, own := d.at(bench.BareProxy, proxiedLoad), d.at(bench.OwnProxy, proxiedLoad)
	fmt.Fprintf(b, "## The Frontend API through one's own host\n\nOne request of Clerk's script to a server on this machine and back. In parentheses: how many times what a bare\n"+
		"ReverseProxy takes. Clerk is further away: where the way there takes 20 ms, the difference is less than a thousandth of it.\n\n")
	head(b, "", "time", "allocations (bytes)")
	for _, row := range []struct {
		name string
		f    *figure
	}{{bench.BareProxy, bare}, {bench.OwnProxy, own}} {
		line(b, row.name, fmt.Sprintf("%s (%s)", nanoseconds(row.f.serial), times(row.f.serial/bare.serial)), fmt.Sprintf("%d (%d)", row.f.allocs, row.f.bytes))
	}
	fmt.Fprintln(b)
}

func (d document) columns() []string {
	columns := []string{""}
	for _, w := range d.loads {
		columns = append(columns, w.Name)
	}
	return columns
}

func (d document) table(b *strings.Builder, columns []string, cell func(f, own figure) string) {
	head(b, columns...)
	for _, g := range d.guards {
		cells := []string{g.Name}
		for _, w := range d.loads {
			text := "-"
			if f, ok := d.speed[key{g.Name, w.Name}]; ok {
				text = cell(*f, *d.at(ownName, w.Name))
			}
			cells = append(cells, text)
		}
		line(b, cells...)
	}
	fmt.Fprintln(b)
}

func (d document) answerTable(b *strings.Builder) {
	fmt.Fprintf(b, "## Answers\n\nWhat each answers to one token, told to trust one issuer and one `azp`, with defaults for everything else. 204 is the\n"+
		"application. **Bold** is not what an application wants that trusts one origin of one Clerk instance.\n\n")
	columns := []string{"token"}
	var guards []bench.Guard
	for _, g := range d.guards {
		if g.Kind == bench.Peer || g.Name == ownName {
			guards = append(guards, g)
			columns = append(columns, g.Name)
		}
	}
	head(b, columns...)
	for _, a := range d.answers {
		cells := []string{a.question.Name}
		for _, g := range guards {
			text := fmt.Sprint(a.codes[g.Name])
			if (a.codes[g.Name] == http.StatusNoContent) != a.question.Admit {
				text = "**" + text + "**"
			}
			cells = append(cells, text)
		}
		line(b, cells...)
	}
	fmt.Fprintln(b)
}

func (d document) faultTables(b *strings.Builder) {
	if len(d.faults) == 0 {
		return
	}
	fmt.Fprintf(b, "## Faults\n\nClients give up after 10 s. A lifetime is how long fetched keys are fresh: where a fault is about it, 1 s (4 s when the\n"+
		"key server takes 2 s) for libraries that can be told, and for clerk-sdk-go and clerkauth their own, with the clock moved; elsewhere what the\n"+
		"documentation proposes. `-`: the library does not fetch keys.\n\n")
	for _, row := range d.faults {
		fmt.Fprintf(b, "### %s\n\n%s\n\n", capital(row.fault.Name), capital(row.fault.Note)+".")
		head(b, append([]string{""}, row.fault.Columns...)...)
		for _, g := range bench.FaultGuards() {
			cells := []string{g.Name}
			for _, cell := range row.cells[g.Name] {
				cells = append(cells, cell.Text)
			}
			line(b, cells...)
		}
		fmt.Fprintln(b)
	}
}
