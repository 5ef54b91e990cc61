package e2e_test

import (
	"net/http"
	"strings"
)

// policies are the Referrer-Policies of a page; the first: none.
var policies = []string{
	"", "no-referrer", "same-origin", "origin", "strict-origin", "origin-when-cross-origin", "strict-origin-when-cross-origin",
	"no-referrer-when-downgrade", "unsafe-url",
}

// provenance is what the headers of a request say about its origin, with these names for the app
// and its sibling subdomain.
type provenance struct{ origin, site, mode, dest, referrer string }

// provenance returns it for the last request for a path.
func (s *site) provenance(path string) provenance {
	h := s.app.header(path)
	name := func(address string) string {
		name, _, _ := strings.Cut(strings.NewReplacer(s.home, "app", s.evil, "sibling").Replace(address), "/")
		return name
	}
	return provenance{name(h.Get("Origin")), h.Get("Sec-Fetch-Site"), h.Get("Sec-Fetch-Mode"), h.Get("Sec-Fetch-Dest"), name(h.Get("Referer"))}
}

// formOf returns what a form of the app's own page or of a sibling subdomain's sends without a
// service worker.
func formOf(who, policy string) provenance {
	p := provenance{who, "same-origin", "navigate", "document", who}
	if who == "sibling" {
		p.site = "same-site"
	}
	if policy == "no-referrer" || policy == "same-origin" && who == "sibling" {
		p.origin, p.referrer = "null", ""
	}
	return p
}

// throughWorker returns the same through a service worker that answers with
// respondWith(fetch(event.request)).
func throughWorker(engine string, p provenance) provenance {
	p.dest = "empty"
	switch engine {
	case "Firefox":
		p.site, p.mode = "same-origin", "same-origin"
		if p.origin != "null" {
			p.origin = "app"
		}
	case "WebKit":
		p.site = "same-origin"
		if p.origin == "null" {
			p.origin, p.referrer = "app", "app" // those of the worker
		}
	}
	return p
}

const registerWorker = `navigator.serviceWorker.register("/worker.js?for=%s").then(() => navigator.serviceWorker.ready)
	.then(() => navigator.serviceWorker.controller || new Promise(done => navigator.serviceWorker.oncontrollerchange = done)).then(() => true)`

// submit sends a form of a page with a Referrer-Policy to the app.
func (s *site) submit(b *tab, who, policy string) {
	b.t.Helper()
	page := map[string]string{"app": s.home, "sibling": s.evil}[who]
	b.visit(page + "/?policy=" + policy)
	evaluate[any](b, postForm, s.home+"/write")
	b.press("#write")
}

// A service worker that answers everything makes other sites' forms look like the app's own. They
// are refused wherever the headers still show a difference. SECURITY.md names the two exceptions.
func formsThroughWorker(s *site, b *tab, engine string) {
	s.signIn(b, "/private")
	evaluate[bool](b, registerWorker, "all")
	for _, policy := range policies {
		for who, status := range map[string]int{"app": http.StatusOK, "sibling": http.StatusForbidden} {
			form := formOf(who, policy)
			switch {
			case engine == "WebKit" && who == "sibling" && form.origin == "null":
				status = http.StatusOK // no header differs: an exception in SECURITY.md
			case engine == "Firefox" && who == "app" && form.origin == "null":
				status = http.StatusForbidden // the app's own form is refused like a sibling subdomain's
			}
			s.submit(b, who, policy)
			s.expectWrite(b, "form of "+who+" with policy "+policy, throughWorker(engine, form), status)
		}
	}
}

// With a worker that answers only GET there is no exception.
func formsPastWorker(s *site, b *tab, _ string) {
	s.signIn(b, "/private")
	evaluate[bool](b, registerWorker, http.MethodGet)
	for _, policy := range policies {
		for who, status := range map[string]int{"app": http.StatusOK, "sibling": http.StatusForbidden} {
			s.submit(b, who, policy)
			s.expectWrite(b, "form of "+who+" with policy "+policy, formOf(who, policy), status)
		}
	}
}

// expectWrite compares the headers of the last write, and its status.
func (s *site) expectWrite(b *tab, what string, from provenance, status int) {
	b.t.Helper()
	if got := s.provenance("/write"); got != from {
		b.t.Errorf("%s: %+v, want %+v", what, got, from)
	}
	if got := s.app.status("/write"); got != status {
		b.t.Errorf("%s: %d, want %d", what, got, status)
	}
}

// The app's own scripts can write under any policy, unless their mode looks like that of Firefox's
// workers.
func ownScripts(s *site, b *tab, engine string) {
	s.signIn(b, "/private")
	for _, policy := range policies {
		for _, mode := range []string{"cors", "same-origin", "no-cors"} {
			status := http.StatusOK
			if policy == "no-referrer" && mode == "same-origin" && engine != "Chromium" {
				status = http.StatusForbidden
			}
			b.visit(s.home + "/?policy=" + policy)
			if got := evaluate[int](b, `fetch("/write", {method: "POST", mode: %q}).then(r => r.status)`, mode); got != status {
				b.t.Errorf("%s with policy %q: %d, want %d: %+v", mode, policy, got, status, s.provenance("/write"))
			}
		}
	}
}
