package clerkauth

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"net/http"
	"strconv"
	"time"
)

// A sibling subdomain can plant cookies, and so a session of its own, or the answer of a handshake of its own, where
// somebody else was signed in. The party cookie tells which session this browser had. A page that would sign in
// another one is confirmed: it makes one handshake, whose way back carries bits that only this browser's party cookie
// gives. Only an answer that comes with them is believed. Nothing is stored, so that tabs share what they need, and
// who plants cookies can compute neither.

const (
	paramState  = "__clerkauth_state"
	paramSent   = "__clerkauth_sent"
	statePeriod = 10 * time.Minute
	stateSize   = 16 // bytes
)

// ownParameters are those that this package put into the address.
type ownParameters struct {
	came  bool   // any of them, or several
	state string // "" where none or several came
	sent  int64  // Unix seconds, when a page without our cookie was sent out; 0: it was not
}

// readOwnParameters reads them from the address of a document.
func (f *facts) readOwnParameters() {
	var state single
	for name, value := range parameters(f.page.query) {
		switch name {
		case paramState:
			state.add(value)
		case paramSent:
			f.own.sent, _ = strconv.ParseInt(value, 10, 64)
		default:
			continue
		}
		f.own.came = true
	}
	f.own.state = state.only()
}

// state is what a handshake's way back carries, for one party cookie, page and time.
func (k partyKey) state(party, address string, period int64) string {
	return base64.RawURLEncoding.EncodeToString(k.sum("state", party, address, strconv.FormatInt(period, 10))[:stateSize])
}

func periodOf(now time.Time) int64 { return now.Unix() / int64(statePeriod/time.Second) }

// newState is the state for a handshake; empty: this browser has no party cookie.
func (s *settings) newState(ctx context.Context, e *evidence, p *returnPoint, now time.Time) string {
	if values := s.policy.partyValues(ctx, &e.facts, now); len(values) > 0 {
		return s.policy.party.state(values[0], p.address, periodOf(now))
	}
	return ""
}

// confirmed reports whether a page comes back from a handshake that this browser was sent to from it, in this period of
// ten minutes or the one before.
func (s *settings) confirmed(ctx context.Context, e *evidence, now time.Time) bool {
	if e.own.state == "" {
		return false
	}
	values := s.policy.partyValues(ctx, &e.facts, now)
	if len(values) == 0 {
		return false
	}
	p, ok := s.newReturnPoint(ctx, e, now)
	if !ok {
		return false
	}
	held := false
	for _, value := range values {
		for _, period := range []int64{periodOf(now), periodOf(now) - 1} {
			held = hmac.Equal([]byte(s.policy.party.state(value, p.address, period)), []byte(e.own.state)) || held
		}
	}
	return held
}

// changed reports whether a document would sign in another session than the one this browser had here.
func (s *settings) changed(ctx context.Context, e *evidence, c *claims, now time.Time) bool {
	return e.document && c != nil && e.partyCount > 0 && !s.policy.partyHolds(ctx, c, &e.facts, now) &&
		len(s.policy.partyValues(ctx, &e.facts, now)) > 0
}

// confirm starts the handshake that confirms another session. It returns false where none can be made at all, because
// the host is not listed or the Frontend API is not known: then the session is believed.
func (a *Authenticator) confirm(ctx context.Context, e *evidence, k Carrier, now time.Time) (outcome, bool) {
	public, ok := publicOrigin(ctx, &e.facts, &a.settings.policy)
	if !ok || a.settings.frontendAt(public) == "" {
		return outcome{}, false
	}
	e.confirms = true
	return a.startHandshake(ctx, e, outcome{reason: ReasonSessionChanged, carrier: k}, now), true
}

// stripState keeps a state out of the address of a page that is shown, whatever became of the answer: who can send the
// browser back in its history would have an answer of their own confirmed there. A page that only waits for the keys or
// the Backend API can be loaded again.
func (s *settings) stripState(ctx context.Context, e *evidence, o *outcome) {
	if e.own.state != "" && o.header.Get("Location") == "" && o.err().StatusCode() != http.StatusServiceUnavailable {
		s.clean(ctx, e, o)
	}
}
