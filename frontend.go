package clerkauth

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/clerkauth/clerkauth/internal/decision"
	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/orgpath"
	"github.com/clerkauth/clerkauth/internal/origin"
	"github.com/clerkauth/clerkauth/internal/publishable"
)

// Satellite marks a satellite domain of a multi-domain instance: people sign in on the primary domain, and the satellite
// finds out from there. See https://clerk.com/docs/guides/dashboard/dns-domains/satellite-domains.
type Satellite struct {
	Domain   string // the satellite's own domain: "satellite.example", with test keys also "http://localhost:3001"; may be empty when Config.ProxyURL is set
	AutoSync bool   // start a handshake with the primary domain on the first visit; if false, only for a page with __clerk_synced=false in its URL
}

// OrganizationSync makes the URL choose the active organization. When somebody who is signed in opens a page whose path is
// of another organization than the session's, a handshake activates that organization first. The zero OrganizationSync is
// off. See https://clerk.com/docs/guides/organizations/org-slugs-in-urls.
//
// Patterns are those of path-to-regexp 6, as in Clerk's own SDKs: text, :name for a part of one segment, :name(regexp),
// (regexp) and {groups}, each of them optionally followed by ?, * or +; \ makes the next character literal. They are
// matched against the whole path, undecoded; upper and lower case are the same, and one slash at the end is ignored. New
// reports a pattern that is malformed, uses one name for two parameters, or needs what RE2 does not support: lookaround,
// back references, a parameter right behind two or more characters without a slash.
//
// It is a convenience, not a protection: anybody can type a path, and only page loads go through a handshake. A handler
// that serves an organization must check Session.Organization, never the path.
type OrganizationSync struct {
	// OrganizationPatterns have a parameter :slug or :id: "/orgs/:slug", "/orgs/:slug/(.*)". The first pattern that matches
	// is used; if it has both parameters, the id counts. They are tried before PersonalAccountPatterns.
	OrganizationPatterns []string
	// PersonalAccountPatterns are paths on which no organization is active: "/me", "/me/(.*)".
	PersonalAccountPatterns []string
}

// readBrowser reads the fields of Config that concern browsers.
func (s *settings) readBrowser(c Config, key publishable.Key) []error {
	var problems []error
	d := &s.decision
	d.OwnIssuer, d.Frontend = key.FrontendAPI, s.frontend
	d.Accounts = decision.AccountPortal(key.Host, d.Live)
	if d.Live {
		_, d.RootDomain, _ = strings.Cut(key.Host, ".")
	}
	if c.PublishableKey != "" {
		d.Names = inbound.NewNames(publishable.CookieSuffix(c.PublishableKey))
	} else {
		d.Names = inbound.NewNames("")
	}
	if c.Satellite != nil {
		problems = append(problems, s.readSatellite(*c.Satellite, c)...)
	}
	problems = append(problems, s.readProxy(c)...)
	organizations, errs := orgpath.New(orgpath.Lists(c.OrganizationSync))
	for _, err := range errs {
		problems = append(problems, fmt.Errorf("OrganizationSync.%w", err))
	}
	d.Organizations = organizations
	return problems
}

// warnOfPatterns warns of patterns that have no effect. Clerk's own SDKs accept them silently.
func (s *settings) warnOfPatterns() {
	if idle := s.decision.Organizations.Idle(); len(idle) > 0 {
		s.warnings.Warn("patterns", "patterns of OrganizationSync have no effect; write a slash at the beginning and, in OrganizationPatterns, a parameter :slug or :id, such as \"/orgs/:slug\"", "patterns", idle)
	}
}

