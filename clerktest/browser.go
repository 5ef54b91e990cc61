package clerktest

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
)

// Browser returns a client that goes about as a browser does, in memory: app answers for each of the Origins and the
// instance for itself, cookies are kept, redirects followed, and a GET says that it navigates (Sec-Fetch-Dest, Accept)
// unless it says what else it is. After Start the instance is reached on its listener. Not covered are scripts, SameSite
// and the TLS itself.
//
// Its cookies age by time.Now. Let time pass in a testing/synctest bubble rather than by Options.Now.
func (in *Instance) Browser(app http.Handler) *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic("clerktest: " + err.Error()) // cannot be: there is nothing to be wrong
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

// asNavigation is a copy of r with the header of a navigation, as far as r leaves it open.
func asNavigation(r *http.Request) *http.Request {
	first, urls := r, []*url.URL{r.URL}
	for first.Response != nil && first.Response.Request != nil {
		first = first.Response.Request
		urls = append(urls, first.URL)
	}
	redirected := first != r
	r = r.Clone(r.Context())
	if redirected { // redirects keep the referrer of the page that began; net/http names the last stop
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
