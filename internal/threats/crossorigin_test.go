package threats_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

const (
	cross            = clerkauth.ReasonCrossOriginRequest
	siblingSubdomain = "https://blog.example.com"
)

// sentFrom makes a write with the headers that a browser sends. Empty headers are not sent.
func sentFrom(origin, site, mode, dest, referrer string) harness.Edit {
	var lines []string
	for _, h := range [][2]string{
		{"Origin", origin}, {"Sec-Fetch-Site", site}, {"Sec-Fetch-Mode", mode}, {"Sec-Fetch-Dest", dest}, {"Referer", referrer},
	} {
		if h[1] != "" {
			lines = append(lines, h[0]+": "+h[1])
		}
	}
	return harness.Headers(lines...)
}

// throughWorkers are form submissions with and without a service worker that answers with
// respondWith(fetch(event.request)), as Chromium 156, Firefox 153 and WebKitGTK 2.50 send them
// under each Referrer-Policy of the form's page. The module e2e compares them with what the engines
// send.
var throughWorkers = []struct {
	engine, policies      string
	siblingSubdomain, own harness.Edit
	siblingSubdomainMay   clerkauth.Reason // empty: it cannot be distinguished from the app's own
	ownMay                clerkauth.Reason
}{
	{
		"any engine, past the worker", "all but the two below",
		sentFrom(siblingSubdomain, "same-site", "navigate", "document", siblingSubdomain+"/"), sentFrom(harness.Origin, "same-origin", "navigate", "document", harness.Origin+"/form?a=1"),
		cross, "",
	},
	{
		"any engine, past the worker", "same-origin",
		sentFrom("null", "same-site", "navigate", "document", ""), sentFrom(harness.Origin, "same-origin", "navigate", "document", harness.Origin+"/form"),
		cross, "",
	},
	{
		"any engine, past the worker", "no-referrer",
		sentFrom("null", "same-site", "navigate", "document", ""), sentFrom("null", "same-origin", "navigate", "document", ""),
		cross, "",
	},
	{
		"Chromium", "all but the two below",
		sentFrom(siblingSubdomain, "same-site", "navigate", "empty", siblingSubdomain+"/"), sentFrom(harness.Origin, "same-origin", "navigate", "empty", harness.Origin+"/form"),
		cross, "",
	},
	{
		"Chromium", "same-origin",
		sentFrom("null", "same-site", "navigate", "empty", ""), sentFrom(harness.Origin, "same-origin", "navigate", "empty", harness.Origin+"/form"),
		cross, "",
	},
	{
		"Chromium", "no-referrer",
		sentFrom("null", "same-site", "navigate", "empty", ""), sentFrom("null", "same-origin", "navigate", "empty", ""),
		cross, "",
	},
	{
		"Firefox", "all but the two below",
		sentFrom(harness.Origin, "same-origin", "same-origin", "empty", siblingSubdomain+"/"), sentFrom(harness.Origin, "same-origin", "same-origin", "empty", harness.Origin+"/form"),
		cross, "",
	},
	{
		"Firefox", "unsafe-url",
		sentFrom(harness.Origin, "same-origin", "same-origin", "empty", siblingSubdomain+"/attack?a=https://example.com/"), sentFrom(harness.Origin, "same-origin", "same-origin", "empty", harness.Origin+"/form"),
		cross, "",
	},
	{
		"Firefox", "same-origin",
		sentFrom("null", "same-origin", "same-origin", "empty", ""), sentFrom(harness.Origin, "same-origin", "same-origin", "empty", harness.Origin+"/form"),
		cross, "",
	},
	{
		"Firefox", "no-referrer",
		sentFrom("null", "same-origin", "same-origin", "empty", ""), sentFrom("null", "same-origin", "same-origin", "empty", ""),
		cross, cross,
	},
	{
		"WebKit", "all but the two below",
		sentFrom(siblingSubdomain, "same-origin", "navigate", "empty", siblingSubdomain+"/"), sentFrom(harness.Origin, "same-origin", "navigate", "empty", harness.Origin+"/form"),
		cross, "",
	},
	{
		"WebKit", "same-origin",
		sentFrom(harness.Origin, "same-origin", "navigate", "empty", harness.Origin+"/worker.js"), sentFrom(harness.Origin, "same-origin", "navigate", "empty", harness.Origin+"/form"),
		"", "",
	},
	{
		"WebKit", "no-referrer",
		sentFrom(harness.Origin, "same-origin", "navigate", "empty", harness.Origin+"/worker.js"), sentFrom(harness.Origin, "same-origin", "navigate", "empty", harness.Origin+"/worker.js"),
		"", "",
	},
}

