package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// judge is the check of one CNAME. It is a pure function.
func judge(e evidence) check {
	best, known := e.best()
	c := check{name: e.host}
	switch {
	case e.cause != nil:
		c.code, c.says, c.cause = cnameUnknown, "not looked up", e.cause
	case e.cut == e.host:
		e.delegated(&c)
	case len(e.lame) > 0 && !slices.ContainsFunc(e.public, sighting.conclusive):
		e.lameAbove(&c)
	case e.unsigned != nil && (!known || best.target != "" && e.fitOf(best) == int(right)):
		c = *e.unsigned
	case !known || !best.q.direct && len(e.direct) > 0 && best.target == "" && best.rcode != dns.RcodeNameError:
		e.unanswerable(&c) // only NXDOMAIN means absent if the zone's own servers do not answer
	case best.target == "":
		c.see = []string{best.dig()}
		e.absent(&c, best)
	default:
		c.see = []string{best.dig()}
		e.present(&c, best)
	}
	return c
}

// delegated: other servers than the zone's are responsible for the host, so a CNAME in the zone is not seen.
func (e evidence) delegated(c *check) {
	to := strings.Join(e.cutTo, ", ")
	c.code, c.says = zoneCut, "it has a zone of its own, which hides every other record at the name"
	if to != "" {
		c.says = "it has NS records (" + to + "), which hide every other record at the name"
	}
	c.fix = append([]string{"first remove the NS records of " + e.host + ", or the zone of that name"}, e.add()...)
	q := question{name: e.host, qtype: dns.TypeNS, direct: true}
	if len(e.direct) > 0 {
		c.see = []string{q.dig(e.direct[0].server)}
	} else {
		q.direct = false
		c.see = []string{q.dig(server{})}
	}
}

// lameAbove: a name between the zone and the host is delegated, and no server answers for it.
func (e evidence) lameAbove(c *check) {
	c.code, c.says = zoneCutLame, e.cut+" is delegated to "+strings.Join(e.cutTo, ", ")+"; "+strings.Join(e.lame, "; ")
	c.see = append([]string{question{name: e.cut, qtype: dns.TypeNS}.dig(server{})}, digs(e.direct)...)
	kept := e.apex
	e.apex = e.above
	c.fix = append([]string{
		"remove the NS records of " + e.cut + " from " + e.above + ", unless something needs them: then have these servers answer, and add the records there, to " + kept,
	}, e.add()...)
}

// unanswerable: no server gives a usable answer.
func (e evidence) unanswerable(c *check) {
	for _, s := range slices.Concat(e.direct, e.public) {
		c.see = append(c.see, s.dig())
	}
	var failed []string
	for _, s := range e.direct {
		failed = append(failed, s.String()+" "+s.answersTo(s.q))
	}
	if len(failed) > 0 {
		c.code, c.says = serversQueryFail, strings.Join(failed, "; ")
		c.fix = []string{"see whether the CNAME is entered at the DNS provider; if it is, show the provider these queries, which its servers fail on"}
		return
	}
	for _, s := range e.public {
		if s.err == nil {
			c.code, c.says = resolversFail, s.String()+" "+s.answersTo(s.q)
			c.fix = resolverAdvice(s.reply)
			return
		}
	}
	c.code, c.says = cnameUnknown, "no server answers"
	c.fix = []string{"check the network here, or name other servers with -resolver and -public-resolver"}
}

// absent: there is no CNAME. What is there instead explains why.
func (e evidence) absent(c *check, best sighting) {
	c.code, c.fix = cnameMissing, e.add()
	at := list(e.addrs)
	switch {
	case e.wildcard != "":
		c.says = "no record of its own: the wildcard " + e.wildcard + " answers with " + and(e.beside) + " records"
		c.see = append(c.see, e.at(best, e.beside[0]))
	case len(e.addrs) > 0 && subset(e.addrs, e.targetAddrs):
		c.code, c.says = cnameFlattened, "the provider answers with the addresses of the target ("+at+")"
		c.fix = []string{"turn CNAME flattening (ALIAS, ANAME) off for this name, so that Clerk can see the CNAME"}
		c.see = append(c.see, e.at(best, "A"))
	case slices.ContainsFunc(e.addrs, isCloudflare):
		c.code, c.says = cnameProxied, at+" are there in place of the CNAME"
		c.fix = []string{`in Cloudflare, under DNS, set the record to "DNS only" (grey cloud)`}
		c.see = append(c.see, e.at(best, "A"))
	case len(e.beside) > 0:
		c.code, c.says = cnameReplaced, and(e.beside)+" records"
		if at != "" {
			c.says += " (" + at + ")"
		}
		c.fix = append([]string{"delete the " + and(e.beside) + " records of " + e.host + ": no other records are allowed beside a CNAME"}, e.add()...)
		c.see = append(c.see, e.at(best, e.beside[0]))
	case e.doubled != "":
		c.code, c.says = cnameDoubled, "the record is at "+e.doubled
		c.fix = []string{"enter the name without ." + e.apex + " at its end: the provider adds that itself"}
		c.see = append(c.see, question{name: e.doubled, qtype: dns.TypeCNAME, direct: best.q.direct}.dig(best.server))
	default:
		e.missing(c, best)
	}
}

