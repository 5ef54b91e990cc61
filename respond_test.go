package clerkauth_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

const (
	bareChallenge = `Bearer realm="clerk"`
	tokenProblem  = `Bearer realm="clerk", error="invalid_token", error_description="`
)

func TestRefusalsByReason(t *testing.T) {
	a := harness.NewApp(t)
	good := a.Clerk.Token(clerktest.Claims{})
	down := harness.NewApp(t)
	down.Clerk.Fault(clerktest.BackendJWKS, clerktest.Status(503, nil))
	for _, tc := range []struct {
		name      string
		app       *harness.App
		method    string
		carry     harness.Edit
		reason    clerkauth.Reason
		status    int
		challenge string // start of WWW-Authenticate; empty: no such header
	}{
		{"nothing", a, "GET", harness.Headers(), clerkauth.ReasonSessionTokenAndUATMissing, 401, bareChallenge},
		{"another scheme", a, "GET", harness.Headers("Authorization: Basic YTpi"), clerkauth.ReasonSessionTokenAndUATMissing, 401, bareChallenge},
		{"signed-in browser without a token", a, "GET", harness.Headers("Cookie: __client_uat=1"), clerkauth.ReasonUATWithoutSessionToken, 401, bareChallenge},
		{"session cookie alone", a, "GET", harness.Headers("Cookie: __session=" + good), clerkauth.ReasonSessionTokenWithoutUAT, 401, tokenProblem},
		{"garbage", a, "GET", harness.WithBearer("garbage"), clerkauth.ReasonTokenInvalid, 401, tokenProblem},
		{"empty bearer", a, "GET", harness.Headers("Authorization: Bearer "), clerkauth.ReasonTokenInvalid, 401, tokenProblem},
		{"machine token", a, "GET", harness.WithBearer("mt_0123456789"), clerkauth.ReasonTokenTypeMismatch, 401, tokenProblem},
		{"forged", a, "GET", harness.WithBearer(a.Clerk.Forge(clerktest.Claims{})), clerkauth.ReasonTokenSignature, 401, tokenProblem},
		{"sibling subdomain", a, "GET", harness.WithBearer(a.Clerk.Token(clerktest.Claims{AuthorizedParty: "https://blog.example.com"})), clerkauth.ReasonTokenInvalidParties, 401, tokenProblem},
		{"pending", a, "GET", harness.WithBearer(a.Clerk.Token(clerktest.Claims{Pending: true})), clerkauth.ReasonSessionPending, 401, tokenProblem},
		{"two headers", a, "GET", harness.With("Authorization", "Bearer a", "Bearer b"), clerkauth.ReasonMultipleAuthorization, 400, ""},
		{"cross-origin", a, "POST", harness.All(a.SignedIn(), harness.Headers("Origin: https://evil.test")), clerkauth.ReasonCrossOriginRequest, 403, ""},
		{"no keys", down, "GET", harness.WithBearer(down.Clerk.Token(clerktest.Claims{})), clerkauth.ReasonKeysUnavailable, 503, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := harness.Serve(tc.app.Require(harness.Greet), harness.Request(tc.method, "/", tc.carry))
			h := w.Header()
			if w.Code != tc.status || h.Get("X-Clerk-Auth-Reason") != string(tc.reason) {
				t.Errorf("got %d %s, want %d %s", w.Code, h.Get("X-Clerk-Auth-Reason"), tc.status, tc.reason)
			}
			if got := h.Get("X-Clerk-Auth-Status"); got != "signed-out" {
				t.Errorf("X-Clerk-Auth-Status %q, want signed-out", got)
			}
			got := h["Www-Authenticate"]
			switch {
			case tc.challenge == "" && len(got) == 0:
			case tc.challenge == bareChallenge && slices.Equal(got, []string{bareChallenge}):
			case tc.challenge == tokenProblem && len(got) == 1 && strings.HasPrefix(got[0], tokenProblem) && strings.Count(got[0], `"`) == 6:
			default:
				t.Errorf("WWW-Authenticate %q, want %q", got, tc.challenge)
			}
			seconds, err := strconv.Atoi(h.Get("Retry-After"))
			if later := err == nil && seconds > 0; later != (tc.status == 503) {
				t.Errorf("got %d with Retry-After %q, want Retry-After exactly with 503", tc.status, h.Get("Retry-After"))
			}
			if h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Location") != "" {
				t.Errorf("header %v, want no-store, nosniff and no Location", h)
			}
			var body struct {
				Errors []struct{ Code, Message string }
			}
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || len(body.Errors) != 1 || body.Errors[0].Code != string(tc.reason) || body.Errors[0].Message == "" {
				t.Errorf("body %q (%v), want one error with code %q and a message", w.Body, err, tc.reason)
			}
			if got := h.Get("Content-Type"); !strings.HasPrefix(got, "application/json") {
				t.Errorf("Content-Type %q, want JSON", got)
			}
		})
	}
}

