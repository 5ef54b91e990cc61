package clerkauth_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

const (
	own     = "https://example.com"
	sibling = "https://blog.example.com"
)

// arrives is a write as a browser sends it; what is empty is not sent.
func arrives(origin, site, mode, dest, referrer string) edit {
	var lines []string
	for _, h := range [][2]string{
		{"Origin", origin}, {"Sec-Fetch-Site", site}, {"Sec-Fetch-Mode", mode}, {"Sec-Fetch-Dest", dest}, {"Referer", referrer},
	} {
		if h[1] != "" {
			lines = append(lines, h[0]+": "+h[1])
		}
	}
	return headers(lines...)
}

// throughWorkers are forms as they come out of a service worker that answers with respondWith(fetch(event.request)),
// and past it: what Chromium 156, Firefox 153 and WebKitGTK 2.50 send under each Referrer-Policy of the form's page.
// The module e2e holds the engines to it.
var throughWorkers = []struct {
	engine, policies string
	sibling, own     edit
	siblingMay       clerkauth.Reason // empty: nothing tells it from the app's own
	ownMay           clerkauth.Reason
}{
	{
		"any engine, past the worker", "all but the two below",
		arrives(sibling, "same-site", "navigate", "document", sibling+"/"), arrives(own, "same-origin", "navigate", "document", own+"/form?a=1"),
		cross, "",
	},
	{
		"any engine, past the worker", "same-origin",
		arrives("null", "same-site", "navigate", "document", ""), arrives(own, "same-origin", "navigate", "document", own+"/form"),
		cross, "",
	},
	{
		"any engine, past the worker", "no-referrer",
		arrives("null", "same-site", "navigate", "document", ""), arrives("null", "same-origin", "navigate", "document", ""),
		cross, "",
	},
	{
		"Chromium", "all but the two below",
		arrives(sibling, "same-site", "navigate", "empty", sibling+"/"), arrives(own, "same-origin", "navigate", "empty", own+"/form"),
		cross, "",
	},
	{
		"Chromium", "same-origin",
		arrives("null", "same-site", "navigate", "empty", ""), arrives(own, "same-origin", "navigate", "empty", own+"/form"),
		cross, "",
	},
	{
		"Chromium", "no-referrer",
		arrives("null", "same-site", "navigate", "empty", ""), arrives("null", "same-origin", "navigate", "empty", ""),
		cross, "",
	},
	{
		"Firefox", "all but the two below",
		arrives(own, "same-origin", "same-origin", "empty", sibling+"/"), arrives(own, "same-origin", "same-origin", "empty", own+"/form"),
		cross, "",
	},
	{
		"Firefox", "unsafe-url",
		arrives(own, "same-origin", "same-origin", "empty", sibling+"/attack?a=https://example.com/"), arrives(own, "same-origin", "same-origin", "empty", own+"/form"),
		cross, "",
	},
	{
		"Firefox", "same-origin",
		arrives("null", "same-origin", "same-origin", "empty", ""), arrives(own, "same-origin", "same-origin", "empty", own+"/form"),
		cross, "",
	},
	{
		"Firefox", "no-referrer",
		arrives("null", "same-origin", "same-origin", "empty", ""), arrives("null", "same-origin", "same-origin", "empty", ""),
		cross, cross,
	},
	{
		"WebKit", "all but the two below",
		arrives(sibling, "same-origin", "navigate", "empty", sibling+"/"), arrives(own, "same-origin", "navigate", "empty", own+"/form"),
		cross, "",
	},
	{
		"WebKit", "same-origin",
		arrives(own, "same-origin", "navigate", "empty", own+"/worker.js"), arrives(own, "same-origin", "navigate", "empty", own+"/form"),
		"", "",
	},
	{
		"WebKit", "no-referrer",
		arrives(own, "same-origin", "navigate", "empty", own+"/worker.js"), arrives(own, "same-origin", "navigate", "empty", own+"/worker.js"),
		"", "",
	},
}

