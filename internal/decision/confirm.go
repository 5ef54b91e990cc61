package decision

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"strconv"
	"time"

	"github.com/clerkauth/clerkauth/internal/reasons"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// A sibling subdomain can plant cookies, and with them a session of its own, or the answer of a handshake of its own, where
// somebody else was signed in. The party cookie tells which session this browser had. A page load that would sign in
// another one is confirmed first: it makes one handshake, whose return address has a state, a value computed from this
// browser's party cookie. Only an answer that arrives with it is accepted. Nothing is stored, so all tabs have what they
// need, and whoever plants cookies can compute neither the state nor the party cookie.

const (
	statePeriod = 10 * time.Minute
	stateSize   = 16 // bytes
)

// state is the value in a handshake's return address, for one party cookie, page and period.
func (k PartyKey) state(party, address string, period int64) string {
	return base64.RawURLEncoding.EncodeToString(k.sum("state", party, address, strconv.FormatInt(period, 10))[:stateSize])
}

func periodOf(now time.Time) int64 { return now.Unix() / int64(statePeriod/time.Second) }

// newState is the state for a handshake; empty: this browser has no party cookie.
func (s *Settings) newState(ctx context.Context, e *Evidence, p *returnPoint, now time.Time) string {
	if values := s.Policy.partyValues(ctx, &e.Request, now); len(values) > 0 {
		return s.Policy.Party.state(values[0], p.address, periodOf(now))
	}
	return ""
}

// confirmed reports whether a page comes back from a handshake that this browser was sent to from it, in this period of
// ten minutes or the one before.
func (s *Settings) confirmed(ctx context.Context, e *Evidence, now time.Time) bool {
	if e.Own.State == "" {
		return false
	}
	p, _ := s.newReturnPoint(ctx, e, now) // at another host there are no party cookies either
	held := false
	for _, value := range s.Policy.partyValues(ctx, &e.Request, now) {
		for _, period := range []int64{periodOf(now), periodOf(now) - 1} {
			held = hmac.Equal([]byte(s.Policy.Party.state(value, p.address, period)), []byte(e.Own.State)) || held
		}
	}
	return held
}

// changed reports whether a document would sign in another session than the one this browser had here.
func (s *Settings) changed(ctx context.Context, e *Evidence, c *sessiontoken.Claims, now time.Time) bool {
	return e.Document && s.otherSession(ctx, e, c, now)
}

// otherSession reports whether claims are of another session than the one this browser had here.
func (s *Settings) otherSession(ctx context.Context, e *Evidence, c *sessiontoken.Claims, now time.Time) bool {
	return c != nil && !s.Policy.partyHolds(ctx, c, &e.Request, now) &&
		len(s.Policy.partyValues(ctx, &e.Request, now)) > 0
}

// canConfirm reports whether a handshake could confirm another session. Where the Frontend API is not known, none can be
// made at all: then the session is accepted without one. An unlisted host has no party cookies that could differ.
func (s *Settings) canConfirm() bool { return s.frontendAt("/") != "" }

// confirm is the handshake that confirms another session.
func (e *Evidence) confirm(k TokenSource) Outcome {
	e.confirms = true
	return Outcome{Reason: reasons.SessionChanged, Source: k}
}

// stripOwn redirects a page to its address without this package's own parameters. A state must not stay there, whatever
// the result: whoever can send the browser back in its history could have an answer of their own confirmed with it. Only
// where the keys or the Backend API cannot be reached does it stay, so that the page can be loaded again. The other
// parameters are useless once the page is signed in without an answer, as when another tab has used it.
func (s *Settings) stripOwn(ctx context.Context, e *Evidence, o *Outcome) {
	held := e.Own.State != "" && !CannotTell(o.Reason, o.Refresh)
	done := e.Own.Any && o.Reason == "" && o.Source != FromHandshake && !e.needed
	if (held || done) && o.Header.Get("Location") == "" {
		s.clean(ctx, e, o)
	}
}
