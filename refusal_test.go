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
	"github.com/clerkauth/clerkauth/internal/harness"
)

// askingHTML is a client that shows HTML, with a request for which no handshake is possible.
var askingHTML = harness.Headers("Accept: text/html", "Sec-Fetch-Dest: empty", "Sec-Fetch-Mode: cors")

// The page of a refusal is written for people, and offers to sign in only where that may help.
func TestRefusalPageIsForAPerson(t *testing.T) {
	live := harness.NewApp(t)
	down := harness.NewApp(t)
	down.Clerk.Fault(clerktest.BackendJWKS, clerktest.Status(503, nil))
	admins := live.Authorize(clerkauth.Role("admin"))(harness.Greet)
	again := live.Authorize(clerkauth.Reverified(clerkauth.ReverifyStrict))(harness.Greet)
	token := harness.WithBearer(live.Clerk.Token(clerktest.Claims{}))
	const portal = `<a class="go" href="https://accounts.example.com/sign-in">Sign in</a>`
	for _, tc := range []struct {
		name, title, link string
		h                 http.Handler
		method            string
		carry             harness.Edit
	}{
		{"signed out", "You are not signed in.", portal, live.Require(harness.Greet), "GET", harness.Headers()},
		{"a form", "You are not signed in.", `<a href="https://accounts.example.com/sign-in" target="_blank" rel="noopener">Sign in in another tab</a>`, live.Require(harness.Greet), "POST", harness.Headers()},
		{"expired", "You are not signed in.", portal, live.Require(harness.Greet), "GET", harness.WithBearer(live.Clerk.Token(clerktest.Claims{ExpiresAt: harness.Noon.Add(-time.Hour)}))},
		{"for another origin", "You could not be signed in here.", portal, live.Require(harness.Greet), "GET", harness.WithBearer(live.Clerk.Token(clerktest.Claims{AuthorizedParty: "https://www.example.com"}))},
		{"of another instance", "You could not be signed in here.", portal, live.Require(harness.Greet), "GET", harness.WithBearer(live.Clerk.Token(clerktest.Claims{Issuer: "https://clerk.other.example"}))},
		{"pending", "Your sign-in is not finished.", strings.Replace(portal, "/sign-in", "/sign-in/tasks", 1), live.Require(harness.Greet), "GET", harness.WithBearer(live.Clerk.Token(clerktest.Claims{Pending: true}))},
		{"a role", "You do not have access.", "", admins, "GET", token},
		{"verified long ago", "Please sign in again.", "", again, "GET", token},
		{"another site", "This request was stopped.", "", live.Require(harness.Greet), "POST", harness.All(live.SignedIn(), harness.Headers("Origin: https://evil.test"))},
		{"no keys", "Please try again in a moment.", "", down.Require(harness.Greet), "GET", harness.WithBearer(down.Clerk.Token(clerktest.Claims{}))},
		{"two headers", "This request was not understood.", "", live.Require(harness.Greet), "GET", harness.With("Authorization", "Bearer a", "Bearer b")},
		{"a host that is not listed", "You are not signed in.", portal, live.Require(harness.Greet), "GET", harness.Host("evil.test")},
	} {
		w := harness.Serve(tc.h, harness.Request(tc.method, "/", askingHTML, tc.carry))
		page := w.Body.String()
		title := strings.TrimSuffix(tc.title, ".")
		if !strings.Contains(page, "<title>"+title+"</title>") || !strings.Contains(page, "<h1>"+tc.title+"</h1>") {
			t.Errorf("got %s: want the title %q:\n%s", tc.name, tc.title, page)
		}
		if links := strings.Count(page, "<a "); links != strings.Count(tc.link, "<a ") || !strings.Contains(page, tc.link) {
			t.Errorf("%s: %d links, want %q alone:\n%s", tc.name, links, tc.link, page)
		}
		if reason := w.Header().Get("X-Clerk-Auth-Reason"); !strings.Contains(page, "<small>Reason: <code>"+strings.TrimSuffix(reason, "-refresh-non-eligible-no-refresh-cookie")+"</code>") {
			t.Errorf("%s: the page does not name the reason %s in small print:\n%s", tc.name, reason, page)
		}
		if saved := strings.Contains(page, "was not saved"); saved != (tc.name == "a form") {
			t.Errorf("%s: the page says that the form was not saved: %t, want %t", tc.name, saved, tc.name == "a form")
		}
		for _, want := range []string{`<html lang="en">`, "<main>", `name="viewport"`, `name="color-scheme" content="light dark"`, "prefers-color-scheme:dark", "a:focus-visible"} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page has no %s", tc.name, want)
			}
		}
	}
}

