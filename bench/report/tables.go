package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/bench"
)

func (d document) preface(b *strings.Builder) {
	fmt.Fprintf(b, "# Results\n\nWritten by `%s` in bench/, %s. Do not edit.\n\n%s\n\n", d.command, d.began.UTC().Format(time.DateOnly), d.sentence())
	floor := d.row(bench.FloorRow).serial
	fmt.Fprintf(b, "**How quiet the machine was.** %s, %d cores, %s, %s; a load average of %s in the last one and five minutes before.\n"+
		"Each time is the median of %d slices of about %v, taken from all in turn and each time in another order. The middle half of the\n"+
		"slices of the floor lies between %s and %s, which is %.0f %% of its median apart: differences smaller than that are noise. A slice\n"+
		"that the garbage collector runs in counts like any other; as few do, the medians hold little of what it costs. Compare rows\n"+
		"of one table, not numbers of two machines.\n\n",
		d.machine.processor, d.machine.cores, d.machine.system, d.machine.goVersion, d.machine.load, d.slices, sliceLength,
		nanoseconds(floor.low), nanoseconds(floor.high), 100*floor.wide())
	fmt.Fprintf(b, "![The cost of one request](chart.svg)\n\n")
	fmt.Fprintf(b, "Every row is net/http middleware, set up as its documentation says, around the same handler, with its keys fetched\n"+
		"from a server on this machine before the clock starts. Requests have the headers that Chrome sends. All carry the same RS256\n"+
		"session tokens of a 2048-bit key, in the Authorization header unless the name says otherwise. The tokens have `aud`, which\n"+
		"Clerk's have not by default, because auth0/go-jwt-middleware cannot be set up without one. Two floors: a middleware that only\n"+
		"adds a value to the context, and encoding/base64, encoding/json and crypto/rsa alone.\n\n")
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

func (d document) rowTable(b *strings.Builder) {
	fmt.Fprintf(b, "## What browsers send\n\n`%s` before the requests of a page of the application's own origin, with a token seen before: scripts' fetches and\n"+
		"POSTs, and page loads. Clerk's script writes two pairs of cookies; the party cookie is the library's own, and every browser\n"+
		"has it after its first answer. The limits are what a check could cost at least that is written by hand for one application\n"+
		"and one instance, and that knows its tokens already.\n\n", ownName)
	head(b, "request", "time", "quartiles", "of the floor", "allocations (bytes)")
	for _, row := range d.rows {
		f := d.row(row.Name)
		line(b, row.Name, nanoseconds(f.serial.median), nanoseconds(f.serial.low)+" to "+nanoseconds(f.serial.high),
			times(f.serial.median/d.floor()), allocated(f))
	}
	fmt.Fprintln(b)
}

func allocated(f *figure) string { return fmt.Sprintf("%.0f (%.0f)", f.allocs, f.bytes) }

func (d document) timeTable(b *strings.Builder) {
	fmt.Fprintf(b, "## One bearer token\n\nOne script's request at a time. In parentheses: how many times what `%s` takes. The workloads:\n\n", ownName)
	for _, w := range d.loads {
		fmt.Fprintf(b, "- %s: %s\n", w.Name, w.Note)
	}
	fmt.Fprintln(b)
	d.table(b, func(f, own *figure) string {
		return fmt.Sprintf("%s (%s)", nanoseconds(f.serial.median), times(f.serial.median/own.serial.median))
	})
}

func (d document) coreTable(b *strings.Builder) {
	cores := manyCores()
	if len(cores) == 0 {
		return
	}
	fmt.Fprintf(b, "## On more than one core\n\nTime divided by requests, with as many requests at a time as there are cores. In parentheses: the throughput,\n"+
		"as a multiple of one request at a time on one core.\n\n")
	columns := []string{"", "load", "1 core"}
	for _, n := range cores {
		columns = append(columns, fmt.Sprintf("%d cores", n))
	}
	head(b, columns...)
	add := func(name, load string) {
		f := d.at(name, load)
		cells := []string{name, load, nanoseconds(f.serial.median)}
		for _, n := range cores {
			cells = append(cells, fmt.Sprintf("%s (%.2f)", nanoseconds(f.parallel[n].median), f.serial.median/f.parallel[n].median))
		}
		line(b, cells...)
	}
	for _, row := range d.rows {
		add(row.Name, row.Load)
	}
	for _, load := range []string{bench.SameToken, bench.FreshToken} {
		for _, g := range d.guards {
			if _, ok := d.speed[key{g.Name, load}]; ok {
				add(g.Name, load)
			}
		}
	}
	fmt.Fprintln(b)
}

func (d document) memoryTable(b *strings.Builder) {
	fmt.Fprintf(b, "## Memory\n\nThe cache of `%s` holds %d bytes for each token of %d bytes: the token, its claims and their text.\n\n"+
		"Allocations per request: how many, and bytes.\n\n", ownName, d.cached, d.token)
	d.table(b, func(f, _ *figure) string { return allocated(f) })
}

func (d document) table(b *strings.Builder, cell func(f, own *figure) string) {
	columns := []string{""}
	for _, w := range d.loads {
		columns = append(columns, w.Name)
	}
	head(b, columns...)
	for _, g := range d.guards {
		cells := []string{g.Name}
		for _, w := range d.loads {
			text := "-"
			if f, ok := d.speed[key{g.Name, w.Name}]; ok {
				text = cell(f, d.at(ownName, w.Name))
			}
			cells = append(cells, text)
		}
		line(b, cells...)
	}
	fmt.Fprintln(b)
}

func (d document) machineTable(b *strings.Builder) {
	fmt.Fprintf(b, "## Machines\n\n`Accept` of sessions, OAuth tokens and API keys. The Backend API is a server on this machine and on the same core.\n\n")
	d.short(b, bench.MachineLoad, bench.AcceptedSession, bench.AcceptedJWT, bench.CachedKey, bench.UncachedKey)
}

func (d document) proxyTable(b *strings.Builder) {
	fmt.Fprintf(b, "## The Frontend API through one's own host\n\nOne request of Clerk's script to a server on this machine and back. Clerk is further away: where the way\n"+
		"there takes 20 ms, the difference is less than a thousandth of it.\n\n")
	d.short(b, bench.ProxyLoad, bench.BareProxy, bench.OwnProxy)
}

// short is a table of what is compared with its first row.
func (d document) short(b *strings.Builder, load string, names ...string) {
	head(b, "", "time", "of the first", "allocations (bytes)")
	first := d.at(names[0], load).serial.median
	for _, name := range names {
		f := d.at(name, load)
		line(b, name, nanoseconds(f.serial.median), times(f.serial.median/first), allocated(f))
	}
	fmt.Fprintln(b)
}
