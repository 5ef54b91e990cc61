package main

import (
	"fmt"
	"log"
	"strings"

	"github.com/clerkauth/clerkauth/bench"
)

func simulate(perToken int) []bench.Live {
	var all []bench.Live
	for _, n := range []int{1000, 10_000, 50_000} {
		log.Printf("simulating %d sessions", n)
		all = append(all, bench.SimulateSessions(n, perToken))
	}
	return all
}

func (d document) sessionTable(b *strings.Builder) {
	fmt.Fprintf(b, "## Many sessions\n\nA simulation of the cache of verified tokens at its default size, half an hour of an injected clock: every browser sends a\n"+
		"request each 4 s, and its token, which lives for a minute, is renewed after 45 to 55 s. A new token is in no cache, which\n"+
		"limits the ratio to 92.6 %%. The last column is after 20 more minutes with 1000 sessions.\n\n")
	head(b, "live sessions", "requests whose token is in the cache", "memory", "later")
	for _, l := range d.live {
		line(b, fmt.Sprint(l.Sessions), fmt.Sprintf("%.1f %%", 100*l.HitRatio), megabytes(l.Heap), megabytes(l.Later))
	}
	fmt.Fprintln(b)
}

func (d document) sessionGoals() []goal {
	var goals []goal
	for _, l := range d.live {
		least := 0.92
		if l.Sessions > 10_000 {
			least = 0.80
		}
		goals = append(goals, goal{
			fmt.Sprintf("requests whose token is in the cache, %d sessions", l.Sessions), fmt.Sprintf("at least %.0f %%", 100*least),
			fmt.Sprintf("%.1f %%", 100*l.HitRatio), l.HitRatio >= least,
		})
		if l.Sessions == 1000 {
			goals = append(goals, goal{"memory of the tokens of 1000 sessions", "at most 6 MB", megabytes(l.Heap), l.Heap <= 6<<20})
		}
		if l.Sessions == 50_000 {
			goals = append(goals, goal{"memory of them 20 min after 50000 became 1000", "at most 16 MB", megabytes(l.Later), l.Later <= 16<<20})
		}
	}
	return goals
}
