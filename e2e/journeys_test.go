package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// journeys are the tests for every engine.
var journeys = []struct {
	name string
	opts clerktest.Options
	in   func(*testing.T, *internet, string, clerktest.Options, func(*clerkauth.Config)) *site
	run  func(s *site, b *tab, engine string)
}{
	{"sign-in and expiry", clerktest.Options{WithoutRefresh: true}, productionIn, signInAndExpiry},
	{"sign-in and expiry in development", clerktest.Options{WithoutRefresh: true}, developmentIn, signInAndExpiry},
	{"refresh after expiry", clerktest.Options{}, productionIn, refreshAfterExpiry},
	{"writes and WebSockets of a sibling subdomain", clerktest.Options{}, productionIn, siblingSubdomainCannotWrite},
	{"party cookies of a sibling subdomain", clerktest.Options{WithoutRefresh: true}, productionIn, partyCookiesOfASiblingSubdomain},
	{"own scripts", clerktest.Options{}, productionIn, ownScripts},
	{"forms through a service worker", clerktest.Options{}, productionIn, formsThroughWorker},
	{"forms past a service worker", clerktest.Options{}, productionIn, formsPastWorker},
}

func TestEveryEngine(t *testing.T) {
	t.Parallel()
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			in := newInternet(t)
			browser := e.open(t, in)
			for i, j := range journeys {
				t.Run(j.name, func(t *testing.T) {
					s := j.in(t, in, fmt.Sprintf("journey-%d.test", i), j.opts, nil) // each journey has a site of its own
					b := &tab{browser, t}
					j.run(s, b, e.name)
					b.picture()
				})
			}
		})
	}
}

func developmentIn(t *testing.T, _ *internet, _ string, opts clerktest.Options, change func(*clerkauth.Config)) *site {
	t.Helper()
	return development(t, opts, change)
}

func signInAndExpiry(s *site, b *tab, _ string) {
	b.visit(s.home + "/")
	b.expect("a page for everybody", s.nobody("/"))
	s.signIn(b, "/private?a=1&b=%2F")
	b.visit(s.home + "/")
	b.expect("the other page", s.signedIn("/"))
	s.expire()
	s.renewals()
	b.visit(s.home + "/private?a=2")
	b.expect("after expiry", s.signedIn("/private?a=2"))
	if handshakes, refreshes := s.renewals(); handshakes != 1 || refreshes != 0 {
		b.t.Errorf("%d handshakes and %d refreshes, want one handshake", handshakes, refreshes)
	}
	s.clerk.BrowserSessions()[0].SignOut()
	s.expire()
	b.visit(s.home + "/")
	b.expect("signed out elsewhere", s.nobody("/"))
}

func refreshAfterExpiry(s *site, b *tab, _ string) {
	s.signIn(b, "/private")
	s.expire()
	s.renewals()
	b.visit(s.home + "/private")
	b.expect("after expiry", s.signedIn("/private"))
	if handshakes, refreshes := s.renewals(); handshakes != 0 || refreshes != 1 {
		b.t.Errorf("%d handshakes and %d refreshes, want one refresh", handshakes, refreshes)
	}
}

const (
	postFetch  = `fetch(%q, {method: "POST", mode: "no-cors", credentials: "include"}).then(r => r.status, () => -1)`
	postForm   = `void document.body.insertAdjacentHTML("beforeend", '<form method="post" action="%s"><button id="write">Write</button></form>')`
	openSocket = `new Promise(done => {
		const socket = new WebSocket(%q)
		socket.onopen = () => done("open")
		socket.onclose = () => done("refused")
	})`
)

// The sibling subdomain is same-site, so the browser sends it the app's cookies, with any SameSite.
func siblingSubdomainCannotWrite(s *site, b *tab, _ string) {
	s.signIn(b, "/private")
	refused := func(method, path string) exchange {
		return exchange{method, path, s.evil, http.StatusForbidden, string(clerkauth.ReasonCrossOriginRequest)}
	}
	socket := "wss" + strings.TrimPrefix(s.home, "https") + "/ws"

	b.visit(s.evil + "/")
	evaluate[int](b, postFetch, s.home+"/write")
	evaluate[any](b, postForm, s.home+"/write")
	b.press("#write")
	b.picture()
	b.reload() // which WebKit sends as the person's own navigation
	if got, want := s.app.answers("/write"), slices.Repeat([]exchange{refused(http.MethodPost, "/write")}, 3); !slices.Equal(got, want) {
		b.t.Errorf("a sibling subdomain's writes: %+v, want %+v", got, want)
	}
	b.visit(s.evil + "/")
	if got := evaluate[string](b, openSocket, socket); got != "refused" {
		b.t.Errorf("a sibling subdomain's WebSocket: got %s, want refused", got)
	}
	if got, want := s.app.answers("/ws"), []exchange{refused(http.MethodGet, "/ws")}; !slices.Equal(got, want) {
		b.t.Errorf("a sibling subdomain's WebSocket: %+v, want %+v", got, want)
	}
	if n := s.app.writes.Load(); n != 0 {
		b.t.Errorf("%d writes of the sibling subdomain reached the handler, want none", n)
	}

	b.visit(s.home + "/private")
	b.expect("the app", s.signedIn("/private"))
	if got := evaluate[int](b, postFetch, s.home+"/write"); got != http.StatusOK {
		b.t.Errorf("the app's own write: got %d, want %d", got, http.StatusOK)
	}
	if got := evaluate[string](b, openSocket, socket); got != "open" {
		b.t.Errorf("the app's own WebSocket: got %s, want open", got)
	}
	evaluate[any](b, postForm, "/write")
	b.press("#write")
	if status := s.app.status("/write"); status != http.StatusOK || s.app.writes.Load() != 2 {
		b.t.Errorf("the app's own form: got %d after %d writes, want 200 after 2", status, s.app.writes.Load())
	}
}

// All engines but WebKit enforce __Host- names; in WebKit a sibling subdomain can plant such
// cookies. That has no effect: the valid cookie is found among them. It keeps people signed in
// whose tokens no longer have azp.
func partyCookiesOfASiblingSubdomain(s *site, b *tab, engine string) {
	s.signIn(b, "/private")
	b.visit(s.home + "/private")
	party := func() []string {
		b.visit(s.home + "/private")
		var names []string
		for _, line := range s.app.header("/private")["Cookie"] {
			for cookie := range strings.SplitSeq(line, "; ") {
				if name, _, _ := strings.Cut(cookie, "="); strings.HasPrefix(name, "__Host-clerkauth_party") {
					names = append(names, name)
				}
			}
		}
		return names
	}
	names := party()
	if len(names) != 1 {
		b.t.Fatalf("party cookies %q, want one", names)
	}
	_, domain, _ := strings.Cut(s.home, ".")
	for _, path := range []string{"/", "/private"} {
		b.visit(s.evil + "/")
		evaluate[any](b, `void (document.cookie = %q)`, names[0]+"=v2.99999999999.planted; Domain="+domain+"; Path="+path+"; Secure")
	}
	want := 1
	if engine == "WebKit" {
		want = 3
	}
	if got := party(); len(got) != want {
		b.t.Errorf("with those of a sibling subdomain the app gets %q, want %d", got, want)
	}
	b.expect("with those of a sibling subdomain", s.signedIn("/private"))
	s.clerk.BrowserSessions()[0].SetClaims(clerktest.Claims{Subject: alice, Extra: map[string]any{"azp": clerktest.Absent}})
	s.expire()
	b.visit(s.home + "/private")
	b.expect("without azp, with those of a sibling subdomain", s.signedIn("/private"))
}