func TestRefusalNegotiatesItsForm(t *testing.T) {
	a := harness.NewApp(t)
	for _, tc := range []struct {
		accept []string
		html   bool
	}{
		{nil, false},
		{[]string{""}, false},
		{[]string{"*/*"}, false},
		{[]string{"text/*"}, false},
		{[]string{"application/json"}, false},
		{[]string{"application/json, text/plain, */*"}, false},
		{[]string{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}, true},
		{[]string{"application/xhtml+xml"}, true},
		{[]string{"TEXT/HTML"}, true},
		{[]string{"text/html;charset=utf-8 ; q=0.4, application/json;q=0.3"}, true},
		{[]string{"text/html;q=0.5, application/json"}, false},
		{[]string{"application/json;q=0.5", "text/html"}, true},
		{[]string{"text/html;q=0"}, false},
		{[]string{"text/html;q=nonsense"}, false},
		{[]string{"text/html;q=2"}, false},
		{[]string{"text/html;q=-1"}, false},
		{[]string{"text/html;q=NaN"}, false},
		{[]string{"text/htmlx, x-text/html"}, false},
		{[]string{strings.Repeat("a/b,", 40) + "text/html"}, false},
	} {
		w := harness.Serve(a.Require(harness.Greet), harness.Request("POST", "/", harness.With("Accept", tc.accept...)))
		page := strings.HasPrefix(w.Body.String(), "<!doctype html>")
		if got := strings.HasPrefix(w.Header().Get("Content-Type"), "text/html"); got != tc.html || page != tc.html {
			t.Errorf("Accept %.60q: HTML by its header %t, by its body %t; want %t", tc.accept, got, page, tc.html)
		}
		if tc.html && !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("Accept %.60q: the page has no Content-Security-Policy", tc.accept)
		}
		if w.Code != 401 || w.Header().Get("X-Clerk-Auth-Reason") == "" || w.Header().Get("WWW-Authenticate") != bareChallenge {
			t.Errorf("Accept %.60q: got %d %v, want what JSON has beside it", tc.accept, w.Code, w.Header())
		}
	}
}

// A handler that is called without the middleware, or with a reason of its own, still writes a safe
// answer.
func TestDefaultErrorHandlerAlone(t *testing.T) {
	for reason, want := range map[clerkauth.Reason]int{clerkauth.ReasonCrossOriginRequest: 403, "made-up": 401, "": 401} {
		w := httptest.NewRecorder()
		clerkauth.DefaultErrorHandler(w, harness.Request("GET", "/", harness.With("Accept", "text/html")), &clerkauth.Error{Reason: reason})
		if w.Code != want || !strings.Contains(w.Body.String(), "<p>") {
			t.Errorf("%q: got %d %q, want %d and a page", reason, w.Code, w.Body, want)
		}
	}
	w := httptest.NewRecorder()
	clerkauth.DefaultErrorHandler(w, harness.Request("GET", "/", harness.With("Accept", "text/html")), &clerkauth.Error{Reason: "<script>alert(1)</script>"})
	if strings.Contains(w.Body.String(), "<script") {
		t.Errorf("the page does not escape the error: %s", w.Body)
	}
}

