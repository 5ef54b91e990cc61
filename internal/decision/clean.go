package decision

import (
	"context"
	"time"

	"github.com/clerkauth/clerkauth/internal/reasons"
)

// cleanOnce redirects the browser to the page's address without what a handshake left in it. If that was done a moment ago,
// and the cookies still sign nobody in, the browser did not keep those of the last answer, and would not keep these. With
// test keys the page is then refused; with live keys the answer itself signs in, each time. With any keys it does so if the
// session still has another organization than the page asks for.
func (d *Decider) cleanOnce(ctx context.Context, e *Evidence, o Outcome, now time.Time) Outcome {
	s := d.Settings
	p, _ := s.newReturnPoint(ctx, e, now)
	if p.own.cleaned {
		reason := s.stillNeeded(e)
		if reason != "" && !s.Live {
			e.needed = true
			return Outcome{Reason: reason, Source: FromCookie, Header: o.Header, Stuck: d.because(InCircles, e, reason, now)}
		}
		if reason != "" || o.Claims != nil && s.wantsOrganization(e, o.Claims) {
			return o
		}
	}
	s.clean(ctx, e, &o)
	if o.Header.Get("Location") == "" || e.Prefetch() {
		return o
	}
	o.setCookies("no-store", []string{s.attemptsCookie(&e.Request, p.public, p.next(p.own.byToken, true, now))})
	return o
}

// stillNeeded is why a handshake would be needed with the cookies that were sent; empty: none is.
func (s *Settings) stillNeeded(e *Evidence) reasons.Reason {
	if !s.Live && e.DevBrowser[e.pair].Value == "" {
		return reasons.DevBrowserMissing
	}
	if reason := cookieReason(e); canRecover(reason) {
		return reason
	}
	return ""
}

// clean redirects the browser to the page's address without what a handshake left in it.
func (s *Settings) clean(ctx context.Context, e *Evidence, o *Outcome) {
	if location := s.cleanAddress(ctx, e); location != "" {
		o.setHeader("Location", location)
		o.setHeader("Cache-Control", "no-store")
	}
}

// cleanAddress is the address of a page without what a handshake left in it; empty: the host is not one of the
// application's own, or the address is too long.
func (s *Settings) cleanAddress(ctx context.Context, e *Evidence) string {
	public, ok := publicOrigin(ctx, &e.Request, &s.Policy)
	if !ok {
		return ""
	}
	return withoutAnswer(public, e.Page)
}
