package clerkauth

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/clerkauth/clerkauth/internal/fapiproxy"
	"github.com/clerkauth/clerkauth/internal/origin"
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
	case s.proxyPrefix == "":
		panic("clerkauth: FrontendAPIProxy: Config.ProxyURL has no path; set where this handler is mounted, such as \"/__clerk\"")
	}
	upstream, err := url.Parse(s.proxyUpstream)
	if err != nil {
		panic("clerkauth: FrontendAPIProxy: " + err.Error()) // cannot be: New has read it
	}
	transport := s.client.Transport
	if g, ok := transport.(guarded); ok && g.next == nil {
		transport = nil
	}
	return fapiproxy.New(fapiproxy.Config{
		Upstream: upstream, SecretKey: s.secretKey, Path: s.proxyPrefix, ProxyURL: s.proxyAddress,
		Forwarded: s.forwarded, Transport: transport,
		Failed: func(err error) {
			s.warnings.warn("frontend proxy", "the Frontend API could not be reached", "error", redact(err.Error(), s.secretKey))
		},
	})
}

// proxyAddress is ProxyURL as the client of a request sees it; empty: the request's host is not one of the application's.
func (s *settings) proxyAddress(r *http.Request) string {
	var f facts
	f.lines.read(r.Header, s.firstLine(), readForPage)
	f.rawHost, f.scheme = clientHost(r, f.lines[lineForwardedHost]), clientScheme(r, f.lines[lineForwardedProto])
	if s.proxyHost != "" {
		if !s.atProxy(f.rawHost) {
			return ""
		}
		return s.browserFrontend
	}
	public, ok := publicOrigin(r.Context(), &f, &s.policy)
	if !ok {
		return ""
	}
	return s.frontendAt(public)
}

// atProxy reports whether a host is that of an absolute ProxyURL.
func (s *settings) atProxy(host string) bool {
	scheme, _, _ := strings.Cut(s.browserFrontend, "://")
	asked, ok := origin.At(scheme, host)
	own, known := origin.OfURL(s.browserFrontend)
	return ok && known && asked == own.String()
}
