package harness

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// Noon is when tests start.
var Noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// AtNoon is a clock that stands still.
func AtNoon() time.Time { return Noon }

// At is the value of a time claim, seconds from noon.
func At(seconds int) int64 { return Noon.Unix() + int64(seconds) }

// App is an application: an instance of Clerk, and an Authenticator whose decisions are recorded.
type App struct {
	*clerkauth.Authenticator

	Clerk *clerktest.Instance

	// Now is the clock of NewApp, which the instance and its Authenticators share. Tests set it between requests. NewAppOf
	// does not read it.
	Now time.Time

	tb      testing.TB
	cookies int // how many refresh cookies NewRefreshCookie made

	mu       sync.Mutex // guards observed
	observed []clerkauth.Event
}

// NewApp returns an application at https://example.com with live keys, at noon, with changes to its configuration.
func NewApp(tb testing.TB, changes ...func(*clerkauth.Config)) *App {
	tb.Helper()
	a := &App{tb: tb, Now: Noon}
	a.Clerk = clerktest.New(tb, clerktest.Options{Now: func() time.Time { return a.Now }})
	return a.observe(changes)
}

// NewAppOf returns an application of an instance that the test made, by the instance's clock.
func NewAppOf(tb testing.TB, clerk *clerktest.Instance, changes ...func(*clerkauth.Config)) *App {
	tb.Helper()
	a := &App{tb: tb, Now: Noon, Clerk: clerk}
	return a.observe(changes)
}

func (a *App) observe(changes []func(*clerkauth.Config)) *App {
	a.tb.Helper()
	observe := func(c *clerkauth.Config) {
		c.Observe = func(_ context.Context, e clerkauth.Event) {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.observed = append(a.observed, e)
		}
	}
	a.Authenticator = a.Replica(slices.Insert(slices.Clone(changes), 0, observe)...)
	return a
}

// Replica returns another Authenticator of the instance, without keys or tokens in its caches, and not observed. The
// changes of the App do not apply to it.
func (a *App) Replica(changes ...func(*clerkauth.Config)) *clerkauth.Authenticator {
	a.tb.Helper()
	return New(a.tb, a.Clerk, changes...)
}

// New returns an Authenticator of an instance, with changes to its configuration.
func New(tb testing.TB, clerk *clerktest.Instance, changes ...func(*clerkauth.Config)) *clerkauth.Authenticator {
	tb.Helper()
	cfg := clerk.Config()
	for _, change := range changes {
		change(&cfg)
	}
	auth, err := clerkauth.New(cfg)
	if err != nil {
		tb.Fatalf("New: %v", err)
	}
	return auth
}

// Offline returns an instance and an Authenticator that has its key without fetching it.
func Offline(tb testing.TB, options clerktest.Options, changes ...func(*clerkauth.Config)) (*clerktest.Instance, *clerkauth.Authenticator) {
	tb.Helper()
	clerk := clerktest.New(tb, options)
	offline := func(c *clerkauth.Config) { c.JWTKey = clerk.JWTKey() }
	return clerk, New(tb, clerk, slices.Insert(slices.Clone(changes), 0, offline)...)
}

// Events returns what was decided since the last call.
func (a *App) Events() []clerkauth.Event {
	a.mu.Lock()
	defer a.mu.Unlock()
	events := a.observed
	a.observed = nil
	return events
}

// Expired returns a session token that expired an hour ago.
func (a *App) Expired(c clerktest.Claims) string {
	c.IssuedAt = a.Now.Add(-time.Hour)
	return a.Clerk.Token(c)
}

// WithoutAZP returns a session token without azp.
func (a *App) WithoutAZP(c clerktest.Claims) string {
	c.Extra = map[string]any{"azp": clerktest.Absent}
	return a.Clerk.Token(c)
}

// Suffix returns the suffix of the names of an instance's cookies, without the underscore.
func Suffix(clerk *clerktest.Instance) string {
	_, suffix, _ := strings.Cut(clerk.Cookies("x")[1].Name, "__session_")
	return suffix
}

// RefreshCookie returns the refresh cookie of the browser, as a pair.
func (a *App) RefreshCookie() string { return "__refresh_" + Suffix(a.Clerk) + "=rt_1" }

// NewRefreshCookie returns another one at each call: the result of a refresh is shared for a while among requests with the
// same cookie.
func (a *App) NewRefreshCookie() string {
	a.cookies++
	return a.RefreshCookie() + strconv.Itoa(a.cookies)
}

// PartyCookie signs in on a page with an honest token and returns the party cookie that is set for it, as a pair.
func (a *App) PartyCookie(c clerktest.Claims) string {
	a.tb.Helper()
	set := SetPartyCookie(a.AuthenticateRequest(a.Page(a.Clerk.Token(c))))
	if set == nil {
		a.tb.Fatal("an honest sign-in sets no party cookie")
	}
	return set.Name + "=" + set.Value
}

// Page returns a browser's page load with the cookies of a session token, and with more cookies, each a pair.
func (a *App) Page(token string, cookies ...string) *http.Request {
	r := Request(http.MethodGet, Origin+"/page?x=1", With("Sec-Fetch-Dest", "document"), With("Sec-Fetch-Site", "none"), a.WithCookies(token))
	for _, c := range cookies {
		r.Header.Add("Cookie", c)
	}
	return r
}

// Script returns a same-origin fetch with the cookies of a session token, and with more cookies, each a pair.
func (a *App) Script(token string, cookies ...string) *http.Request {
	r := a.Page(token, cookies...)
	r.Header.Set("Sec-Fetch-Dest", "empty")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

// Returning returns the page load of a browser that returns from a handshake with only these cookies, each a pair.
func (a *App) Returning(cookies ...string) *http.Request {
	r := a.Page("")
	r.Header.Del("Cookie")
	for _, c := range cookies {
		r.Header.Add("Cookie", c)
	}
	return r
}

// WithCookies adds the cookies of a browser that is signed in by token.
func (a *App) WithCookies(token string) Edit {
	return func(r *http.Request) {
		for _, c := range a.Clerk.Cookies(token) {
			r.AddCookie(c)
		}
	}
}

// SignedIn adds the cookies of an honest user's browser.
func (a *App) SignedIn() Edit { return a.WithCookies(a.Clerk.Token(clerktest.Claims{})) }
