package clerktest_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
)

// Clerk is unreachable, and then reachable again.
func ExampleInstance_Fault() {
	clerk, auth := newExample()
	clerk.Fault(clerktest.BackendJWKS, clerktest.Down)
	verify(auth, clerk.Token(clerktest.Claims{}))

	clerk, auth = newExample()
	clerk.Fault(clerktest.BackendJWKS, clerktest.Down)
	clerk.Fault(clerktest.BackendJWKS, nil)
	verify(auth, clerk.Token(clerktest.Claims{Subject: "user_alice"}))
	// Output:
	// clerkauth: jwk-remote-failed-to-load
	// user_alice
}

func ExampleStatus() {
	clerk, auth := newExample()
	clerk.Fault(clerktest.BackendJWKS, clerktest.Status(http.StatusTooManyRequests, http.Header{"Retry-After": {"30"}}))
	verify(auth, clerk.Token(clerktest.Claims{}))
	// Output: clerkauth: jwk-remote-failed-to-load
}

func ExampleSlow() {
	clerk, auth := newExample()
	clerk.Fault(clerktest.BackendJWKS, clerktest.Slow(10*time.Millisecond))
	verify(auth, clerk.Token(clerktest.Claims{Subject: "user_alice"}))
	// Output: user_alice
}

// A redirect is not followed, even to an honest answer.
func ExampleRedirect() {
	clerk, auth := newExample()
	clerk.Fault(clerktest.BackendJWKS, clerktest.Redirect(clerk.URL(clerktest.FrontendJWKS)))
	verify(auth, clerk.Token(clerktest.Claims{}))
	// Output: clerkauth: jwk-remote-failed-to-load
}

func ExampleDown() {
	clerk, auth := newExample()
	clerk.Fault(clerktest.BackendJWKS, clerktest.Down)
	fmt.Println(auth.Ready(context.Background()))
	// Output: clerkauth: jwk-remote-failed-to-load
}

// Hang never answers. The client has to stop waiting.
func ExampleHang() {
	clerk, auth := newExample()
	clerk.Fault(clerktest.BackendJWKS, clerktest.Hang)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	fmt.Println(auth.Ready(ctx))
	// Output: clerkauth: jwk-remote-failed-to-load
}

func ExampleGarbage() {
	clerk, auth := newExample()
	clerk.Fault(clerktest.BackendJWKS, clerktest.Garbage)
	fmt.Println(auth.Ready(context.Background()))
	// Output: clerkauth: jwk-remote-failed-to-load
}

func ExampleEmptySet() {
	clerk, auth := newExample()
	clerk.Fault(clerktest.BackendJWKS, clerktest.EmptySet)
	fmt.Println(auth.Ready(context.Background()))
	// Output: clerkauth: jwk-remote-failed-to-load
}

func ExampleHugeBody() {
	clerk, auth := newExample()
	clerk.Fault(clerktest.BackendJWKS, clerktest.HugeBody)
	fmt.Println(auth.Ready(context.Background()))
	// Output: clerkauth: jwk-remote-failed-to-load
}
