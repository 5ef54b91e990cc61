package clerkauth

import (
	"net/http"
	"net/url"

	"github.com/clerkauth/clerkauth/internal/fapiproxy"
	"github.com/clerkauth/clerkauth/internal/redact"
)

// sharedFrontend is where Clerk takes the requests of all proxies.
const sharedFrontend = "https://frontend-api.clerk.dev"

// FrontendAPIProxy forwards what is under the path of Config.ProxyURL to Clerk's Frontend API, where no DNS record can
// lead browsers there: to frontend-api.clerk.dev, or Config.FrontendAPIURL. Mount it at that path, for every method. The
// secret key goes along, to that host only. See https://clerk.com/docs/guides/dashboard/dns-domains/proxy-fapi.
//
// Forwarded are paths under /v1/, /.well-known/ and /npm/, with bodies of at most 10 MB, and each request for at most two
// minutes. What is answered under /v1/ leaves as "private, no-store". Connections are the proxy's own, or those of
// Config.HTTPClient's Transport. Clerk limits what one address may ask: it is the connection's, and with
// Config.TrustForwardedHeaders the last of X-Forwarded-For.
//
// It panics without SecretKey or ProxyURL: that is a mistake in the program. Call it once; the handler is safe for
// concurrent use.
func (a *Authenticator) FrontendAPIProxy() http.Handler {
	s := a.settings
	switch {
	case s.secretKey == "":
		panic("clerkauth: FrontendAPIProxy: Config.SecretKey is empty; Clerk takes a proxy's requests with it only")
	case s.decision.ProxyPrefix == "":
		panic("clerkauth: FrontendAPIProxy: Config.ProxyURL has no path; set where this handler is mounted, such as \"/__clerk\"")
	}
	upstream, err := url.Parse(s.proxyUpstream)
	if err != nil {
		panic("clerkauth: FrontendAPIProxy: " + err.Error()) // cannot be: New has read it
	}
	if s.decision.ProxyOrigin != "" && s.decision.ProxyOrigin == upstream.Scheme+"://"+upstream.Host {
		panic("clerkauth: FrontendAPIProxy: Config.FrontendAPIURL is this proxy's own host, so that it would ask itself; leave it empty")
	}
	return fapiproxy.New(fapiproxy.Config{
		Upstream: upstream, SecretKey: s.secretKey, Path: s.decision.ProxyPrefix, ProxyURL: s.decision.ProxyAddress,
		Forwarded: s.decision.Forwarded, Transport: s.proxyTransport,
		Failed: func(err error) {
			s.warnings.Warn("frontend proxy", "the Frontend API could not be reached", "error", redact.Text(err.Error(), s.secretKey))
		},
	})
}

// warnOfProxy warns where nobody stays signed in behind the proxy of a page's own host: a GET of Clerk's script has no Origin
// there, so that its token does not say for whom it was issued, and only a party cookie, which needs a key, stands for it.
func (s *settings) warnOfProxy(c Config) {
	if c.ProxyURL != "" && c.SecretKey == "" && c.StateKey == nil && !s.decision.Policy.CookieWithout {
		s.warnings.Warn("proxy", "ProxyURL is set, and neither SecretKey nor StateKey: session tokens that Clerk issues through a proxy may have no azp, and are refused without a key for this package's own cookies")
	}
}
