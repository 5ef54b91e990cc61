package clerkauth_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

func TestOptionalAndRequire(t *testing.T) {
	a := newApp(t)
	good := a.clerk.Token(clerktest.Claims{})
	for name, tc := range map[string]struct {
		carry edit
		want  clerkauth.Reason // empty: signed in
		code  int              // of Require
	}{
		"bearer":         {withBearer(good), "", 200},
		"cookie":         {a.withCookies(good), "", 200},
		"nothing":        {headers(), clerkauth.ReasonSessionTokenAndUATMissing, 401},
		"forged":         {withBearer(a.clerk.Forge(clerktest.Claims{})), clerkauth.ReasonTokenSignature, 401},
		"garbage":        {withBearer("garbage"), clerkauth.ReasonTokenInvalid, 401},
		"expired":        {withBearer(a.clerk.Token(clerktest.Claims{ExpiresAt: noon.Add(-time.Hour)})), clerkauth.ReasonTokenExpired, 401},
		"sibling":        {a.withCookies(a.clerk.Token(clerktest.Claims{AuthorizedParty: "https://blog.example.com"})), clerkauth.ReasonTokenInvalidParties, 401},
		"pending":        {withBearer(a.clerk.Token(clerktest.Claims{Pending: true})), clerkauth.ReasonSessionPending, 401},
		"two headers":    {with("Authorization", "Bearer "+good, "Bearer "+good), clerkauth.ReasonMultipleAuthorization, 400},
		"no key with it": {withBearer(a.clerk.Token(clerktest.Claims{Header: map[string]any{"kid": "ins_other"}})), clerkauth.ReasonKeyUnknown, 401},
	} {
		t.Run(name, func(t *testing.T) {
			wantBody := welcome
			if tc.want != "" {
				wantBody = stranger
			}
			var state *clerkauth.RequestState
			w := serve(a.Optional(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				state, _ = clerkauth.StateFromContext(r.Context())
				greet(w, r)
			})), asking("POST", "/", tc.carry))
			if w.Code != 200 || w.Body.String() != wantBody {
				t.Errorf("Optional: %d %q, want 200 %q", w.Code, w.Body, wantBody)
			}
			if state == nil {
				t.Fatal("StateFromContext finds nothing behind Optional")
			}
			if got := reasonOf(t, state); got != tc.want {
				t.Errorf("state behind Optional: %q, want %q", got, tc.want)
			}
			ran := false
			w = serve(a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ran = true
				greet(w, r)
			})), asking("POST", "/", tc.carry))
			if ran != (tc.want == "") || w.Code != tc.code {
				t.Errorf("Require: %d, handler ran %t; want %d", w.Code, ran, tc.code)
			}
			if ran && w.Body.String() != welcome {
				t.Errorf("Require: %q, want %q", w.Body, welcome)
			}
		})
	}
}

func TestKeysOutOfReach(t *testing.T) {
	a := newApp(t)
	a.clerk.Fault(clerktest.BackendJWKS, clerktest.Down)
	carry := withBearer(a.clerk.Token(clerktest.Claims{}))
	if w := serve(a.Optional(greet), asking("GET", "/", carry)); w.Code != 200 || w.Body.String() != stranger {
		t.Errorf("Optional: %d %q, want the handler to run signed out", w.Code, w.Body)
	}
	if w := serve(a.Require(greet), asking("GET", "/", carry)); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("Require: %d with Retry-After %q, want 503 and one", w.Code, w.Header().Get("Retry-After"))
	}
	if w := serve(a.Require(greet), asking("GET", "/")); w.Code != 401 {
		t.Errorf("Require without a token: %d, want 401: no key is needed for that", w.Code)
	}
}

