package decision

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/reasons"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// Every handshake ends: a page counts in a cookie how often it was sent to the Frontend API, and is not sent again for
// ever. The cookie has an entry for each of the last pages, so that tabs do not stop each other. It is a counter and
// proves nothing: whoever changes their own is sent about a little longer.

const (
	maxAttempts      = 3                // handshakes of one page
	attemptsWithin   = 30 * time.Second // the next handshake of a page begins a new count after this
	attemptsLifetime = 10 * time.Minute
	maxEntries       = 8
	addressSize      = 12 // characters of a hash
)

// attempt is an entry of the cookie.
type attempt struct {
	address string // hash of the page's address
	n       int
	at      int64 // of the last handshake, in Unix seconds
	byToken bool  // no nonces: they could not be exchanged
}

func join(c inbound.AttemptCookies) string { return c.Previous + "~" + c.Last }

// parseAttempts returns the entries that still count, the oldest first. Of two entries of one page, which a browser has
// in a frame, the larger count counts.
func parseAttempts(value string, now time.Time) []attempt {
	var entries []attempt
	for text := range strings.SplitSeq(value, "~") {
		entry, ok := parseAttempt(text, now)
		if !ok {
			continue
		}
		if i := indexOf(entries, entry.address); i >= 0 {
			entry.n, entry.at, entry.byToken = max(entry.n, entries[i].n), max(entry.at, entries[i].at), entry.byToken || entries[i].byToken
			entries = slices.Delete(entries, i, i+1)
		}
		entries = append(entries, entry)
	}
	slices.SortStableFunc(entries, func(a, b attempt) int { return int(a.at - b.at) })
	return entries
}

func parseAttempt(text string, now time.Time) (attempt, bool) {
	fields := strings.SplitN(text, ".", 5)
	if len(fields) < 3 || len(fields) > 4 || len(fields[0]) != addressSize || len(fields) == 4 && fields[3] != "t" {
		return attempt{}, false
	}
	n, err := strconv.ParseUint(fields[1], 10, 8)
	at, err2 := strconv.ParseInt(fields[2], 10, 64)
	age := now.Unix() - at
	if err != nil || err2 != nil || at < 0 || at > sessiontoken.LastDate || age > int64(attemptsLifetime/time.Second) || age < -int64(attemptsWithin/time.Second) {
		return attempt{}, false
	}
	return attempt{fields[0], int(n), at, len(fields) == 4}, true
}

func (a attempt) String() string {
	text := a.address + "." + strconv.Itoa(a.n) + "." + strconv.FormatInt(a.at, 10)
	if a.byToken {
		return text + ".t"
	}
	return text
}

func indexOf(entries []attempt, address string) int {
	return slices.IndexFunc(entries, func(a attempt) bool { return a.address == address })
}

// returnPoint is the page that a handshake comes back to, and the handshakes made for it and for others.
type returnPoint struct {
	public  string
	address string // of the page without what handshakes leave in it, its parameters in order
	entries []attempt
	own     attempt // this page's entry
}

// newReturnPoint returns false where the request's host is not one of the application's own. It is worked out once for
// a request.
func (s *Settings) newReturnPoint(ctx context.Context, e *Evidence, now time.Time) (returnPoint, bool) {
	switch {
	case e.point != nil:
		return *e.point, true
	case e.nowhere:
		return returnPoint{}, false
	}
	public, ok := publicOrigin(ctx, &e.Request, &s.Policy)
	if !ok {
		e.nowhere = true
		return returnPoint{}, false
	}
	p := returnPoint{public: public, address: public + e.Page.Path + sortedQuery(e.Page.Query)}
	p.entries = parseAttempts(join(e.Attempts[s.attemptsSlot(public)]), now)
	sum := sha256.Sum256([]byte(p.address))
	p.own = attempt{address: base64.RawURLEncoding.EncodeToString(sum[:])[:addressSize]}
	if i := indexOf(p.entries, p.own.address); i >= 0 {
		p.own = p.entries[i]
		if now.Unix()-p.own.at >= int64(attemptsWithin/time.Second) {
			p.own.n = 0
		}
	}
	e.point = &p
	return p, true
}

// attemptsSlot is which of the two names the cookie has at an origin: without TLS a browser takes no __Host-.
func (s *Settings) attemptsSlot(public string) inbound.Slot {
	if !s.Live && strings.HasPrefix(public, "http://") {
		return inbound.Plain
	}
	return inbound.Suffixed
}

