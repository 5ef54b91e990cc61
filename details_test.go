package clerkauth_test

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
	"github.com/clerkauth/clerkauth/internal/decision"
	"github.com/clerkauth/clerkauth/internal/harness"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// VerifyToken says what is wrong with a token, also where nothing else is known about it.
func TestDetailsOfVerifyToken(t *testing.T) {
	auth := harness.New(t, clerktest.New(t, clerktest.Options{Now: harness.AtNoon}))
	b := harness.NewApp(t)
	for token, want := range map[string]string{
		"ab": "the token has no dots; a session token is a JWT, three parts with dots between them",
		strings.Repeat("a", sessiontoken.MaxSize+1): "the token has 8193 bytes, more than the limit",
		"ak_1": "the token is an API key, a machine token or an OAuth token (ak_, mt_, oat_), not a session token",
	} {
		_, err := auth.VerifyToken(t.Context(), token)
		if got := fmt.Sprint(errors.Unwrap(err)); got != want {
			t.Errorf("VerifyToken(%.20q): got the detail %q, want %q", token, got, want)
		}
	}
	_, err := b.VerifyToken(t.Context(), b.Clerk.Token(clerktest.Claims{Pending: true}))
	if got, want := fmt.Sprint(errors.Unwrap(err)), "sts is pending: the session still has a task to complete"; got != want {
		t.Errorf("VerifyToken(a pending session's): got the detail %q, want %q", got, want)
	}
}

// Where the Backend API refuses the secret key, the detail of a token that was not refreshed names it.
func TestDetailOfARefusedSecretKey(t *testing.T) {
	b := harness.NewApp(t)
	b.Clerk.Fault(clerktest.BackendRefresh, clerktest.Status(http.StatusUnauthorized, nil))
	state := b.AuthenticateRequest(b.Script(b.Expired(clerktest.Claims{}), b.RefreshCookie()))
	harness.WantState(t, state, clerkauth.StatusSignedOut, clerkauth.ReasonTokenExpired)
	if got := decision.Field(errors.Unwrap(state.Err)); got != "SecretKey" {
		t.Errorf("got the field %q of %v, want SecretKey", got, errors.Unwrap(state.Err))
	}
}

// Where too many nonces are sent for all to be exchanged, the detail says so.
func TestDetailOfTooManyNonces(t *testing.T) {
	b := harness.NewApp(t)
	b.AnswerNonces()
	last := ""
	for i := range 101 { // at once
		last = fmt.Sprint(errors.Unwrap(b.AuthenticateRequest(b.Returning("__client_uat=1", fmt.Sprintf("__clerk_handshake_nonce=%s%d", harness.Nonce, i))).Err))
	}
	if !strings.HasPrefix(last, "too-many-questions; ") {
		t.Errorf("got the detail %q, want too-many-questions first", last)
	}
}

