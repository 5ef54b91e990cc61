package clerktest_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// closeLast closes what newInstance returned last: an example has no t that does so at its end.
var closeLast = func() {}

// newInstance returns an instance, and an Authenticator for it. It closes that of the example before.
func newInstance(opts clerktest.Options) (*clerktest.Instance, *clerkauth.Authenticator) {
	closeLast()
	var t testing.T // in a test, use its t
	clerk := clerktest.New(&t, opts)
	closeLast = clerk.Close
	return clerk, newAuthenticator(clerk)
}

func newAuthenticator(clerk *clerktest.Instance) *clerkauth.Authenticator {
	cfg := clerk.Config()
	cfg.Logger = slog.New(slog.DiscardHandler)
	auth, err := clerkauth.New(cfg)
	if err != nil {
		panic(err)
	}
	return auth
}

// shared is the instance of most examples: a new one makes a key, which takes a while.
var shared = sync.OnceValue(func() *clerktest.Instance {
	var t testing.T // in a test, use its t
	return clerktest.New(&t, clerktest.Options{})
})

// newExample returns an instance, and an Authenticator that has no keys yet.
func newExample() (*clerktest.Instance, *clerkauth.Authenticator) {
	clerk := shared()
	clerk.Fault(clerktest.BackendJWKS, nil)
	return clerk, newAuthenticator(clerk)
}

func verify(auth *clerkauth.Authenticator, token string) {
	session, err := auth.VerifyToken(context.Background(), token)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(session.UserID)
}

// A test of an app at its own origin.
func ExampleNew() {
	var t testing.T // in a test, use its t
	clerk := clerktest.New(&t, clerktest.Options{Origins: []string{"https://app.example.com"}})
	fmt.Println(clerk.Config().AuthorizedParties)
	// Output: [https://app.example.com]
}

// A program, or a test with a real browser, connects to the instance on a port of this machine.
func ExampleStart() {
	clerk, err := clerktest.Start(clerktest.Options{Development: true})
	if err != nil {
		panic(err)
	}
	defer clerk.Close()
	fmt.Println(strings.HasPrefix(clerk.Config().FrontendAPIURL, "http://127.0.0.1:"))
	// Output: true
}

func ExampleInstance_Close() {
	clerk, auth := newInstance(clerktest.Options{})
	clerk.Close() // New does so when the test ends
	fmt.Println(auth.Ready(context.Background()))
	// Output: clerkauth: jwk-remote-failed-to-load
}

func ExampleInstance_Config() {
	clerk, _ := newExample()
	cfg := clerk.Config()
	cfg.SignInURL = clerk.URL(clerktest.SignInPage) // change what the test is about
	_, err := clerkauth.New(cfg)
	fmt.Println(err)
	// Output: <nil>
}

// A token has the given claims, and valid ones otherwise.
func ExampleInstance_Token() {
	clerk, auth := newExample()
	verify(auth, clerk.Token(clerktest.Claims{Subject: "user_alice"}))
	verify(auth, clerk.Token(clerktest.Claims{ExpiresAt: time.Now().Add(-time.Hour)}))
	verify(auth, clerk.Token(clerktest.Claims{Extra: map[string]any{"azp": clerktest.Absent}}))
	verify(auth, clerk.Token(clerktest.Claims{Header: map[string]any{"alg": "none"}}))
	// Output:
	// user_alice
	// clerkauth: session-token-expired
	// clerkauth: token-invalid-authorized-parties
	// clerkauth: token-invalid-algorithm
}

// The right claims and the right key ID, but a key that is not the instance's.
func ExampleInstance_Forge() {
	clerk, auth := newExample()
	verify(auth, clerk.Forge(clerktest.Claims{}))
	// Output: clerkauth: token-invalid-signature
}

// A new key signs, and tokens of the old one stay valid until it is revoked.
func ExampleInstance_RotateKey() {
	clerk, auth := newExample()
	old := clerk.Token(clerktest.Claims{Subject: "user_alice"})
	clerk.RotateKey()
	verify(auth, old)
	verify(auth, clerk.Token(clerktest.Claims{Subject: "user_bob"}))
	// Output:
	// user_alice
	// user_bob
}

// A key is published before it signs, so that verifiers have it by then.
func ExampleInstance_PublishKey() {
	clerk, _ := newExample()
	next := clerk.PublishKey()
	fmt.Println(clerk.KeyID() == next)
	clerk.RotateKey()
	fmt.Println(clerk.KeyID() == next)
	// Output:
	// false
	// true
}

func ExampleInstance_RevokeKey() {
	clerk, auth := newExample()
	old := clerk.Token(clerktest.Claims{})
	revoked := clerk.KeyID()
	clerk.RotateKey()
	clerk.RevokeKey(revoked)
	verify(auth, old)
	// Output: clerkauth: jwk-kid-mismatch
}

func ExampleInstance_KeyID() {
	clerk, _ := newExample()
	before := clerk.KeyID()
	clerk.RotateKey()
	fmt.Println(clerk.KeyID() == before)
	// Output: false
}

// With the key in PEM, tokens are verified without any request.
func ExampleInstance_JWTKey() {
	clerk, _ := newExample()
	auth, err := clerkauth.New(clerkauth.Config{
		PublishableKey: clerk.PublishableKey(), JWTKey: clerk.JWTKey(), AuthorizedParties: []string{"https://example.com"},
	})
	if err != nil {
		panic(err)
	}
	verify(auth, clerk.Token(clerktest.Claims{Subject: "user_alice"}))
	// Output: user_alice
}

