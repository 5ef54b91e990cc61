// Package clerkauth decides who is signed in with Clerk, as net/http middleware.
//
// An [Authenticator] takes the session token of a request from its Authorization header or its cookies, verifies
// it against the instance's keys, and checks that it was issued for an origin in Config.AuthorizedParties.
//
//	auth, err := clerkauth.New(clerkauth.Config{
//		PublishableKey:    os.Getenv("CLERK_PUBLISHABLE_KEY"),
//		SecretKey:         os.Getenv("CLERK_SECRET_KEY"),
//		AuthorizedParties: []string{"https://example.com"},
//	})
//	…
//	mux.Handle("GET /account", auth.Require(account))
//	http.ListenAndServe(":8080", auth.Optional(mux))
//
// # Middleware
//
// [Authenticator.Optional] lets everybody through and tells the handler who is signed in. It also renews the sessions of
// browsers, by a refresh or by a redirect to Clerk and back. [Authenticator.Require] lets only signed-in requests through.
// [Authenticator.Authorize] also requires that [Role], [Permission], [Feature], [Plan], [Reverified] or [NotImpersonated]
// pass. Handlers call [FromContext].
//
// [Authenticator.Accept] is for routes that machines call, with API keys, M2M tokens or OAuth access tokens; it can accept
// people too. Handlers call [MachineFromContext]. No other middleware accepts machines.
//
// Where net/http middleware does not fit, [Authenticator.AuthenticateRequest] decides about a request and
// [Authenticator.VerifyToken] about a token alone.
//
// # Refusals
//
// Every refusal is an [*Error] with one [Reason]. Its status is 401 when nobody is signed in, 403 when the person is not
// allowed, and 503 when this cannot be found out at the moment. Each reason is explained at
// https://github.com/clerkauth/clerkauth/blob/main/docs/reasons.md.
//
// # More
//
// Package clerktest is a Clerk instance for tests. Guides to sessions, the allowlist, deployment and API clients are at
// https://github.com/clerkauth/clerkauth/tree/main/docs.
//
// The package is not made by Clerk Inc.
package clerkauth

import (
	"context"

	"github.com/clerkauth/clerkauth/internal/backendapi"
	"github.com/clerkauth/clerkauth/internal/decision"
	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/jwks"
	"github.com/clerkauth/clerkauth/internal/machine"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// Authenticator decides about requests for one Clerk instance. It is safe for concurrent use and needs no closing.
type Authenticator struct { // all fields are pointers: fmt prints no more of them where it does not call Format
	settings *settings
	keys     *jwks.Keys
	decider  *decision.Decider
	machines *machine.Verifier
}

// New checks cfg and reports every mistake in it, joined in one error. It does not use the network.
func New(cfg Config) (*Authenticator, error) {
	s, err := validate(cfg)
	if err != nil {
		return nil, err
	}
	s.warnOfProxy(cfg)
	s.warnOfPatterns()
	var backend *backendapi.Client
	if s.secretKey != "" {
		backend = backendapi.New(s.client, s.backend, s.secretKey, s.now, s.warnOfBackend)
	}
	keys := newKeys(s)
	verifier := sessiontoken.New(keys, s.tokenCacheSize, s.decision.Policy.Skew)
	return &Authenticator{
		settings: s, keys: keys, decider: decision.New(&s.decision, verifier, backend),
		machines: machine.New(s.client, &s.machine, verifier),
	}, nil
}

// Ready loads the keys unless they are loaded already and need no refresh. The error is an *Error with
// ReasonKeysUnavailable: there are no keys that may be used. A server that calls Ready before it listens answers its first
// request sooner. As a health check, Ready fails if the keys were never loaded, or not for Config.KeyMaxAge, and not when a
// refresh fails.
func (a *Authenticator) Ready(ctx context.Context) error {
	if err := a.keys.Load(ctx); err != nil {
		return &Error{Reason: ReasonKeysUnavailable, detail: err}
	}
	return nil
}

// VerifyToken checks a bearer token that did not come with an http.Request: in gRPC metadata, a queue, a WebSocket
// subprotocol. Do not use it for cookies, which any subdomain of the same domain can set: see AuthenticateRequest. A
// non-nil error is always an *Error. A pending session is an error unless Config.AllowPending is set.
func (a *Authenticator) VerifyToken(ctx context.Context, token string) (*Session, error) {
	if fault := sessiontoken.Reject(token, sessiontoken.MaxSize); fault != sessiontoken.NoFault && a.settings.observe == nil {
		return nil, rejected(fault, len(token)) // without even reading the clock
	}
	begin := a.settings.now()
	var o decision.Outcome
	var none inbound.Request
	a.decider.Verify(ctx, token, &none, &o, begin)
	a.observed(ctx, &o, begin)
	if o.Reason != "" {
		return nil, newError(&o)
	}
	session := newSession(o.Claims)
	return &session, nil
}