func TestFormsThroughServiceWorkers(t *testing.T) {
	a := newApp(t)
	for _, tc := range throughWorkers {
		for _, form := range []struct {
			of   string
			sent edit
			want clerkauth.Reason
		}{{"a sibling", tc.sibling, tc.siblingMay}, {"the app itself", tc.own, tc.ownMay}} {
			r := asking("POST", own+"/write", a.signedIn(), form.sent)
			asServer(r)
			if got := reasonOf(t, a.AuthenticateRequest(r)); got != form.want {
				t.Errorf("%s, policy %s: a form of %s: %q, want %q", tc.engine, tc.policies, form.of, got, form.want)
			}
		}
	}
}

// Whatever a browser says of where a write comes from has to agree.
func TestContradictedWrites(t *testing.T) {
	long := strings.Repeat("a", 1<<20)
	for _, tc := range []struct {
		name string
		sent edit
		want clerkauth.Reason
	}{
		{"a sibling's Origin, called same-origin", headers("Sec-Fetch-Site: same-origin", "Origin: "+sibling), cross},
		{"a sibling's Origin, called typed", headers("Sec-Fetch-Site: none", "Origin: "+sibling), cross},
		{"a stranger's Origin, called same-origin", headers("Sec-Fetch-Site: same-origin", "Origin: https://evil.test"), cross},
		{"the app's Origin over http", headers("Sec-Fetch-Site: same-origin", "Origin: http://example.com"), cross},
		{"the app's Origin with another port", headers("Sec-Fetch-Site: same-origin", "Origin: https://example.com:8443"), cross},
		{"the app's Origin with a path", headers("Sec-Fetch-Site: same-origin", "Origin: https://example.com/"), cross},
		{"a listed party's Origin, called same-origin", headers("Sec-Fetch-Site: same-origin", "Origin: https://app.example.com"), ""},
		{"a wildcard's Origin, called same-origin", headers("Sec-Fetch-Site: same-origin", "Origin: https://pr-1.preview.example.com"), ""},
		{"AllowParty's Origin, called same-origin", headers("Sec-Fetch-Site: same-origin", "Origin: https://customer.test"), ""},
		{"a trusted Origin, called same-origin", headers("Sec-Fetch-Site: same-origin", "Origin: https://pay.test"), ""},

		{"a sibling's Referer alone", headers("Sec-Fetch-Site: same-origin", "Referer: "+sibling+"/"), cross},
		{"a sibling's Referer after typing", headers("Sec-Fetch-Site: none", "Referer: "+sibling+"/"), cross},
		{"a sibling's Referer without a path", headers("Sec-Fetch-Site: same-origin", "Referer: "+sibling), cross},
		{"a sibling's Referer and a party's Origin", headers("Sec-Fetch-Site: same-site", "Origin: https://app.example.com", "Referer: "+sibling+"/"), cross},
		{"a sibling's Referer and an old browser's Origin", headers("Origin: "+own, "Referer: "+sibling+"/"), cross},
		{"a sibling's Referer, and ours", headers("Sec-Fetch-Site: same-origin", "Referer: "+own+"/", "Referer: "+sibling+"/"), cross},
		{"ours as user info", headers("Sec-Fetch-Site: same-origin", "Referer: https://example.com@evil.test/"), cross},
		{"ours as the beginning", headers("Sec-Fetch-Site: same-origin", "Referer: https://example.com.evil.test/"), cross},
		{"ours before a backslash", headers("Sec-Fetch-Site: same-origin", `Referer: https://example.com\@evil.test/`), cross},
		{"ours in the path", headers("Sec-Fetch-Site: same-origin", "Referer: https://evil.test/https://example.com/"), cross},
		{"ours in the query", headers("Sec-Fetch-Site: same-origin", "Referer: https://evil.test?https://example.com/"), cross},
		{"ours in the fragment", headers("Sec-Fetch-Site: same-origin", "Referer: https://evil.test#https://example.com/"), cross},
		{"ours in capitals", headers("Sec-Fetch-Site: same-origin", "Referer: https://EXAMPLE.com/"), cross},
		{"ours over http", headers("Sec-Fetch-Site: same-origin", "Referer: http://example.com/"), cross},
		{"a Referer without a host", headers("Sec-Fetch-Site: same-origin", "Referer: about:blank"), cross},
		{"a Referer that is a path", headers("Sec-Fetch-Site: same-origin", "Referer: /form"), cross},
		{"a Referer that is a megabyte of host", headers("Sec-Fetch-Site: same-origin", "Referer: https://"+long), cross},
		{"a Referer that is a megabyte of scheme", headers("Sec-Fetch-Site: same-origin", "Referer: "+long+"://example.com/"), cross},
		{"a Referer with a megabyte of path", headers("Sec-Fetch-Site: same-origin", "Referer: "+own+"/"+long), ""},
		{"a Referer without a path", headers("Sec-Fetch-Site: same-origin", "Referer: "+own), ""},
		{"a Referer with a fragment, which no browser sends", headers("Sec-Fetch-Site: same-origin", "Referer: "+own+"#a"), cross},
		{"a Referer with a query alone", headers("Sec-Fetch-Site: same-origin", "Referer: "+own+"?a=1"), ""},
		{"an empty Referer", headers("Sec-Fetch-Site: same-origin", "Referer: "), ""},
		{"a listed party's Referer", headers("Sec-Fetch-Site: same-origin", "Referer: https://app.example.com/"), ""},
		{"a wildcard's Referer", headers("Sec-Fetch-Site: same-origin", "Referer: https://pr-1.preview.example.com/a"), ""},
		{"below the wildcard", headers("Sec-Fetch-Site: same-origin", "Referer: https://a.pr-1.preview.example.com/a"), cross},
		{"AllowParty's Referer", headers("Sec-Fetch-Site: same-origin", "Referer: https://customer.test/checkout"), ""},
		{"a trusted Referer", headers("Sec-Fetch-Site: same-origin", "Referer: https://pay.test/done"), ""},
		{"a Referer and no browser", headers("Referer: " + sibling + "/"), ""},

		{"null, by a mode that no form has", headers("Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: same-origin", "Origin: null"), cross},
		{"null, by that mode among others", headers("Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Mode: same-origin", "Origin: null"), cross},
		{"null, of a form without referrer", headers("Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: navigate", "Origin: null"), ""},
		{"null, of a script without referrer", headers("Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: no-cors", "Origin: null"), ""},
		{"null, of a sandboxed frame", headers("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Origin: null"), cross},
		{"null beside a sibling's Referer", headers("Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: navigate", "Origin: null", "Referer: "+sibling+"/"), cross},
		{"the app's script in that mode", headers("Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: same-origin", "Origin: "+own, "Referer: "+own+"/"), ""},
	} {
		a := newApp(t, doorConfig)
		for _, method := range []string{"POST", "GET"} {
			edits := []edit{a.signedIn(), tc.sent}
			if method == "GET" {
				edits = append(edits, headers("Upgrade: websocket", "Sec-WebSocket-Key: x"))
			}
			r := asking(method, own+"/write", edits...)
			asServer(r)
			if got := reasonOf(t, a.AuthenticateRequest(r)); got != tc.want {
				t.Errorf("%s by %s: %q, want %q", tc.name, method, got, tc.want)
			}
		}
		if got := reasonOf(t, a.AuthenticateRequest(asking("GET", own+"/read", a.signedIn(), tc.sent))); got != "" {
			t.Errorf("%s: a read: %q, want let through", tc.name, got)
		}
	}
}

