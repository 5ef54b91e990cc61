package decision

import (
	"crypto/sha256"
	"time"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/reasons"
)

// Stuck is why a page that needs a handshake gets none any more.
type Stuck uint8

// Why.
const (
	NotStuck       Stuck = iota
	InCircles            // handshakes were made, and did not help
	KeepsNone            // the browser keeps no cookies
	CookiesLost          // something in front of the application keeps cookies back
	ClockOff             // handshakes were made, and their session tokens have expired or is not active yet
	CookieTooLarge       // the session cookie is larger than browsers keep
	SignInReturns        // the browser was sent to sign in, and returned as before
)

// because tells handshakes that go in circles because of the clock from others. A session token that has expired may
// just be an old one, unless it had just been issued a moment ago.
func (d *Decider) because(s Stuck, e *Evidence, reason reasons.Reason, now time.Time) Stuck {
	if s != InCircles {
		return s
	}
	if e.result.reason.Time() || reason.Time() && reason != reasons.TokenExpired || d.forgiven.has(sha256.Sum256([]byte(e.chosen().read.Raw)), now) {
		return ClockOff
	}
	return s
}

// stop says whether a page has been sent away often enough.
func (d *Decider) stop(e *Evidence, p *returnPoint, now time.Time) Stuck {
	switch {
	case !e.Prefetch() && p.own.n < maxUnreturned && (e.result.unasked != nil || p.forTokens(now)) && !e.broughtToken(now):
		// The count includes other tabs, and one of them may have used up what this one was to bring back.
	case p.own.usedUp(e.returned(now), now), e.Prefetch() && e.sentBefore(now):
		return InCircles
	case !e.sentBefore(now):
	case e.unexpected && e.counterless(p) && !e.bringsCookies():
		return KeepsNone
	case e.counterless(p) && d.repeated.has(e.cookieDigest(), now):
		return CookiesLost
	}
	return NotStuck
}

// usedUp reports whether a page is not sent away any more. returned: it has just come back from a handshake. Somebody who
// reloads a page because its handshake is slow has not come back, and gets another one. But a request that follows at once
// is treated as one that has come back: its address may have lost the parameter that says so.
func (a attempt) usedUp(returned bool, now time.Time) bool {
	return a.n >= maxAttempts && (returned || a.atOnce(now)) || a.n >= maxUnreturned
}

// atOnce reports whether the last redirect was a moment ago.
func (a attempt) atOnce(now time.Time) bool { return now.Unix()-a.at <= int64(countedFor/time.Second) }

// returned reports whether a page comes back from a handshake: it has a handshake result, or its address says so.
func (e *Evidence) returned(now time.Time) bool { return e.Answer.Any() || e.sentBefore(now) }

// marks reports whether the address to come back to has to say that the browser was sent out. It has to with the last
// handshake that a page gets, to tell a page that comes back from one that is loaded again, and where the cookie may not
// return: a handshake result was sent that was not expected, or the same cookies, without a count, were sent within the last minute.
// Tabs that were opened together look like that once, and then have the count. A prefetch is not counted, so nothing else
// would stop it.
func (d *Decider) marks(e *Evidence, p *returnPoint, now time.Time) bool {
	if e.Prefetch() || p.own.n >= maxAttempts-1 {
		return true
	}
	if !e.counterless(p) || !e.bringsCookies() {
		return e.unexpected
	}
	key := e.cookieDigest()
	again := d.repeated.has(key, now)
	if !e.Head {
		d.repeated.add(key, now)
	}
	return e.unexpected || again
}

// sentBefore reports whether this very address has just been sent out.
func (e *Evidence) sentBefore(now time.Time) bool {
	age := now.Unix() - e.Own.Sent
	return e.Own.Sent != 0 && age < int64(time.Minute/time.Second) && age > -int64(time.Minute/time.Second)
}

// sentForToken reports whether this very address has just been sent out for a token.
func (e *Evidence) sentForToken(now time.Time) bool { return e.Own.ForToken && e.sentBefore(now) }

// broughtToken reports whether that address has brought an answer, with a state if the session has to be confirmed.
func (e *Evidence) broughtToken(now time.Time) bool {
	return e.sentForToken(now) && e.Answer.Any() && (!e.confirms || e.Own.State != "")
}

// bringsCookies reports whether any of Clerk's cookies were sent: the browser keeps some.
func (e *Evidence) bringsCookies() bool {
	return len(e.SessionCookies()) > 0 || e.UAT[inbound.Plain].Value+e.UAT[inbound.Suffixed].Value+e.DevBrowser[inbound.Plain].Value+e.DevBrowser[inbound.Suffixed].Value != ""
}

// counterless reports whether no count of handshakes was sent, ours or Clerk's: the browser keeps no cookies, or a proxy
// lets only some of them pass, or it is the first handshake.
func (e *Evidence) counterless(p *returnPoint) bool { return len(p.entries) == 0 && e.Redirects == 0 }

// uncounted reports a request whose handshake does not count and sets nothing: the browser may never follow it.
func (e *Evidence) uncounted() bool { return e.Head || e.Prefetch() }

// cookieDigest tells browsers apart whose count of handshakes does not arrive. Their pages may have another address each time.
func (e *Evidence) cookieDigest() [sha256.Size]byte {
	h := sha256.New()
	for _, c := range e.SessionCookies() {
		h.Write([]byte(c.Token() + "\x00"))
	}
	for _, value := range []string{e.UAT[inbound.Plain].Value, e.UAT[inbound.Suffixed].Value, e.DevBrowser[inbound.Plain].Value, e.DevBrowser[inbound.Suffixed].Value} {
		h.Write([]byte(value + "\x00"))
	}
	return [sha256.Size]byte(h.Sum(nil))
}
