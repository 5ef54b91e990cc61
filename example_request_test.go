package clerkauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// A framework without net/http middleware calls AuthenticateRequest, and responds with what it
// returns: cookies of a renewed session, or the redirect of a handshake.
func ExampleAuthenticator_AuthenticateRequest() {
	auth, clerk := newExample(nil)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		state := auth.AuthenticateRequest(r)
		w, done := state.Respond(w)
		if done {
			return // the browser is redirected to Clerk
		}
		if state.Status != clerkauth.StatusSignedIn {
			http.Error(w, state.Err.Error(), http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, "hello ", state.Session.UserID)
	})
	curl(handler, clerk.Token(clerktest.Claims{Subject: "user_alice"}))
	curl(handler, "")
	// Output:
	// 200 hello user_alice
	// 401 clerkauth: session-token-and-uat-missing
}

// A browser whose token has expired is redirected to Clerk and back: Respond writes the redirect,
// and nothing else is needed.
func ExampleRequestState_Respond() {
	auth, clerk := newExample(nil)
	r := httptest.NewRequest(http.MethodGet, "https://example.com/", http.NoBody)
	r.Header.Set("Sec-Fetch-Dest", "document")
	expired := clerk.Token(clerktest.Claims{ExpiresAt: time.Now().Add(-time.Minute)})
	for _, c := range clerk.Cookies(expired) {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	state := auth.AuthenticateRequest(r)
	_, done := state.Respond(w)
	fmt.Println(state.Status, done, w.Code)
	// Output: handshake true 307
}

// A call to another service of the same instance passes the token on. The token never prints by itself.
func ExampleRequestState_Token() {
	auth, clerk := newExample(nil)
	handler := auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		state, _ := clerkauth.StateFromContext(r.Context())
		call, err := http.NewRequestWithContext(r.Context(), http.MethodGet, "https://billing.example.com/invoices", http.NoBody)
		if err != nil {
			http.Error(w, "no request", http.StatusInternalServerError)
			return
		}
		call.Header.Set("Authorization", "Bearer "+state.Token())
		fmt.Fprint(w, state, " ", len(call.Header.Get("Authorization")) > len("Bearer "))
	}))
	curl(handler, clerk.Token(clerktest.Claims{}))
	// Output: 200 signed-in true
}

// A handler behind Optional can find out why nobody is signed in.
func ExampleStateFromContext() {
	auth, clerk := newExample(nil)
	handler := auth.Optional(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		state, _ := clerkauth.StateFromContext(r.Context())
		if refusal, ok := errors.AsType[*clerkauth.Error](state.Err); ok {
			fmt.Fprint(w, state.Status, ": ", refusal.Reason)
			return
		}
		fmt.Fprint(w, state.Status)
	}))
	curl(handler, clerk.Token(clerktest.Claims{}))
	curl(handler, clerk.Token(clerktest.Claims{Pending: true}))
	// Output:
	// 200 signed-in
	// 200 signed-out: session-pending
}

// Behind Optional, FromContext says whether somebody is signed in; behind Require it always finds a
// session.
func ExampleFromContext() {
	auth, clerk := newExample(nil)
	handler := auth.Optional(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, ok := clerkauth.FromContext(r.Context())
		if !ok {
			fmt.Fprint(w, "nobody")
			return
		}
		fmt.Fprint(w, session.UserID, " in ", session.Organization.Slug)
	}))
	curl(handler, clerk.Token(clerktest.Claims{Subject: "user_alice", Organization: clerkauth.Organization{ID: "org_acme", Slug: "acme", Role: "org:admin"}}))
	curl(handler, "")
	// Output:
	// 200 user_alice in acme
	// 200 nobody
}

// A test of a handler needs no middleware: the session is put into the context.
func ExampleNewContext() {
	handler := func(w http.ResponseWriter, r *http.Request) {
		session, _ := clerkauth.FromContext(r.Context())
		fmt.Fprint(w, "hello ", session.UserID)
	}
	ctx := clerkauth.NewContext(context.Background(), &clerkauth.Session{UserID: "user_alice"})
	w := httptest.NewRecorder()
	handler(w, httptest.NewRequest(http.MethodGet, "/", http.NoBody).WithContext(ctx))
	fmt.Println(w.Body)
	// Output: hello user_alice
}

// A server loads the keys before it listens, and reports if it cannot.
func ExampleAuthenticator_Ready() {
	auth, clerk := newExample(nil)
	clerk.Fault(clerktest.BackendJWKS, clerktest.Status(http.StatusUnauthorized, nil))
	fmt.Println(auth.Ready(context.Background()))

	auth, _ = newExample(nil)
	fmt.Println(auth.Ready(context.Background()))
	// Output:
	// clerkauth: jwk-remote-failed-to-load
	// <nil>
}

// Every error of this package is an *Error with one reason.
func ExampleError() {
	auth, clerk := newExample(nil)
	_, err := auth.VerifyToken(context.Background(), clerk.Token(clerktest.Claims{ExpiresAt: time.Now().Add(-time.Hour)}))
	if refusal, ok := errors.AsType[*clerkauth.Error](err); ok {
		fmt.Println(refusal.StatusCode(), refusal.Reason)
	}
	// Output: 401 session-token-expired
}

// A program that writes its own logs and responses uses the status of DefaultErrorHandler.
func ExampleError_StatusCode() {
	auth, clerk := newExample(nil)
	_, err := auth.VerifyToken(context.Background(), clerk.Forge(clerktest.Claims{}))
	if refusal, ok := errors.AsType[*clerkauth.Error](err); ok {
		fmt.Println(refusal.StatusCode())
	}
	// Output: 401
}

// A reason is found with errors.Is, however often the error was wrapped.
func ExampleError_Is() {
	auth, clerk := newExample(nil)
	_, err := auth.VerifyToken(context.Background(), clerk.Token(clerktest.Claims{ExpiresAt: time.Now().Add(-time.Hour)}))
	err = fmt.Errorf("message 7: %w", err)
	fmt.Println(errors.Is(err, clerkauth.ReasonTokenExpired), err)
	// Output: true message 7: clerkauth: session-token-expired
}

// A handler can check a session itself, if a page looks different for some people.
func ExampleSession_Has() {
	_, clerk := newExample(nil)
	session := clerk.Session(clerktest.Claims{Organization: clerkauth.Organization{ID: "org_acme", Role: "org:admin"}})
	fmt.Println(session.Has(clerkauth.Role("org:admin")), session.Has(clerkauth.Role("org:admin"), clerkauth.Plan("org:pro")))
	// Output: true false
}

func ExampleSession_Permissions() {
	_, clerk := newExample(nil)
	session := clerk.Session(clerktest.Claims{
		Organization: clerkauth.Organization{ID: "org_acme", Role: "org:member"},
		Permissions:  []string{"org:invoices:create", "org:invoices:read"},
	})
	fmt.Println(session.Permissions())
	// Output: [org:invoices:create org:invoices:read]
}

func ExampleCheck_String() {
	fmt.Println(clerkauth.AnyOf(clerkauth.Role("org:admin"), clerkauth.Permission("org:reports:read")))
	// Output: any of (role org:admin, permission org:reports:read)
}
