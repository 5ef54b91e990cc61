package threats_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// Subresources are kept by shared caches and are the same for everybody: no session is renewed on
// them. One that needs a session is not for everybody, so a private picture may renew it.
func TestSubresources(t *testing.T) {
	v := newRenewing(t)
	honest := v.Clerk.Token(clerktest.Claims{})
	const never, required, always = 0, 1, 2
	for dest, renewed := range map[string]int{
		"": always, "empty": always, "document": always, "iframe": always, "frame": always, "websocket": always,
		"image": required, "audio": required, "video": required, "track": required, "object": required, "embed": required,
		"script": never, "style": never, "font": never, "manifest": never, "worker": never, "sharedworker": never, "serviceworker": never,
		"audioworklet": never, "paintworklet": never, "report": never, "xslt": never, "json": never, "fencedframe": never, "Image": never, "what comes next": never,
	} {
		for name, tt := range map[string]struct {
			guard func(http.Handler) http.Handler
			want  bool
		}{
			"Optional":            {v.Optional, renewed >= always},
			"Require":             {v.Require, renewed >= required},
			"Require in Optional": {func(next http.Handler) http.Handler { return v.Optional(v.Require(next)) }, renewed >= required},
			"AuthenticateRequest": {v.authenticating, renewed >= always},
		} {
			r := v.asks()
			r.Header.Set("Sec-Fetch-Dest", dest)
			v.Clerk.ResetRequests()
			w := harness.Serve(tt.guard(harness.Greet), r)
			if got := harness.Requests(v.Clerk, clerktest.BackendRefresh) == 1; got != tt.want {
				t.Errorf("%s of %q: refreshed %t, want %t", name, dest, got, tt.want)
			}
			if tt.want {
				v.private(t, name+" of "+dest, w.Result().Header)
			} else if h := w.Result().Header; h.Get("Set-Cookie") != "" && h.Get("Location") == "" {
				t.Errorf("%s of %q sets %q, want no cookie", name, dest, h["Set-Cookie"])
			}

			r = v.Script(honest)
			r.Header.Set("Sec-Fetch-Dest", dest)
			h := harness.Serve(tt.guard(harness.Greet), r).Result().Header
			if got := slices.ContainsFunc(h["Set-Cookie"], func(c string) bool { return strings.HasPrefix(c, harness.PartyName) }); got != tt.want && name != "Require in Optional" {
				t.Errorf("%s of %q: sets a party cookie %t, want %t", name, dest, got, tt.want)
			}
		}
	}
}

// authenticating is middleware of an application's own.
func (v *renewing) authenticating(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if w, done := v.AuthenticateRequest(r).Respond(w); !done {
			next.ServeHTTP(w, r)
		}
	})
}

// If Optional left a picture undecided, Require decides it, once, and its handler sees that decision.
func TestRequireDecidesAgainWhatOptionalLeft(t *testing.T) {
	a := harness.NewApp(t)
	a.AnswerRefreshes(0, "__session="+a.Clerk.Token(clerktest.Claims{}))
	h := a.Optional(a.Optional(a.Require(a.Require(harness.Greet))))
	r := a.Script(a.Expired(clerktest.Claims{}), a.RefreshCookie())
	r.Header.Set("Sec-Fetch-Dest", "image")
	w := harness.Serve(h, r)
	if w.Code != http.StatusOK || w.Body.String() != harness.Welcome || len(w.Result().Header["Set-Cookie"]) != 1 {
		t.Errorf("got %d %q with %q, want 200 %q with one cookie", w.Code, w.Body, w.Result().Header["Set-Cookie"], harness.Welcome)
	}
	if n := harness.Requests(a.Clerk, clerktest.BackendRefresh); n != 1 {
		t.Errorf("refreshed %d times, want once", n)
	}
	if events := a.Events(); len(events) != 2 || events[0].Reason != clerkauth.ReasonTokenExpired || events[1].Status != clerkauth.StatusSignedIn {
		t.Errorf("decisions %+v, want one of Optional by an expired token, and one of Require that signs in", events)
	}
	// Without a refresh cookie nothing was left undecided, and nothing is decided again.
	r = a.Script(a.Expired(clerktest.Claims{}))
	r.Header.Set("Sec-Fetch-Dest", "image")
	if w := harness.Serve(h, r); w.Code != http.StatusUnauthorized || len(a.Events()) != 1 {
		t.Errorf("got %d, want 401 by one decision", w.Code)
	}
}

// A request with two values of Sec-Fetch-Dest is treated as one with none.
func TestTwoDestinationsAreNone(t *testing.T) {
	v := newRenewing(t)
	r := v.asks()
	r.Header["Sec-Fetch-Dest"] = []string{"empty", "empty"}
	if w := harness.Serve(v.Require(harness.Greet), r); w.Code != http.StatusUnauthorized || harness.Requests(v.Clerk, clerktest.BackendRefresh) != 0 {
		t.Errorf("%d after %d refreshes, want 401 after none", w.Code, harness.Requests(v.Clerk, clerktest.BackendRefresh))
	}
}
