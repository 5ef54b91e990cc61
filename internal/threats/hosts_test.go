package threats_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// At a host that is not listed nothing is requested from Clerk, and the answer names that reason.
func TestNothingIsRefreshedAtUnlistedHosts(t *testing.T) {
	const host = "10.0.0.7:8080"
	signedOut := harness.With("Cookie")
	for name, tc := range map[string]struct {
		method string
		edits  harness.Edit
		reason clerkauth.Reason
	}{
		"a script":              {"GET", harness.Headers(), clerkauth.ReasonRequestHostNotAuthorized},
		"HEAD of a script":      {"HEAD", harness.Headers(), clerkauth.ReasonRequestHostNotAuthorized},
		"a page":                {"GET", harness.With("Sec-Fetch-Dest", "document"), clerkauth.ReasonRequestHostNotAuthorized},
		"a form":                {"POST", harness.Headers("Origin: http://" + host), clerkauth.ReasonRequestHostNotAuthorized},
		"a form, signed out":    {"POST", harness.All(signedOut, harness.Headers("Origin: http://"+host)), clerkauth.ReasonRequestHostNotAuthorized},
		"an old browser's form": {"POST", harness.All(signedOut, harness.With("Sec-Fetch-Site"), harness.With("Sec-Fetch-Dest"), harness.Headers("Accept: text/html,*/*")), clerkauth.ReasonRequestHostNotAuthorized},
		"another site's form":   {"POST", harness.All(harness.With("Sec-Fetch-Site", "cross-site"), harness.Headers("Origin: https://evil.test")), clerkauth.ReasonRequestHostNotAuthorized},
		"a script, signed out":  {"GET", signedOut, clerkauth.ReasonSessionTokenAndUATMissing},
		"a program's write":     {"POST", harness.All(signedOut, harness.With("Sec-Fetch-Site"), harness.With("Sec-Fetch-Dest")), clerkauth.ReasonSessionTokenAndUATMissing},
		"a program's token":     {"POST", harness.WithBearer("x.y.z"), clerkauth.ReasonTokenInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			var told *clerkauth.Error
			a := harness.NewApp(t, func(c *clerkauth.Config) {
				c.ErrorHandler = func(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
					told = err
					clerkauth.DefaultErrorHandler(w, r, err)
				}
			})
			r := a.Script(a.Expired(clerktest.Claims{}), a.RefreshCookie())
			r.Method, r.Host = tc.method, host
			tc.edits(r)
			w := harness.Serve(a.Require(harness.Greet), r)
			if told == nil || told.Reason != tc.reason || w.Code != told.StatusCode() {
				t.Errorf("got %d %v, want %s", w.Code, told, tc.reason)
				return
			}
			if n := harness.Requests(a.Clerk, clerktest.BackendRefresh); n != 0 {
				t.Errorf("%d refreshes were requested, want none", n)
			}
			detail := errors.Unwrap(told)
			if tc.reason == clerkauth.ReasonRequestHostNotAuthorized && (detail == nil || !strings.Contains(detail.Error(), host) || !strings.Contains(detail.Error(), "AuthorizedParties")) {
				t.Errorf("the detail is %v, want the host and the field", detail)
			}
		})
	}
}

