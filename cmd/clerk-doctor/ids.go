package main

import (
	"context"
	"slices"
	"strings"
)

// checkIDs compares the instance IDs in the records that have one. They are all from one page of the Dashboard; each
// leftover record of an older instance looks right by itself.
func (d *doctor) checkIDs(ctx context.Context, rs []record) []check {
	c := check{code: idsGood}
	var ids, said []string
	for _, r := range rs {
		if !r.hasID() || d.zoneState(ctx).blocker != nil {
			continue
		}
		best, _ := d.evidence(ctx, r).best()
		if how, id := r.match(best.target); how == right {
			ids = append(ids, id)
			said = append(said, r.host+" has "+id)
			c.see = append(c.see, best.dig())
		}
	}
	if len(ids) < 2 {
		return nil
	}
	c.name = ids[0]
	if len(slices.Compact(slices.Sorted(slices.Values(ids)))) > 1 {
		c.code, c.name, c.says = idsDiffer, d.domain, strings.Join(said, ", ")
		c.fix = []string{"take all of them from the Domains page of Clerk's Dashboard, of the production instance of this application"}
	}
	return []check{c}
}