// Without a list there is nothing to compare with: behind a proxy that changes Host, Sec-Fetch-Site is all that is known.
func TestNothingIsContradictedWithAnyParty(t *testing.T) {
	a := newApp(t, func(c *clerkauth.Config) { c.AuthorizedParties, c.InsecureAllowAnyParty = nil, true })
	for _, tc := range throughWorkers {
		for _, target := range []string{own + "/write", "http://10.0.0.1:8080/write"} {
			r := asking("POST", target, a.signedIn(), tc.own)
			if got := reasonOf(t, a.AuthenticateRequest(r)); got != "" {
				t.Errorf("%s, policy %s: the app's own form at %s: %q", tc.engine, tc.policies, target, got)
			}
		}
	}
	for _, sent := range []edit{
		arrives(sibling, "same-origin", "navigate", "empty", ""),
		arrives(own, "same-origin", "same-origin", "empty", sibling+"/"),
		arrives("null", "same-origin", "same-origin", "empty", ""),
	} {
		r := asking("POST", own+"/write", a.signedIn(), sent)
		if got := reasonOf(t, a.AuthenticateRequest(r)); got != "" {
			t.Errorf("%v: %q, want what Sec-Fetch-Site says", r.Header, got)
		}
	}
}

// The rule is for credentials that a browser sends by itself, and can be turned off.
func TestFormsWhereTheRuleIsOff(t *testing.T) {
	a := newApp(t)
	skipping := newAppOf(t, a.clerk, func(c *clerkauth.Config) { c.InsecureSkipOriginCheck = true })
	for _, tc := range throughWorkers {
		r := asking("POST", own+"/write", a.signedIn(), tc.sibling)
		if got := reasonOf(t, skipping.AuthenticateRequest(r)); got != "" {
			t.Errorf("%s, policy %s: with InsecureSkipOriginCheck: %q", tc.engine, tc.policies, got)
		}
		withBearer(a.clerk.Token(clerktest.Claims{}))(r)
		if got := reasonOf(t, a.AuthenticateRequest(r)); got != "" {
			t.Errorf("%s, policy %s: with a bearer token: %q", tc.engine, tc.policies, got)
		}
	}
}

