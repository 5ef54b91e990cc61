package main

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/clerkauth/clerkauth"
)

// clerkDomains are those that Clerk serves its own pages on.
var clerkDomains = []string{"clerk.com", "clerk.dev", "clerk.services", "accounts.dev", "lclclerk.com", "lcl.dev"}

func (d *doctor) noParties(context.Context) []check {
	return []check{{
		Group: groupParties, Name: "authorized parties", Status: skipped,
		Says: "not given: set CLERK_AUTHORIZED_PARTIES or -authorized-party, such as https://" + d.domain,
	}}
}

// checkParty judges one entry of the allowlist: as New does, and then by what New cannot know.
func (d *doctor) checkParty(ctx context.Context, party string) check {
	c := check{Group: groupParties, Name: party, See: []string{"go doc github.com/clerkauth/clerkauth.Config"}}
	cfg := d.config()
	cfg.AuthorizedParties, cfg.InsecureAllowAnyParty = []string{party}, false
	if _, err := clerkauth.New(cfg); err != nil {
		c.Status, c.Says = fail, "the middleware will not start: "+strings.TrimPrefix(err.Error(), "clerkauth: AuthorizedParties[0]: ")
		c.Fix = []string{"write scheme, host and port as a browser sends them in Origin, such as https://" + d.domain}
		return c
	}
	u, err := url.Parse(party)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		c.Status, c.Says = ok, "accepted; not a web origin, so there is nothing to look up"
		return c
	}
	d.judgeParty(ctx, &c, strings.ToLower(u.Hostname()))
	return c
}

func (d *doctor) judgeParty(ctx context.Context, c *check, host string) {
	before, after, wild := strings.Cut(host, "*")
	switch {
	case d.clerkOwn(host):
		c.Status, c.Says = fail, "is Clerk's own host: no page of yours runs there, and what does must not act on your API"
		c.Fix = []string{"take it out of the list"}
	case wild:
		c.Status = warn
		c.Says = "lets in every name in place of *: " + before + "anything" + after + ", but nothing with a further dot"
		c.Fix = []string{"list the origins instead, unless all such names are yours, and none can be taken over by pointing at a service you left"}
		c.See = append(c.See, "dig +noall +answer "+strings.TrimPrefix(after, ".")+" NS")
	case !within(host, d.domain) && !within(d.domain, host):
		c.Status, c.Says = warn, "does not belong to "+d.domain+": right for a satellite domain, a mistake otherwise"
		c.Fix = []string{"compare it letter by letter with the address of the page"}
		c.See = []string{d.dig(host, "A")}
		if !d.resolves(ctx, c, host) {
			return
		}
	default:
		c.Status, c.Says = ok, "accepted, and it resolves"
		c.See = []string{d.dig(host, "A")}
		d.resolves(ctx, c, host)
	}
}

// clerkOwn is whether Clerk serves the host, for everybody or for this domain.
func (d *doctor) clerkOwn(host string) bool {
	own := slices.ContainsFunc(clerkDomains, func(domain string) bool { return within(host, domain) })
	return own || host == "clerk."+d.domain || host == "accounts."+d.domain
}

// resolves looks the host up and changes the verdict if it is not there.
func (d *doctor) resolves(ctx context.Context, c *check, host string) bool {
	_, err := d.net.addresses(ctx, host)
	switch {
	case err == nil:
		return true
	case errors.Is(err, errNoAddress), errors.Is(err, errRefused), errors.Is(err, errAliasCircle):
		c.Status, c.Says = fail, "does not resolve: no page can run there"
		c.Fix = []string{"correct the spelling, or add the host to DNS"}
	default:
		c.Status, c.Says = unknown, "could not be looked up: "+plainly(err)
		c.Fix = []string{"check the network here, or name another resolver with -resolver"}
	}
	return false
}
