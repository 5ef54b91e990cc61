package clerkauth_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

func TestOptionalAndRequire(t *testing.T) {
	a := harness.NewApp(t)
	good := a.Clerk.Token(clerktest.Claims{})
	for name, tc := range map[string]struct {
		carry harness.Edit
		want  clerkauth.Reason // empty: signed in
		code  int              // of Require
	}{
		"bearer":            {harness.WithBearer(good), "", 200},
		"cookie":            {a.WithCookies(good), "", 200},
		"nothing":           {harness.Headers(), clerkauth.ReasonSessionTokenAndUATMissing, 401},
		"forged":            {harness.WithBearer(a.Clerk.Forge(clerktest.Claims{})), clerkauth.ReasonTokenSignature, 401},
		"garbage":           {harness.WithBearer("garbage"), clerkauth.ReasonTokenInvalid, 401},
		"expired":           {harness.WithBearer(a.Clerk.Token(clerktest.Claims{ExpiresAt: harness.Noon.Add(-time.Hour)})), clerkauth.ReasonTokenExpired, 401},
		"sibling subdomain": {a.WithCookies(a.Clerk.Token(clerktest.Claims{AuthorizedParty: "https://blog.example.com"})), clerkauth.ReasonTokenInvalidParties, 401},
		"pending":           {harness.WithBearer(a.Clerk.Token(clerktest.Claims{Pending: true})), clerkauth.ReasonSessionPending, 401},
		"two headers":       {harness.With("Authorization", "Bearer "+good, "Bearer "+good), clerkauth.ReasonMultipleAuthorization, 400},
		"no key with it":    {harness.WithBearer(a.Clerk.Token(clerktest.Claims{Header: map[string]any{"kid": "ins_other"}})), clerkauth.ReasonKeyUnknown, 401},
	} {
		t.Run(name, func(t *testing.T) {
			wantBody := harness.Welcome
			if tc.want != "" {
				wantBody = harness.Stranger
			}
			var state *clerkauth.RequestState
			w := harness.Serve(a.Optional(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				state, _ = clerkauth.StateFromContext(r.Context())
				harness.Greet(w, r)
			})), harness.Request("POST", "/", tc.carry))
			if w.Code != 200 || w.Body.String() != wantBody {
				t.Errorf("Optional: got %d %q, want 200 %q", w.Code, w.Body, wantBody)
			}
			if state == nil {
				t.Fatal("StateFromContext returns nil behind Optional")
			}
			if got := harness.Reason(t, state); got != tc.want {
				t.Errorf("StateFromContext behind Optional: got %q, want %q", got, tc.want)
			}
			ran := false
			w = harness.Serve(a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ran = true
				harness.Greet(w, r)
			})), harness.Request("POST", "/", tc.carry))
			if ran != (tc.want == "") || w.Code != tc.code {
				t.Errorf("Require: %d, handler ran %t; want %d", w.Code, ran, tc.code)
			}
			if ran && w.Body.String() != harness.Welcome {
				t.Errorf("Require: got %q, want %q", w.Body, harness.Welcome)
			}
		})
	}
}

func TestKeysOutOfReach(t *testing.T) {
	a := harness.NewApp(t)
	a.Clerk.Fault(clerktest.BackendJWKS, clerktest.Down)
	carry := harness.WithBearer(a.Clerk.Token(clerktest.Claims{}))
	if w := harness.Serve(a.Optional(harness.Greet), harness.Request("GET", "/", carry)); w.Code != 200 || w.Body.String() != harness.Stranger {
		t.Errorf("Optional: got %d %q, want the handler to run signed out", w.Code, w.Body)
	}
	if w := harness.Serve(a.Require(harness.Greet), harness.Request("GET", "/", carry)); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("Require: %d with Retry-After %q, want 503 and one", w.Code, w.Header().Get("Retry-After"))
	}
	if w := harness.Serve(a.Require(harness.Greet), harness.Request("GET", "/")); w.Code != 401 {
		t.Errorf("Require without a token: got %d, want 401: no key is needed for that", w.Code)
	}
}

// However deep middleware is nested, a request is decided once, and its handler gets that decision.
func TestNestedMiddlewareDecidesOnce(t *testing.T) {
	a := harness.NewApp(t)
	var calls int
	b := harness.NewAppOf(t, a.Clerk, func(c *clerkauth.Config) {
		c.AuthorizedParties = nil
		c.AllowParty = func(context.Context, string, string) bool { calls++; return true }
		c.TokenCacheSize = -1
	})
	h := b.Optional(b.Optional(withHeaderCopy(b.Require(b.Require(harness.Greet)))))
	if w := harness.Serve(h, harness.Request("GET", "/", harness.WithBearer(b.Clerk.Token(clerktest.Claims{})))); w.Body.String() != harness.Welcome {
		t.Fatalf("got %d %q, want %q", w.Code, w.Body, harness.Welcome)
	}
	if got := len(b.Events()); got != 1 || calls != 1 {
		t.Errorf("got %d decisions and %d calls of AllowParty, want one each", got, calls)
	}
	h = b.Optional(b.Require(harness.Greet))
	if w := harness.Serve(h, harness.Request("GET", "/")); w.Code != 401 {
		t.Errorf("nobody: got %d, want 401", w.Code)
	}
	if got := len(b.Events()); got != 1 {
		t.Errorf("signed out: got %d decisions, want 1", got)
	}
	if got := len(a.Clerk.Requests()); got != 1 {
		t.Errorf("got %d fetches of the keys, want 1", got)
	}
}