func TestFormsThroughServiceWorkers(t *testing.T) {
	a := harness.NewApp(t)
	for _, tc := range throughWorkers {
		for _, form := range []struct {
			of   string
			sent harness.Edit
			want clerkauth.Reason
		}{{"a sibling", tc.siblingSubdomain, tc.siblingSubdomainMay}, {"the app itself", tc.own, tc.ownMay}} {
			r := harness.Request("POST", harness.Origin+"/write", a.SignedIn(), form.sent)
			harness.AsServer(r)
			if got := harness.Reason(t, a.AuthenticateRequest(r)); got != form.want {
				t.Errorf("%s, policy %s: a form of %s: got %q, want %q", tc.engine, tc.policies, form.of, got, form.want)
			}
		}
	}
}

// All headers that say where a write is from must agree.
func TestContradictedWrites(t *testing.T) {
	a := harness.NewApp(t, harness.ManyParties)
	signedIn := a.SignedIn()
	long := strings.Repeat("a", 1<<20)
	for _, tc := range []struct {
		name string
		sent harness.Edit
		want clerkauth.Reason
	}{
		{"a sibling's Origin, called same-origin", harness.Headers("Sec-Fetch-Site: same-origin", "Origin: "+siblingSubdomain), cross},
		{"a sibling's Origin, called typed", harness.Headers("Sec-Fetch-Site: none", "Origin: "+siblingSubdomain), cross},
		{"a stranger's Origin, called same-origin", harness.Headers("Sec-Fetch-Site: same-origin", "Origin: https://evil.test"), cross},
		{"the app's Origin over http", harness.Headers("Sec-Fetch-Site: same-origin", "Origin: http://example.com"), cross},
		{"the app's Origin with another port", harness.Headers("Sec-Fetch-Site: same-origin", "Origin: https://example.com:8443"), cross},
		{"the app's Origin with a path", harness.Headers("Sec-Fetch-Site: same-origin", "Origin: https://example.com/"), cross},
		{"a listed party's Origin, called same-origin", harness.Headers("Sec-Fetch-Site: same-origin", "Origin: https://app.example.com"), ""},
		{"a wildcard's Origin, called same-origin", harness.Headers("Sec-Fetch-Site: same-origin", "Origin: https://pr-1.preview.example.com"), ""},
		{"AllowParty's Origin, called same-origin", harness.Headers("Sec-Fetch-Site: same-origin", "Origin: https://customer.test"), ""},
		{"a trusted Origin, called same-origin", harness.Headers("Sec-Fetch-Site: same-origin", "Origin: https://pay.test"), ""},

		{"a sibling's Referer alone", harness.Headers("Sec-Fetch-Site: same-origin", "Referer: "+siblingSubdomain+"/"), cross},
		{"a sibling's Referer after typing", harness.Headers("Sec-Fetch-Site: none", "Referer: "+siblingSubdomain+"/"), cross},
		{"a sibling's Referer without a path", harness.Headers("Sec-Fetch-Site: same-origin", "Referer: "+siblingSubdomain), cross},
		{"a sibling's Referer and a party's Origin", harness.Headers("Sec-Fetch-Site: same-site", "Origin: https://app.example.com", "Referer: "+siblingSubdomain+"/"), cross},
		{"a sibling's Referer and an old browser's Origin", harness.Headers("Origin: "+harness.Origin, "Referer: "+siblingSubdomain+"/"), cross},
		{"a sibling's Referer, and ours", harness.Headers("Sec-Fetch-Site: same-origin", "Referer: "+harness.Origin+"/", "Referer: "+siblingSubdomain+"/"), cross},
		{"ours twice, from an old browser", harness.Headers("Referer: "+harness.Origin+"/", "Referer: "+harness.Origin+"/"), cross},
		{"ours twice", harness.Headers("Sec-Fetch-Site: same-origin", "Referer: "+harness.Origin+"/", "Referer: "+harness.Origin+"/"), cross},
		{"an empty Referer, and ours", harness.Headers("Sec-Fetch-Site: same-origin", "Referer: ", "Referer: "+harness.Origin+"/"), cross},
		{"ours as user info", harness.Headers("Sec-Fetch-Site: same-origin", "Referer: https://example.com@evil.test/"), cross},
		{"ours as the beginning", harness.Headers("Sec-Fetch-Site: same-origin", "Referer: https://example.com.evil.test/"), cross},
		{"ours before a backslash", harness.Headers("Sec-Fetch-Site: same-origin", `Referer: https://example.com\@evil.test/`), cross},
		{"ours in the path", harness.Headers("Sec-Fetch-Site: same-origin", "Referer: https://evil.test/https://example.com/"), cross},
		{"ours in the query", harness.Headers("Sec-Fetch-Site: same-origin", "Referer: https://evil.test?https://example.com/"), cross},
		{"ours in the fragment", harness.Headers("Sec-Fetch-Site: same-origin", "Referer: https://evil.test#https://example.com/"), cross},
		{"ours in capitals", harness.Headers("Sec-Fetch-Site: same-origin", "Referer: https://EXAMPLE.com/"), cross},
		{"ours over http", harness.Headers("Sec-Fetch-Site: same-origin", "Referer: http://example.com/"), cross},
		{"a Referer without a host", harness.Headers("Sec-Fetch-Site: same-origin", "Referer: about:blank"), cross},
		{"a Referer that is a path", harness.Headers("Sec-Fetch-Site: same-origin", "Referer: /form"), cross},
		{"a Referer that is a megabyte of host", harness.Headers("Sec-Fetch-Site: same-origin", "Referer: https://"+long), cross},
		{"a Referer that is a megabyte of scheme", harness.Headers("Sec-Fetch-Site: same-origin", "Referer: "+long+"://example.com/"), cross},
		{"a Referer with a megabyte of path", harness.Headers("Sec-Fetch-Site: same-origin", "Referer: "+harness.Origin+"/"+long), ""},
		{"a Referer without a path", harness.Headers("Sec-Fetch-Site: same-origin", "Referer: "+harness.Origin), ""},
		{"a Referer with a fragment, which no browser sends", harness.Headers("Sec-Fetch-Site: same-origin", "Referer: "+harness.Origin+"#a"), cross},
		{"a Referer with a query alone", harness.Headers("Sec-Fetch-Site: same-origin", "Referer: "+harness.Origin+"?a=1"), ""},
		{"an empty Referer", harness.Headers("Sec-Fetch-Site: same-origin", "Referer: "), ""},
		{"a listed party's Referer", harness.Headers("Sec-Fetch-Site: same-origin", "Referer: https://app.example.com/"), ""},
		{"a wildcard's Referer", harness.Headers("Sec-Fetch-Site: same-origin", "Referer: https://pr-1.preview.example.com/a"), ""},
		{"below the wildcard", harness.Headers("Sec-Fetch-Site: same-origin", "Referer: https://a.pr-1.preview.example.com/a"), cross},
		{"AllowParty's Referer", harness.Headers("Sec-Fetch-Site: same-origin", "Referer: https://customer.test/checkout"), ""},
		{"a trusted Referer", harness.Headers("Sec-Fetch-Site: same-origin", "Referer: https://pay.test/done"), ""},
		{"a Referer and no browser", harness.Headers("Referer: " + siblingSubdomain + "/"), ""},

		{"null, by a mode that no form has", harness.Headers("Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: same-origin", "Origin: null"), cross},
		{"null, by that mode among others", harness.Headers("Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Mode: same-origin", "Origin: null"), cross},
		{"null, of a form without referrer", harness.Headers("Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: navigate", "Origin: null"), ""},
		{"null, of a script without referrer", harness.Headers("Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: no-cors", "Origin: null"), ""},
		{"null, of a sandboxed frame", harness.Headers("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Origin: null"), cross},
		{"null beside a sibling's Referer", harness.Headers("Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: navigate", "Origin: null", "Referer: "+siblingSubdomain+"/"), cross},
		{"the app's script in that mode", harness.Headers("Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: same-origin", "Origin: "+harness.Origin, "Referer: "+harness.Origin+"/"), ""},
	} {
		for _, method := range []string{"POST", "GET"} {
			edits := []harness.Edit{signedIn, tc.sent}
			if method == "GET" {
				edits = append(edits, harness.Headers("Upgrade: websocket", "Sec-WebSocket-Key: x"))
			}
			r := harness.Request(method, harness.Origin+"/write", edits...)
			harness.AsServer(r)
			if got := harness.Reason(t, a.AuthenticateRequest(r)); got != tc.want {
				t.Errorf("%s by %s: got %q, want %q", tc.name, method, got, tc.want)
			}
		}
		if got := harness.Reason(t, a.AuthenticateRequest(harness.Request("GET", harness.Origin+"/read", signedIn, tc.sent))); got != "" {
			t.Errorf("%s: a read: got %q, want let through", tc.name, got)
		}
	}
}

