package threats_test

import (
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// These are mistakes of others, each under the name of its advisory or issue.

// The context has one verified value, and every accessor reads it: no two can disagree about who is
// signed in.
func TestGHSA_q6w5_jg5q_47vg(t *testing.T) {
	a := harness.NewApp(t)
	alice := a.Clerk.Token(clerktest.Claims{Subject: "user_alice", SessionID: "sess_alice"})
	mallory := a.Clerk.Token(clerktest.Claims{Subject: "user_mallory", SessionID: "sess_mallory"})
	for name, tc := range map[string]struct {
		carry harness.Edit
		want  string
	}{
		"a bearer token decides alone":    {harness.All(a.WithCookies(mallory), harness.WithBearer(alice)), "user_alice"},
		"a bad bearer token decides too":  {harness.All(a.WithCookies(alice), harness.WithBearer("x")), ""},
		"another scheme does not decide":  {harness.All(a.WithCookies(alice), harness.With("Authorization", "Basic bWFsbG9yeQ==")), "user_alice"},
		"headers of other frameworks":     {harness.All(a.WithCookies(alice), harness.Headers("X-Clerk-Auth-Status: signed-in", "X-Clerk-Auth-Token: "+mallory, "X-Clerk-User-Id: user_mallory")), "user_alice"},
		"headers of other frameworks, so": {harness.Headers("X-Clerk-Auth-Status: signed-in", "X-Clerk-Auth-Token: "+mallory, "X-Middleware-Subrequest: 1"), ""},
	} {
		var user, state string
		var ok bool
		harness.Serve(a.Optional(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			var session *clerkauth.Session
			if session, ok = clerkauth.FromContext(r.Context()); ok {
				user = session.UserID
			}
			if s, _ := clerkauth.StateFromContext(r.Context()); s.Session != nil {
				state = s.Session.UserID
				if s.Session != session {
					t.Errorf("%s: the accessors return different sessions", name)
				}
			}
		})), harness.Request("GET", "/", tc.carry))
		if user != tc.want || state != tc.want || ok != (tc.want != "") {
			t.Errorf("%s: FromContext says %q (%t), StateFromContext %q; want %q", name, user, ok, state, tc.want)
		}
	}
}

// Encodings and double slashes bypassed path matchers. Here no path is exempt, and all of them are
// treated alike.
func TestGHSA_vqx2_fgx2_5wq9(t *testing.T) {
	a := harness.NewApp(t)
	mux := http.NewServeMux()
	mux.Handle("/public", harness.Greet)
	mux.Handle("/", a.Require(harness.Greet))
	for _, path := range []string{
		"/", "//", "/admin", "//admin", "/%61dmin", "/admin%2f", "/admin/..;/", "/./admin", "/public/../admin", "/public%2f..%2fadmin", "/_next/data/x.json",
		"/admin;.css", "/admin.js", "/favicon.ico", "/sign-in", "/trpc/a", "/api/webhooks", "/%", "/\\admin", "/public/", "/.well-known/x",
	} {
		r := harness.Request("GET", "/", harness.AsServer)
		r.RequestURI = path
		u, err := url.ParseRequestURI(path)
		if err != nil {
			u = &url.URL{Path: path}
		}
		r.URL = u
		for name, h := range map[string]http.Handler{"Require": a.Require(harness.Greet), "behind a mux": mux} {
			if w := harness.Serve(h, r); strings.Contains(w.Body.String(), "hello") || w.Code < 300 {
				t.Errorf("%s %s: got %d %q, want it refused", name, path, w.Code, w.Body)
			}
		}
	}
}

// A request header switched the whole check off. Nothing in a request does that here: no header
// that a framework uses internally signs anybody in, or accepts a refused token.
func TestCVE_2025_29927(t *testing.T) {
	a := harness.NewApp(t, func(c *clerkauth.Config) { c.TrustForwardedHeaders = true })
	good, forged := a.Clerk.Token(clerktest.Claims{}), a.Clerk.Forge(clerktest.Claims{})
	for _, line := range []string{
		"X-Middleware-Subrequest: middleware:middleware:middleware:middleware:middleware", "X-Middleware-Next: 1", "X-Clerk-Auth-Status: signed-in",
		"X-Clerk-Auth-Token: " + good, "X-Clerk-Auth-Reason: ", "X-Clerk-Testing-Token: 1", "X-Clerk-Clerk-Url: /", "Clerk-Db-Jwt: x", "X-Original-Url: /public",
		"X-Rewrite-Url: /public", "X-Http-Method-Override: GET", "X-Forwarded-Authorization: Bearer " + good, "Proxy-Authorization: Bearer " + good,
		"X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: localhost", "X-Real-Ip: 127.0.0.1", "X-User-Id: user_2clerktest", "Sec-Fetch-Dest: empty", "User-Agent: Googlebot",
	} {
		for name, carry := range map[string]harness.Edit{"nobody": harness.Headers(), "a forger": harness.WithBearer(forged), "a forger's cookies": a.WithCookies(forged)} {
			if w := harness.Serve(a.Require(harness.Greet), harness.Request("GET", "/?__session="+good, carry, harness.Headers(line))); w.Code != 401 {
				t.Errorf("%s with %.40s: got %d, want 401", name, line, w.Code)
			}
		}
		if w := harness.Serve(a.Require(harness.Greet), harness.Request("POST", "/", a.WithCookies(good), harness.Headers("Sec-Fetch-Site: cross-site", line))); w.Code != 403 {
			t.Errorf("a cross-origin write with %.40s: got %d, want 403", line, w.Code)
		}
	}
}

