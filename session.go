package clerkauth

import (
	"context"
	"slices"
	"time"
)

// Session is who is signed in. Each request has its own copy.
type Session struct {
	ID              string // sess_…
	UserID          string // user_…
	Organization    Organization
	Actor           Actor
	Pending         bool   // sts is "pending": the session still has a task to do
	AuthorizedParty string // azp; empty if the token has none
	IssuedAt        time.Time
	NotBefore       time.Time // zero: the token has no nbf
	ExpiresAt       time.Time
	FactorAge       [2]time.Duration // since first and second factor, to the minute; negative: never
	claims          *claims
}

// Actor is who impersonates the user. Zero: nobody.
type Actor struct{ Subject, SessionID string }

// Permissions are the active organization's custom permissions, as a new slice.
func (s *Session) Permissions() []string {
	if s.claims == nil {
		return nil
	}
	return slices.Clone(s.claims.permissions)
}

// copySession is the session that one request gets.
func (c *claims) copySession() Session {
	s := c.session
	s.claims = c
	return s
}

type contextKey struct{}

// FromContext returns the session that Optional, Require or Authorize put there. It reports false when nobody
// is signed in, or when none of them has run.
func FromContext(ctx context.Context) (*Session, bool) {
	d, ok := ctx.Value(contextKey{}).(*decision)
	if !ok || d.Session == nil {
		return nil, false
	}
	return d.Session, true
}

// StateFromContext returns the whole decision. It reports false when no middleware of this package has run.
func StateFromContext(ctx context.Context) (*RequestState, bool) {
	d, ok := ctx.Value(contextKey{}).(*decision)
	if !ok {
		return nil, false
	}
	return &d.RequestState, true
}

// NewContext is for handler tests: FromContext will find s. Require and Authorize do not believe it.
func NewContext(ctx context.Context, s *Session) context.Context {
	return context.WithValue(ctx, contextKey{}, &decision{RequestState: RequestState{Status: SignedIn, Session: s}})
}