// Without a list there is nothing to compare with: behind a proxy that changes Host, only
// Sec-Fetch-Site is known.
func TestNothingIsContradictedWithAnyParty(t *testing.T) {
	a := harness.NewApp(t, func(c *clerkauth.Config) { c.AuthorizedParties, c.InsecureAllowAnyParty = nil, true })
	for _, tc := range throughWorkers {
		for _, target := range []string{harness.Origin + "/write", "http://10.0.0.1:8080/write"} {
			r := harness.Request("POST", target, a.SignedIn(), tc.own)
			if got := harness.Reason(t, a.AuthenticateRequest(r)); got != "" {
				t.Errorf("%s, policy %s: the app's own form at %s: got %q, want none", tc.engine, tc.policies, target, got)
			}
		}
	}
	for _, sent := range []harness.Edit{
		sentFrom(siblingSubdomain, "same-origin", "navigate", "empty", ""),
		sentFrom(harness.Origin, "same-origin", "same-origin", "empty", siblingSubdomain+"/"),
		sentFrom("null", "same-origin", "same-origin", "empty", ""),
	} {
		r := harness.Request("POST", harness.Origin+"/write", a.SignedIn(), sent)
		if got := harness.Reason(t, a.AuthenticateRequest(r)); got != "" {
			t.Errorf("%v: got %q, want what Sec-Fetch-Site says", r.Header, got)
		}
	}
}

