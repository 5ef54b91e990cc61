package threats_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

const signInPage = "/sign-in"

// atSignIn answers at the sign-in page and below it, in front of an application whose pages all
// require a session.
func atSignIn(answer http.HandlerFunc) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, signInPage) {
				answer(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

func signInsIn(sent []string) int {
	n := 0
	for _, l := range sent {
		if strings.Contains(l, signInPage) {
			n++
		}
	}
	return n
}

func withSignIn(c *clerkauth.Config) { c.SignInURL = signInPage }

// Whatever happens to the sign-in page's address and query, and whatever the page does, the
// redirects to it end.
func TestSignInSeriesEnd(t *testing.T) {
	for _, tt := range []struct {
		name    string
		front   http.HandlerFunc
		pending bool
		atMost  int
	}{
		{name: "another name, without the query", atMost: 3, front: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/en/login", http.StatusMovedPermanently)
		}},
		{name: "another name, and another query", atMost: 3, front: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/en/login?next="+r.URL.Query().Get("redirect_url"), http.StatusFound) //nolint:gosec // such servers are what is tested
		}},
		{name: "another name, and a query with the way back as a path", atMost: 3, front: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/login?next="+mustParse(t, r.URL.Query().Get("redirect_url")).RequestURI()+"&x=1", http.StatusFound) //nolint:gosec // such servers are what is tested
		}},
		{name: "another name, and the query of the sign-in page in a query", atMost: 3, front: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/login?next="+url.QueryEscape(url.QueryEscape(r.URL.RequestURI())), http.StatusFound)
		}},
		{name: "another name each time", atMost: 30, front: func() http.HandlerFunc {
			n := 0
			return func(w http.ResponseWriter, r *http.Request) {
				n++
				http.Redirect(w, r, fmt.Sprintf("/login?ts=%d", n), http.StatusFound)
			}
		}()},
		{name: "it sends back", atMost: 3, front: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Query().Get("redirect_url"), http.StatusSeeOther) //nolint:gosec // such pages are what is tested
		}},
		{name: "the tasks send back", pending: true, atMost: 3, front: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Query().Get("redirect_url"), http.StatusSeeOther) //nolint:gosec // such pages are what is tested
		}},
	} {
		for _, live := range []bool{true, false} {
			for _, start := range []string{"/me", "/en/login"} {
				t.Run(fmt.Sprintf("%s, live %t, %s", tt.name, live, start), func(t *testing.T) {
					now := harness.Noon
					w := development(&now)
					if live {
						w = production(&now)
					}
					w.config, w.front = withSignIn, atSignIn(tt.front)
					v := newTraveller(t, w)
					if tt.pending {
						v.clerk.SignIn(v.browser.Jar, clerktest.Person{Claims: clerktest.Claims{Subject: "user_2alice", Pending: true}})
					}
					got := v.visit(start, harness.With("Accept", "text/html"))
					if got.status != http.StatusUnauthorized || !strings.Contains(got.body, "several times within a short time") || signInsIn(v.sent) > tt.atMost {
						t.Errorf("got %d after %q, want 401 and %d sign-in redirects at most\n%s", got.status, v.sent, tt.atMost, got.body)
					}
					if link := `href="/sign-in`; !strings.Contains(got.body, link) {
						t.Errorf("the page does not link to the sign-in page:\n%s", got.body)
					}
				})
			}
		}
	}
}

// People who open many pages, or one page many times, still get to the sign-in page.
func TestSignedOutPeopleAreSentToSignIn(t *testing.T) {
	shown := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("sign in here")) }
	for _, live := range []bool{true, false} {
		now := harness.Noon
		w := development(&now)
		if live {
			w = production(&now)
		}
		w.config, w.front = withSignIn, atSignIn(shown)
		v := newTraveller(t, w)
		v.visit("/public/") // the browser is known
		want := func(what string, got page) {
			t.Helper()
			if got.body != "sign in here" {
				t.Errorf("live %t, %s: got %d %q after %q, want the sign-in page", live, what, got.status, got.body, v.sent)
			}
		}
		for i := range 25 { // as restored tabs do, and tests that open every page
			want(fmt.Sprintf("page %d of 25", i+1), v.visit(fmt.Sprintf("/page-%d", i)))
		}
		now = now.Add(4 * time.Second)
		for i := range 8 {
			want(fmt.Sprintf("the same page for the %d. time", i+1), v.visit("/me"))
			now = now.Add(4 * time.Second)
		}
		if got := v.visit("/me", harness.With("Accept", "text/html")); got.status != http.StatusUnauthorized || !strings.Contains(got.body, "several times within a short time") {
			t.Errorf("live %t: a slow series does not end: got %d %q, want 401", live, got.status, got.body)
		}
		now = now.Add(time.Minute)
		for i, b := range openTabs(v, "/restored", 10, false) {
			if b.status/100 != 3 {
				t.Errorf("live %t: restored tab %d got %d %q, want a redirect", live, i+1, b.status, b.body)
			}
		}
	}
}

