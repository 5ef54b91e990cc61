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
}

func (s site) issuer() string { return "https://" + s.frontend }

// shared is the Domain of cookies for all of a production site; empty: target is elsewhere.
func (s site) shared(target *url.URL) string {
	root, ok := strings.CutPrefix(s.frontend, "clerk.")
	if host := target.Hostname(); !ok || host != root && !strings.HasSuffix(host, "."+root) {
		return ""
	}
	return root
}

// siteAt is the one whose Frontend API is asked by this Host header: the primary one unless it is a satellite's.
func (in *Instance) siteAt(host string) site {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if root, ok := strings.CutPrefix(strings.ToLower(host), "clerk."); ok && slices.Contains(in.satellites, root) {
		return site{frontend: "clerk." + root, satellite: true}
	}
	return site{frontend: in.domain}
}

// siteOf is the one that an app's origin belongs to.
func (in *Instance) siteOf(origin string) site {
	u, err := url.Parse(origin)
	if err != nil {
		return site{frontend: in.domain}
	}
	for _, root := range in.satellites {
		if s := in.siteAt("clerk." + root); s.shared(u) != "" {
			return s
		}
	}
	return site{frontend: in.domain}
}

// registrable is the domain that Clerk's script sets cookies for in development: the shortest that a browser lets it.
// The list of what lies under a registry is not known here; two-letter countries with second levels of at most three
// letters, such as co.uk, are. Empty: the host alone.
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

const linkNonce = "__clerk_link" // how the primary domain tells a satellite's Frontend API whose browser it is

// linkedBrowser is the browser of a satellite's handshake. If it is unknown there, or nobody is signed in, the primary
// domain is asked first.
func (in *Instance) linkedBrowser(w http.ResponseWriter, r *http.Request) (b *browser, sent bool) {
	if nonce := r.URL.Query().Get(linkNonce); nonce != "" {
		if b := in.browsers.take(nonce, in.now()).browser; b != nil {
			http.SetCookie(w, in.newClientCookie(b))
			return b, false
		}
		return nil, false // one that is spent: who asks again would be sent in circles
	}
	if b = in.browserOf(r); in.browsers.session(b) != nil {
		return b, false
	}
	here := url.URL{Scheme: "https", Host: in.siteAt(r.Host).frontend, Path: r.URL.Path, RawQuery: r.URL.RawQuery}
	there := url.URL{Scheme: "https", Host: in.domain, Path: "/v1/client/sync"}
	there.RawQuery = url.Values{"redirect_url": {here.String()}}.Encode()
	w.Header().Set("Location", there.String())
	w.WriteHeader(http.StatusTemporaryRedirect)
	return nil, true
}

// serveSync is for browsers on their way from a satellite. At the satellite's own Frontend API, where Clerk's script
// sends them, it is a handshake; at the primary domain it says which browser this is.
func (in *Instance) serveSync(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if in.siteAt(r.Host).satellite {
		in.serveHandshake(w, r)
		return
	}
	target, err := url.Parse(r.URL.Query().Get("redirect_url"))
	if err != nil || target.Scheme != "https" || target.User != nil || !in.siteAt(target.Host).satellite || target.Port() != "" {
		refuse(w, http.StatusBadRequest, "invalid_redirect_url", "redirect_url is not at a satellite's Frontend API")
		return
	}
	b, nonce := in.remember(w, r), "link_"+rand.Text()
	in.browsers.keep(nonce, waiting{browser: b, until: in.now().Add(nonceLifetime)}, in.now())
	w.Header().Set("Location", withParameter(target, linkNonce, nonce).String())
	w.WriteHeader(http.StatusTemporaryRedirect)
}