// Every answer, and every line of the log, is searched completely for what only the app may know.
func TestAnswersGiveNothingAway(t *testing.T) {
	var log harness.Log
	a := harness.NewApp(t, harness.SignIn, func(c *clerkauth.Config) {
		c.AuthorizedParties = []string{"https://example.com", "https://hidden-partner.example", "https://*.hidden.example.com"}
		c.TrustedOrigins = []string{"https://hidden-payments.example"}
		c.Audience = []string{"hidden-audience"}
		c.Logger = log.Logger()
	})
	claims := func(c clerktest.Claims) clerktest.Claims {
		c.Subject, c.SessionID = "user_hiddenvictim", "sess_hiddenvictim"
		if c.Audience == nil {
			c.Audience = []string{"hidden-audience"}
		}
		c.Extra = map[string]any{"email": "hidden@victim.example"}
		return c
	}
	tokens := []string{
		a.Clerk.Token(claims(clerktest.Claims{})),
		a.Clerk.Forge(claims(clerktest.Claims{})),
		a.Clerk.Token(claims(clerktest.Claims{AuthorizedParty: "https://blog.example.com"})),
		a.Clerk.Token(claims(clerktest.Claims{ExpiresAt: harness.Noon.Add(-time.Hour)})),
		a.Clerk.Token(claims(clerktest.Claims{IssuedAt: harness.Noon.Add(time.Hour)})),
		a.Clerk.Token(claims(clerktest.Claims{Pending: true})),
		a.Clerk.Token(claims(clerktest.Claims{Issuer: "https://clerk.other.example"})),
		a.Clerk.Token(claims(clerktest.Claims{Audience: []string{"other"}})),
		a.Clerk.Token(claims(clerktest.Claims{Header: map[string]any{"kid": "ins_hiddenkid"}})),
		a.Clerk.Token(claims(clerktest.Claims{Header: map[string]any{"alg": "HS256"}})),
		"mt_hiddenmachinetoken", "hiddengarbage",
	}
	secrets := append(harness.Pieces(a.Clerk.SecretKey()[8:], a.Clerk.PublishableKey()[8:]), "hidden")
	for _, token := range tokens {
		secrets = append(secrets, harness.Pieces(strings.Split(token, ".")...)...)
	}
	search := func(t *testing.T, w *httptest.ResponseRecorder) {
		t.Helper()
		var answer strings.Builder
		if err := w.Result().Header.Write(&answer); err != nil {
			t.Fatal(err)
		}
		answer.Write(w.Body.Bytes())
		if secret, ok := harness.Leaks(answer.String(), secrets); ok {
			t.Errorf("the answer %d contains %q:\n%s", w.Code, secret, answer.String())
		}
	}
	for _, fault := range []clerktest.Fault{nil, clerktest.Down, clerktest.Garbage} {
		a.Clerk.Fault(clerktest.BackendJWKS, fault)
		for i, token := range tokens {
			for _, carry := range []harness.Edit{
				harness.WithBearer(token), a.WithCookies(token), harness.Headers("Authorization: " + token), harness.All(harness.WithBearer(token), harness.With("Authorization", token, token)),
				harness.Headers("Cookie: __client_uat=1; __session=" + token + "; __session=hiddengarbage"),
			} {
				for _, r := range []*http.Request{
					harness.Request("GET", "/", carry), harness.Request("POST", "/", carry, harness.Headers("Origin: https://evil.test", "Accept: text/html")),
					harness.Request("DELETE", "/", carry, harness.Headers("Sec-Fetch-Site: cross-site")),
				} {
					w := harness.Serve(a.Require(harness.Greet), r)
					if i > 0 && w.Code == 200 {
						t.Errorf("token %d is accepted, want only the first", i)
					}
					if w.Code != 200 {
						search(t, w)
					}
				}
			}
		}
	}
	if secret, ok := harness.Leaks(log.String(), secrets); ok {
		t.Errorf("the log contains %q:\n%s", secret, log.String())
	}
}

// A failure to load the keys is logged, without the secret key and the token.
func TestKeyTroubleIsLoggedWithoutSecrets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log harness.Log
		a := harness.NewApp(t, func(c *clerkauth.Config) { c.Logger = log.Logger() })
		a.Clerk.Fault(clerktest.BackendJWKS, clerktest.Status(500, nil))
		token := a.Clerk.Token(clerktest.Claims{})
		if w := harness.Serve(a.Require(harness.Greet), harness.Request("GET", "/", harness.WithBearer(token))); w.Code != 503 {
			t.Errorf("got %d, want 503", w.Code)
		}
		synctest.Wait()
		if !strings.Contains(log.String(), "500") {
			t.Errorf("log %q, want the status of the endpoint", log.String())
		}
		if secret, ok := harness.Leaks(log.String(), harness.Pieces(a.Clerk.SecretKey()[8:], token)); ok {
			t.Errorf("the log contains %q:\n%s", secret, log.String())
		}
	})
}