// Middleware of another instance in between changes nothing: a nonce is exchanged once, and each handler gets the decision of
// the middleware closest to it.
func TestNestedMiddlewareOfTwoInstances(t *testing.T) {
	a := harness.NewApp(t)
	staff := harness.NewAppOf(t, clerktest.New(t, clerktest.Options{Now: harness.AtNoon}), harness.Parties("https://staff.example.com"))
	a.AnswerNonces("__session="+a.Clerk.Token(clerktest.Claims{})+"; Path=/", "__client_uat=1; Path=/")
	between := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s, ok := clerkauth.FromContext(r.Context()); ok {
			t.Errorf("between: got the session %v, want that nobody of the staff is signed in", s)
		}
		a.Require(harness.Greet).ServeHTTP(w, r)
	})
	h := a.Optional(staff.Optional(a.Optional(staff.Optional(between))))
	if w := harness.Serve(h, a.Returning("__clerk_handshake_nonce=nonce_0123456789")); w.Body.String() != harness.Welcome {
		t.Errorf("got %d %q, want %q", w.Code, w.Body, harness.Welcome)
	}
	if own, others := len(a.Events()), len(staff.Events()); own != 1 || others != 1 {
		t.Errorf("got %d decisions and %d of the staff's, want one each", own, others)
	}
}

// What a decision adds to the response is added once.
func TestNestedMiddlewareAnswersOnce(t *testing.T) {
	a := harness.NewApp(t)
	for name, h := range map[string]http.Handler{"once": a.Require(harness.Greet), "nested": a.Optional(a.Optional(a.Require(harness.Greet)))} {
		w := harness.Serve(h, harness.Request("GET", "https://example.com/", a.SignedIn()))
		if got := w.Header()["Set-Cookie"]; w.Code != 200 || len(got) != 1 {
			t.Errorf("%s: got %d with Set-Cookie %q, want 200 and one cookie", name, w.Code, got)
		}
	}
}

// withHeaderCopy is typical middleware of others: it puts something into the context.
func withHeaderCopy(next http.Handler) http.Handler {
	type key struct{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), key{}, 1)))
	})
}

// A decision is used only if it is from this Authenticator and for this request. Otherwise it is
// made again.
func TestRequireBelievesOnlyItsOwnDecision(t *testing.T) {
	a, other := harness.NewApp(t), harness.NewApp(t)
	token := a.Clerk.Token(clerktest.Claims{})
	stolen := func(t *testing.T, carry harness.Edit) context.Context {
		t.Helper()
		var ctx context.Context
		harness.Serve(a.Optional(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { ctx = r.Context() })), harness.Request("GET", "/", carry))
		if session, ok := clerkauth.FromContext(ctx); !ok || session.UserID == "" {
			t.Fatal("the first decision found no session")
		}
		return ctx
	}
	for name, r := range map[string]*http.Request{
		"nothing sent":            harness.Request("GET", "/").WithContext(stolen(t, harness.WithBearer(token))),
		"a forged token sent":     harness.Request("GET", "/", harness.WithBearer(a.Clerk.Forge(clerktest.Claims{}))).WithContext(stolen(t, harness.WithBearer(token))),
		"by cookie, nothing sent": harness.Request("GET", "/").WithContext(stolen(t, a.WithCookies(token))),
		"no header at all": func() *http.Request {
			r := harness.Request("GET", "/").WithContext(stolen(t, harness.WithBearer(token)))
			r.Header = nil
			return r
		}(),
	} {
		if w := harness.Serve(a.Require(harness.Greet), r); w.Code != 401 {
			t.Errorf("another request's decision, %s: got %d, want 401", name, w.Code)
		}
	}
	if w := harness.Serve(other.Require(harness.Greet), harness.Request("GET", "/", harness.WithBearer(token))); w.Code != 401 {
		t.Fatalf("the other instance accepts the token: got %d, want 401", w.Code)
	}
	if w := harness.Serve(a.Optional(other.Require(harness.Greet)), harness.Request("GET", "/", harness.WithBearer(token))); w.Code != 401 {
		t.Errorf("another Authenticator's decision: got %d, want 401", w.Code)
	}
	if w := harness.Serve(other.Optional(a.Require(harness.Greet)), harness.Request("GET", "/", harness.WithBearer(token))); w.Code != 200 || w.Body.String() != harness.Welcome {
		t.Errorf("another Authenticator's refusal: got %d %q, want 200: this Authenticator makes its own decision", w.Code, w.Body)
	}
	// The handler gets the decision of the innermost middleware.
	if w := harness.Serve(a.Optional(other.Optional(harness.Greet)), harness.Request("GET", "/", harness.WithBearer(token))); w.Body.String() != harness.Stranger {
		t.Errorf("inside the other instance's Optional: got %q, want %q", w.Body, harness.Stranger)
	}
}

