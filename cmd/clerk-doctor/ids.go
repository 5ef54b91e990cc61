package main

import (
	"context"
	"slices"
	"strings"
)

// checkIDs compares the instance ids in the three records that have one. They come from one page of the Dashboard; records of
// an older instance, left in place, look right each on its own.
func (d *doctor) checkIDs(ctx context.Context, rs []record) []check {
	c := check{Group: groupDNS, Name: "instance id"}
	var ids, said []string
	for _, r := range rs {
		if !strings.Contains(r.target, "<id>") {
			continue
		}
		best, _ := d.evidence(ctx, r).best()
		if how, id := r.match(best.target); how == right {
			ids = append(ids, id)
			said = append(said, r.host+" has "+id)
			c.See = append(c.See, "dig +noall +answer "+r.host+" CNAME "+best.server.dig())
		}
	}
	switch {
	case len(ids) < 2:
		return nil
	case len(slices.Compact(slices.Clone(ids))) == 1:
		c.Status, c.Says = ok, ids[0]
	default:
		c.Status, c.Says = fail, "the records are of different instances: "+strings.Join(said, ", ")
		c.Fix = []string{"take all of them from the Domains page of Clerk's Dashboard, of the production instance of this application"}
	}
	return []check{c}
}