func ExampleInstance_Issuer() {
	clerk, _ := newInstance(clerktest.Options{Domain: "example.org"})
	fmt.Println(clerk.Issuer())
	// Output: https://clerk.example.org
}

func ExampleInstance_PublishableKey() {
	clerk, _ := newInstance(clerktest.Options{Domain: "example.org"})
	fmt.Println(clerk.PublishableKey())
	// Output: pk_live_Y2xlcmsuZXhhbXBsZS5vcmck
}

func ExampleInstance_SecretKey() {
	clerk, _ := newInstance(clerktest.Options{Development: true})
	fmt.Println(strings.HasPrefix(clerk.SecretKey(), "sk_test_"))
	// Output: true
}

// What the app requested from Clerk, and that the secret key was sent nowhere else.
func ExampleInstance_Requests() {
	clerk, auth := newExample()
	clerk.ResetRequests()
	verify(auth, clerk.Token(clerktest.Claims{Subject: "user_alice"}))
	for _, r := range clerk.Requests() {
		fmt.Println(r.Endpoint, r.Method, r.Host, r.SecretKey)
	}
	// Output:
	// user_alice
	// backend-jwks GET api.clerk.com true
}

func ExampleInstance_ResetRequests() {
	clerk, auth := newInstance(clerktest.Options{})
	fmt.Println(auth.Ready(context.Background()), len(clerk.Requests()))
	clerk.ResetRequests()
	fmt.Println(len(clerk.Requests()))
	// Output:
	// <nil> 1
	// 0
}

func ExampleInstance_URL() {
	clerk, _ := newExample()
	fmt.Println(clerk.URL(clerktest.SignInPage))
	// Output: https://clerk.example.com/sign-in
}

// Clerk's script signs a person in with a ticket, once.
func ExampleInstance_Ticket() {
	clerk, _ := newExample()
	fmt.Println(strings.HasPrefix(clerk.Ticket(clerktest.Person{Name: "Alice"}), "ticket_"))
	// Output: true
}

// load loads a page and prints the result.
func load(browser *http.Client, address string) {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, address, http.NoBody)
	if err != nil {
		panic(err)
	}
	resp, err := browser.Do(r)
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		panic(err)
	}
	fmt.Println(resp.StatusCode, strings.TrimSpace(string(body[:min(len(body), 24)])))
}

// A person is signed in before the test begins, without a visit to the sign-in page.
func ExampleInstance_SignIn() {
	clerk, auth := newExample()
	browser := clerk.Browser(auth.Require(http.HandlerFunc(me)))
	clerk.SignIn(browser.Jar, clerktest.Person{Claims: clerktest.Claims{Subject: "user_alice"}})
	load(browser, "https://example.com/")
	// Output: 200 hello user_alice
}

func ExampleInstance_BrowserSessions() {
	clerk, _ := newInstance(clerktest.Options{})
	session := clerk.SignIn(nil, clerktest.Person{})
	fmt.Println(len(clerk.BrowserSessions()))
	session.SignOut()
	fmt.Println(len(clerk.BrowserSessions()))
	// Output:
	// 1
	// 0
}

// A session that ends on another device ends here when its token expires.
func ExampleBrowserSession_SignOut() {
	clock := time.Now()
	clerk, auth := newInstance(clerktest.Options{Now: func() time.Time { return clock }})
	browser := clerk.Browser(auth.Optional(http.HandlerFunc(me)))
	session := clerk.SignIn(browser.Jar, clerktest.Person{Claims: clerktest.Claims{Subject: "user_alice"}})
	load(browser, "https://example.com/")
	session.SignOut()
	load(browser, "https://example.com/")
	clock = clock.Add(2 * time.Minute)
	load(browser, "https://example.com/")
	// Output:
	// 200 hello user_alice
	// 200 hello user_alice
	// 401 nobody
}

// A role that is removed takes effect with the next token.
func ExampleBrowserSession_SetClaims() {
	clock := time.Now()
	clerk, auth := newInstance(clerktest.Options{Now: func() time.Time { return clock }})
	browser := clerk.Browser(auth.Authorize(clerkauth.Role("org:admin"))(http.HandlerFunc(me)))
	acme := clerkauth.Organization{ID: "org_acme", Role: "org:admin"}
	session := clerk.SignIn(browser.Jar, clerktest.Person{Claims: clerktest.Claims{Subject: "user_alice", Organization: acme}})
	load(browser, "https://example.com/")
	acme.Role = "org:member"
	session.SetClaims(clerktest.Claims{Subject: "user_alice", Organization: acme})
	clock = clock.Add(2 * time.Minute)
	load(browser, "https://example.com/")
	// Output:
	// 200 hello user_alice
	// 403 <!doctype html>
	// <html la
}

// The cookies of a session, for a request without a browser.
func ExampleBrowserSession_Cookies() {
	clerk, auth := newExample()
	session := clerk.SignIn(nil, clerktest.Person{Claims: clerktest.Claims{Subject: "user_alice"}})
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	for _, c := range session.Cookies() {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	auth.Require(http.HandlerFunc(me)).ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	// Output: 200 hello user_alice
}