// missing: nothing is there. This counts only if the servers agree.
func (e evidence) missing(c *check, best sighting) {
	c.says = best.String() + " answers " + best.words()
	if best.rcode == dns.RcodeSuccess {
		c.says += ": the name exists, without a CNAME"
	}
	for _, s := range e.public {
		if how, _ := e.match(s.target); s.conclusive() && how == right && best.q.direct {
			c.says += "; " + s.String() + " still has it, from before it was removed"
			c.see = append(c.see, s.dig())
			break
		}
	}
}

// present: there is a CNAME. It must be the right one, the only one, not from a wildcard, and seen by all servers.
func (e evidence) present(c *check, best sighting) {
	how, _ := e.match(best.target)
	switch {
	case len(e.several) > 1:
		c.code, c.says = cnameBeside, fmt.Sprintf("%d CNAMEs (%s), where DNS allows one", len(e.several), strings.Join(e.several, ", "))
		c.fix = []string{"keep the one that leads to " + e.targets[0] + ", and delete the others"}
	case how != right && e.wildcard != "":
		c.code, c.says = cnameMissing, "no record of its own: the wildcard "+e.wildcard+" answers with a CNAME to "+best.target
		c.fix = e.add()
	case how != right && e.redirect != "":
		c.code, c.says = cnameWrong, "a DNAME at "+e.redirect+" leads everything below it elsewhere, this name to "+best.target
		c.fix = append([]string{"a name below a DNAME cannot have records of its own (RFC 6672): replace the DNAME"}, e.add()...)
	case how == wrong, how == swapped:
		e.wrongTarget(c, best, how)
	case len(e.beside) > 0:
		c.code, c.says = cnameBeside, and(e.beside)+", which DNS forbids: some resolvers see the CNAME, some do not"
		c.fix = []string{"delete the " + and(e.beside) + " records of " + e.host}
		c.see = append(c.see, e.at(best, e.beside[0]))
	case e.targetMissing:
		c.code, c.says = cnameTargetMissing, "to "+best.target+", which does not exist (NXDOMAIN)"
		c.fix = []string{"copy the target again from the Domains page of Clerk's Dashboard"}
		c.see = append(c.see, question{name: best.target, qtype: dns.TypeA}.dig(server{}))
	default:
		e.spread(c, best, how)
	}
}

// wrongTarget: the target is not Clerk's, or that of another record.
func (e evidence) wrongTarget(c *check, best sighting, how fit) {
	c.code, c.says = cnameWrong, "to "+best.target+", not to "+e.targets[0]
	if how == swapped {
		c.code, c.says = cnameSwapped, "to "+best.target+", which is the target of "+owner(best.target)
	}
	c.fix = e.withID("change the target of " + e.label() + " to " + e.targets[0])
	if entered, appended := strings.CutSuffix(best.target, "."+e.apex); appended {
		if fits, _ := e.match(entered); fits == right {
			c.fix = []string{"put a dot at the end of the target: the provider appends " + e.apex}
		}
	}
}

func (e evidence) add() []string {
	if e.apex == "" {
		return e.withID("add: " + e.host + " CNAME " + e.targets[0])
	}
	return e.withID("add to " + e.apex + ": " + e.label() + " CNAME " + e.targets[0])
}

const whereIDs = "the Domains page of Clerk's Dashboard shows the <id>"

// withID adds where to find the ID in a target.
func (e evidence) withID(step string) []string {
	if e.hasID() {
		return []string{step, whereIDs}
	}
	return []string{step}
}

// label is the host as entered in its zone.
func (e evidence) label() string {
	if e.apex == "" || e.apex == e.host {
		return e.host
	}
	return strings.TrimSuffix(e.host, "."+e.apex)
}

// at is the command that shows the host's records of another type.
func (e evidence) at(s sighting, qtype string) string {
	return question{name: e.host, qtype: dns.StringToType[qtype], direct: s.q.direct}.dig(s.server)
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

func and(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// keeps says for how long a resolver may return an old answer.
func keeps(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return " (for up to " + human(d) + ")"
}
