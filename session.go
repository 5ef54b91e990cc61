package clerkauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/internal/jose"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
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
	FirstFactorAt   time.Time // when the first factor was verified, to the minute; zero: never, or the token does not say when it was issued
	SecondFactorAt  time.Time // the same for the second factor; zero also if the user has none
	claims          *sessiontoken.Claims
}

// Organization is the active organization. Zero: none is active.
type Organization struct{ ID, Slug, Role string }

// Actor is who impersonates the user. Zero: nobody.
type Actor struct{ Subject, SessionID string }

// Permissions are the active organization's custom permissions, as a new slice.
func (s *Session) Permissions() []string {
	if s == nil || s.claims == nil {
		return nil
	}
	return slices.Clone(s.claims.Permissions)
}

var (
	errNoClaims  = errors.New("clerkauth: this session was not made from a token and has no claims")
	errAmbiguous = errors.New("clerkauth: names in the claims differ only in case, so that they cannot be told apart")
)

// Claims decodes the whole payload into v, as json.Unmarshal does. A payload with names that differ only in case is refused,
// because json.Unmarshal does not tell them apart.
func (s *Session) Claims(v any) error {
	if s == nil || s.claims == nil {
		return errNoClaims
	}
	payload := s.claims.Text()
	if sameButCase(strings.TrimSpace(payload)) {
		return errAmbiguous
	}
	if err := json.Unmarshal([]byte(payload), v); err != nil {
		return fmt.Errorf("clerkauth: claims: %w", err)
	}
	return nil
}

// sameButCase reports whether an object in raw, at any depth, has names that differ only in case or not at all.
func sameButCase(raw string) bool {
	if elements, ok := jose.Array(raw); ok {
		return slices.ContainsFunc(elements, sameButCase)
	}
	if !strings.HasPrefix(raw, "{") {
		return false
	}
	members, err := jose.Object(raw)
	if err != nil {
		return true
	}
	for i, m := range members {
		same := func(n jose.Member) bool { return strings.EqualFold(m.Name, n.Name) }
		if slices.ContainsFunc(members[:i], same) || sameButCase(m.Raw) {
			return true
		}
	}
	return false
}

// newSession is the session that one request gets.
func newSession(c *sessiontoken.Claims) Session {
	s := Session{
		ID: c.SID, UserID: c.Sub, Organization: Organization(c.Organization), Actor: Actor(c.Actor), Pending: c.Pending,
		AuthorizedParty: c.AZP.Value, IssuedAt: c.Iat.Time(), NotBefore: c.Nbf.Time(), ExpiresAt: c.Exp.Time(),
		claims: c,
	}
	s.FirstFactorAt, s.SecondFactorAt = s.verifiedAt(c.FactorAge[0]), s.verifiedAt(c.FactorAge[1])
	return s
}

// verifiedAt is when a factor was verified that had this age when the token was issued.
func (s *Session) verifiedAt(age time.Duration) time.Time {
	if age < 0 || s.IssuedAt.IsZero() {
		return time.Time{}
	}
	return s.IssuedAt.Add(-age)
}

type contextKey struct{}

// requestContext is a context with a decision in it.
type requestContext struct {
	context.Context

	decision **boundState
}

// Value finds c itself, and else what is in the context around it.
func (c *requestContext) Value(key any) any {
	if key == (contextKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// in returns ctx with d in it, as a pointer to a pointer: fmt follows a single pointer if the verb does not fit, and would
// show the tokens in d.
func (d *boundState) in(ctx context.Context) context.Context {
	d.self = d
	d.context = requestContext{ctx, &d.self}
	return &d.context
}

// handOn is a copy of r with d in its context. The copy of a request with a body has memory of its own: the context may be
// kept for longer than what the handler reads from the body.
func (d *boundState) handOn(r *http.Request) *http.Request {
	ctx := d.in(r.Context())
	if r.Body != nil && r.Body != http.NoBody {
		return r.WithContext(ctx)
	}
	d.handed = *r.WithContext(ctx)
	return &d.handed
}

func decisionIn(ctx context.Context) (*boundState, bool) {
	c, ok := ctx.Value(contextKey{}).(*requestContext)
	if !ok {
		return nil, false
	}
	return *c.decision, true
}

// FromContext returns the session that Optional, Require or Authorize put there. It reports false when nobody
// is signed in, or when none of them has run.
func FromContext(ctx context.Context) (*Session, bool) {
	s, ok := StateFromContext(ctx)
	if !ok || s.Session == nil {
		return nil, false
	}
	return s.Session, true
}

// StateFromContext returns the whole decision. It reports false when no middleware of this package has run.
func StateFromContext(ctx context.Context) (*RequestState, bool) {
	d, ok := decisionIn(ctx)
	if !ok {
		return nil, false
	}
	return d.requestState(), true
}

// NewContext is for handler tests: FromContext will find s. Require and Authorize do not accept it.
// A nil s means that nobody is signed in.
func NewContext(ctx context.Context, s *Session) context.Context {
	d := &boundState{}
	if d.shown.Session = s; s != nil {
		d.shown.Status = StatusSignedIn
	} else {
		d.shown.Err = refused(ReasonSessionTokenAndUATMissing)
	}
	return d.in(ctx)
}