// AllowParty is not asked about what cannot be an origin.
func TestLongOriginsAreNotAskedAbout(t *testing.T) {
	var asked []string
	a := newApp(t, func(c *clerkauth.Config) {
		c.AllowParty = func(_ context.Context, origin, _ string) bool {
			asked = append(asked, origin)
			return true
		}
	})
	host := strings.Repeat("a.", 127) + "aa" // 256 bytes
	for _, tc := range []struct {
		origin string
		want   clerkauth.Reason
	}{{"https://" + host[4:] + ":65535", ""}, {"https://" + strings.Repeat(host+".", 2) + "a", cross}} {
		for _, sent := range []edit{arrives(tc.origin, "same-site", "", "", ""), arrives("", "same-origin", "", "", tc.origin+"/")} {
			asked = nil
			if got := reasonOf(t, a.AuthenticateRequest(asking("POST", own+"/write", a.signedIn(), sent))); got != tc.want {
				t.Errorf("an origin of %d bytes: %q, want %q", len(tc.origin), got, tc.want)
			}
			if was := slices.Contains(asked, tc.origin); was != (tc.want == "") {
				t.Errorf("an origin of %d bytes: AllowParty was asked: %t", len(tc.origin), was)
			}
		}
	}
}

// A write costs no memory for what its Referer holds.
func TestRefererCostsNothing(t *testing.T) {
	a := newApp(t)
	cookies := a.signedIn()
	measure := func(referrer string) float64 {
		r := asking("POST", own+"/write", cookies, arrives(own, "same-origin", "cors", "empty", referrer))
		return testing.AllocsPerRun(50, func() { a.AuthenticateRequest(r) })
	}
	without := measure("")
	for _, referrer := range []string{own + "/" + strings.Repeat("a", 1<<20), "https://" + strings.Repeat("a.", 1<<19), strings.Repeat("é", 1<<19)} {
		if with := measure(referrer); with > without+1 {
			t.Errorf("a Referer of %d bytes: %v allocations, %v without", len(referrer), with, without)
		}
	}
}
