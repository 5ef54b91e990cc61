package main

import (
	"context"
	"slices"

	"github.com/miekg/dns"
)

// failure is a query on which a server fails, although it serves the zone.
type failure struct {
	server server
	q      question
	reply  reply
}

func (f failure) check() check {
	said := f.reply.short()
	if f.reply.usable() && !f.reply.authoritative {
		said = "an answer without authority"
	}
	return check{
		code: serverQuery, name: f.server.String(), says: f.q.String() + ": " + said,
		fix: []string{"show the DNS provider these queries: its server answers other queries, but not these, and resolvers fail on them"},
		see: []string{f.q.dig(f.server)},
	}
}

// servedTypes are what browsers and authorities query, besides the CNAME.
var servedTypes = []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeHTTPS, dns.TypeCAA}

// explainFailures names the servers that fail on a query about the host, and each query, and checks whether resolvers fail
// because of DNSSEC.
func (d *doctor) explainFailures(ctx context.Context, e *evidence, f zoneState) {
	for _, s := range e.direct {
		switch {
		case s.failed != nil:
			e.failing = append(e.failing, failure{s.server, question{name: e.host, qtype: dns.TypeCNAME, direct: true}, *s.failed})
		case !s.conclusive():
			e.failing = append(e.failing, failure{s.server, s.q, s.reply})
		case e.serves:
			e.failing = append(e.failing, d.failingTypes(ctx, s.server, e.host)...)
		}
	}
	z, servers := f.zone, f.serving
	if z.apex = e.apex; e.apex != f.apex {
		servers = nil // they do not serve the zone below
	}
	for _, s := range e.public {
		if c := d.dnssec(ctx, z, servers, s.q, s.reply); c != nil {
			c.name = e.host
			e.unsigned = c
			return
		}
	}
}

func (d *doctor) failingTypes(ctx context.Context, s server, host string) []failure {
	tried := each(servedTypes, func(t uint16) failure {
		q := question{name: host, qtype: t, direct: true}
		return failure{s, q, d.net.ask(ctx, s, q)}
	})
	return slices.DeleteFunc(tried, func(f failure) bool { return f.reply.usable() })
}
