package clerktest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// me is the handler of an app: it greets whoever is signed in.
func me(w http.ResponseWriter, r *http.Request) {
	session, ok := clerkauth.FromContext(r.Context())
	if !ok {
		http.Error(w, "nobody", http.StatusUnauthorized)
		return
	}
	_, _ = fmt.Fprint(w, "hello ", session.UserID)
}

// A handler behind Require is tested with real tokens: of a signed-in person, of nobody, and of a
// subdomain that the app does not trust. The instance is closed when the test ends.
func Example() {
	var t testing.T // in a test, use its t

	clerk := clerktest.New(&t, clerktest.Options{})
	auth, err := clerkauth.New(clerk.Config())
	if err != nil {
		t.Fatal(err)
	}
	app := auth.Require(http.HandlerFunc(me))

	for _, token := range []string{
		clerk.Token(clerktest.Claims{Subject: "user_alice"}),
		"",
		clerk.Token(clerktest.Claims{AuthorizedParty: "https://blog.example.com"}),
		clerk.Forge(clerktest.Claims{}),
	} {
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		if w.Code == http.StatusOK {
			fmt.Println(w.Code, w.Body)
		} else {
			fmt.Println(w.Code, w.Header().Get("X-Clerk-Auth-Reason"))
		}
	}
	// Output:
	// 200 hello user_alice
	// 401 session-token-and-uat-missing
	// 401 token-invalid-authorized-parties
	// 401 token-invalid-signature
}

// A browser sends cookies instead.
func ExampleInstance_Cookies() {
	var t testing.T // in a test, use its t

	clerk := clerktest.New(&t, clerktest.Options{})
	auth, err := clerkauth.New(clerk.Config())
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	for _, c := range clerk.Cookies(clerk.Token(clerktest.Claims{})) {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	auth.Require(http.HandlerFunc(me)).ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	// Output: 200 hello user_2clerktest
}

// A handler by itself, without the middleware, gets a session that the test puts into the context.
func ExampleInstance_Session() {
	var t testing.T // in a test, use its t

	clerk := clerktest.New(&t, clerktest.Options{})
	session := clerk.Session(clerktest.Claims{
		Subject:      "user_alice",
		Organization: clerkauth.Organization{ID: "org_acme", Role: "org:admin"},
	})
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r = r.WithContext(clerkauth.NewContext(r.Context(), session))
	w := httptest.NewRecorder()
	me(w, r)
	fmt.Println(w.Code, w.Body, session.Organization.Role)
	// Output: 200 hello user_alice org:admin
}

// A browser keeps a person signed in for longer than a token is valid: it makes handshakes with the
// instance until the session ends on the server. All of it happens in memory.
func ExampleInstance_Browser() {
	var t testing.T // in a test, use its t

	clock := time.Now()
	clerk := clerktest.New(&t, clerktest.Options{Now: func() time.Time { return clock }})
	auth, err := clerkauth.New(clerk.Config())
	if err != nil {
		t.Fatal(err)
	}
	browser := clerk.Browser(auth.Require(http.HandlerFunc(me)))
	visit := func() {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "https://example.com/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println(resp.Status)
		_ = resp.Body.Close()
	}

	visit()
	session := clerk.SignIn(browser.Jar, clerktest.Person{Claims: clerktest.Claims{Subject: "user_alice"}})
	visit()
	clock = clock.Add(5 * time.Minute)
	visit()
	session.SignOut()
	clock = clock.Add(5 * time.Minute)
	visit()
	// Output:
	// 401 Unauthorized
	// 200 OK
	// 200 OK
	// 401 Unauthorized
}
