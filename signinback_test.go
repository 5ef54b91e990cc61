package clerkauth_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// wayBack returns where a person returns to after signing in; empty: there was no redirect.
func wayBack(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	location, err := url.Parse(w.Header().Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	return location.Query().Get("redirect_url")
}

// The URL for returning from the sign-in keeps the page's parameters, above all an invitation's
// ticket. It does not have the handshake's, with live keys either.
func TestSignInKeepsTheInvitation(t *testing.T) {
	const ticket = "__clerk_ticket=dvb_1&__clerk_status=sign_in"
	for name, development := range map[string]bool{"live": false, "test": true} {
		a := harness.NewAppOf(t, clerktest.New(t, clerktest.Options{Development: development, Now: func() time.Time { return harness.Noon }}), harness.SignIn, func(c *clerkauth.Config) {
			c.AuthorizedParties = []string{"https://example.com"}
		})
		for left, want := range map[string]string{
			"/accept?" + ticket:                          "https://example.com/accept?" + ticket,
			"/accept?__clerk_handshake=x&" + ticket:      "https://example.com/accept?" + ticket,
			"/accept?" + ticket + "&__clerk_synced=true": "https://example.com/accept?" + ticket,
			"/accept?a&__clerk_handshake_nonce=x&__clerk_db_jwt=y&__dev_session=z&__clerk_help=1&__clerkauth_sent=1": "https://example.com/accept?a",
		} {
			if development && strings.Contains(left, "__clerk_handshake") {
				continue // there a handshake comes first
			}
			r := harness.Request("GET", left, harness.Document, harness.With("Cookie", "__clerk_db_jwt=dvb_1"))
			if got := wayBack(t, harness.Serve(a.Require(harness.Greet), r)); got != want {
				t.Errorf("%s keys, %s: back to %q, want %q", name, left, got, want)
			}
		}
	}
}

// A satellite's visitor who has signed in on the primary domain returns to a page that starts a
// sync. Otherwise they would be redirected to sign in again and again.
func TestSatelliteSignInComesBackToSync(t *testing.T) {
	for _, development := range []bool{false, true} {
		a := newSatellite(t, development, byHand)
		for target, want := range map[string]string{
			"/page?a=%20b":                   satelliteHome + "?a=%20b&__clerk_synced=false",
			"/page":                          satelliteHome + "?__clerk_synced=false",
			"/page?a=b&__clerk_synced=true":  satelliteHome + "?a=b&__clerk_synced=false",
			"/page?__clerk_synced=true&c=%7": satelliteHome + "?c=%7&__clerk_synced=false",
		} {
			w := harness.Serve(a.Require(harness.Greet), navigating(target, harness.Host("satellite.test"), harness.AsServer, harness.Headers("Cookie: __clerk_db_jwt=dvb_1")))
			if got := wayBack(t, w); got != want || w.Code != http.StatusFound {
				t.Errorf("development %t, %s: %d, back to %q, want %q", development, target, w.Code, got, want)
			}
		}
		back := navigating(satelliteHome+"?__clerk_synced=false", harness.Headers("Cookie: __clerk_db_jwt=dvb_1"))
		if got := harness.Reason(t, a.AuthenticateRequest(back)); got != needsSync {
			t.Errorf("development %t: back there it is %q, want %q", development, got, needsSync)
		}
	}
	both := newSatellite(t, false, byHand, func(c *clerkauth.Config) { c.AuthorizedParties = append(c.AuthorizedParties, "https://primary.test") })
	if got := wayBack(t, harness.Serve(both.Require(harness.Greet), navigating("https://primary.test/page"))); got != "https://primary.test/page" {
		t.Errorf("a satellite's visitor at the primary domain: back to %q, want \"https://primary.test/page\"", got)
	}
	primary := harness.NewApp(t, harness.SignIn)
	if got := wayBack(t, harness.Serve(primary.Require(harness.Greet), harness.Request("GET", "/page", harness.Document))); got != "https://example.com/page" {
		t.Errorf("the primary domain: back to %q, want \"https://example.com/page\"", got)
	}
}

// On another origin a development browser has no cookie with its token, so the token is a
// parameter. With live keys it never is.
func TestSignInTakesTheDevelopmentBrowserAlong(t *testing.T) {
	const at = "http://localhost:3000"
	clerk := clerktest.New(t, clerktest.Options{Development: true, Origins: []string{at}, Now: func() time.Time { return harness.Noon }})
	_, suffix, _ := strings.Cut(clerk.Cookies("x")[1].Name, "__session_")
	for name, tc := range map[string]struct {
		live         bool
		page         string
		target, sent string
		want         string
	}{
		"another origin":         {false, "https://accounts.example/sign-in", "/p", "__clerk_db_jwt=dvb_1", "dvb_1"},
		"another port":           {false, "http://localhost:3001/sign-in", "/p", "__clerk_db_jwt=dvb_1", "dvb_1"},
		"by the name of its own": {false, "https://accounts.example/sign-in", "/p", "__clerk_db_jwt=dvb_other; __clerk_db_jwt_" + suffix + "=dvb_1", "dvb_1"},
		"the same origin":        {false, at + "/sign-in", "/p", "__clerk_db_jwt=dvb_1", ""},
		"a path":                 {false, "/sign-in", "/p", "__clerk_db_jwt=dvb_1", ""},
		"live keys":              {true, "https://accounts.example/sign-in", "/p?__clerk_db_jwt=dvb_1", "__clerk_db_jwt=dvb_1", ""},
	} {
		var a *harness.App
		r := harness.Request("GET", tc.target, harness.Document, harness.Headers("Cookie: "+tc.sent))
		change := func(c *clerkauth.Config) { c.SignInURL = tc.page }
		if tc.live {
			a = harness.NewApp(t, change)
		} else {
			a = harness.NewAppOf(t, clerk, change)
			r.Host = "localhost:3000"
		}
		w := harness.Serve(a.Require(harness.Greet), r)
		location, err := url.Parse(w.Header().Get("Location"))
		if err != nil || w.Code != http.StatusFound || location.Query().Get("__clerk_db_jwt") != tc.want || strings.Contains(wayBack(t, w), "dvb") {
			t.Errorf("%s: got %d to %s, want the token %q", name, w.Code, location, tc.want)
		}
	}
}

// A person whose session has a task to complete finds it below the sign-in page.
func TestPendingSessionGoesToItsTasks(t *testing.T) {
	for page, want := range map[string]string{
		"/sign-in":                                      "https://example.com/sign-in/tasks",
		"/sign-in/":                                     "https://example.com/sign-in/tasks",
		"/sign-in?a=b":                                  "https://example.com/sign-in/tasks",
		"https://accounts.example.com/sign-in":          "https://accounts.example.com/sign-in/tasks",
		"https://accounts.example.com":                  "https://accounts.example.com/tasks",
		"https://accounts.example.com/sign-in#/":        "https://accounts.example.com/sign-in#/tasks",
		"https://accounts.example.com/sign-in#/factors": "https://accounts.example.com/sign-in#/factors/tasks",
	} {
		a := harness.NewApp(t, func(c *clerkauth.Config) { c.SignInURL = page })
		pending := a.WithCookies(a.Clerk.Token(clerktest.Claims{Pending: true}))
		w := harness.Serve(a.Require(harness.Greet), harness.Request("GET", "/p", harness.Document, pending))
		location, err := url.Parse(w.Header().Get("Location"))
		if err != nil || w.Code != http.StatusFound || wayBack(t, w) != "https://example.com/p" {
			t.Errorf("%s: got %d to %q, want 302 with a way back to /p", page, w.Code, location)
			continue
		}
		location.RawQuery = ""
		if location.String() != want {
			t.Errorf("%s: to %s, want %s", page, location, want)
		}
	}
	a := harness.NewApp(t, func(c *clerkauth.Config) { c.SignInURL = "/sign-in" })
	pending := a.WithCookies(a.Clerk.Token(clerktest.Claims{Pending: true}))
	if w := harness.Serve(a.Require(harness.Greet), harness.Request("GET", "/sign-in/tasks/", harness.Document, pending)); w.Code != http.StatusUnauthorized {
		t.Errorf("at the tasks themselves: got %d to %q, want 401", w.Code, w.Header().Get("Location"))
	}
}

// Whatever redirects a proxy makes, there is no endless loop between it and the sign-in page.
func TestSignInLoopsEnd(t *testing.T) {
	front := map[string]func(path string) string{
		"adds a slash":       func(p string) string { return strings.TrimRight(p, "/") + "/" },
		"takes slashes away": func(p string) string { return "/" + strings.Trim(p, "/") },
		"doubles slashes":    func(p string) string { return "//" + strings.Trim(p, "/") + "//" },
		"small letters":      strings.ToLower,
		"capitals":           strings.ToUpper,
		"encodes":            func(p string) string { return strings.ReplaceAll(p, "-", "%2D") },
		"encodes slashes":    func(p string) string { return "/" + strings.ReplaceAll(strings.TrimPrefix(p, "/"), "/", "%2F") },
		"dots":               func(p string) string { return "/." + strings.TrimPrefix(p, "/.") },
		"a language":         func(p string) string { return "/en" + strings.TrimPrefix(p, "/en") },
		"an ending":          func(p string) string { return strings.TrimSuffix(p, ".html") + ".html" },
		"a file":             func(p string) string { return strings.TrimSuffix(p, "/index.html") + "/index.html" },
		"another name":       func(p string) string { return strings.ReplaceAll(p, "sign-in", "login") },
	}
	for name, rewrite := range front {
		for _, page := range []string{"/sign-in", "/Sign-In/", "https://example.com/sign-in", "https://example.com/en/sign-in"} {
			t.Run(name+", "+page, func(t *testing.T) {
				a := harness.NewApp(t, func(c *clerkauth.Config) { c.SignInURL = page })
				address, redirects := "/page?a=b", 0
				for ; redirects < 20; redirects++ {
					path, query, _ := strings.Cut(address, "?")
					if to := rewrite(path); to != path && strings.Contains(strings.ToLower(to), "gn") {
						address = to + "?" + query
						continue
					}
					r := harness.Request("GET", "/", harness.Document)
					r.RequestURI = address
					w := harness.Serve(a.Require(harness.Greet), r)
					to := w.Header().Get("Location")
					if to == "" {
						break
					}
					back, err := url.QueryUnescape(to)
					if err != nil || strings.Count(back, "redirect_url") > 1 {
						t.Errorf("redirected to %q with the way back %q, want redirect_url once in it at most", to, back)
					}
					address = strings.TrimPrefix(to, "https://example.com")
				}
				if redirects > 3 {
					t.Errorf("%d redirects, the last to %s, want 3 at most", redirects, address)
				}
			})
		}
	}
}

// A redirect_url that is not an absolute URL does not mean that the browser was redirected to sign in.
func TestSignInFromAPageWithItsOwnRedirect(t *testing.T) {
	a := harness.NewApp(t, func(c *clerkauth.Config) { c.SignInURL = "/sign-in" })
	for target, want := range map[string]string{
		"/choose?redirect_url=/next&a=b":                "https://example.com/choose?a=b",
		"/choose?redirect_url=next":                     "https://example.com/choose",
		"/choose?redirect_url=":                         "https://example.com/choose",
		"/choose?redirect_url=https%3A%2F%2Fother.test": "",
		"/choose?%72edirect_url=https://example.com/a":  "",
	} {
		if got := wayBack(t, harness.Serve(a.Require(harness.Greet), harness.Request("GET", target, harness.Document))); got != want {
			t.Errorf("%s: back to %q, want %q", target, got, want)
		}
	}
}