// HEAD requests and prefetches are not counted, and HEAD gets the response of its GET.
func TestUncountedSignIns(t *testing.T) {
	now := harness.Noon
	w := production(&now)
	w.config = withSignIn
	v := newTraveller(t, w)
	for range 6 {
		head := v.once(http.MethodHead, "/me", harness.With("Accept", "text/html"))
		prefetch := v.once(http.MethodGet, "/me", harness.With("Sec-Purpose", "prefetch"))
		for _, got := range []page{head, prefetch} {
			if got.status != http.StatusFound || len(got.header["Set-Cookie"]) != 0 {
				t.Fatalf("got %d and cookies %q, want 302 and none", got.status, got.header["Set-Cookie"])
			}
		}
	}
	for i := range 4 {
		head, get := v.once(http.MethodHead, "/me", harness.With("Accept", "text/html")), v.once(http.MethodGet, "/me")
		if head.status != get.status || head.header.Get("Location") != get.header.Get("Location") || (get.status == http.StatusFound) != (i < 3) {
			t.Errorf("%d: HEAD got %d %q and GET %d %q, want the same, and 302 for the first three", i, head.status, head.header.Get("Location"), get.status, get.header.Get("Location"))
		}
	}
}

// A page with many frames, each of which is redirected to sign in, does not stop anybody from
// signing in.
func TestFramesSentToSignIn(t *testing.T) {
	now := harness.Noon
	w := production(&now)
	w.config = withSignIn
	v := newTraveller(t, w)
	html, frame := harness.With("Accept", "text/html"), harness.With("Sec-Fetch-Dest", "iframe")
	for i := range 12 {
		v.once(http.MethodGet, fmt.Sprintf("/widget-%d", i), html, frame)
	}
	for range 3 {
		v.once(http.MethodGet, "/me", html, frame)
	}
	if got := v.once(http.MethodGet, "/me", html, frame); got.status != http.StatusUnauthorized {
		t.Errorf("a series in a frame does not end: got %d to %q, want 401", got.status, got.header.Get("Location"))
	}
	if got := v.once(http.MethodGet, "/me", html); got.status != http.StatusFound {
		t.Errorf("the page that is opened beside got %d %q, want 302", got.status, got.body)
	}
}

// Where the page at SignInURL requires a session itself, under any address, the developer is told so.
func TestSignInPageBehindRequire(t *testing.T) {
	renamed := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/en/login?"+r.URL.RawQuery, http.StatusFound) //nolint:gosec // such servers are what is tested
	}
	for _, tt := range []struct {
		signIn string
		front  func(http.Handler) http.Handler
		why    string
	}{
		{signIn: signInPage, why: "this is the page of SignInURL, and it requires a session itself; let it do without"},
		{signIn: "/#" + signInPage, why: "this is the page of SignInURL, and it requires a session itself; let it do without"},
		{signIn: signInPage, front: atSignIn(renamed), why: "redirect_url says that the browser was sent to sign in, but this page requires a session itself; let it do without"},
	} {
		for _, live := range []bool{true, false} {
			var told error
			now := harness.Noon
			w := development(&now)
			if live {
				w = production(&now)
			}
			w.front = tt.front
			w.config = func(c *clerkauth.Config) {
				c.SignInURL = tt.signIn
				c.ErrorHandler = func(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
					told = errors.Unwrap(err)
					clerkauth.DefaultErrorHandler(w, r, err)
				}
			}
			v := newTraveller(t, w)
			got := v.visit("/me", harness.With("Accept", "text/html"))
			if got.status != http.StatusUnauthorized || signInsIn(v.sent) != 1 || told == nil || !strings.Contains(told.Error(), tt.why) {
				t.Errorf("%s, live %t: got %d and %v after %q, want 401 and %q", tt.signIn, live, got.status, told, v.sent, tt.why)
			}
			if shown := strings.Contains(got.body, tt.why) && strings.Contains(got.body, "Config.SignInURL"); shown == live {
				t.Errorf("%s, live %t: the page explains Config.SignInURL: %t, want %t\n%s", tt.signIn, live, shown, !live, got.body)
			}
		}
	}
}