// A page that comes back a second time with a nonce that cannot be exchanged has the Backend API's status in the detail, once.
func TestDetailOfANonceThatCannotBeExchanged(t *testing.T) {
	b := harness.NewApp(t)
	b.Clerk.Fault(clerktest.BackendHandshake, clerktest.Status(http.StatusTooManyRequests, nil))
	withNonce := harness.With("Cookie", "__client_uat=1; __clerk_handshake_nonce="+harness.Nonce)
	handshake, err := url.Parse(b.AuthenticateRequest(navigating(harness.Origin+"/", withNonce)).Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	state := b.AuthenticateRequest(navigating(handshake.Query().Get("redirect_url"), withNonce))
	harness.WantState(t, state, clerkauth.StatusSignedOut, clerkauth.ReasonHandshakeUnavailable)
	if got := fmt.Sprint(errors.Unwrap(state.Err)); strings.Count(got, "answered 429") != 1 {
		t.Errorf("got the detail %q, want the status in it once", got)
	}
}

// While the keys are out of reach, a page that confirms a session keeps its address, so that it can be loaded again.
func TestPageKeepsItsAddressWithoutKeys(t *testing.T) {
	for name, fault := range map[string]clerktest.Fault{"with the keys": nil, "without the keys": clerktest.Status(http.StatusServiceUnavailable, nil)} {
		b := harness.NewApp(t)
		b.Clerk.Fault(clerktest.BackendJWKS, fault)
		r := b.Page(b.Clerk.Token(clerktest.Claims{}))
		r.URL.RawQuery = "x=1&__clerkauth_state=AAAAAAAAAAAAAAAAAAAAAA"
		r.RequestURI = r.URL.RequestURI()
		w := harness.Serve(b.Require(harness.Greet), r)
		want, location := http.StatusServiceUnavailable, ""
		if fault == nil {
			want, location = http.StatusTemporaryRedirect, harness.Origin+"/page?x=1"
		}
		if got := w.Header().Get("Location"); w.Code != want || got != location {
			t.Errorf("%s: got %d to %q, want %d to %q", name, w.Code, got, want, location)
		}
	}
}

// A page whose handshakes bring tokens for another origin is refused for that, not for its old cookie that could not be
// refreshed either.
func TestRefusedForTheAnswerOfItsHandshakes(t *testing.T) {
	b := harness.NewApp(t)
	b.AnswerNonces(harness.Directives(b.Clerk.Token(clerktest.Claims{AuthorizedParty: "https://www.example.com"}))...)
	b.Clerk.Fault(clerktest.BackendRefresh, clerktest.Status(http.StatusServiceUnavailable, nil))
	counted := ""
	for i := range 4 {
		r := b.Page(b.Expired(clerktest.Claims{}), b.RefreshCookie(), fmt.Sprintf("__clerk_handshake_nonce=%s%d", harness.Nonce, i), counted)
		w := harness.Serve(b.Require(harness.Greet), r)
		if i < 3 {
			if w.Code != http.StatusTemporaryRedirect {
				t.Fatalf("%d: got %d, want a handshake", i, w.Code)
			}
			for _, c := range w.Result().Cookies() {
				if strings.HasSuffix(c.Name, "clerkauth_handshake") {
					counted = c.Name + "=" + c.Value
				}
			}
			continue
		}
		if got := w.Header().Get("X-Clerk-Auth-Reason"); w.Code != http.StatusUnauthorized || got != "token-invalid-authorized-parties" {
			t.Errorf("got %d for %q, want 401 for token-invalid-authorized-parties", w.Code, got)
		}
	}
}

// Whether an organization is active says nothing about a check of the person.
func TestDetailOfAPersonsCheck(t *testing.T) {
	for check, want := range map[clerkauth.Check]string{
		clerkauth.Reverified(clerkauth.ReverifyStrict):                        "the check failed: reverification strict",
		clerkauth.ReverifiedWithin(clerkauth.MultiFactor, time.Hour):          "the check failed: reverification of multi_factor within 1h0m0s",
		clerkauth.NotImpersonated():                                           "the check failed: not impersonated",
		clerkauth.AnyOf(clerkauth.NotImpersonated(), clerkauth.Role("owner")): "the check failed: any of (not impersonated, role owner); no organization is active",
	} {
		var got error
		a := harness.NewApp(t, func(c *clerkauth.Config) {
			c.ErrorHandler = func(_ http.ResponseWriter, _ *http.Request, err *clerkauth.Error) { got = err }
		})
		token := a.Clerk.Token(clerktest.Claims{Actor: clerkauth.Actor{Subject: "user_support"}})
		harness.Serve(a.Authorize(check)(harness.Greet), harness.Request("GET", harness.Origin+"/", harness.WithBearer(token)))
		if detail := fmt.Sprint(errors.Unwrap(got)); detail != want {
			t.Errorf("got %q, want %q", detail, want)
		}
		a.Clerk.Close()
	}
}