// Without a list, and with TLS that ends in front of the server, a write from a page of the same
// host is refreshed, with the page's origin. One from a sibling subdomain, another port or another
// scheme is not.
func TestWritesWithoutAListBehindTLS(t *testing.T) {
	for name, tc := range map[string]struct {
		edits   harness.Edit
		trusted bool   // X-Forwarded-Proto is trusted
		origin  string // in the refresh; empty: no refresh is requested
	}{
		"by Sec-Fetch-Site":       {harness.Headers("Sec-Fetch-Site: same-origin", "Origin: https://example.com"), false, harness.Origin},
		"an old browser":          {harness.Headers("Origin: https://example.com"), false, harness.Origin},
		"Referer too":             {harness.Headers("Sec-Fetch-Site: same-origin", "Origin: https://example.com", "Referer: https://example.com/form"), false, harness.Origin},
		"no Origin":               {harness.Headers("Sec-Fetch-Site: same-origin", "Referer: https://example.com/form"), false, harness.Origin},
		"no TLS":                  {harness.Headers("Origin: http://example.com"), false, "http://example.com"},
		"a sibling subdomain":     {harness.Headers("Sec-Fetch-Site: same-site", "Origin: https://blog.example.com"), false, ""},
		"a sibling, old browser":  {harness.Headers("Origin: https://blog.example.com"), false, ""},
		"the parent domain":       {harness.Headers("Origin: https://com"), false, ""},
		"a longer name":           {harness.Headers("Origin: https://example.com.evil.test"), false, ""},
		"another port":            {harness.Headers("Origin: https://example.com:8443"), false, ""},
		"Referer of a sibling":    {harness.Headers("Sec-Fetch-Site: same-origin", "Origin: https://example.com", "Referer: https://blog.example.com/"), false, ""},
		"two origins":             {harness.Headers("Sec-Fetch-Site: same-origin", "Origin: https://example.com", "Origin: https://example.com"), false, ""},
		"null":                    {harness.Headers("Origin: null"), false, ""},
		"the proxy says http":     {harness.Headers("Origin: https://example.com", "X-Forwarded-Proto: http"), true, ""},
		"the proxy says https":    {harness.Headers("Origin: https://example.com", "X-Forwarded-Proto: https"), true, harness.Origin},
		"cross-site, own Referer": {harness.Headers("Sec-Fetch-Site: cross-site", "Referer: https://example.com/"), false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := harness.NewApp(t, func(c *clerkauth.Config) {
				c.AuthorizedParties, c.InsecureAllowAnyParty, c.TrustForwardedHeaders = nil, true, tc.trusted
			})
			var calls string
			a.Clerk.Fault(clerktest.BackendRefresh, func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					body, err := io.ReadAll(r.Body)
					if err != nil {
						t.Error(err)
					}
					_, rest, _ := strings.Cut(string(body), `"request_origin":"`)
					calls, _, _ = strings.Cut(rest, `"`)
					w.WriteHeader(http.StatusNotFound)
				})
			})
			r := harness.Request(http.MethodPost, "/letter", harness.AsServer, harness.Host("example.com"), a.WithCookies(a.Expired(clerktest.Claims{})), harness.Headers("Cookie: "+a.RefreshCookie()), tc.edits)
			if harness.Serve(a.Require(harness.Greet), r); calls != tc.origin {
				t.Errorf("asked for %q, want %q", calls, tc.origin)
			}
		})
	}
}

// HEAD gets the response of its GET and refreshes nothing: where the GET is refreshed, HEAD gets a
// handshake.
func TestHeadGetsTheResponseOfItsGet(t *testing.T) {
	for name, tc := range map[string]struct {
		edits  func(a *harness.App) harness.Edit
		secret bool
	}{
		"no refresh cookie": {func(a *harness.App) harness.Edit { return a.WithCookies(a.Expired(clerktest.Claims{})) }, true},
		"no secret key": {func(a *harness.App) harness.Edit {
			return harness.All(a.WithCookies(a.Expired(clerktest.Claims{})), harness.Headers("Cookie: "+a.RefreshCookie()))
		}, false},
		"no azp": {func(a *harness.App) harness.Edit {
			return harness.All(a.WithCookies(a.WithoutAZP(clerktest.Claims{IssuedAt: a.Now.Add(-time.Hour)})), harness.Headers("Cookie: "+a.RefreshCookie()))
		}, true},
		"a bearer token": {func(a *harness.App) harness.Edit { return harness.WithBearer(a.Expired(clerktest.Claims{})) }, true},
		"signed out":     {func(*harness.App) harness.Edit { return harness.Headers() }, true},
	} {
		for dest, document := range map[string]bool{"document": true, "empty": false} {
			t.Run(name+", "+dest, func(t *testing.T) {
				a := harness.NewApp(t, harness.SignIn, func(c *clerkauth.Config) {
					if !tc.secret {
						c.SecretKey = ""
					}
				})
				var got [2]http.Header
				var status [2]int
				sent := tc.edits(a)
				for i, method := range []string{http.MethodHead, http.MethodGet} {
					w := harness.Serve(a.Require(harness.Greet), harness.Request(method, "/page", harness.Document, harness.With("Sec-Fetch-Dest", dest), sent))
					got[i], status[i] = w.Header(), w.Code
				}
				for _, header := range []string{"Location", "X-Clerk-Auth-Reason", "X-Clerk-Auth-Status"} {
					if got[0].Get(header) != got[1].Get(header) {
						t.Errorf("%s, %s: HEAD has %s %q, want %q as GET", name, dest, header, got[0].Get(header), got[1].Get(header))
					}
				}
				if status[0] != status[1] || document && got[0].Get("Location") == "" {
					t.Errorf("%s, %s: HEAD got %d %v, want %d as for GET, with a Location for a document", name, dest, status[0], got[0], status[1])
				}
			})
		}
	}
	a := harness.NewApp(t)
	r := a.Page(a.Expired(clerktest.Claims{}), a.RefreshCookie())
	r.Method = http.MethodHead
	if w := harness.Serve(a.Require(harness.Greet), r); w.Code != http.StatusTemporaryRedirect || harness.Requests(a.Clerk, clerktest.BackendRefresh) != 0 {
		t.Errorf("where GET is refreshed: HEAD got %d and %d refreshes, want 307 and none", w.Code, harness.Requests(a.Clerk, clerktest.BackendRefresh))
	}
}