// The rule is for credentials that a browser sends by itself, and can be turned off.
func TestFormsWhereTheRuleIsOff(t *testing.T) {
	a := harness.NewApp(t)
	skipping := harness.NewAppOf(t, a.Clerk, func(c *clerkauth.Config) { c.InsecureSkipOriginCheck = true })
	for _, tc := range throughWorkers {
		r := harness.Request("POST", harness.Origin+"/write", a.SignedIn(), tc.siblingSubdomain)
		if got := harness.Reason(t, skipping.AuthenticateRequest(r)); got != "" {
			t.Errorf("%s, policy %s: with InsecureSkipOriginCheck: got %q, want none", tc.engine, tc.policies, got)
		}
		harness.WithBearer(a.Clerk.Token(clerktest.Claims{}))(r)
		if got := harness.Reason(t, a.AuthenticateRequest(r)); got != "" {
			t.Errorf("%s, policy %s: with a bearer token: got %q, want none", tc.engine, tc.policies, got)
		}
	}
}

// AllowParty is not called with texts that cannot be an origin.
func TestLongOriginsAreNotPassedOn(t *testing.T) {
	var origins []string
	a := harness.NewApp(t, func(c *clerkauth.Config) {
		c.AllowParty = func(_ context.Context, origin, _ string) bool {
			origins = append(origins, origin)
			return true
		}
	})
	host := strings.Repeat("a.", 127) + "aa" // 256 bytes
	for _, tc := range []struct {
		origin string
		want   clerkauth.Reason
	}{{"https://" + host[4:] + ":65535", ""}, {"https://" + strings.Repeat(host+".", 2) + "a", cross}} {
		for _, sent := range []harness.Edit{sentFrom(tc.origin, "same-site", "", "", ""), sentFrom("", "same-origin", "", "", tc.origin+"/")} {
			origins = nil
			if got := harness.Reason(t, a.AuthenticateRequest(harness.Request("POST", harness.Origin+"/write", a.SignedIn(), sent))); got != tc.want {
				t.Errorf("an origin of %d bytes: got %q, want %q", len(tc.origin), got, tc.want)
			}
			if was := slices.Contains(origins, tc.origin); was != (tc.want == "") {
				t.Errorf("an origin of %d bytes: AllowParty was called: %t, want %t", len(tc.origin), was, tc.want == "")
			}
		}
	}
}

// A long Referer costs no memory.
func TestRefererCostsNothing(t *testing.T) {
	a := harness.NewApp(t)
	cookies := a.SignedIn()
	measure := func(referrer string) float64 {
		r := harness.Request("POST", harness.Origin+"/write", cookies, sentFrom(harness.Origin, "same-origin", "cors", "empty", referrer))
		return testing.AllocsPerRun(50, func() { a.AuthenticateRequest(r) })
	}
	without := measure("")
	for _, referrer := range []string{harness.Origin + "/" + strings.Repeat("a", 1<<20), "https://" + strings.Repeat("a.", 1<<19), strings.Repeat("é", 1<<19)} {
		if with := measure(referrer); with > without+1 {
			t.Errorf("a Referer of %d bytes: %v allocations, want %v as without it", len(referrer), with, without)
		}
	}
}
