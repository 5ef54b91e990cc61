package clerkauth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// Three lines protect a handler. The rest is the app.
func Example() {
	auth, err := clerkauth.New(clerkauth.Config{
		PublishableKey:    os.Getenv("CLERK_PUBLISHABLE_KEY"),
		AuthorizedParties: []string{"https://example.com"},
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /me", auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, _ := clerkauth.FromContext(r.Context())
		fmt.Fprintln(w, "hello", session.UserID)
	})))
	server := http.Server{Addr: "127.0.0.1:8080", Handler: auth.Optional(mux), ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}

// shared is the instance of the examples: a new one makes a key, which takes a while.
var shared = sync.OnceValue(func() *clerktest.Instance {
	var t testing.T // in a test, use its t
	return clerktest.New(&t, clerktest.Options{})
})

// newExample is an Authenticator as in an app, for an instance that needs no network.
func newExample(change func(*clerkauth.Config)) (*clerkauth.Authenticator, *clerktest.Instance) {
	clerk := shared()
	clerk.Fault(clerktest.BackendJWKS, nil)
	clerk.ResetRequests()
	cfg := clerk.Config()
	cfg.Logger = slog.New(slog.DiscardHandler)
	if change != nil {
		change(&cfg)
	}
	auth, err := clerkauth.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	return auth, clerk
}

// curl sends a request and prints the response.
func curl(h http.Handler, token string) {
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
}

// Behind Require somebody is always signed in: other requests do not reach the handler.
func ExampleAuthenticator_Require() {
	auth, clerk := newExample(nil)
	account := auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, _ := clerkauth.FromContext(r.Context())
		fmt.Fprint(w, "account of ", session.UserID)
	}))
	curl(account, clerk.Token(clerktest.Claims{Subject: "user_alice"}))
	curl(account, "")
	curl(account, clerk.Token(clerktest.Claims{AuthorizedParty: "https://blog.example.com"}))
	// Output:
	// 200 account of user_alice
	// 401 {"errors":[{"code":"session-token-and-uat-missing","message":"You are not signed in."}]}
	//
	// 401 {"errors":[{"code":"token-invalid-authorized-parties","message":"The session token was issued for another origin."}]}
}

// Optional lets everybody through, and the handler greets those it knows.
func ExampleAuthenticator_Optional() {
	auth, clerk := newExample(nil)
	home := auth.Optional(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if session, ok := clerkauth.FromContext(r.Context()); ok {
			fmt.Fprint(w, "welcome back, ", session.UserID)
			return
		}
		fmt.Fprint(w, "welcome")
	}))
	curl(home, clerk.Token(clerktest.Claims{Subject: "user_alice"}))
	curl(home, "")
	// Output:
	// 200 welcome back, user_alice
	// 200 welcome
}

// A token that does not come with an http.Request, but in gRPC metadata or a message of a queue.
func ExampleAuthenticator_VerifyToken() {
	auth, clerk := newExample(nil)
	for _, token := range []string{clerk.Token(clerktest.Claims{Subject: "user_alice"}), clerk.Forge(clerktest.Claims{})} {
		session, err := auth.VerifyToken(context.Background(), token)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(session.UserID, session.AuthorizedParty)
	}
	// Output:
	// user_alice https://example.com
	// clerkauth: token-invalid-signature
}

// An app with its own error pages handles some refusals, and leaves the rest to DefaultErrorHandler.
func ExampleDefaultErrorHandler() {
	auth, clerk := newExample(func(cfg *clerkauth.Config) {
		cfg.ErrorHandler = func(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
			if err.Reason != clerkauth.ReasonSessionPending {
				clerkauth.DefaultErrorHandler(w, r, err)
				return
			}
			w.WriteHeader(http.StatusForbidden)
			_ = json.NewEncoder(w).Encode("choose an organization first")
		}
	})
	h := auth.Require(http.NotFoundHandler())
	curl(h, clerk.Token(clerktest.Claims{Pending: true}))
	curl(h, "")
	// Output:
	// 403 "choose an organization first"
	//
	// 401 {"errors":[{"code":"session-token-and-uat-missing","message":"You are not signed in."}]}
}

// Every mistake is reported at once, with the field and the fix.
func ExampleNew() {
	_, err := clerkauth.New(clerkauth.Config{
		PublishableKey:    "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k",
		AuthorizedParties: []string{"example.com", "https://*.vercel.app"},
	})
	fmt.Println(err)
	// Output:
	// clerkauth: AuthorizedParties[0] (CLERK_AUTHORIZED_PARTIES): "example.com" is not an origin; write "https://example.com"
	// AuthorizedParties[1] (CLERK_AUTHORIZED_PARTIES): "https://*.vercel.app" has a * that is not below the instance's own domain; list the origins instead
}
