package fapiproxy

import (
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"slices"
	"strings"
)

// rewrite makes the request to Clerk. ReverseProxy has removed the headers of the connection, including those that the
// client declared as such.
func (x *exchange) rewrite(p *httputil.ProxyRequest) {
	out, at := p.Out, *x.target
	at.RawQuery = out.URL.RawQuery
	out.URL, out.Host, out.Trailer = &at, at.Host, nil
	for name := range out.Header {
		if reserved(name) {
			delete(out.Header, name)
		}
	}
	x.passCookies(out.Header)
	scheme, host, _ := strings.Cut(x.self, "://")
	host, _, _ = strings.Cut(host, "/")
	out.Header.Set("Clerk-Proxy-Url", x.self)
	out.Header.Set("X-Forwarded-Proto", scheme)
	out.Header.Set("X-Forwarded-Host", host)
	if client := x.client(p.In); client.IsValid() {
		out.Header.Set("X-Forwarded-For", client.String())
	}
}

// reserved reports whether a header may be set by the proxy only, in any spelling that a server may accept: it says for
// whom, for which host or from which address a request is. Expect and Te are reserved too.
func reserved(name string) bool {
	name = strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(name))
	switch name {
	case "clerk-api-version": // Clerk's native SDKs send it
		return false
	case "x-real-ip", "x-client-ip", "x-cluster-client-ip", "true-client-ip", "fastly-client-ip", "client-ip", "proxy-client-ip",
		"wl-proxy-client-ip", "x-proxyuser-ip", "fly-client-ip", "x-azure-clientip", "x-remote-addr", "x-remote-ip", "x-host",
		"via", "forwarded", "cdn-loop",
		"x-rewrite-url", "x-http-method", "x-http-method-override", "x-method-override",
		"expect", "te", "upgrade", "connection":
		return true
	}
	return slices.ContainsFunc(reservedPrefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

var reservedPrefixes = []string{"clerk-", "x-forwarded", "x-original-", "x-vercel-", "x-envoy-", "cf-"}

// passCookies keeps the cookies of this library back: they are for this application. A public resource is requested without
// cookies.
func (x *exchange) passCookies(h http.Header) {
	if x.public {
		delete(h, "Cookie")
		delete(h, "Authorization")
		return
	}
	var kept []string
	for _, line := range h["Cookie"] {
		for pair := range strings.SplitSeq(line, ";") {
			pair = strings.Trim(pair, " \t")
			if pair != "" && !strings.HasPrefix(strings.TrimPrefix(pair, "__Host-"), "clerkauth_") {
				kept = append(kept, pair)
			}
		}
	}
	if delete(h, "Cookie"); len(kept) > 0 {
		h.Set("Cookie", strings.Join(kept, "; "))
	}
}

// client is the client's address, the zero Addr if it is unknown. Clerk reads the first address of X-Forwarded-For, so it
// gets only one. Of several, the proxy in front added the last; anybody can send the others.
func (x *exchange) client(r *http.Request) netip.Addr {
	if lines := r.Header["X-Forwarded-For"]; x.Forwarded && len(lines) > 0 {
		last := lines[len(lines)-1]
		if addr, ok := address(last[strings.LastIndexByte(last, ',')+1:]); ok {
			return addr
		}
	}
	addr, _ := address(r.RemoteAddr)
	return addr
}

// address parses an IP address, with or without a port.
func address(s string) (netip.Addr, bool) {
	s = strings.Trim(s, " \t")
	if host, _, err := net.SplitHostPort(s); err == nil {
		s = host
	}
	addr, err := netip.ParseAddr(s)
	return addr.Unmap().WithZone(""), err == nil
}

// localize makes Clerk's response one of this host.
func (x *exchange) localize(resp *http.Response) error {
	h := resp.Header
	for name, values := range h {
		if ofUpstream(name) || !x.public && forCaches(name) || x.public && name == "Set-Cookie" || x.shows(values) {
			delete(h, name)
		}
	}
	if !x.public {
		h.Set("Cache-Control", "private, no-store")
	}
	if location := h.Get("Location"); location != "" {
		h.Set("Location", x.location(location))
	}
	return nil
}

// ofUpstream reports whether a header is about the host that answered, not about the answer: here it would seem to be about
// this host.
func ofUpstream(name string) bool {
	switch strings.ToLower(name) {
	case "server", "via", "x-powered-by", "alt-svc", "strict-transport-security", "expect-ct", "nel", "report-to",
		"reporting-endpoints", "clear-site-data", "service-worker-allowed":
		return true
	}
	return false
}

// forCaches reports whether a header tells caches what to store (RFC 9111 section 5, RFC 9213).
func forCaches(name string) bool {
	switch name = strings.ToLower(name); name {
	case "cache-control", "expires", "pragma", "age", "surrogate-control", "edge-control", "x-accel-expires":
		return true
	}
	return strings.HasSuffix(name, "-cache-control")
}

// shows reports whether values contain the secret key.
func (x *exchange) shows(values []string) bool {
	return slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, x.SecretKey) })
}

// location is the target of Clerk's redirect: through the proxy, if it is at the Frontend API.
func (x *exchange) location(raw string) string {
	u, err := x.target.Parse(raw)
	if err != nil || !strings.EqualFold(u.Host, x.target.Host) {
		return raw
	}
	rest := strings.TrimPrefix(u.EscapedPath(), strings.TrimRight(x.Upstream.EscapedPath(), "/"))
	u.Scheme, u.User, u.Host, u.Path, u.RawPath = "", nil, "", "", ""
	return x.self + rest + u.String()
}
