package bench

import (
	"context"
	"net/http"
	"time"
)

// Middleware is the form that all guards are brought into.
type Middleware func(http.Handler) http.Handler

// Guard is one way of protecting a handler.
type Guard struct {
	Name   string
	Module string  // "": the standard library
	Kind   Kind    // what the results are compared with
	Party  string  // who compares azp: the library, a function it calls, or the code around it
	Keys   KeyHome // whether it fetches keys
	// Clock is how far a clock of its own must move until fetched keys are no longer fresh; 0: it has no such clock,
	// and is told a lifetime instead.
	Clock time.Duration
	// Protect sets the guard up. What it starts ends with ctx.
	Protect func(ctx context.Context, s Site) (Middleware, error)
}

// Kind is a guard's part in the comparison.
type Kind int

// The kinds.
const (
	Peer Kind = iota
	Floor
	Open // a floor that admits everybody: it stands for the price of a middleware alone
	Own
)

// KeyHome is where a guard has its keys from.
type KeyHome int

// The homes of keys.
const (
	Given   KeyHome = iota // the program hands them over
	Fetched                // the library fetches and keeps them
)

// Guards are all ways that are compared, in the order of the tables.
func Guards() []Guard {
	return append(append(ours(), peers()...), floors()...)
}

// FaultGuards are those that the tables of faults compare: a cache of tokens makes no difference to them.
func FaultGuards() []Guard { return append(ours()[:1:1], peers()...) }

func peers() []Guard {
	return []Guard{clerkSDK(), auth0v2(), auth0v3(), goOIDC(), jwxGuard(), chiJWTAuth(), goJose(), keyfuncGuard()}
}

// byHand is the middleware that programs write around a library that only verifies tokens.
func byHand[C any](verify func(ctx context.Context, token string) (C, error)) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token, ok := bearer(r)
			if !ok {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			claims, err := verify(r.Context(), token)
			if err != nil {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), claimsKey{}, claims)))
		})
	}
}

type claimsKey struct{}

const bearerScheme = "Bearer "

func bearer(r *http.Request) (string, bool) {
	value := r.Header.Get("Authorization")
	if len(value) <= len(bearerScheme) || value[:len(bearerScheme)] != bearerScheme {
		return "", false
	}
	return value[len(bearerScheme):], true
}
