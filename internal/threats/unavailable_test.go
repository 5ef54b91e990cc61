package threats_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// The faults after which the answer is not known. See clerk/javascript #9114, where an outage
// looked like a sign-out.
var outages = map[string]clerktest.Fault{
	"down":              clerktest.Down,
	"500":               clerktest.Status(http.StatusInternalServerError, nil),
	"503":               clerktest.Status(http.StatusServiceUnavailable, nil),
	"429":               clerktest.Status(http.StatusTooManyRequests, nil),
	"the secret key":    clerktest.Status(http.StatusUnauthorized, nil),
	"a page of a proxy": clerktest.Garbage,
	"a redirect":        clerktest.Redirect("https://captive.example/"),
	"an endless answer": endless,
}

func endless(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"directives":["`+strings.Repeat("x", 1<<20)+`"]}`)
	})
}

// People are signed in while the Backend API cannot be reached: the next handshake returns a token,
// which needs no call.
func TestPeopleGetInWithoutBackendAPI(t *testing.T) {
	for _, live := range []bool{true, false} {
		for name, fault := range outages {
			t.Run(fmt.Sprintf("live %t, %s", live, name), func(t *testing.T) {
				now := harness.Noon
				w := development(&now)
				if live {
					w = production(&now)
				}
				v := newTraveller(t, w)
				v.clerk.SignIn(v.browser.Jar, alice)
				v.clerk.Fault(clerktest.BackendHandshake, fault)
				v.clerk.Fault(clerktest.BackendRefresh, fault)
				v.visit("/warm/keys/up") // fetches the instance's keys, which are not tested here
				for range 3 {
					now = now.Add(time.Hour)
					got := v.visit("/me")
					if got.status != http.StatusOK || got.body != "hello user_2alice" || handshakesIn(v.sent) != 2 {
						t.Errorf("got %d %q after %q, want Alice after two handshakes", got.status, got.body, v.sent)
					}
					if len(v.sent) > 1 && (!strings.Contains(v.sent[0], "format=nonce") || strings.Contains(v.sent[1], "format=nonce")) {
						t.Errorf("sent to %q, want a nonce asked for at first, and then none", v.sent)
					}
				}
			})
		}
	}
}

// A nonce that was not exchanged matters only where the cookies alone would need a handshake. It
// has not failed.
func TestUnansweredNonceHasNotFailed(t *testing.T) {
	b := harness.NewApp(t)
	b.Clerk.Fault(clerktest.BackendHandshake, clerktest.Status(http.StatusServiceUnavailable, nil))
	signedIn := b.AuthenticateRequest(b.Page(b.Clerk.Token(clerktest.Claims{}), "__clerk_handshake_nonce="+harness.Nonce))
	harness.WantState(t, signedIn, clerkauth.StatusSignedIn, "")
	b.AnswerNonces(harness.Directives(b.Clerk.Token(clerktest.Claims{}))...)
	harness.WantState(t, b.AuthenticateRequest(b.Returning("__clerk_handshake_nonce="+harness.Nonce)), clerkauth.StatusSignedIn, "")
}

// A token beside a nonce that could not be exchanged decides; beside one that failed it does not.
func TestTokenBesideANonce(t *testing.T) {
	b := harness.NewApp(t)
	token := b.Clerk.Token(clerktest.Claims{RawPayload: payload(t, harness.Directives(b.Clerk.Token(clerktest.Claims{})))})
	for fault, want := range map[int]bool{http.StatusServiceUnavailable: true, http.StatusNotFound: false} {
		b.Clerk.Fault(clerktest.BackendHandshake, clerktest.Status(fault, nil))
		state := b.AuthenticateRequest(b.Returning(fmt.Sprintf("__clerk_handshake_nonce=%s%d", harness.Nonce, fault), "__clerk_handshake="+token))
		if got := state.Status == clerkauth.StatusSignedIn; got != want {
			t.Errorf("%d: got %s, %v; want signed in %t", fault, state.Status, state.Err, want)
		}
	}
}

func payload(t *testing.T, directives []string) []byte {
	t.Helper()
	text, err := json.Marshal(map[string][]string{"handshake": directives})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Only when nothing else is possible is the answer 503 under Require; under Optional the handler runs.
func TestHandshakeUnavailable(t *testing.T) {
	for path, status := range map[string]int{"/me": http.StatusServiceUnavailable, "/public/": http.StatusOK} {
		now := harness.Noon
		v := newTraveller(t, production(&now))
		v.clerk.SignIn(v.browser.Jar, alice)
		v.clerk.Fault(clerktest.BackendHandshake, clerktest.Down)
		v.clerk.Fault(clerktest.FrontendHandshake, func(honest http.Handler) http.Handler { // it sends nonces whatever is requested
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				q := r.URL.Query()
				q.Set("format", "nonce")
				r.URL.RawQuery = q.Encode()
				honest.ServeHTTP(w, r)
			})
		})
		got := v.visit(path)
		if got.status != status || handshakesIn(v.sent) != 2 {
			t.Errorf("%s: got %d %q after %q, want %d after two handshakes", path, got.status, got.body, v.sent, status)
		}
		if status == http.StatusOK {
			continue
		}
		if got.header.Get("Retry-After") == "" || got.header.Get("X-Clerk-Auth-Reason") != string(clerkauth.ReasonHandshakeUnavailable) {
			t.Errorf("header %v, want Retry-After and the reason", got.header)
		}
	}
}

// Keys that cannot be fetched do not make a handshake's result invalid.
func TestAnswerWithoutKeys(t *testing.T) {
	b := harness.NewApp(t)
	token := b.Clerk.Token(clerktest.Claims{RawPayload: payload(t, harness.Directives(b.Clerk.Token(clerktest.Claims{})))})
	b.Clerk.Fault(clerktest.BackendJWKS, clerktest.Down)
	state := b.AuthenticateRequest(b.Returning("__client_uat=1", "__clerk_handshake="+token))
	harness.WantState(t, state, clerkauth.StatusSignedOut, clerkauth.ReasonKeysUnavailable)
	b.Clerk.Fault(clerktest.BackendJWKS, nil)
	b.Now = b.Now.Add(2 * time.Second)
	harness.WantState(t, b.AuthenticateRequest(b.Returning("__client_uat=1", "__clerk_handshake="+token)), clerkauth.StatusSignedIn, "")
}

// A refresh that could not be sent leads to a handshake for documents and 503 elsewhere, never to 401.
func TestRefreshOutages(t *testing.T) {
	for name, fault := range outages {
		b := harness.NewApp(t)
		b.Clerk.Fault(clerktest.BackendRefresh, fault)
		page := b.AuthenticateRequest(b.Page(b.Expired(clerktest.Claims{}), b.RefreshCookie()))
		harness.WantState(t, page, clerkauth.StatusHandshake, clerkauth.ReasonTokenExpired)
		b.Authenticator = b.Replica()
		w := harness.Serve(b.Require(harness.Greet), b.Script(b.Expired(clerktest.Claims{}), b.RefreshCookie()))
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: a script got %d %v, want 503 with Retry-After", name, w.Code, w.Header())
		}
	}
	b := harness.NewApp(t)
	for status, want := range map[int]int{http.StatusNotFound: 401, http.StatusUnprocessableEntity: 401} {
		b.Clerk.Fault(clerktest.BackendRefresh, clerktest.Status(status, nil))
		if w := harness.Serve(b.Require(harness.Greet), b.Script(b.Expired(clerktest.Claims{}), b.RefreshCookie())); w.Code != want {
			t.Errorf("refused with %d: got %d, want %d", status, w.Code, want)
		}
	}
}

// Strangers use up the whole allowance of nonces and every place, and 100 of 100 honest people who
// return from a handshake are still signed in.
func TestStrangersDoNotStopSignIns(t *testing.T) {
	harness.Long(t)
	now := harness.Noon
	v := newTraveller(t, production(&now))
	for i := range 5000 {
		r := harness.Request(http.MethodGet, "https://example.com/", harness.With("Sec-Fetch-Dest", "document"), harness.With("Cookie", fmt.Sprintf("__clerk_handshake_nonce=made_up_%d", i)))
		v.auth.AuthenticateRequest(r)
	}
	if n := harness.Requests(v.clerk, clerktest.BackendHandshake); n > 100 {
		t.Errorf("strangers made %d questions, want 100 at most", n)
	}
	for i := range 100 {
		v.browser.Jar = v.clerk.Browser(nil).Jar
		v.clerk.SignIn(v.browser.Jar, alice)
		if got := v.visit("/me"); got.status != http.StatusOK || got.body != "hello user_2alice" {
			t.Errorf("honest return %d: got %d %q after %q, want 200 \"hello user_2alice\"", i, got.status, got.body, v.sent)
		}
	}
	if n := harness.Requests(v.clerk, clerktest.BackendHandshake); n > 100 {
		t.Errorf("%d questions, want 100 at most", n)
	}
	now = now.Add(time.Second)
	for i := range 100 {
		v.auth.AuthenticateRequest(harness.Request(http.MethodGet, "https://example.com/", harness.With("Sec-Fetch-Dest", "document"), harness.With("Cookie", fmt.Sprintf("__clerk_handshake_nonce=more_made_up_%d", i))))
	}
	if n := harness.Requests(v.clerk, clerktest.BackendHandshake); n != 120 {
		t.Errorf("a second later %d questions in all, want 120", n)
	}
}

func TestStrangersHoldEveryPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := harness.Noon
		w := production(&now)
		w.Now, w.TokenLifetime = nil, time.Second
		w.config = func(c *clerkauth.Config) { c.ClockSkew = -1 }
		v := newTraveller(t, w)
		if err := v.auth.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		v.clerk.Fault(clerktest.BackendHandshake, clerktest.Slow(4*time.Second))
		var strangers sync.WaitGroup
		for i := range 40 {
			strangers.Go(func() {
				v.auth.AuthenticateRequest(harness.Request(http.MethodGet, "https://example.com/", harness.With("Sec-Fetch-Dest", "document"), harness.With("Cookie", fmt.Sprintf("__clerk_handshake_nonce=made_up_%d", i))))
			})
		}
		synctest.Wait()
		v.clerk.SignIn(v.browser.Jar, alice)
		v.want("an honest return", v.visit("/me"), 200, "hello user_2alice", 3) // for a nonce, for a token, and to remove parameters
		time.Sleep(2 * time.Second)
		v.want("a refresh", v.visit("/me"), 200, "hello user_2alice", 0)
		strangers.Wait()
	})
}

// panicking is an application's transport that panics at one path.
type panicking struct {
	next http.RoundTripper
	path string
}

func (p panicking) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Path, p.path) {
		panic("sk_live_a_secret")
	}
	return p.next.RoundTrip(r)
}

// A transport that panics is an error of that fetch, and does not end the process.
func TestTransportThatPanics(t *testing.T) {
	for path, want := range map[string]int{"/v1/jwks": 503, "/v1/sessions/": 503, "/v1/clients/": 401} {
		var log harness.Log
		b := harness.NewApp(t, func(c *clerkauth.Config) {
			c.HTTPClient = &http.Client{Transport: panicking{c.HTTPClient.Transport, path}}
			c.Logger = log.Logger()
		})
		r := b.Script(b.Expired(clerktest.Claims{}), b.RefreshCookie())
		if path == "/v1/clients/" {
			r = b.Returning("__clerk_handshake_nonce=" + harness.Nonce)
		}
		if w := harness.Serve(b.Require(harness.Greet), r); w.Code != want {
			t.Errorf("%s: got %d, want %d", path, w.Code, want)
		}
		if strings.Contains(log.String(), "a_secret") {
			t.Errorf("%s: the log contains the panic's value: %s", path, log.String())
		}
	}
}

// Of two nonces none is used, and both are deleted like a used one.
func TestDoubledNonceIsDeleted(t *testing.T) {
	b := harness.NewApp(t)
	state := b.AuthenticateRequest(b.Page(b.Clerk.Token(clerktest.Claims{}), "__clerk_handshake_nonce="+harness.Nonce, "__clerk_handshake_nonce="+harness.Nonce+"2"))
	harness.WantState(t, state, clerkauth.StatusSignedIn, "")
	got := strings.Join(state.Header["Set-Cookie"], "\n")
	for _, want := range []string{"__clerk_handshake_nonce=; Path=/; Max-Age=0; Secure", "__clerk_handshake_nonce=; Path=/; Domain=example.com; Max-Age=0; Secure"} {
		if !strings.Contains(got, want) {
			t.Errorf("cookies %q, want %q among them", got, want)
		}
	}
	if n := harness.Requests(b.Clerk, clerktest.BackendHandshake); n != 0 {
		t.Errorf("asked %d times, want 0", n)
	}
}
