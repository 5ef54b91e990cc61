package main

import (
	"context"
	"net"
	"net/url"
	"strings"

	"github.com/miekg/dns"
	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// clerkLabels are labels of Clerk's records, and of web sites, before the domain.
var clerkLabels = []string{
	"pdk1._domainkey.clkmail2.", "pdk2._domainkey.clkmail2.", "clk._domainkey.", "clk2._domainkey.",
	"clerk.", "accounts.", "clkmail.", "clkmail2.", "www.",
}

// readDomain determines the domain: the argument, or else the one in the key.
func (o *options) readDomain(words []string) error {
	switch {
	case o.change != nil:
		return o.readHome(strings.Join(words, ""))
	case len(words) > 0:
		return o.readArgument(words[0])
	case o.key == "":
		return wrongf("which domain? Name it, or set CLERK_PUBLISHABLE_KEY")
	}
	if k, err := parseKey(o.key); err == nil && k.live {
		o.domain = strings.TrimPrefix(k.host, "clerk.")
		o.typed = o.domain
	}
	return nil
}

func (o *options) readHome(word string) (err error) {
	if o.change.home, err = parseHome(word); err != nil {
		return usageError{err}
	}
	if o.domain, err = o.change.domain(); err != nil {
		return wrongf("change-domain: %w", err)
	}
	o.typed = o.domain
	return nil
}

func (o *options) readArgument(word string) error {
	host, found := hostOf(word)
	if !found {
		return wrongf("that is not a domain: write it as example.com") // not repeated: it may be a key put in the wrong place
	}
	if isSuffix(host) {
		return wrongf("%s is a suffix below which everybody can register a name: give a domain that you own", host)
	}
	o.typed, o.domain = host, withoutLabels(host)
	return nil
}

// hostOf finds the host in what people type or paste: a URL, a host with a port or a path, in capitals, in another script.
func hostOf(word string) (string, bool) {
	word = strings.TrimSpace(word)
	if !strings.Contains(word, "://") {
		word = "//" + strings.TrimPrefix(word, "//")
	}
	u, err := url.Parse(word)
	if err != nil {
		return "", false
	}
	labels, name := "", strings.TrimPrefix(strings.TrimSuffix(u.Hostname(), "."), "*.")
	for _, l := range clerkLabels[:4] { // idna refuses the underscore
		if rest, found := strings.CutPrefix(strings.ToLower(name), l); found {
			labels, name = l, rest
			break
		}
	}
	ascii, err := idna.Lookup.ToASCII(name)
	if err != nil || !isHost(ascii) || net.ParseIP(ascii) != nil {
		return "", false
	}
	return labels + ascii, true
}

// withoutLabels is host without the label of a record or a web site, if a domain remains.
func withoutLabels(host string) string {
	for _, l := range clerkLabels {
		if rest, found := strings.CutPrefix(host, l); found && strings.Contains(rest, ".") && !isSuffix(rest) {
			return rest
		}
	}
	return host
}

// chooseDomain decides which domain's records a name below a registrable domain is about. Clerk keeps those of a primary
// application at the registrable domain; a secondary application, or a satellite, has records at its own name.
func (d *doctor) chooseDomain(ctx context.Context) {
	registrable, err := publicsuffix.EffectiveTLDPlusOne(d.domain)
	if err != nil || registrable == d.domain || d.satellite || d.secondary || d.change != nil {
		return
	}
	if k, err := parseKey(d.key); err == nil && k.host == "clerk."+d.domain {
		return
	}
	host := "clerk." + d.domain
	if r := d.net.lookup(ctx, host, dns.TypeCNAME); len(r.owned(host, dns.TypeCNAME)) > 0 && r.leadsToClerk(host) {
		return
	}
	d.domain = registrable
}