// Middleware in between can change a request; the earlier decision is then about another request.
func TestRequireDecidesAgainWhenTheRequestChanges(t *testing.T) {
	a := harness.NewApp(t, func(c *clerkauth.Config) {
		c.AllowParty = func(_ context.Context, origin, host string) bool {
			return origin == "https://customer.test" && host == "customer.test"
		}
	})
	forged := a.Clerk.Forge(clerktest.Claims{})
	good, customers := a.Clerk.Token(clerktest.Claims{}), a.Clerk.Token(clerktest.Claims{AuthorizedParty: "https://customer.test"})
	between := func(change harness.Edit, next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			change(r)
			next.ServeHTTP(w, r)
		})
	}
	for name, tc := range map[string]struct {
		before, change harness.Edit
		code           int
	}{
		"the token is taken away":  {harness.WithBearer(good), harness.With("Authorization"), 401},
		"the token is replaced":    {harness.WithBearer(good), harness.WithBearer(forged), 401},
		"the token is overwritten": {harness.WithBearer(good), func(r *http.Request) { r.Header["Authorization"][0] = "Bearer " + forged }, 401},
		"another header is added":  {harness.WithBearer(good), harness.With("Authorization", "Bearer "+good, "Bearer "+good), 400},
		"a token is added":         {harness.Headers(), harness.WithBearer(good), 200},
		"the cookies are taken":    {a.WithCookies(good), harness.With("Cookie"), 401},
		"the cookies are replaced": {a.WithCookies(good), harness.With("Cookie", "__session="+forged+"; __client_uat=1"), 401},
		"the header is replaced":   {harness.WithBearer(good), func(r *http.Request) { r.Header = http.Header{} }, 401},
		"it is for another host":   {harness.All(harness.Host("customer.test"), harness.WithBearer(customers)), harness.Host("example.com"), 401},
		"it becomes a write":       {harness.All(a.WithCookies(good), harness.Headers("Sec-Fetch-Site: same-site")), func(r *http.Request) { r.Method = "POST" }, 403},
		"another write is made of it": {harness.All(a.WithCookies(good), harness.Headers("Sec-Fetch-Site: same-origin"), func(r *http.Request) { r.Method = "POST" }), func(r *http.Request) {
			r.Header = r.Header.Clone()
			r.Header.Set("Sec-Fetch-Site", "cross-site")
		}, 403},
		"something else is changed": {harness.WithBearer(good), harness.With("X-Request-Id", "1"), 200},
	} {
		w := harness.Serve(a.Optional(between(tc.change, a.Require(harness.Greet))), harness.Request("GET", "/", tc.before))
		if w.Code != tc.code {
			t.Errorf("%s: got %d, want %d", name, w.Code, tc.code)
		}
	}
}

// A handler's changes to its session affect no other request, even if the token is the same and was
// verified once for both.
func TestEachRequestHasItsOwnSession(t *testing.T) {
	a := harness.NewApp(t)
	token := a.Clerk.Token(clerktest.Claims{
		Organization: clerkauth.Organization{ID: "org_1", Slug: "acme", Role: "org:member"}, Permissions: []string{"org:invoices:read"},
	})
	ask := func() *clerkauth.Session {
		return a.AuthenticateRequest(harness.Request("GET", "/", harness.WithBearer(token))).Session
	}
	mine := ask()
	want := *mine
	mine.UserID, mine.Organization.Role, mine.Actor.Subject = "user_root", "org:admin", "user_support"
	mine.Permissions()[0] = "org:everything:write"
	mine.FirstFactorAt = time.Now()
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
		t.Errorf("VerifyToken: got %+v, %v; want %+v", bare, err, want)
	}
}

// Handlers run at the same time; this is for the race detector.
func TestConcurrentRequests(t *testing.T) {
	a := harness.NewApp(t)
	h := a.Optional(a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, _ := clerkauth.FromContext(r.Context())
		harness.Greet(w, r)
		session.UserID = "user_changed"
	})))
	token := a.Clerk.Token(clerktest.Claims{})
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for _, carry := range []harness.Edit{harness.WithBearer(token), a.WithCookies(token)} {
				if w := harness.Serve(h, harness.Request("GET", "/", carry)); w.Body.String() != harness.Welcome {
					t.Errorf("got %d %q, want %q", w.Code, w.Body, harness.Welcome)
				}
			}
		})
	}
	wg.Wait()
}
