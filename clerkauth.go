// Package clerkauth decides who is signed in with Clerk, as net/http middleware.
//
// An [Authenticator] takes the session token of a request from its Authorization header or its cookies, verifies
// it against the instance's keys, and checks that it was issued for an origin in Config.AuthorizedParties.
// [Authenticator.Require] lets only such requests through; [Authenticator.Optional] lets all through and tells
// the handler who is signed in.
//
// The package is not made by Clerk Inc.
package clerkauth

import (
	"context"

	"github.com/clerkauth/clerkauth/internal/backendapi"
	"github.com/clerkauth/clerkauth/internal/tokencache"
)

// Authenticator judges requests for one Clerk instance. Safe for concurrent use; nothing to close.
type Authenticator struct { // of pointers, which is all that is printed where Format is not asked
	settings *settings
	verifier verifier

	backend  *backendapi.Client // nil: no secret key
	failed   *memory            // answers of handshakes that did not hold
	forged   *memory            // session cookies whose signature did not hold
	repeated *memory            // handshakes of browsers whose count does not come through
}

// New reports every mistake in cfg at once, joined; it does not touch the network.
func New(cfg Config) (*Authenticator, error) {
	s, err := validate(cfg)
	if err != nil {
		return nil, err
	}
	a := &Authenticator{
		settings: s, verifier: verifier{keys: newKeys(s), cache: tokencache.New[*claims](s.tokenCacheSize), skew: s.policy.skew},
		failed: &memory{}, forged: &memory{}, repeated: &memory{},
	}
	if s.secretKey != "" {
		a.backend = backendapi.New(s.client, s.backend, s.secretKey, s.now)
	}
	return a, nil
}

// Ready loads the keys if they are not, and says why it cannot: the error is an *Error with
// ReasonKeysUnavailable. A server that calls it before it listens answers its first request sooner, and one that
// reports it as a health check says when its instance's keys are out of reach.
func (a *Authenticator) Ready(ctx context.Context) error {
	if err := a.verifier.keys.Load(ctx); err != nil {
		return &Error{Reason: ReasonKeysUnavailable, detail: err}
	}
	return nil
}

// VerifyToken judges a bare bearer token (gRPC, queue, WebSocket subprotocol). Not for cookies, which anybody
// below the same domain can set: see AuthenticateRequest. A non-nil error is always an *Error. A pending session
// is an error unless Config.AllowPending.
func (a *Authenticator) VerifyToken(ctx context.Context, token string) (*Session, error) {
	if reason := atAGlance(token, maxToken); reason != "" && a.settings.observe == nil {
		return nil, refused(reason) // not even the clock is asked
	}
	begin := a.settings.now()
	read := a.verifier.read(token, begin)
	reason := a.judgeParsed(ctx, &read, CarrierBearer, noRequest, begin)
	if reason == "" {
		reason = a.settings.judgePending(read.claims)
	}
	if a.settings.observe != nil {
		e := Event{Reason: reason, Carrier: CarrierBearer, CacheHit: read.verified, Elapsed: a.settings.now().Sub(begin)}
		if reason == "" {
			e.Status = SignedIn
		}
		a.settings.observe(ctx, e)
	}
	if reason != "" {
		return nil, refused(reason)
	}
	session := read.claims.copySession()
	return &session, nil
}

// noRequest are the facts of a token that came alone.
var noRequest = &facts{}
