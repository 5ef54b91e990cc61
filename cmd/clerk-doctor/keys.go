package main

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/miekg/dns"
)

// key is the content of a publishable key.
type key struct {
	live bool
	host string // of the Frontend API
}

var (
	errKeyForm   = errors.New("it is not pk_live_ or pk_test_, followed by the base64 of a host and $")
	errKeySecret = errors.New("it is a secret key, which must never reach a browser")
)

// parseKey parses a publishable key. The padding of the base64 may be missing.
func parseKey(s string) (key, error) {
	if strings.HasPrefix(s, "sk_") {
		return key{}, errKeySecret
	}
	encoded, live := strings.CutPrefix(s, "pk_live_")
	if !live {
		var test bool
		if encoded, test = strings.CutPrefix(s, "pk_test_"); !test {
			return key{}, errKeyForm
		}
	}
	decoded, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "="))
	host, ended := strings.CutSuffix(string(decoded), "$")
	if err != nil || !ended || !isHost(host) {
		return key{}, errKeyForm
	}
	return key{live: live, host: strings.ToLower(host)}, nil
}

// isHost reports whether s is a DNS name that somebody can own: letters, digits, hyphens, and at least one dot.
func isHost(s string) bool {
	if _, valid := dns.IsDomainName(s); !valid || !strings.Contains(s, ".") || strings.HasSuffix(s, ".") {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.'
	})
}

const (
	seeKey  = `printf %s "$CLERK_PUBLISHABLE_KEY" | cut -d_ -f3 | base64 -d`
	fixKeys = "copy it from the API keys page of Clerk's Dashboard, with Production chosen at the top"
)

func (d *doctor) checkKeys(ctx context.Context) []check {
	published := check{code: keyGood, name: "publishable key", see: []string{seeKey}}
	k, err := parseKey(d.key)
	switch {
	case d.key == "":
		published.code, published.says, published.see = keyNotGiven, "CLERK_PUBLISHABLE_KEY or -publishable-key", nil
	case errors.Is(err, errKeySecret):
		published.code, published.says, published.fix = keySecret, "it must never reach a browser", []string{fixKeys, "and replace the secret key, if it was published"}
	case err != nil:
		published.code, published.says, published.fix = keyMalformed, err.Error(), []string{fixKeys}
	case !k.live:
		published.code, published.says = keyDevelopment, "pk_test_, of "+k.host
		published.fix = []string{"give production its own pk_live_ key: " + fixKeys}
	default:
		published.says = "of " + k.host
	}
	checks := []check{published, d.checkSecret(k, d.key != "" && err == nil)}
	if d.key != "" && err == nil && k.live {
		checks = append(checks, d.checkKeyDomain(ctx, k))
	}
	return checks
}

// checkSecret reads only the first characters of the secret key.
func (d *doctor) checkSecret(k key, published bool) check {
	c := check{code: secretGood, name: "secret key", see: []string{`printf %s "$CLERK_SECRET_KEY" | cut -c1-8`}}
	live, test := strings.HasPrefix(d.secret, "sk_live_"), strings.HasPrefix(d.secret, "sk_test_")
	switch {
	case d.secret == "":
		c.code, c.says, c.see = secretNotGiven, "CLERK_SECRET_KEY", nil
	case !live && !test:
		c.code, c.says, c.fix = secretMalformed, "it begins with neither sk_live_ nor sk_test_", []string{fixKeys}
	case published && live != k.live:
		c.code, c.says = secretDiffers, "one is live, the other is not"
		c.fix = []string{"take both from the API keys page of Clerk's Dashboard, with Production chosen at the top"}
	case test:
		c.code, c.says = secretDevelopment, "sk_test_"
		c.fix = []string{"give production its own sk_live_ key: " + fixKeys}
	}
	return c
}

// checkKeyDomain compares the domain in the key with the checked one.
func (d *doctor) checkKeyDomain(ctx context.Context, k key) check {
	c := check{code: keyDomainGood, name: "domain of the key", see: []string{seeKey}}
	home, usual := strings.CutPrefix(k.host, "clerk.")
	switch {
	case usual && home == d.domain:
		c.says = home
	case d.satellite:
		c.says = home + ", the primary domain of the satellite " + d.domain
	case usual && within(d.domain, home):
		c.code, c.says = keyDomainPrimary, "it belongs to "+home+", whose records are there, and none at "+d.domain
		c.fix = []string{
			"if " + d.domain + " is one of its pages, run clerk-doctor " + home,
			"if it is a secondary application with an instance of its own, use that instance's key, which is of clerk." + d.domain,
		}
	case usual && within(home, d.domain):
		c.code, c.says = keyDomainSecondary, "it belongs to "+home+", whose records are at clerk."+home+", not at clerk."+d.domain
		c.fix = []string{
			"if that is the application you mean, run clerk-doctor " + home,
			"if you mean the primary one, use its key, which is of clerk." + d.domain,
		}
	case d.stale(ctx, k):
		c.code, c.says = keyDomainStale, "it belongs to "+k.host+", which no longer leads to Clerk, while clerk."+d.domain+" does"
		c.fix = []string{"the domain was changed and the key with it: " + fixKeys + ", and deploy again"}
		c.see = append(c.see, question{name: k.host, qtype: dns.TypeCNAME}.dig(server{}))
	default:
		c.code, c.says = keyDomainDiffers, "it belongs to "+k.host+", and this is about "+d.domain
		c.fix = []string{
			"if the key is right, run clerk-doctor " + home,
			"if the instance has the wrong domain, change it: clerk-doctor change-domain https://" + d.domain,
			"if " + d.domain + " is a satellite of " + home + ", say so with -satellite",
		}
	}
	return c
}

// stale reports whether the key is from before a change of domain: its host no longer leads to Clerk, and the new one does.
func (d *doctor) stale(ctx context.Context, k key) bool {
	old, current := d.net.lookup(ctx, k.host, dns.TypeCNAME), d.net.lookup(ctx, "clerk."+d.domain, dns.TypeCNAME)
	return old.usable() && !old.leadsToClerk(k.host) && current.leadsToClerk("clerk."+d.domain)
}
