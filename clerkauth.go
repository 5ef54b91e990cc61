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
// [Authenticator.Optional] lets everybody through and tells the handler who is signed in; it also renews the sessions of
// browsers, by a refresh or a redirect to Clerk and back. [Authenticator.Require] lets only signed-in requests through.
// [Authenticator.Authorize] also wants [Role], [Permission], [Feature], [Plan], [Reverified] or [NotImpersonated] to hold.
// Handlers ask [FromContext].
//
// [Authenticator.Accept] is for routes that machines call, with API keys, M2M tokens or OAuth access tokens, beside people or
// without them. Handlers ask [MachineFromContext]. Nothing else accepts a machine.
//
// Where net/http middleware does not fit, [Authenticator.AuthenticateRequest] decides about a request and
// [Authenticator.VerifyToken] about a token alone.
//
// # Refusals
//
// Every refusal is an [*Error] with one [Reason]: 401 where nobody is signed in, 403 where somebody is not allowed, 503 where
// it cannot be told right now. Each reason is explained at
// https://github.com/clerkauth/clerkauth/blob/main/docs/reasons.md.
//
// # More
//
// Package clerktest is a Clerk instance for tests. Guides about sessions, the allowlist, deployment and API clients are at
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

// Authenticator judges requests for one Clerk instance. Safe for concurrent use; nothing to close.
type Authenticator struct { // of pointers, which is all that is printed where Format is not asked
	settings *settings
	keys     *jwks.Keys
	decider  *decision.Decider
	machines *machine.Verifier
}

// New reports every mistake in cfg at once, joined; it does not touch the network.
func New(cfg Config) (*Authenticator, error) {
	s, err := validate(cfg)
	if err != nil {
		return nil, err
	}
	s.warnOfProxy(cfg)
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

// Ready loads the keys if they are not, and says why it cannot: the error is an *Error with
// ReasonKeysUnavailable. A server that calls it before it listens answers its first request sooner, and one that
// reports it as a health check says when its instance's keys are out of reach.
func (a *Authenticator) Ready(ctx context.Context) error {
	if err := a.keys.Load(ctx); err != nil {
		return &Error{Reason: ReasonKeysUnavailable, detail: err}
	}
	return nil
}

// VerifyToken judges a bare bearer token (gRPC, queue, WebSocket subprotocol). Not for cookies, which anybody
// below the same domain can set: see AuthenticateRequest. A non-nil error is always an *Error. A pending session
// is an error unless Config.AllowPending.
func (a *Authenticator) VerifyToken(ctx context.Context, token string) (*Session, error) {
	if fault := sessiontoken.Reject(token, sessiontoken.MaxSize); fault != sessiontoken.NoFault && a.settings.observe == nil {
		return nil, rejected(fault, len(token)) // not even the clock is asked
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