// A path was put unchanged into an upstream's URL, so that the secret key was sent to another host.
// Here the secret key is sent to the Backend API only, whatever is requested.
func TestGHSA_gjxx_92w9_8v8f(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	a := harness.NewAppOf(t, clerk, harness.SignIn, func(c *clerkauth.Config) { c.TrustForwardedHeaders = true })
	for _, path := range []string{"/", "//evil.test/", "/@evil.test", "/\\evil.test", "/v1/../../evil", "/?redirect_url=https://evil.test", "/%2f%2fevil.test"} {
		for _, carry := range []harness.Edit{
			harness.Headers(), a.SignedIn(), harness.WithBearer(clerk.Token(clerktest.Claims{Header: map[string]any{"kid": "../../evil", "typ": "JWT"}})),
			harness.WithBearer(clerk.Token(clerktest.Claims{Issuer: "https://evil.test"})), harness.Headers("X-Forwarded-Host: evil.test"), harness.Host("evil.test"),
		} {
			r := harness.Request("GET", "/", harness.AsServer, harness.Headers("Accept: text/html"), carry)
			r.RequestURI = path
			harness.Serve(a.Require(harness.Greet), r)
		}
	}
	requests := clerk.Requests()
	if len(requests) == 0 {
		t.Fatal("no request was sent to Clerk, so that nothing is tested")
	}
	for _, r := range requests {
		if r.SecretKey != (r.Host == "api.clerk.com") || r.Endpoint == "" || r.Path != "/v1/jwks" {
			t.Errorf("%s %s%s to endpoint %q, with the secret key %t; want it at the Backend API only", r.Method, r.Host, r.Path, r.Endpoint, r.SecretKey)
		}
	}
}

// A token without azp passed the allowlist, because there was nothing to compare.
func TestClerkJavaScript8877(t *testing.T) {
	a := harness.NewApp(t)
	token := a.Clerk.Token(clerktest.Claims{Extra: map[string]any{"azp": clerktest.Absent}})
	for source, carry := range map[string]harness.Edit{"bearer": harness.WithBearer(token), "cookie": a.WithCookies(token)} {
		if w := harness.Serve(a.Require(harness.Greet), harness.Request("POST", "/", carry)); w.Code != 401 {
			t.Errorf("%s: got %d, want 401", source, w.Code)
		}
	}
	if _, err := a.VerifyToken(t.Context(), token); err == nil {
		t.Error("VerifyToken accepts a token without azp")
	}
}

// Cookies were decoded before they were split, so that a value could contain more cookies.
func TestClerkJavaScript9466(t *testing.T) {
	a := harness.NewApp(t)
	evil := a.Clerk.Token(clerktest.Claims{Subject: "user_evil", SessionID: "sess_evil"})
	value := url.QueryEscape("x; __session=" + evil + "; __client_uat=1772625600")
	if state := a.AuthenticateRequest(harness.Request("POST", "/", harness.Headers("Cookie: theme="+value))); harness.Reason(t, state) != clerkauth.ReasonSessionTokenAndUATMissing {
		t.Errorf("Cookie: theme=%s: got %v, want %s", value, state, clerkauth.ReasonSessionTokenAndUATMissing)
	}
	honest := a.AuthenticateRequest(harness.Request("POST", "/", harness.Headers("Cookie: theme="+value+"; __client_uat_=%3B__session%3D"+evil), a.SignedIn()))
	if got := harness.Reason(t, honest); got != "" || honest.Session.UserID != "user_2clerktest" {
		t.Errorf("beside an honest cookie: got %q, want the honest user", got)
	}
}

// A malformed token was treated as no token, and the handler ran. Absent and malformed tokens have
// their own reasons, and Require accepts neither.
func TestClerkSDKGo573(t *testing.T) {
	a := harness.NewApp(t)
	seen := map[clerkauth.Reason]string{}
	for name, carry := range map[string]harness.Edit{
		"absent": harness.Headers(), "malformed": harness.WithBearer("a.b"), "forged": harness.WithBearer(a.Clerk.Forge(clerktest.Claims{})), "of a sibling": harness.WithBearer(a.Clerk.Token(clerktest.Claims{AuthorizedParty: "https://blog.example.com"})),
	} {
		w := harness.Serve(a.Require(harness.Greet), harness.Request("GET", "/", carry))
		reason := clerkauth.Reason(w.Header().Get("X-Clerk-Auth-Reason"))
		if w.Code != 401 || reason == "" {
			t.Errorf("%s: got %d %q, want 401 and a reason", name, w.Code, reason)
		}
		if other, ok := seen[reason]; ok {
			t.Errorf("%s and %s have the same reason, %s", name, other, reason)
		}
		seen[reason] = name
	}
}