// next is the cookie after one more handshake of this page.
func (p *returnPoint) next(byToken bool, now time.Time) []attempt {
	own := attempt{p.own.address, p.own.n + 1, now.Unix(), byToken}
	return append(p.others(), own)
}

// others are the entries of other pages.
func (p *returnPoint) others() []attempt {
	others := slices.DeleteFunc(slices.Clone(p.entries), func(a attempt) bool { return a.address == p.own.address })
	return others[max(0, len(others)-(maxEntries-1)):]
}

// known reports whether this page has an entry.
func (p *returnPoint) known() bool { return indexOf(p.entries, p.own.address) >= 0 }

// attemptsCookie is the cookie with these entries; without any, its deletion.
func (s *Settings) attemptsCookie(f *inbound.Request, public string, entries []attempt) string {
	values := make([]string, len(entries))
	for i, a := range entries {
		values[i] = a.String()
	}
	c := &http.Cookie{
		Name: inbound.PrefixHost + inbound.CookieAttempts, Value: strings.Join(values, "~"), Path: "/", MaxAge: int(attemptsLifetime / time.Second),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	if len(entries) == 0 {
		c.MaxAge = -1
	}
	if s.attemptsSlot(public) == inbound.Plain {
		c.Name, c.Secure = inbound.CookieAttempts, false
	}
	if f.Frame { // of another site, perhaps: it would get no other cookie
		c.Secure, c.SameSite, c.Partitioned = true, http.SameSiteNoneMode, true
	}
	return c.String()
}

// Stuck is why a page that needs a handshake gets none any more.
type Stuck uint8

// Why.
const (
	NotStuck       Stuck = iota
	InCircles            // handshakes were made, and did not help
	KeepsNone            // the browser keeps no cookies
	CookiesLost          // something in front of the application keeps cookies back
	ClockOff             // handshakes were made, and what they bring has expired or is not active yet
	CookieTooLarge       // the session cookie is larger than browsers keep
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
	case p.own.n >= maxAttempts, e.Prefetch && e.sentBefore(now):
		return InCircles
	case !e.sentBefore(now):
	case e.unexpected && e.counterless(p) && !e.bringsCookies():
		return KeepsNone
	case e.counterless(p) && d.repeated.has(e.cookieDigest(p), now):
		return CookiesLost
	}
	return NotStuck
}

// marks reports whether the address to come back to has to say that the browser was sent out, because its cookies may
// not: with an answer that nobody expected, or where the same cookies came for the same page a minute ago at most, and
// no count among them. Tabs of one page that were opened together look like that once, and then have the count. A
// prefetch, which is not counted, has nothing else that ends it.
func (d *Decider) marks(e *Evidence, p *returnPoint, now time.Time) bool {
	if e.Prefetch {
		return true
	}
	if !e.counterless(p) || !e.bringsCookies() {
		return e.unexpected
	}
	key := e.cookieDigest(p)
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

// bringsCookies reports whether any of Clerk's cookies came: the browser keeps some.
func (e *Evidence) bringsCookies() bool {
	return len(e.SessionCookies()) > 0 || e.UAT[inbound.Plain].Value+e.UAT[inbound.Suffixed].Value+e.DevBrowser[inbound.Plain].Value+e.DevBrowser[inbound.Suffixed].Value != ""
}

// counterless reports whether no count of handshakes came, ours or Clerk's: the browser keeps no cookies, or a proxy
// lets only some of them pass, or it is the first handshake.
func (e *Evidence) counterless(p *returnPoint) bool { return len(p.entries) == 0 && e.Redirects == 0 }

// uncounted reports a request whose handshake does not count and sets nothing: the browser may never follow it.
func (e *Evidence) uncounted() bool { return e.Head || e.Prefetch }

// cookieDigest tells browsers and pages apart where no count of ours comes through.
func (e *Evidence) cookieDigest(p *returnPoint) [sha256.Size]byte {
	h := sha256.New()
	for _, c := range e.SessionCookies() {
		h.Write([]byte(c.Raw + "\x00"))
	}
	for _, value := range []string{e.UAT[inbound.Plain].Value, e.UAT[inbound.Suffixed].Value, e.DevBrowser[inbound.Plain].Value, e.DevBrowser[inbound.Suffixed].Value, p.address} {
		h.Write([]byte(value + "\x00"))
	}
	return [sha256.Size]byte(h.Sum(nil))
}
