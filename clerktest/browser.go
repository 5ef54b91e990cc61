package clerktest

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
)

// Browser returns a client that behaves like a browser, in memory: app answers for each of the Origins, and the instance
// for itself. It keeps cookies and follows redirects. A GET is sent as a navigation (Sec-Fetch-Dest, Accept) unless its
// header says otherwise. After Start, the client reaches the instance on its listener. It has no scripts, SameSite or TLS.
//
// Its cookies expire by time.Now: in tests, let time pass in a testing/synctest bubble rather than by Options.Now.
func (in *Instance) Browser(app http.Handler) *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic("clerktest: " + err.Error()) // cannot happen: there is nothing that could be wrong
	}
	network := http.DefaultTransport
	if in.client != nil {
		network = in.client.Transport
	}
	return &http.Client{Jar: jar, Transport: window{in.origins, app, network}}
}

// window is the part of a browser that sends requests.
type window struct {
	origins []string
	app     http.Handler
	network http.RoundTripper // for everything but the app
}

// RoundTrip sends what a browser would send.
func (b window) RoundTrip(r *http.Request) (*http.Response, error) {
	r = asNavigation(r)
	if !slices.Contains(b.origins, originOf(r.URL)) {
		return b.network.RoundTrip(r)
	}
	return serveInMemory(r.Context(), r, func(w http.ResponseWriter, served *http.Request) error {
		b.app.ServeHTTP(w, served)
		return nil
	})
}

// asNavigation is a copy of r with the headers of a navigation, except for those that r has.
func asNavigation(r *http.Request) *http.Request {
	first, urls := r, []*url.URL{r.URL}
	for first.Response != nil && first.Response.Request != nil {
		first = first.Response.Request
		urls = append(urls, first.URL)
	}
	redirected := first != r
	r = r.Clone(r.Context())
	if redirected { // a redirect keeps the referrer of the first page; net/http names the page before
		r.Header.Del("Referer")
		if referrer := first.Header.Get("Referer"); referrer != "" {
			r.Header.Set("Referer", referrer)
		}
	}
	open := func(name, value string) {
		if r.Header.Get(name) == "" {
			r.Header.Set(name, value)
		}
	}
	if dest := r.Header.Get("Sec-Fetch-Dest"); r.Method == http.MethodGet && (dest == "" || dest == "document") {
		open("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
		open("Sec-Fetch-Dest", "document")
		open("Sec-Fetch-Mode", "navigate")
	}
	switch {
	case first.Method == http.MethodGet:
		open("Sec-Fetch-Site", "none") // typed into the address bar
	case slices.ContainsFunc(urls, func(u *url.URL) bool { return originOf(u) != originOf(first.URL) }):
		open("Sec-Fetch-Site", "cross-site")
	default:
		open("Sec-Fetch-Site", "same-origin")
	}
	return r
}
