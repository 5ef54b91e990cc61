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
	fmt.Fprintf(b, "## Goals\n\nThe counts, bytes, ratios of the cache and sizes are tested on every change; times are only reported.\n\n")
	head(b, "what", "goal", "measured", "met")
	for _, g := range d.allGoals() {
		met := "yes"
		if !g.met {
			met = "**no**"
		}
		line(b, g.what, g.limit, g.measured, met)
	}
	fmt.Fprintf(b, "\n[PROFILE.md](PROFILE.md) says where the time goes.\n\n")
}

func (d document) allGoals() []goal {
	return slices.Concat(d.rowGoals(), d.peerGoals(), d.served.goals(), d.programs.goals(), d.sessionGoals(), d.faultGoals())
}

func (d document) rowGoals() []goal {
	var goals []goal
	for _, row := range d.rows {
		f := d.row(row.Name)
		n := f.serial.median / d.floor()
		switch {
		case row.Goal > 0:
			goals = append(goals, goal{
				row.Name + ", against the floor", fmt.Sprintf("at most %.1f times, %.0f allocations", row.Goal, row.Allocs),
				fmt.Sprintf("%s, %.0f allocations", times(n), f.allocs), n <= row.Goal && f.allocs <= row.Allocs+0.5,
			})
		case row.Name == bench.GarbageRow:
			goals = append(goals, goal{row.Name, "at most 150 ns", nanoseconds(f.serial.median), f.serial.median <= 150})
		}
	}
	return goals
}

func (d document) peerGoals() []goal {
	seen := d.row(bench.BearerRow)
	over := func(name string, limit float64) goal {
		n := d.at(name, bench.SameToken).serial.median / d.at(ownName, bench.SameToken).serial.median
		return goal{"token seen before, against " + name, fmt.Sprintf("at least %.0f times faster", limit), times(n), n >= limit}
	}
	miss, std := d.at(ownName, bench.FreshToken).serial.median, d.at(stdFloor, bench.FreshToken)
	keyfunc := d.at(golangJWT, bench.FreshToken).serial.median
	jwt := d.at(bench.AcceptedJWT, bench.MachineLoad).serial.median / d.at(bench.AcceptedSession, bench.MachineLoad).serial.median
	goals := []goal{
		over(clerkSDK, 100), over(goOIDC, 60),
		{"token never seen, against the standard library", "at most 1.1 times", times(miss / std.serial.median), miss <= 1.1*std.serial.median},
		{"token never seen, against " + golangJWT, "faster", times(miss / keyfunc), miss < keyfunc},
		{"a machine's JWT seen before, against a session token", "at most 1.5 times", times(jwt), jwt <= 1.5},
	}
	for _, n := range manyCores() {
		gain, possible := seen.serial.median/seen.parallel[n].median, std.serial.median/std.parallel[n].median
		goals = append(goals, goal{
			fmt.Sprintf("token seen before, throughput of %d cores", n), "close to that many times one",
			fmt.Sprintf("%s (the standard library verifies %s)", times(gain), times(possible)), gain >= 0.9*float64(n),
		})
	}
	return goals
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
