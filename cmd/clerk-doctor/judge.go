package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// judge is the verdict on one CNAME. It is pure: (evidence) to (check).
func judge(e evidence) check {
	best, known := e.best()
	switch {
	case e.vacant:
		return check{Status: fail, Says: "the domain itself is not there: see name servers", See: []string{"dig +noall +answer " + e.host + " CNAME"}}
	case e.bogus:
		return check{Status: fail, Says: "resolvers refuse every answer of " + e.apex + ": see name servers", See: e.see(best)}
	case !known:
		return e.unanswered()
	case best.target == "" && e.blind:
		return check{
			Status: unknown, Says: errBlind.Error(), See: e.see(best),
			Fix: []string{"run this where the internet can be seen, or name other servers with -resolver and -public-resolver"},
		}
	case best.target == "":
		return e.absent(best)
	}
	return e.present(best)
}

// unanswered: no server gave a usable answer.
func (e evidence) unanswered() check {
	for _, s := range e.public {
		if s.err == nil {
			return check{
				Status: fail, Says: fmt.Sprintf("%s answers %s", s.server.name, dns.RcodeToString[s.rcode]),
				Fix: []string{"mend the zone first: see name servers"}, See: e.see(s),
			}
		}
	}
	c := check{
		Status: unknown, Says: "no name server could be asked",
		Fix: []string{"check the network here, or name other servers with -resolver and -public-resolver"},
	}
	if len(e.public) > 0 {
		c.See = e.see(e.public[0])
	}
	return c
}

// absent: there is no CNAME. What stands in its place says why.
func (e evidence) absent(best sighting) check {
	c := check{Status: fail, See: e.see(best)}
	add := e.add()
	switch {
	case len(e.addrs) > 0 && subset(e.addrs, e.targetAddrs):
		c.Says = "flattened: the provider answers with the addresses of the target (" + list(e.addrs) + ") instead of a CNAME"
		c.Fix = []string{"turn CNAME flattening (ALIAS, ANAME) off for this name, so that Clerk can see the CNAME", add}
		c.See = append(c.See, e.dig(best, "A"))
	case slices.ContainsFunc(e.addrs, isCloudflare):
		c.Says = "proxied by Cloudflare: its addresses (" + list(e.addrs) + ") stand where a CNAME should"
		c.Fix = []string{`in Cloudflare, under DNS, set this record to "DNS only" (grey cloud)`}
		c.See = append(c.See, e.dig(best, "A"))
	case len(e.addrs) > 0:
		c.Says = "addresses (" + list(e.addrs) + ") stand where a CNAME should"
		c.Fix = []string{"delete them; if there is no such record, a wildcard answers, and the CNAME will take its place", add}
		c.See = append(c.See, e.dig(best, "A"))
	case len(e.beside) > 0:
		c.Says = strings.Join(e.beside, " and ") + " records stand where a CNAME should"
		c.Fix = []string{"delete them: a CNAME cannot stand beside other records", add}
		c.See = append(c.See, e.dig(best, e.beside[0]))
	case e.doubled != "":
		c.Says = "the zone is appended twice: the record is at " + e.doubled
		c.Fix = []string{"your provider adds " + e.apex + " itself: enter the name as " + strings.TrimSuffix(e.host, "."+e.apex)}
		c.See = append(c.See, e.digAt(e.doubled, best, "CNAME"))
	default:
		c.Says = "not there"
		c.Fix = []string{add}
	}
	return c
}

// present: there is a CNAME. Is it the right one, alone, and does everybody see it?
func (e evidence) present(best sighting) check {
	c := check{See: e.see(best)}
	how, _ := e.match(best.target)
	switch {
	case how == wrong:
		c.Status, c.Says = fail, "leads to "+best.target+", not to "+e.target
		c.Fix = []string{"change the target to " + e.wanted()}
		if e.apex != "" && strings.HasSuffix(best.target, "."+e.apex) {
			c.Fix = append(c.Fix, "if that is what you entered, put a dot at its end: your provider appends "+e.apex)
		}
	case len(e.beside) > 0:
		c.Status, c.Says = fail, "the CNAME stands beside other records ("+strings.Join(e.beside, ", ")+"), which DNS forbids: some resolvers see it, some do not"
		c.Fix = []string{"delete the " + strings.Join(e.beside, ", ") + " records of " + e.host}
		c.See = append(c.See, e.dig(best, e.beside[0]))
	case e.targetMissing:
		c.Status, c.Says = fail, "leads to "+best.target+", which does not exist"
		c.Fix = []string{"copy the target again from the Domains page of Clerk's Dashboard"}
		c.See = append(c.See, "dig "+best.target)
	default:
		e.spread(&c, best)
		if how == unusual && c.Status == ok {
			c.Status = warn
			c.Says += ", which is Clerk's, but not the usual " + e.target
			c.Fix = []string{"compare it with the Domains page of Clerk's Dashboard"}
		}
	}
	return c
}

// spread says whether the other servers say what the best one says. Lame ones are not asked: they are a matter of the zone.
func (e evidence) spread(c *check, best sighting) {
	var behind []string
	var wait time.Duration
	compare := func(s sighting) {
		if s.target != best.target {
			behind = append(behind, s.server.name)
			c.See = append(c.See, e.dig(s, "CNAME"))
			wait = max(wait, s.wait)
		}
	}
	for _, s := range e.authoritative {
		if s.usable() && s.authoritative {
			s.wait = 0 // it answers from the zone: nothing has to run out
			compare(s)
		}
	}
	heard := 0
	for _, s := range e.public {
		if s.err == nil {
			heard++
			compare(s)
		}
	}
	switch {
	case len(behind) > 0:
		c.Status, c.Says = fail, fmt.Sprintf("on its way: %s has it, not yet %s", best.server.name, strings.Join(behind, ", "))
		c.Fix = []string{"wait, or run again with -wait"}
		if wait > 0 {
			c.Fix = []string{"wait up to " + human(wait) + ", or run again with -wait"}
		}
	case heard == 0:
		c.Status, c.Says = unknown, best.server.name+" says "+best.target+", but no public resolver could be asked"
		c.Fix = []string{"check the network here, or name others with -public-resolver"}
	default:
		c.Status, c.Says = ok, "CNAME "+best.target
	}
}

// wanted is the target, in words where only the Dashboard knows it.
func (e evidence) wanted() string {
	if strings.Contains(e.target, "<id>") {
		return e.target + ", with the id that the Domains page of Clerk's Dashboard shows"
	}
	return e.target
}

func (e evidence) add() string {
	if e.apex == "" {
		return fmt.Sprintf("add: name %s, type CNAME, target %s", e.host, e.wanted())
	}
	return fmt.Sprintf("add to %s: name %s, type CNAME, target %s", e.apex, strings.TrimSuffix(e.host, "."+e.apex), e.wanted())
}

func (e evidence) see(s sighting) []string { return []string{e.dig(s, "CNAME")} }

func (e evidence) dig(s sighting, qtype string) string { return e.digAt(e.host, s, qtype) }

func (e evidence) digAt(name string, s sighting, qtype string) string {
	return "dig +noall +answer " + name + " " + qtype + " " + s.server.dig()
}

func subset(some, of []netip.Addr) bool {
	return !slices.ContainsFunc(some, func(a netip.Addr) bool { return !slices.Contains(of, a) })
}

func list(addrs []netip.Addr) string {
	words := make([]string, len(addrs))
	for i, a := range addrs {
		words[i] = a.String()
	}
	return strings.Join(words, ", ")
}
