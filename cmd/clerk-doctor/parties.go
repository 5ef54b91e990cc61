package main

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/clerkauth/clerkauth"
)

// clerkDomains are the domains of Clerk's own pages.
var clerkDomains = []string{"clerk.com", "clerk.dev", "clerk.services", "accounts.dev", "lclclerk.com", "lcl.dev"}

// localDomains are those whose names lead only to the user's machine or network (RFC 6761, RFC 6762, RFC 8375, and names in
// common use).
var localDomains = []string{"localhost", "local", "test", "internal", "home.arpa", "lan", "localdomain", "localtest.me", "lvh.me"}

// checkParty checks one entry of the allowlist: first as New does, and then what New cannot know. For a development
// instance only New's result counts.
func (d *doctor) checkParty(ctx context.Context, party string, development bool) check {
	c := check{code: partyGood, name: party, see: []string{"go doc github.com/clerkauth/clerkauth.Config"}}
	cfg := d.config()
	cfg.AuthorizedParties, cfg.InsecureAllowAnyParty = []string{party}, false
	if _, err := clerkauth.New(cfg); err != nil {
		c.code, c.says = partyRefused, strings.TrimPrefix(err.Error(), "clerkauth: AuthorizedParties[0] (CLERK_AUTHORIZED_PARTIES): ")
		c.fix = []string{"write scheme, host and port as a browser sends them in Origin, such as https://" + orExample(d.domain)}
		return c
	}
	u, err := url.Parse(party)
	switch {
	case development:
	case err != nil || u.Scheme != "https" && u.Scheme != "http":
		c.says = "not a web origin, so there is nothing to look up"
	default:
		d.judgeParty(ctx, &c, strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")))
	}
	return c
}

func orExample(domain string) string {
	if domain == "" {
		return "example.com"
	}
	return domain
}

func (d *doctor) judgeParty(ctx context.Context, c *check, host string) {
	before, after, wild := strings.Cut(host, "*")
	if ascii, found := hostOf(host); found && !wild {
		host = ascii
	}
	_, notIP := netip.ParseAddr(host)
	switch {
	case isLocal(host):
		c.code, c.says = partyDevelopment, "tokens for pages on a developer's machine are accepted in production"
		c.fix = []string{"take it out of the production list, unless it is the origin of a desktop or mobile app (Tauri, Capacitor) of yours"}
	case d.clerkOwn(host):
		c.code, c.says = partyOfClerk, "none of your pages runs there, and pages that do must not use your API"
		c.fix = []string{"take it out of the list"}
	case wild:
		c.code, c.says = partyWildcard, before+"anything"+after+", but nothing with a further dot"
		c.fix = []string{"list the origins instead, unless all such names are yours, and none points to a service that you no longer use"}
	case notIP == nil:
		c.code, c.says = partyForeign, "an IP address: right if the application is reached by it, a mistake otherwise"
		c.fix = []string{"list the name that browsers show instead"}
	default:
		c.see = []string{question{name: host, qtype: dns.TypeA}.dig(server{})}
		if d.resolves(ctx, c, host) && !within(host, d.domain) && !within(d.domain, host) {
			c.code, c.says = partyForeign, "it does not belong to "+d.domain+": right for a satellite domain, a mistake otherwise"
			c.fix = []string{"compare it letter by letter with the address of the page"}
		}
	}
}

// isLocal reports whether a host is a developer's machine or network: by its name, or by an address that is not public.
func isLocal(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		a = a.Unmap()
		return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsUnspecified()
	}
	return !strings.Contains(host, ".") || slices.ContainsFunc(localDomains, func(domain string) bool { return within(host, domain) })
}

// clerkOwn reports whether Clerk serves the host, for everybody or for this domain.
func (d *doctor) clerkOwn(host string) bool {
	own := slices.ContainsFunc(clerkDomains, func(domain string) bool { return within(host, domain) })
	return own || host == "clerk."+d.domain || host == "accounts."+d.domain
}

// resolves looks the host up and reports if it does not exist.
func (d *doctor) resolves(ctx context.Context, c *check, host string) bool {
	if b := d.zoneState(ctx).blocker; b != nil && (d.offline(ctx) != nil || within(host, d.domain)) {
		c.code, c.says, c.cause = partyUnknown, "not looked up", b
		return false
	}
	_, err := d.net.addresses(ctx, host)
	switch {
	case err == nil:
		c.says = "it resolves"
		return true
	case errors.Is(err, errNoName):
		c.code, c.says = partyUnresolved, host+" does not exist (NXDOMAIN)"
		c.fix = []string{"correct the spelling, or add the host to DNS"}
	case errors.Is(err, errNoAddress):
		c.code, c.says = partyUnresolved, host+" exists, but has no address"
		c.fix = []string{"correct the spelling, or give the host an address in DNS"}
	case errors.Is(err, errAliasCircle):
		c.code, c.says = partyUnresolved, host+": "+errAliasCircle.Error()
		c.fix = []string{"correct the CNAMEs"}
	default:
		c.code, c.says = partyUnknown, plainly(err)
		c.fix = []string{"check the network here, or name other resolvers with -resolver and -public-resolver"}
	}
	return false
}
