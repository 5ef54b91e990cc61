package clerktest

import (
	"crypto/rand"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// site is a domain with a Frontend API: the primary one, or a satellite of a production instance.
type site struct {
	frontend  string // the host of the Frontend API
	satellite bool
	proxy     string // where the app proxies it; empty: it does not
}

// issuer is also where browsers reach the Frontend API.
func (s site) issuer() string {
	if s.proxy != "" {
		return s.proxy
	}
	return "https://" + s.frontend
}

func (in *Instance) newSite(frontend string, satellite bool) site {
	s := site{frontend: frontend, satellite: satellite}
	i := slices.IndexFunc(in.proxies, func(proxy string) bool {
		u, err := url.Parse(proxy)
		return err == nil && (!in.live() || s.shared(u) != "")
	})
	if i >= 0 {
		s.proxy = in.proxies[i]
	}
	return s
}

// shared is the Domain of cookies for all of a production site; empty: target is not on it.
func (s site) shared(target *url.URL) string {
	root, ok := strings.CutPrefix(s.frontend, "clerk.")
	if host := target.Hostname(); !ok || host != root && !strings.HasSuffix(host, "."+root) {
		return ""
	}
	return root
}

// siteAt is the site whose Frontend API has this Host header: the primary one unless it is a satellite's.
func (in *Instance) siteAt(host string) site {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if root, ok := strings.CutPrefix(strings.ToLower(host), "clerk."); ok && slices.Contains(in.satellites, root) {
		return in.newSite("clerk."+root, true)
	}
	return in.newSite(in.domain, false)
}

// siteFor is the site whose Frontend API a request is for. A proxy names its own.
func (in *Instance) siteFor(r *http.Request) site {
	if proxy := r.Header.Get(proxyHeader); proxy != "" {
		return in.siteOf(proxy)
	}
	return in.siteAt(r.Host)
}

// siteOf is the site that an address of the app belongs to.
func (in *Instance) siteOf(address string) site {
	u, err := url.Parse(address)
	if err != nil {
		return in.newSite(in.domain, false)
	}
	for _, root := range in.satellites {
		if s := in.siteAt("clerk." + root); s.shared(u) != "" {
			return s
		}
	}
	return in.newSite(in.domain, false)
}

// registrable is the domain for which Clerk's script sets cookies in development: the shortest that a browser allows. It
// uses no list of public suffixes, only a rule: two-letter countries with second levels of at most three letters, such as
// co.uk, are suffixes. Empty: the host alone.
func registrable(host string) string {
	labels := strings.Split(host, ".")
	n := len(labels)
	switch {
	case n == 1, net.ParseIP(host) != nil:
		return ""
	case n > 2 && len(labels[n-1]) == 2 && len(labels[n-2]) <= 3:
		return strings.Join(labels[n-3:], ".")
	default:
		return strings.Join(labels[n-2:], ".")
	}
}

const linkNonce = "__clerk_link" // with which the primary domain identifies the browser to a satellite's Frontend API

// linkedBrowser is the browser of a satellite's handshake. If it is unknown there, or nobody is signed in, it is first
// redirected to the primary domain.
func (in *Instance) linkedBrowser(w http.ResponseWriter, r *http.Request) (b *browser, sent bool) {
	if nonce := r.URL.Query().Get(linkNonce); nonce != "" {
		if b := in.browsers.take(nonce, in.now()).browser; b != nil {
			http.SetCookie(w, in.newClientCookie(b))
			return b, false
		}
		return nil, false // a nonce that was used: another redirect would begin a loop
	}
	if b = in.browserOf(r); in.browsers.session(b) != nil {
		return b, false
	}
	here := in.siteFor(r).issuer() + r.URL.Path + "?" + r.URL.RawQuery
	there := in.siteAt(in.domain).issuer() + "/v1/client/sync?" + url.Values{"redirect_url": {here}}.Encode()
	w.Header().Set("Location", there)
	w.WriteHeader(http.StatusTemporaryRedirect)
	return nil, true
}

// atSatellite reports whether a URL is at a satellite's Frontend API.
func (in *Instance) atSatellite(u *url.URL) bool {
	if u.Scheme != "https" || u.User != nil {
		return false
	}
	if of := in.siteOf(u.String()); of.satellite && of.proxy != "" && strings.HasPrefix(u.String(), of.proxy+"/") {
		return true
	}
	return in.siteAt(u.Host).satellite && u.Port() == ""
}

// serveSync is for browsers that a satellite redirected. At the satellite's own Frontend API, where Clerk's script
// redirects them, it is a handshake; at the primary domain it identifies the browser.
func (in *Instance) serveSync(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if in.siteFor(r).satellite {
		in.serveHandshake(w, r)
		return
	}
	target, err := url.Parse(r.URL.Query().Get("redirect_url"))
	if err != nil || !in.atSatellite(target) {
		refuse(w, http.StatusBadRequest, "invalid_redirect_url", "redirect_url is not at a satellite's Frontend API")
		return
	}
	b, nonce := in.remember(w, r), "link_"+rand.Text()
	in.browsers.keep(nonce, waiting{browser: b, until: in.now().Add(nonceLifetime)}, in.now())
	w.Header().Set("Location", withParameter(target, linkNonce, nonce).String())
	w.WriteHeader(http.StatusTemporaryRedirect)
}
