package clerkauth

import (
	"net/http"
	"net/url"

	"github.com/clerkauth/clerkauth/internal/fapiproxy"
	"github.com/clerkauth/clerkauth/internal/redact"
)

// sharedFrontend is the address for the requests of all proxies.
const sharedFrontend = "https://frontend-api.clerk.dev"

// FrontendAPIProxy forwards the requests under the path of Config.ProxyURL to Clerk's Frontend API, for domains where no
// DNS record can point browsers to it. It forwards to frontend-api.clerk.dev, or to Config.FrontendAPIURL. Mount it at that
// path, for every method. The secret key is sent along, to that host only. See
// https://clerk.com/docs/guides/dashboard/dns-domains/proxy-fapi.
//
// It forwards paths under /v1/, /.well-known/ and /npm/, with bodies of at most 10 MB, and waits at most two minutes for
// each request. Responses under /v1/ are marked "private, no-store". Connections are the proxy's own, or those of
// Config.HTTPClient's Transport. Clerk limits how many requests one address may send: it is told the address of the
// connection or, with Config.TrustForwardedHeaders, the last one in X-Forwarded-For.
//
// FrontendAPIProxy panics without SecretKey, without a path in ProxyURL, and if FrontendAPIURL is the host of ProxyURL: these
// are mistakes in the program. Call it once; the handler is safe for concurrent use.
func (a *Authenticator) FrontendAPIProxy() http.Handler {
	s := a.settings
	switch {
	case s.secretKey == "":
		panic("clerkauth: FrontendAPIProxy: Config.SecretKey is empty; set it, as Clerk accepts a proxy's requests only with it")
	case s.decision.ProxyPrefix == "":
		panic("clerkauth: FrontendAPIProxy: Config.ProxyURL has no path; set where this handler is mounted, such as \"/__clerk\"")
	}
	upstream, err := url.Parse(s.proxyUpstream)
	if err != nil {
		panic("clerkauth: FrontendAPIProxy: " + err.Error()) // cannot happen: New has parsed it
	}
	if s.decision.ProxyOrigin != "" && s.decision.ProxyOrigin == upstream.Scheme+"://"+upstream.Host {
		panic("clerkauth: FrontendAPIProxy: Config.FrontendAPIURL is this proxy's own host, so that it would call itself; leave it empty")
	}
	return fapiproxy.New(fapiproxy.Config{
		Upstream: upstream, SecretKey: s.secretKey, Path: s.decision.ProxyPrefix, ProxyURL: s.decision.ProxyAddress,
		Forwarded: s.decision.Forwarded, Transport: s.proxyTransport,
		Failed: func(err error) {
			s.warnings.Warn("frontend proxy", "the Frontend API could not be reached", "error", redact.Text(err.Error(), s.secretKey))
		},
	})
}

// warnOfProxy warns when nobody can stay signed in behind a proxy. On the page's own host a GET of Clerk's script has no
// Origin, so Clerk issues a token without azp. Such a token needs a party cookie, and a party cookie needs a key. And behind
// a path the issuer is that path on an origin of the list, which may be empty.
func (s *settings) warnOfProxy(c Config) {
	if s.decision.Policy.ProxyPath != "" && s.decision.Policy.List.Len() == 0 {
		s.warnings.Warn("proxy issuer", "ProxyURL is a path, and AuthorizedParties, which has the origins that tokens may be issued at, is empty: tokens that Clerk issues through the proxy are refused; write ProxyURL with its origin, or set Issuers")
	}
	if c.ProxyURL != "" && c.SecretKey == "" && c.StateKey == nil && !s.decision.Policy.CookieWithout {
		s.warnings.Warn("proxy", "ProxyURL is set, but neither SecretKey nor StateKey: session tokens that Clerk issues through a proxy may have no azp, and are then refused; set one of the two keys, which this package's own cookies need")
	}
}
