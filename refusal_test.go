package clerkauth_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// asPage is a client that shows HTML, and asks for no document that a handshake could be made for.
var asPage = headers("Accept: text/html", "Sec-Fetch-Dest: empty", "Sec-Fetch-Mode: cors")

// The page of a refusal speaks to the person, and offers to sign in only where that may help.
func TestRefusalPageIsForAPerson(t *testing.T) {
	live := newApp(t)
	down := newApp(t)
	down.clerk.Fault(clerktest.BackendJWKS, clerktest.Status(503, nil))
	admins := live.Authorize(clerkauth.Role("admin"))(greet)
	again := live.Authorize(clerkauth.Reverified(clerkauth.Strict))(greet)
	token := withBearer(live.clerk.Token(clerktest.Claims{FactorAge: []time.Duration{}}))
	const portal = `<a class="go" href="https://accounts.example.com/sign-in">Sign in</a>`
	for _, tc := range []struct {
		name, title, link string
		h                 http.Handler
		method            string
		carry             edit
	}{
		{"signed out", "You are not signed in.", portal, live.Require(greet), "GET", headers()},
		{"a form", "You are not signed in.", portal, live.Require(greet), "POST", headers()},
		{"expired", "You are not signed in.", portal, live.Require(greet), "GET", withBearer(live.clerk.Token(clerktest.Claims{ExpiresAt: noon.Add(-time.Hour)}))},
		{"pending", "You are not quite signed in.", portal, live.Require(greet), "GET", withBearer(live.clerk.Token(clerktest.Claims{Pending: true}))},
		{"a role", "You do not have access.", "", admins, "GET", token},
		{"verified long ago", "Please sign in again.", "", again, "GET", token},
		{"another site", "This request was stopped.", "", live.Require(greet), "POST", all(live.signedIn(), headers("Origin: https://evil.test"))},
		{"no keys", "Please try again in a moment.", "", down.Require(greet), "GET", withBearer(down.clerk.Token(clerktest.Claims{}))},
		{"two headers", "This request was not understood.", "", live.Require(greet), "GET", with("Authorization", "Bearer a", "Bearer b")},
		{"a host that is not listed", "You are not signed in.", portal, live.Require(greet), "GET", host("evil.test")},
	} {
		w := serve(tc.h, asking(tc.method, "/", asPage, tc.carry))
		page := w.Body.String()
		title := strings.TrimSuffix(tc.title, ".")
		if !strings.Contains(page, "<title>"+title+"</title>") || !strings.Contains(page, "<h1>"+tc.title+"</h1>") {
			t.Errorf("%s: want the title %q:\n%s", tc.name, tc.title, page)
		}
		if links := strings.Count(page, "<a "); links != strings.Count(tc.link, "<a ") || !strings.Contains(page, tc.link) {
			t.Errorf("%s: %d links, want %q alone:\n%s", tc.name, links, tc.link, page)
		}
		if reason := w.Header().Get("X-Clerk-Auth-Reason"); !strings.Contains(page, "<small>Reason: <code>"+strings.TrimSuffix(reason, "-refresh-non-eligible-no-refresh-cookie")+"</code>") {
			t.Errorf("%s: the reason %s is not in small:\n%s", tc.name, reason, page)
		}
		if saved := strings.Contains(page, "was not saved"); saved != (tc.name == "a form") {
			t.Errorf("%s: it says that what was sent is lost: %t", tc.name, saved)
		}
		for _, want := range []string{`<html lang="en">`, "<main>", `name="viewport"`, `name="color-scheme" content="light dark"`, "prefers-color-scheme:dark", "a:focus-visible"} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page has no %s", tc.name, want)
			}
		}
	}
}

// Whoever signs in from the page comes back to the page, and only if it is one of the application's own.
func TestRefusalPageLeadsBack(t *testing.T) {
	path := newApp(t, func(c *clerkauth.Config) { c.SignInURL = "/sign-in?look=plain&mode=short" })
	portal := newApp(t)
	nowhere := newApp(t, func(c *clerkauth.Config) {
		c.PublishableKey, c.Issuers = "", []string{"https://clerk.example.com"}
	})
	simulated := newApp(t, func(c *clerkauth.Config) { c.FrontendAPIURL = "http://127.0.0.1:4420" })
	for _, tc := range []struct {
		name   string
		app    *app
		target string
		carry  edit
		want   string
	}{
		{"to the portal", portal, "/a?b=c&__clerk_status=x", document, "https://accounts.example.com/sign-in?redirect_url=https%3A%2F%2Fexample.com%2Fa%3Fb%3Dc"},
		{"a host that is not listed", portal, "/a", all(document, host("evil.test")), "https://accounts.example.com/sign-in"},
		{"a script", portal, "/a", asPage, "https://accounts.example.com/sign-in"},
		{"to a path", path, "/a", all(asPage, headers()), "/sign-in?look=plain&mode=short"},
		{"from that very path", path, "/sign-in", document, ""},
		{"a simulated instance", simulated, "/a", asPage, ""},
		{"nobody knows", nowhere, "/a", document, ""},
	} {
		page := serve(tc.app.Require(greet), asking("GET", tc.target, tc.carry)).Body.String()
		_, rest, found := strings.Cut(page, `<a class="go" href="`)
		link, _, _ := strings.Cut(rest, `"`)
		if found != (tc.want != "") || link != html.EscapeString(tc.want) {
			t.Errorf("%s: the link is %q, want %q", tc.name, link, tc.want)
		}
	}
}

// What helps a developer is shown with test keys only.
func TestRefusalPageExplainsInDevelopment(t *testing.T) {
	const explained = "For developers: "
	live, test := newApp(t), newAppOf(t, clerktest.New(t, clerktest.Options{Development: true, Now: func() time.Time { return noon }}))
	for name, want := range map[string]bool{"live": false, "test": true} {
		a := map[string]*app{"live": live, "test": test}[name]
		page := serve(a.Require(greet), asking("POST", "/", asPage, withBearer("mt_x"))).Body.String()
		link := `href="https://github.com/clerkauth/clerkauth/blob/main/docs/reasons.md#token-type-mismatch"`
		if strings.Contains(page, explained) != want || strings.Contains(page, link) != want {
			t.Errorf("%s keys: want an explanation: %t\n%s", name, want, page)
		}
	}
	w := httptest.NewRecorder()
	clerkauth.DefaultErrorHandler(w, asking("GET", "/", asPage), &clerkauth.Error{Reason: "made-up"})
	if strings.Contains(w.Body.String(), explained) {
		t.Errorf("without a decision nobody knows the keys: %s", w.Body)
	}
}