func (s *settings) readSatellite(satellite Satellite, c Config) []error {
	var problems []error
	d := &s.decision
	d.Satellite, d.AutoSync = true, satellite.AutoSync
	if satellite.Domain == "" && c.ProxyURL == "" {
		problems = append(problems, wrong("Satellite.Domain", " is empty and there is no ProxyURL; set the satellite's own domain, such as \"satellite.example\""))
	}
	host, err := satelliteHost(satellite.Domain, d.Live)
	if err != nil {
		problems = append(problems, wrong("Satellite.Domain", `: %q %w; write the domain alone, such as "satellite.example"`, satellite.Domain, err))
	}
	satellite.Domain = host
	if !d.Live && c.SignInURL == "" {
		problems = append(problems, wrong("SignInURL", " is empty; a development satellite needs the primary domain's sign-in page"))
	}
	if d.SignIn != nil && (d.SignIn.Host == "" || strings.EqualFold(d.SignIn.Host, satellite.Domain)) {
		problems = append(problems, wrong("SignInURL", ": %q is on the satellite itself; people sign in on the primary domain", c.SignInURL))
	}
	if satellite.Domain != "" && len(c.Issuers) == 0 {
		d.Policy.Issuers = append(d.Policy.Issuers, "https://clerk."+satellite.Domain)
	}
	if d.Live && satellite.Domain != "" {
		d.OwnIssuer = "https://clerk." + satellite.Domain
		if c.FrontendAPIURL == "" {
			d.Frontend = d.OwnIssuer
		}
	}
	return problems
}

var (
	errDomain      = errors.New("is not a domain")
	errPlainDomain = errors.New("is http, which only this machine may be, and only with test keys")
)

// satelliteHost is a satellite's domain in normal form, without the scheme that Clerk's guide writes before local domains,
// and without one slash at the end.
func satelliteHost(domain string, live bool) (string, error) {
	address := domain
	if !strings.Contains(domain, "://") {
		address = "https://" + domain
	}
	o, err := origin.Parse(address)
	switch {
	case domain == "":
		return "", nil
	case err != nil || !o.Web() || live && isAddress(o.Host):
		return "", errDomain
	case o.Scheme == "http" && (live || !origin.Loopback(o.Host)):
		return "", errPlainDomain
	}
	return strings.TrimPrefix(o.String(), o.Scheme+"://"), nil
}

// isAddress reports whether a host is an IP address, below which there can be no Frontend API.
func isAddress(host string) bool {
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

// readProxy sets the issuers too: behind a proxy, the proxy's address is the issuer.
func (s *settings) readProxy(c Config) []error {
	d := &s.decision
	if c.ProxyURL == "" {
		return nil
	}
	const examples = `an absolute URL or a path, such as "https://example.com/__clerk" or "/__clerk"`
	u, err := url.Parse(c.ProxyURL)
	switch {
	case err != nil || u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(c.ProxyURL, "#"):
		return []error{wrong("ProxyURL", ": %q has user info, a query or a fragment, or is no URL; write %s", c.ProxyURL, proposal(c.ProxyURL, examples))}
	case strings.HasPrefix(c.ProxyURL, "/") && u.Host == "" && cleanPath(u.Path) && c.ProxyURL == u.EscapedPath():
		d.ProxyPath, d.ProxyPrefix = c.ProxyURL, strings.TrimRight(c.ProxyURL, "/")
		if len(c.Issuers) == 0 {
			d.Policy.ProxyPath = d.ProxyPrefix
		}
		return nil
	case u.Scheme == "https" && u.Host != "", u.Scheme == "http" && u.Host != "" && (!d.Live || origin.Loopback(u.Hostname())):
		trimmed := strings.ToLower(u.Scheme+"://"+u.Host) + strings.TrimRight(u.EscapedPath(), "/")
		d.Frontend, d.Accounts = trimmed, ""
		o, ok := origin.OfURL(trimmed)
		if !ok {
			return []error{wrong("ProxyURL", ": %q has a host that no browser would send; write it in ASCII, in punycode where it has other letters", c.ProxyURL)}
		}
		d.ProxyOrigin, d.ProxyPrefix = o.String(), strings.TrimRight(u.EscapedPath(), "/")
		if len(c.Issuers) == 0 {
			d.Policy.Issuers = append(d.Policy.Issuers, trimmed)
		}
		return nil
	}
	return []error{wrong("ProxyURL", ": %q is neither an absolute https URL nor a path that begins with one slash and has no blanks; write %s", c.ProxyURL, proposal(c.ProxyURL, examples))}
}

// cleanPath reports whether a path stays the same when it is appended to a host.
func cleanPath(path string) bool {
	return !strings.Contains(path, "//") && !strings.Contains(path, "/.") && !strings.Contains(path, `\`)
}
