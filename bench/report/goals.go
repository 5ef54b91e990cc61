package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/clerkauth/clerkauth/bench"
)

// goal is a number the project set itself.
type goal struct {
	what, limit, measured string
	met                   bool
}

func (d document) goals(b *strings.Builder) {
	fmt.Fprintf(b, "## Goals\n\n")
	head(b, "what", "goal", "measured", "met")
	for _, g := range append(d.speedGoals(), d.faultGoals()...) {
		met := "yes"
		if !g.met {
			met = "**no**"
		}
		line(b, g.what, g.limit, g.measured, met)
	}
	fmt.Fprintf(b, "\n[PROFILE.md](PROFILE.md) says where the time goes, and why a goal is missed.\n\n")
}

func (d document) at(guard, load string) *figure { return d.speed.of(guard, load) }

func (d document) speedGoals() []goal {
	seen, floor := d.at(ownName, bench.SameToken), d.at(contextFloor, bench.SameToken)
	over := func(name string, limit float64) goal {
		n := d.at(name, bench.SameToken).serial / seen.serial
		return goal{"token seen before, against " + name, fmt.Sprintf("at least %.0f times faster", limit), times(n), n >= limit}
	}
	miss := d.at(ownName, bench.FreshToken).serial
	best, bestName := d.bestPeer(bench.FreshToken)
	cores, garbage := seen.serial/seen.parallel, d.at(ownName, bareGarbage)
	jwt, session := d.at(ownName, bench.AcceptedJWT).serial, d.at(ownName, bench.AcceptedSession).serial
	std := d.at(stdFloor, bench.FreshToken)
	possible := std.serial / std.parallel // of code that shares nothing
	return []goal{
		{
			"token seen before, against a context value", "at most 4 times, 6 allocations",
			fmt.Sprintf("%s, %d allocations", times(seen.serial/floor.serial), seen.allocs), seen.serial <= 4*floor.serial && seen.allocs <= 6,
		},
		over("clerk-sdk-go v2", 100),
		over("coreos/go-oidc v3", 60),
		{
			fmt.Sprintf("token seen before, throughput of %d cores", d.machine.cores), "close to that many times one",
			fmt.Sprintf("%s (the standard library verifies %s)", times(cores), times(possible)), cores >= 0.9*float64(d.machine.cores),
		},
		{"token never seen, against the standard library", "at most 1.08 times", times(miss / std.serial), miss <= 1.08*std.serial},
		{"token never seen, against the best peer, " + bestName, "faster", times(miss / best), miss < best},
		{
			"a machine's JWT seen before, against a session token", "at most 1.5 times",
			times(jwt / session), jwt <= 1.5*session,
		},
		{
			bareGarbage, "at most 150 ns, no allocation",
			fmt.Sprintf("%s, %d allocations", nanoseconds(garbage.serial), garbage.allocs), garbage.serial <= 150 && garbage.allocs == 0,
		},
	}
}

func (d document) bestPeer(load string) (float64, string) {
	peers := slices.DeleteFunc(slices.Clone(d.guards), func(g bench.Guard) bool { return g.Kind != bench.Peer })
	best := slices.MinFunc(peers, func(a, b bench.Guard) int {
		return int(d.at(a.Name, load).serial - d.at(b.Name, load).serial)
	})
	return d.at(best.Name, load).serial, best.Name
}

func (d document) faultGoals() []goal {
	var goals []goal
	for _, row := range d.faults {
		goals = append(goals, faultGoal(row.fault, row.cells[ownName])...)
	}
	return goals
}

func faultGoal(x bench.Fault, c []bench.Cell) []goal {
	name := func(column int) string { return x.Name + ": " + x.Columns[column] }
	zero := func(column int) goal { return goal{name(column), "0", c[column].Text, c[column].Value == 0} }
	one := func(column int) goal { return goal{name(column), "1", c[column].Text, c[column].Value == 1} }
	switch x.Name {
	case bench.RandomKids:
		return []goal{one(0), {name(2), "at most twice", fmt.Sprintf("%s, %s", c[2].Text, times(c[2].Value)), c[2].Value <= 2}}
	case bench.FirstRequests:
		return []goal{one(1), zero(3)}
	case bench.SlowKeys, bench.DownKeys, bench.HangingKeys:
		return []goal{zero(0), {name(1), "at most 3 s, once after idle", c[1].Text, c[1].Value <= 3.1}}
	}
	return nil
}
