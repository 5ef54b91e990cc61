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
)

const (
	bareChallenge = `Bearer realm="clerk"`
	tokenProblem  = `Bearer realm="clerk", error="invalid_token", error_description="`
)

func TestRefusalsByReason(t *testing.T) {
	a := newApp(t)
	good := a.clerk.Token(clerktest.Claims{})
	down := newApp(t)
	down.clerk.Fault(clerktest.BackendJWKS, clerktest.Status(503, nil))
	for _, tc := range []struct {
		name      string
		app       *app
		method    string
		carry     edit
		reason    clerkauth.Reason
		status    int
		challenge string // of WWW-Authenticate: the beginning; empty: no such header
	}{
		{"nothing", a, "GET", headers(), clerkauth.ReasonSessionTokenAndUATMissing, 401, bareChallenge},
		{"another scheme", a, "GET", headers("Authorization: Basic YTpi"), clerkauth.ReasonSessionTokenAndUATMissing, 401, bareChallenge},
		{"signed-in browser without a token", a, "GET", headers("Cookie: __client_uat=1"), clerkauth.ReasonUATWithoutSessionToken, 401, bareChallenge},
		{"session cookie alone", a, "GET", headers("Cookie: __session=" + good), clerkauth.ReasonSessionTokenWithoutUAT, 401, tokenProblem},
		{"garbage", a, "GET", withBearer("garbage"), clerkauth.ReasonTokenInvalid, 401, tokenProblem},
		{"empty bearer", a, "GET", headers("Authorization: Bearer "), clerkauth.ReasonTokenInvalid, 401, tokenProblem},
		{"machine token", a, "GET", withBearer("mt_0123456789"), clerkauth.ReasonTokenTypeMismatch, 401, tokenProblem},
		{"forged", a, "GET", withBearer(a.clerk.Forge(clerktest.Claims{})), clerkauth.ReasonTokenSignature, 401, tokenProblem},
		{"sibling", a, "GET", withBearer(a.clerk.Token(clerktest.Claims{AuthorizedParty: "https://blog.example.com"})), clerkauth.ReasonTokenInvalidParties, 401, tokenProblem},
		{"pending", a, "GET", withBearer(a.clerk.Token(clerktest.Claims{Pending: true})), clerkauth.ReasonSessionPending, 401, tokenProblem},
		{"two headers", a, "GET", with("Authorization", "Bearer a", "Bearer b"), clerkauth.ReasonMultipleAuthorization, 400, ""},
		{"cross-origin", a, "POST", all(a.signedIn(), headers("Origin: https://evil.test")), clerkauth.ReasonCrossOriginRequest, 403, ""},
		{"no keys", down, "GET", withBearer(down.clerk.Token(clerktest.Claims{})), clerkauth.ReasonKeysUnavailable, 503, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := serve(tc.app.Require(greet), asking(tc.method, "/", tc.carry))
			h := w.Header()
			if w.Code != tc.status || h.Get("X-Clerk-Auth-Reason") != string(tc.reason) {
				t.Errorf("%d %s, want %d %s", w.Code, h.Get("X-Clerk-Auth-Reason"), tc.status, tc.reason)
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
				t.Errorf("Retry-After %q with %d", h.Get("Retry-After"), tc.status)
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
	a := newApp(t)
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
		w := serve(a.Require(greet), asking("POST", "/", with("Accept", tc.accept...)))
		page := strings.HasPrefix(w.Body.String(), "<!doctype html>")
		if got := strings.HasPrefix(w.Header().Get("Content-Type"), "text/html"); got != tc.html || page != tc.html {
			t.Errorf("Accept %.60q: HTML by its header %t, by its body %t; want %t", tc.accept, got, page, tc.html)
		}
		if tc.html && !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("Accept %.60q: the page has no Content-Security-Policy", tc.accept)
		}
		if w.Code != 401 || w.Header().Get("X-Clerk-Auth-Reason") == "" || w.Header().Get("WWW-Authenticate") != bareChallenge {
			t.Errorf("Accept %.60q: %d %v, want what JSON has beside it", tc.accept, w.Code, w.Header())
		}
	}
}

// A handler that is called without the middleware, or with a reason of its own, still gets a safe answer.
func TestDefaultErrorHandlerAlone(t *testing.T) {
	for reason, want := range map[clerkauth.Reason]int{clerkauth.ReasonCrossOriginRequest: 403, "made-up": 401, "": 401} {
		w := httptest.NewRecorder()
		clerkauth.DefaultErrorHandler(w, asking("GET", "/", with("Accept", "text/html")), &clerkauth.Error{Reason: reason})
		if w.Code != want || !strings.Contains(w.Body.String(), "<p>") {
			t.Errorf("%q: %d %q, want %d and a page", reason, w.Code, w.Body, want)
		}
	}
	w := httptest.NewRecorder()
	clerkauth.DefaultErrorHandler(w, asking("GET", "/", with("Accept", "text/html")), &clerkauth.Error{Reason: "<script>alert(1)</script>"})
	if strings.Contains(w.Body.String(), "<script") {
		t.Errorf("the page is not escaped: %s", w.Body)
	}
}

// The whole of every answer, and every line that is logged, is searched for what only the app may know.
func TestAnswersGiveNothingAway(t *testing.T) {
	var log logged
	a := newApp(t, signIn, func(c *clerkauth.Config) {
		c.AuthorizedParties = []string{"https://example.com", "https://hidden-partner.example", "https://*.hidden.example.com"}
		c.TrustedOrigins = []string{"https://hidden-payments.example"}
		c.Audience = []string{"hidden-audience"}
		c.Logger = log.logger()
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
		a.clerk.Token(claims(clerktest.Claims{})),
		a.clerk.Forge(claims(clerktest.Claims{})),
		a.clerk.Token(claims(clerktest.Claims{AuthorizedParty: "https://blog.example.com"})),
		a.clerk.Token(claims(clerktest.Claims{ExpiresAt: noon.Add(-time.Hour)})),
		a.clerk.Token(claims(clerktest.Claims{IssuedAt: noon.Add(time.Hour)})),
		a.clerk.Token(claims(clerktest.Claims{Pending: true})),
		a.clerk.Token(claims(clerktest.Claims{Issuer: "https://clerk.other.example"})),
		a.clerk.Token(claims(clerktest.Claims{Audience: []string{"other"}})),
		a.clerk.Token(claims(clerktest.Claims{Header: map[string]any{"kid": "ins_hiddenkid"}})),
		a.clerk.Token(claims(clerktest.Claims{Header: map[string]any{"alg": "HS256"}})),
		"mt_hiddenmachinetoken", "hiddengarbage",
	}
	secrets := append(pieces(a.clerk.SecretKey()[8:], a.clerk.PublishableKey()[8:]), "hidden")
	for _, token := range tokens {
		secrets = append(secrets, pieces(strings.Split(token, ".")...)...)
	}
	search := func(t *testing.T, w *httptest.ResponseRecorder) {
		t.Helper()
		var answer strings.Builder
		if err := w.Result().Header.Write(&answer); err != nil {
			t.Fatal(err)
		}
		answer.Write(w.Body.Bytes())
		if secret, ok := leaks(answer.String(), secrets); ok {
			t.Errorf("%d shows %q:\n%s", w.Code, secret, answer.String())
		}
	}
	for _, fault := range []clerktest.Fault{nil, clerktest.Down, clerktest.Garbage} {
		a.clerk.Fault(clerktest.BackendJWKS, fault)
		for i, token := range tokens {
			for _, carry := range []edit{
				withBearer(token), a.withCookies(token), headers("Authorization: " + token), all(withBearer(token), with("Authorization", token, token)),
				headers("Cookie: __client_uat=1; __session=" + token + "; __session=hiddengarbage"),
			} {
				for _, r := range []*http.Request{
					asking("GET", "/", carry), asking("POST", "/", carry, headers("Origin: https://evil.test", "Accept: text/html")),
					asking("DELETE", "/", carry, headers("Sec-Fetch-Site: cross-site")),
				} {
					w := serve(a.Require(greet), r)
					if i > 0 && w.Code == 200 {
						t.Errorf("token %d is let in", i)
					}
					if w.Code != 200 {
						search(t, w)
					}
				}
			}
		}
	}
	if secret, ok := leaks(log.String(), secrets); ok {
		t.Errorf("the log shows %q:\n%s", secret, log.String())
	}
}

// That the keys cannot be loaded is logged, and neither the secret key nor the token with it.
func TestKeyTroubleIsLoggedWithoutSecrets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logged
		a := newApp(t, func(c *clerkauth.Config) { c.Logger = log.logger() })
		a.clerk.Fault(clerktest.BackendJWKS, clerktest.Status(500, nil))
		token := a.clerk.Token(clerktest.Claims{})
		if w := serve(a.Require(greet), asking("GET", "/", withBearer(token))); w.Code != 503 {
			t.Errorf("%d, want 503", w.Code)
		}
		synctest.Wait()
		if !strings.Contains(log.String(), "500") {
			t.Errorf("log %q, want the status of the endpoint", log.String())
		}
		if secret, ok := leaks(log.String(), pieces(a.clerk.SecretKey()[8:], token)); ok {
			t.Errorf("the log shows %q:\n%s", secret, log.String())
		}
	})
}