// However deep middleware is nested, a request is decided once, and its handler sees that decision.
func TestNestedMiddlewareDecidesOnce(t *testing.T) {
	a := newApp(t)
	var asked int
	b := newAppOf(t, a.clerk, func(c *clerkauth.Config) {
		c.AuthorizedParties = nil
		c.AllowParty = func(context.Context, string, string) bool { asked++; return true }
		c.TokenCacheSize = -1
	})
	h := b.Optional(b.Optional(withHeaderCopy(b.Require(b.Require(greet)))))
	if w := serve(h, asking("GET", "/", withBearer(b.clerk.Token(clerktest.Claims{})))); w.Body.String() != welcome {
		t.Fatalf("%d %q, want %q", w.Code, w.Body, welcome)
	}
	if got := len(b.events()); got != 1 || asked != 1 {
		t.Errorf("%d decisions were observed and AllowParty was asked %d times, want once each", got, asked)
	}
	h = b.Optional(b.Require(greet))
	if w := serve(h, asking("GET", "/")); w.Code != 401 {
		t.Errorf("nobody: %d, want 401", w.Code)
	}
	if got := len(b.events()); got != 1 {
		t.Errorf("nobody: %d decisions, want 1", got)
	}
	if got := len(a.clerk.Requests()); got != 1 {
		t.Errorf("the keys were fetched %d times, want once", got)
	}
}

// What a decision adds to the response is added once.
func TestNestedMiddlewareAnswersOnce(t *testing.T) {
	a := newApp(t)
	for name, h := range map[string]http.Handler{"once": a.Require(greet), "nested": a.Optional(a.Optional(a.Require(greet)))} {
		w := serve(h, asking("GET", "https://example.com/", a.signedIn()))
		if got := w.Header()["Set-Cookie"]; w.Code != 200 || len(got) != 1 {
			t.Errorf("%s: %d with Set-Cookie %q, want 200 and one cookie", name, w.Code, got)
		}
	}
}

// withHeaderCopy is middleware as others write it: it puts something into the context.
func withHeaderCopy(next http.Handler) http.Handler {
	type key struct{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), key{}, 1)))
	})
}

// A decision is believed from this Authenticator and for this request. Everybody else's is made again.
func TestRequireBelievesOnlyItsOwnDecision(t *testing.T) {
	a, other := newApp(t), newApp(t)
	token := a.clerk.Token(clerktest.Claims{})
	stolen := func(t *testing.T, carry edit) context.Context {
		t.Helper()
		var ctx context.Context
		serve(a.Optional(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { ctx = r.Context() })), asking("GET", "/", carry))
		if session, ok := clerkauth.FromContext(ctx); !ok || session.UserID == "" {
			t.Fatal("the context has no session to begin with")
		}
		return ctx
	}
	for name, r := range map[string]*http.Request{
		"nothing sent":            asking("GET", "/").WithContext(stolen(t, withBearer(token))),
		"a forged token sent":     asking("GET", "/", withBearer(a.clerk.Forge(clerktest.Claims{}))).WithContext(stolen(t, withBearer(token))),
		"by cookie, nothing sent": asking("GET", "/").WithContext(stolen(t, a.withCookies(token))),
		"no header at all": func() *http.Request {
			r := asking("GET", "/").WithContext(stolen(t, withBearer(token)))
			r.Header = nil
			return r
		}(),
	} {
		if w := serve(a.Require(greet), r); w.Code != 401 {
			t.Errorf("another request's decision, %s: %d, want 401", name, w.Code)
		}
	}
	if w := serve(other.Require(greet), asking("GET", "/", withBearer(token))); w.Code != 401 {
		t.Fatalf("the other instance accepts the token: %d", w.Code)
	}
	if w := serve(a.Optional(other.Require(greet)), asking("GET", "/", withBearer(token))); w.Code != 401 {
		t.Errorf("another Authenticator's decision: %d, want 401", w.Code)
	}
	if w := serve(other.Optional(a.Require(greet)), asking("GET", "/", withBearer(token))); w.Code != 200 || w.Body.String() != welcome {
		t.Errorf("another Authenticator's refusal: %d %q, want 200: it is not ours", w.Code, w.Body)
	}
	// The handler sees what the innermost guard decided.
	if w := serve(a.Optional(other.Optional(greet)), asking("GET", "/", withBearer(token))); w.Body.String() != stranger {
		t.Errorf("inside the other instance's Optional: %q, want %q", w.Body, stranger)
	}
}