// After a sign-in the browser returns to the page, if it is one of the application's own.
func TestRefusalPageLeadsBack(t *testing.T) {
	path := harness.NewApp(t, func(c *clerkauth.Config) { c.SignInURL = "/sign-in?look=plain&mode=short" })
	portal := harness.NewApp(t)
	underPath := harness.NewApp(t, func(c *clerkauth.Config) { c.ProxyURL = "/__clerk" })
	nowhere := harness.NewApp(t, func(c *clerkauth.Config) {
		c.PublishableKey, c.Issuers = "", []string{"https://clerk.example.com"}
	})
	simulated := harness.NewApp(t, func(c *clerkauth.Config) { c.FrontendAPIURL = "http://127.0.0.1:4420" })
	for _, tc := range []struct {
		name   string
		app    *harness.App
		target string
		carry  harness.Edit
		want   string
	}{
		{"to the portal, with the Frontend API under a path", underPath, "/a", harness.Document, "https://accounts.example.com/sign-in?redirect_url=https%3A%2F%2Fexample.com%2Fa"},
		{"to the portal", portal, "/a?b=c&__clerk_help=x", harness.Document, "https://accounts.example.com/sign-in?redirect_url=https%3A%2F%2Fexample.com%2Fa%3Fb%3Dc"},
		{"a host that is not listed", portal, "/a", harness.All(harness.Document, harness.Host("evil.test")), ""},
		{"a script", portal, "/a", askingHTML, "https://accounts.example.com/sign-in"},
		{"to a path", path, "/a", harness.All(askingHTML, harness.Headers()), "/sign-in?look=plain&mode=short"},
		{"from that very path", path, "/sign-in", harness.Document, ""},
		{"a simulated instance", simulated, "/a", askingHTML, ""},
		{"nobody knows", nowhere, "/a", harness.Document, ""},
	} {
		page := harness.Serve(tc.app.Require(harness.Greet), harness.Request("GET", tc.target, tc.carry)).Body.String()
		_, rest, found := strings.Cut(page, `<a class="go" href="`)
		link, _, _ := strings.Cut(rest, `"`)
		if found != (tc.want != "") || link != html.EscapeString(tc.want) {
			t.Errorf("%s: the link is %q, want %q", tc.name, link, tc.want)
		}
	}
}

// Explanations for developers are shown with test keys only.
func TestRefusalPageExplainsInDevelopment(t *testing.T) {
	const explained = "For developers, with test keys only: "
	live, test := harness.NewApp(t), harness.NewAppOf(t, clerktest.New(t, clerktest.Options{Development: true, Now: func() time.Time { return harness.Noon }}))
	for name, want := range map[string]bool{"live": false, "test": true} {
		a := map[string]*harness.App{"live": live, "test": test}[name]
		page := harness.Serve(a.Require(harness.Greet), harness.Request("POST", "/", askingHTML, harness.WithBearer("mt_x"))).Body.String()
		link := `href="https://github.com/clerkauth/clerkauth/blob/main/docs/reasons.md#token-type-mismatch"`
		if strings.Contains(page, explained) != want || strings.Contains(page, link) != want {
			t.Errorf("%s keys: want an explanation: %t\n%s", name, want, page)
		}
	}
	w := httptest.NewRecorder()
	clerkauth.DefaultErrorHandler(w, harness.Request("GET", "/", askingHTML), &clerkauth.Error{Reason: "made-up"})
	if strings.Contains(w.Body.String(), explained) {
		t.Errorf("without a decision, so that the keys are unknown, the page explains: %s", w.Body)
	}
}