// Visitors who only had to sign in got 403, and the handler did not learn why.
func TestClerkSDKGo402(t *testing.T) {
	a := harness.NewApp(t)
	w := harness.Serve(a.Require(harness.Greet), harness.Request("GET", "/"))
	if w.Code != 401 || w.Header().Get("WWW-Authenticate") == "" {
		t.Errorf("nobody signed in: %d with WWW-Authenticate %q, want 401 and a challenge", w.Code, w.Header().Get("WWW-Authenticate"))
	}
	var reason clerkauth.Reason
	harness.Serve(a.Optional(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if state, ok := clerkauth.StateFromContext(r.Context()); ok {
			reason = harness.ReasonOf(t, state.Err)
		}
	})), harness.Request("GET", "/", harness.WithBearer("garbage")))
	if reason != clerkauth.ReasonTokenInvalid {
		t.Errorf("the handler learns %q, want %q", reason, clerkauth.ReasonTokenInvalid)
	}
}

// Credentials of another kind in Authorization were taken for a token, so that nobody could sign in
// behind a password.
func TestClerkSDKGo282(t *testing.T) {
	a := harness.NewApp(t)
	good := a.Clerk.Token(clerktest.Claims{})
	for authorization, want := range map[string]clerkauth.Reason{
		"Basic YWxpY2U6c2VjcmV0":   clerkauth.ReasonSessionTokenAndUATMissing,
		"Basic " + good:            clerkauth.ReasonSessionTokenAndUATMissing,
		"Digest username=\"a\"":    clerkauth.ReasonSessionTokenAndUATMissing,
		"BearerX " + good:          clerkauth.ReasonSessionTokenAndUATMissing,
		"Negotiate Bearer " + good: clerkauth.ReasonSessionTokenAndUATMissing,
		"":                         clerkauth.ReasonSessionTokenAndUATMissing,
		"   ":                      clerkauth.ReasonSessionTokenAndUATMissing,
		"Bearer " + good:           "",
		"bearer " + good:           "",
		"BEARER " + good:           "",
		good:                       "",
		" " + good + " ":           "",
		"Bearer":                   clerkauth.ReasonTokenInvalid,
		"Bearer ":                  clerkauth.ReasonTokenInvalid,
		"Bearer\t" + good:          clerkauth.ReasonTokenInvalid,
	} {
		if got := harness.Reason(t, a.AuthenticateRequest(harness.Request("GET", "/", harness.Headers("Authorization: "+authorization)))); got != want {
			t.Errorf("Authorization %.24q: got %q, want %q", authorization, got, want)
		}
	}
	if w := harness.Serve(a.Require(harness.Greet), harness.Request("GET", "/", a.SignedIn(), harness.Headers("Authorization: Basic YWxpY2U6c2VjcmV0"))); w.Code != 200 {
		t.Errorf("a browser behind a password: got %d, want 200", w.Code)
	}
}

// Headers full of commas were split into as many strings.
func TestGHSA_mh55_gqvf_xfwm(t *testing.T) {
	a := harness.NewApp(t)
	h := a.Require(harness.Greet)
	allocated := func(n int) uint64 {
		commas, semicolons := strings.Repeat(",", n), strings.Repeat(";", n)
		r := harness.Request("POST", "/", harness.Headers("Accept: "+commas, "Upgrade: "+commas, "Origin: "+commas, "Sec-Fetch-Site: "+commas,
			"X-Forwarded-Host: "+commas, "Cookie: "+semicolons, "Authorization: Basic "+commas), a.SignedIn())
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		harness.Serve(h, r)
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	const n = 100_000
	if few, many := allocated(1), allocated(n); many > few+n/2 {
		t.Errorf("%d bytes are allocated for %d commas, %d for one; want no more", many, n, few)
	}
}

// A rule about cross-origin writes had exemptions by pattern, which matched too much. Here no path
// is exempt.
func TestCVE_2025_47910(t *testing.T) {
	a := harness.NewApp(t)
	for _, path := range []string{"/", "//", "/webhook", "/webhook/", "/webhook/../x", "/a//b", "/%2e%2e/", "/OPTIONS", "/.well-known/x"} {
		r := harness.Request("POST", "/", a.SignedIn(), harness.Headers("Sec-Fetch-Site: cross-site", "Origin: https://evil.test"))
		r.URL.Path, r.URL.RawPath, r.RequestURI = path, "", path
		if got := harness.Reason(t, a.AuthenticateRequest(r)); got != clerkauth.ReasonCrossOriginRequest {
			t.Errorf("POST %s: got %q, want %q", path, got, clerkauth.ReasonCrossOriginRequest)
		}
	}
}
