package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"log"
	"maps"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/google/pprof/profile"

	"github.com/clerkauth/clerkauth/bench"
)

// profiled is where the time of one kind of request goes: parts of the whole, by what the time goes to.
type profiled struct {
	name  string
	parts map[string]float64
	// constants is the part that computes what depends on the key alone.
	constants float64
}

const ownPath = "github.com/clerkauth/clerkauth"

// groups say what a function's time goes to, by the beginning of its name. The first that fits the innermost function counts;
// one that nothing fits counts for its caller.
var groups = []struct{ function, what string }{
	{"runtime.gcBgMarkWorker", "the garbage collector"},
	{"runtime.bgsweep", "the garbage collector"},
	{"runtime.mallocgc", "allocating memory"},
	{"runtime.newobject", "allocating memory"},
	{"runtime.growslice", "allocating memory"},
	{"time.Now", "the clock"},
	{"crypto/", "the signature: crypto"},
	{"math/big", "the signature: crypto"},
	{"encoding/json", "encoding/json, encoding/base64"},
	{"encoding/base64", "encoding/json, encoding/base64"},
	{"github.com/golang-jwt/", "golang-jwt"},
	{ownPath + "/bench", "the measuring and the handler"},
}

// profileRows takes a CPU profile of the requests that PROFILE.md is about, one after the other.
func profileRows(all []*bench.Contestant, d time.Duration) ([]profiled, error) {
	wanted := []key{
		{bench.BearerRow, bench.RowLoad},
		{bench.CookiesRow, bench.RowLoad},
		{bench.PageRow, bench.RowLoad},
		{bench.RefusedRow, bench.RowLoad},
		{ownName, bench.FreshToken},
	}
	var profiles []profiled
	for _, k := range wanted {
		i := slices.IndexFunc(all, func(c *bench.Contestant) bool { return c.Name == k.name && c.Load == k.load })
		if i < 0 {
			return nil, fmt.Errorf("nothing is named %q under %q", k.name, k.load)
		}
		log.Printf("profile: %s, %s", k.name, k.load)
		p, err := profileOne(all[i].Runner(), max(d/time.Duration(len(wanted)), time.Second))
		if err != nil {
			return nil, err
		}
		if p.name = k.name; k.load == bench.FreshToken {
			p.name = "script, bearer token never seen"
		}
		profiles = append(profiles, p)
	}
	return profiles, nil
}

func profileOne(r *bench.Runner, d time.Duration) (profiled, error) {
	var raw bytes.Buffer
	if err := pprof.StartCPUProfile(&raw); err != nil {
		return profiled{}, err
	}
	for began := time.Now(); time.Since(began) < d; {
		r.Run(100)
	}
	pprof.StopCPUProfile()
	p, err := profile.Parse(&raw)
	if err != nil {
		return profiled{}, err
	}
	return partsOf(p)
}

var errNoSamples = errors.New("a CPU profile has no samples")

func partsOf(p *profile.Profile) (profiled, error) {
	sums, total, constants := map[string]float64{}, 0.0, 0.0
	for _, sample := range p.Sample {
		n := float64(sample.Value[len(sample.Value)-1])
		functions := functionsOf(sample)
		total += n
		sums[whatFor(functions)] += n
		if slices.ContainsFunc(functions, func(f string) bool { return strings.HasSuffix(f, "bigmod.NewModulus") }) {
			constants += n
		}
	}
	if total == 0 {
		return profiled{}, errNoSamples
	}
	for what := range sums {
		sums[what] /= total
	}
	return profiled{parts: sums, constants: constants / total}, nil
}

// functionsOf are the names of a stack, the innermost first.
func functionsOf(sample *profile.Sample) []string {
	var names []string
	for _, location := range sample.Location {
		for _, l := range location.Line {
			if l.Function != nil {
				names = append(names, l.Function.Name)
			}
		}
	}
	return names
}

func whatFor(functions []string) string {
	for _, f := range functions {
		for _, to := range groups {
			if strings.HasPrefix(f, to.function) {
				return to.what
			}
		}
		if rest, ok := strings.CutPrefix(f, ownPath); ok {
			name, _, _ := strings.Cut(rest, ".")
			return "`" + cmp.Or(strings.TrimPrefix(name, "/"), "clerkauth") + "`"
		}
	}
	return "the runtime, by itself"
}

func (d document) profile() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Where the time goes\n\nWritten by `%s` in bench/, %s. Do not edit.\n\n", d.command, d.began.UTC().Format(time.DateOnly))
	fmt.Fprintf(&b, "A part of a CPU profile belongs to what the innermost function with a name below is for; the rest of the standard library\n"+
		"belongs to its caller. Less than 1 %% is left out. [RESULTS.md](RESULTS.md) has the times.\n\n")
	for _, p := range d.profiles {
		fmt.Fprintf(&b, "## %s\n\n", capital(p.name))
		head(&b, "what", "part")
		names := slices.SortedFunc(maps.Keys(p.parts), func(a, b string) int { return cmp.Compare(p.parts[b], p.parts[a]) })
		for _, name := range names {
			if p.parts[name] >= 0.01 {
				line(&b, name, percent(p.parts[name]))
			}
		}
		if p.constants >= 0.01 {
			fmt.Fprintf(&b, "\n%s of the time, part of the signature's, computes what depends on the key alone: `crypto/rsa.VerifyPKCS1v15` cannot keep it.\n"+
				"Every row of RESULTS.md that verifies spends it, the standard library's too.\n", percent(p.constants))
		}
		fmt.Fprintln(&b)
	}
	d.missed(&b)
	return strings.TrimSpace(b.String()) + "\n"
}

// missed lists the goals that this run does not meet.
func (d document) missed(b *strings.Builder) {
	goals := slices.DeleteFunc(d.allGoals(), func(g goal) bool { return g.met })
	if len(goals) == 0 {
		return
	}
	fmt.Fprintf(b, "## Goals that this run does not meet\n\nThe middle half of the floor's slices is %s of its median apart: nothing closer to its limit than that is certain.\n\n",
		percent(d.row(bench.FloorRow).serial.wide()))
	head(b, "what", "goal", "measured")
	for _, g := range goals {
		line(b, g.what, g.limit, g.measured)
	}
}

func percent(n float64) string { return fmt.Sprintf("%.0f %%", 100*n) }
