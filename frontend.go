package clerkauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/clerkauth/clerkauth/internal/orgpath"
	"github.com/clerkauth/clerkauth/internal/origin"
	"github.com/clerkauth/clerkauth/internal/publishable"
)

// browserSettings is how browsers reach the instance, and where this application stands in it.
type browserSettings struct {
	satellite       *Satellite
	organizations   *orgpath.Patterns
	browserFrontend string // the Frontend API for browsers; empty: not known
	proxyPath       string // instead: a path of this application's own host; empty: none
	proxyHost       string // the host of an absolute ProxyURL; empty: there is none, or it is a path
	proxyPrefix     string // the path of ProxyURL without a slash at its end; empty: it has none
	ownIssuer       string // the issuer of this domain's tokens; empty: not known
	accounts        string // host of the account portal; empty: not known
	rootDomain      string // the domain that the instance serves; empty: not known
	cookies         cookieNames
}

// readBrowser settles what browser sessions need.
func (s *settings) readBrowser(c Config, key publishable.Key) []error {
	var problems []error
	s.ownIssuer, s.browserFrontend = key.FrontendAPI, s.frontend
	s.accounts = accountPortal(key.Host, s.live)
	if s.live {
		_, s.rootDomain, _ = strings.Cut(key.Host, ".")
	}
	if c.PublishableKey != "" {
		s.cookies = newCookieNames(publishable.CookieSuffix(c.PublishableKey))
	} else {
		s.cookies = newCookieNames("")
	}
	if c.Satellite != nil {
		problems = append(problems, s.readSatellite(*c.Satellite, c)...)
	}
	problems = append(problems, s.readProxy(c)...)
	organizations, errs := orgpath.New(orgpath.Lists(c.OrganizationSync))
	for _, err := range errs {
		problems = append(problems, fmt.Errorf("OrganizationSync.%w", err))
	}
	s.organizations = organizations
	return problems
}

func (s *settings) readSatellite(satellite Satellite, c Config) []error {
	var problems []error
	s.satellite = &satellite
	if satellite.Domain == "" && c.ProxyURL == "" {
		problems = append(problems, errors.New("Satellite: Domain is empty and there is no ProxyURL; set the satellite's own domain, such as \"satellite.example\""))
	}
	if satellite.Domain != "" && !origin.Normal("https://"+satellite.Domain) {
		problems = append(problems, fmt.Errorf("Satellite: Domain %q is not a bare host in lower case, such as \"satellite.example\"", satellite.Domain))
	}
	if !s.live && c.SignInURL == "" {
		problems = append(problems, errors.New("Satellite: SignInURL is empty; a development satellite needs the primary domain's sign-in page"))
	}
	if s.signIn != nil && (s.signIn.Host == "" || strings.EqualFold(s.signIn.Host, satellite.Domain)) {
		problems = append(problems, fmt.Errorf("SignInURL: %q is on the satellite itself; people sign in on the primary domain", c.SignInURL))
	}
	if s.live && satellite.Domain != "" {
		s.ownIssuer = "https://clerk." + satellite.Domain
		s.browserFrontend = s.ownIssuer
	}
	return problems
}

// readProxy settles the issuers too: a proxied Frontend API signs as its proxy.
func (s *settings) readProxy(c Config) []error {
	if c.Satellite != nil && c.Satellite.Domain != "" && len(c.Issuers) == 0 {
		s.policy.issuers = append(s.policy.issuers, "https://clerk."+c.Satellite.Domain)
	}
	if c.ProxyURL == "" {
		return nil
	}
	u, err := url.Parse(c.ProxyURL)
	switch {
	case err != nil || u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(c.ProxyURL, "#"):
		return []error{fmt.Errorf("ProxyURL: %q has user info, a query or a fragment, or is no URL; write an absolute URL or a path", c.ProxyURL)}
	case strings.HasPrefix(c.ProxyURL, "/") && u.Host == "" && cleanPath(u.Path):
		s.proxyPath, s.proxyPrefix = c.ProxyURL, strings.TrimRight(c.ProxyURL, "/")
		return nil
	case u.Scheme == "https" && u.Host != "", u.Scheme == "http" && u.Host != "" && (!s.live || origin.Loopback(u.Hostname())):
		trimmed := strings.ToLower(u.Scheme+"://"+u.Host) + strings.TrimRight(u.EscapedPath(), "/")
		s.browserFrontend, s.accounts = trimmed, ""
		s.proxyHost, s.proxyPrefix = u.Host, strings.TrimRight(u.EscapedPath(), "/")
		if len(c.Issuers) == 0 {
			s.policy.issuers = append(s.policy.issuers, trimmed)
		}
		return nil
	}
	return []error{fmt.Errorf("ProxyURL: %q is neither an absolute https URL nor a path that begins with one slash; write \"https://example.com/__clerk\" or \"/__clerk\"", c.ProxyURL)}
}

// cleanPath reports whether a path stays what it is when it stands behind a host.
func cleanPath(path string) bool {
	return !strings.Contains(path, "//") && !strings.Contains(path, "/.") && !strings.Contains(path, `\`)
}

// proxied reports whether a request to host is for the proxied Frontend API, whose answers are its own.
func (s *settings) proxied(r *http.Request, host string) bool {
	prefix := s.proxyPrefix
	if prefix == "" {
		return false
	}
	path, _ := clientTarget(r)
	return (path == prefix || strings.HasPrefix(path, prefix+"/")) &&
		(s.proxyHost == "" || strings.EqualFold(host, s.proxyHost))
}