// What is between the guards can change a request; what was decided before that is then about another request.
func TestRequireDecidesAgainWhenTheRequestChanges(t *testing.T) {
	a := newApp(t, func(c *clerkauth.Config) {
		c.AllowParty = func(_ context.Context, origin, host string) bool {
			return origin == "https://customer.test" && host == "customer.test"
		}
	})
	forged := a.clerk.Forge(clerktest.Claims{})
	good, customers := a.clerk.Token(clerktest.Claims{}), a.clerk.Token(clerktest.Claims{AuthorizedParty: "https://customer.test"})
	between := func(change edit, next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			change(r)
			next.ServeHTTP(w, r)
		})
	}
	for name, tc := range map[string]struct {
		before, change edit
		code           int
	}{
		"the token is taken away":  {withBearer(good), with("Authorization"), 401},
		"the token is replaced":    {withBearer(good), withBearer(forged), 401},
		"the token is overwritten": {withBearer(good), func(r *http.Request) { r.Header["Authorization"][0] = "Bearer " + forged }, 401},
		"another header is added":  {withBearer(good), with("Authorization", "Bearer "+good, "Bearer "+good), 400},
		"a token is added":         {headers(), withBearer(good), 200},
		"the cookies are taken":    {a.withCookies(good), with("Cookie"), 401},
		"the cookies are replaced": {a.withCookies(good), with("Cookie", "__session="+forged+"; __client_uat=1"), 401},
		"the header is replaced":   {withBearer(good), func(r *http.Request) { r.Header = http.Header{} }, 401},
		"it is for another host":   {all(host("customer.test"), withBearer(customers)), host("example.com"), 401},
		"it becomes a write":       {all(a.withCookies(good), headers("Sec-Fetch-Site: same-site")), func(r *http.Request) { r.Method = "POST" }, 403},
		"another write is made of it": {all(a.withCookies(good), headers("Sec-Fetch-Site: same-origin"), func(r *http.Request) { r.Method = "POST" }), func(r *http.Request) {
			r.Header = r.Header.Clone()
			r.Header.Set("Sec-Fetch-Site", "cross-site")
		}, 403},
		"something else is changed": {withBearer(good), with("X-Request-Id", "1"), 200},
	} {
		w := serve(a.Optional(between(tc.change, a.Require(greet))), asking("GET", "/", tc.before))
		if w.Code != tc.code {
			t.Errorf("%s: %d, want %d", name, w.Code, tc.code)
		}
	}
}

// all is one edit after the other.
func all(edits ...edit) edit {
	return func(r *http.Request) {
		for _, e := range edits {
			e(r)
		}
	}
}

// What a handler does to its session is nobody else's business, even where the token is the same and was verified
// once for both.
func TestEachRequestHasItsOwnSession(t *testing.T) {
	a := newApp(t)
	token := a.clerk.Token(clerktest.Claims{
		Organization: clerkauth.Organization{ID: "org_1", Slug: "acme", Role: "org:member"}, Permissions: []string{"org:invoices:read"},
	})
	ask := func() *clerkauth.Session { return a.AuthenticateRequest(asking("GET", "/", withBearer(token))).Session }
	mine := ask()
	want := *mine
	mine.UserID, mine.Organization.Role, mine.Actor.Subject = "user_root", "org:admin", "user_support"
	mine.Permissions()[0] = "org:everything:write"
	mine.FactorAge[0] = time.Hour
	yours := ask()
	if *yours != want {
		t.Errorf("the next request's session is %+v, want %+v", *yours, want)
	}
	for whose, s := range map[string]*clerkauth.Session{"the same session's": mine, "the next request's": yours} {
		if got := s.Permissions(); len(got) != 1 || got[0] != "org:invoices:read" {
			t.Errorf("%s permissions are %q, want them unchanged", whose, got)
		}
	}
	bare, err := a.VerifyToken(t.Context(), token)
	if err != nil || *bare != want {
		t.Errorf("VerifyToken: %+v, %v; want %+v", bare, err, want)
	}
}

// Handlers run at the same time; this is for the race detector.
func TestConcurrentRequests(t *testing.T) {
	a := newApp(t)
	h := a.Optional(a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, _ := clerkauth.FromContext(r.Context())
		greet(w, r)
		session.UserID = "user_changed"
	})))
	token := a.clerk.Token(clerktest.Claims{})
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for _, carry := range []edit{withBearer(token), a.withCookies(token)} {
				if w := serve(h, asking("GET", "/", carry)); w.Body.String() != welcome {
					t.Errorf("%d %q, want %q", w.Code, w.Body, welcome)
				}
			}
		})
	}
	wg.Wait()
}
