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
)

// Every series of redirects ends: a cookie counts how often each page was sent to the Frontend API, and a page that reaches
// the limit is not sent again. The cookie has an entry for each of the last pages, so that tabs do not stop each other. It is
// a counter and proves nothing: whoever changes their own is only redirected a few times more.

const (
	maxAttempts      = 3                // redirects of one page
	maxUnreturned    = 8                // of one page that does not come back from them
	attemptsWithin   = 30 * time.Second // a redirect of the same page after this begins a new count
	attemptsLifetime = 10 * time.Minute
	maxEntries       = 8
	addressSize      = 12 // characters of a hash
)

// attempt is an entry of the cookie.
type attempt struct {
	address string // hash of the page's address
	n       int
	at      int64 // of the last redirect, in Unix seconds
	byToken bool  // no nonces: they could not be exchanged
	cleaned bool  // an accepted answer was removed from the address
}

func join(c inbound.AttemptCookies) string { return c.Previous + "~" + c.Last }

// parseAttempts returns the entries that still count, the oldest first. Two entries of one page, which frames can lead to,
// are merged, and the larger count is kept.
func parseAttempts(value string, now time.Time) []attempt {
	var entries []attempt
	for text := range strings.SplitSeq(value, "~") {
		entry, ok := parseAttempt(text, now)
		if !ok {
			continue
		}
		if i := indexOf(entries, entry.address); i >= 0 {
			entry.n, entry.at = max(entry.n, entries[i].n), max(entry.at, entries[i].at)
			entry.byToken, entry.cleaned = entry.byToken || entries[i].byToken, entry.cleaned || entries[i].cleaned
			entries = slices.Delete(entries, i, i+1)
		}
		entries = append(entries, entry)
	}
	slices.SortStableFunc(entries, func(a, b attempt) int { return int(a.at - b.at) })
	return entries
}

func parseAttempt(text string, now time.Time) (attempt, bool) {
	fields := strings.SplitN(text, ".", 5)
	if len(fields) < 3 || len(fields) > 4 || len(fields[0]) != addressSize {
		return attempt{}, false
	}
	flags := strings.Join(fields[3:], "")
	n, err := strconv.ParseUint(fields[1], 10, 8)
	at, err2 := strconv.ParseInt(fields[2], 10, 64)
	age := now.Unix() - at
	if err != nil || err2 != nil || age > int64(attemptsLifetime/time.Second) || age < -int64(attemptsWithin/time.Second) ||
		strings.Trim(flags, flagByToken+flagCleaned) != "" {
		return attempt{}, false
	}
	return attempt{fields[0], int(n), at, strings.Contains(flags, flagByToken), strings.Contains(flags, flagCleaned)}, true
}

const (
	flagByToken = "t"
	flagCleaned = "c"
)

func (a attempt) String() string {
	text := a.address + "." + strconv.Itoa(a.n) + "." + strconv.FormatInt(a.at, 10)
	if a.byToken || a.cleaned {
		text += "."
	}
	if a.byToken {
		text += flagByToken
	}
	if a.cleaned {
		text += flagCleaned
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
	own     attempt // this page's entry; if it has none although it comes back from a handshake, with the highest count of all pages
}

// newReturnPoint returns false, and a point without address and entries, where the request's host is not one of the
// application's own. The result is kept for the rest of the request.
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
	var known bool
	if p.own, known = attemptOf(p.entries, p.address, now); !known && len(p.entries) > 0 && e.returned(now) {
		address := p.own.address
		p.own = slices.MaxFunc(p.entries, func(a, b attempt) int { return a.since(now).n - b.since(now).n }).since(now)
		p.own.address = address
	}
	e.point = &p
	return p, true
}

// attemptOf is the entry of an address, or a new one and false.
func attemptOf(entries []attempt, address string, now time.Time) (attempt, bool) {
	sum := sha256.Sum256([]byte(address))
	hash := base64.RawURLEncoding.EncodeToString(sum[:])[:addressSize]
	if i := indexOf(entries, hash); i >= 0 {
		return entries[i].since(now), true
	}
	return attempt{address: hash}, false
}

// since is an entry as it counts now: if the last redirect was too long ago, the count begins anew.
func (a attempt) since(now time.Time) attempt {
	if now.Unix()-a.at >= int64(attemptsWithin/time.Second) {
		a.n, a.cleaned = 0, false
	}
	return a
}

// attemptsSlot is which of the two names the cookie has at an origin: without TLS browsers do not accept __Host- cookies.
func (s *Settings) attemptsSlot(public string) inbound.Slot {
	if !s.Live && strings.HasPrefix(public, "http://") {
		return inbound.Plain
	}
	return inbound.Suffixed
}

// again is an entry after one more redirect.
func (a attempt) again(now time.Time) attempt {
	a.n, a.at = a.n+1, now.Unix()
	return a
}

// next is the cookie after one more redirect of this page.
func (p *returnPoint) next(byToken, cleaned bool, now time.Time) []attempt {
	own := p.own.again(now)
	own.byToken, own.cleaned = byToken, own.cleaned || cleaned
	return append(p.others(), own)
}

// others are the entries of other pages.
func (p *returnPoint) others() []attempt { return without(p.entries, p.own.address, maxEntries-1) }

// without are the last entries except that of one page, most of them at most.
func without(entries []attempt, address string, most int) []attempt {
	others := slices.DeleteFunc(slices.Clone(entries), func(a attempt) bool { return a.address == address })
	return others[max(0, len(others)-most):]
}

// known reports whether this page has an entry.
func (p *returnPoint) known() bool { return indexOf(p.entries, p.own.address) >= 0 }

// forTokens reports whether a page of this browser has just been sent out for a token: the Backend API does not answer.
func (p *returnPoint) forTokens(now time.Time) bool {
	return slices.ContainsFunc(p.entries, func(a attempt) bool { return a.byToken && a.since(now).n > 0 })
}

// attemptsCookie is the cookie with these entries; without any, its deletion.
func (s *Settings) attemptsCookie(f *inbound.Request, public string, entries []attempt) string {
	return s.countCookie(inbound.CookieAttempts, f, public, entries, attemptsLifetime)
}

// countCookie is a cookie with these entries, for an origin; without any, its deletion.
func (s *Settings) countCookie(name string, f *inbound.Request, public string, entries []attempt, lifetime time.Duration) string {
	values := make([]string, len(entries))
	for i, a := range entries {
		values[i] = a.String()
	}
	c := &http.Cookie{
		Name: inbound.PrefixHost + name, Value: strings.Join(values, "~"), Path: "/", MaxAge: int(lifetime / time.Second),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	if len(entries) == 0 {
		c.MaxAge = -1
	}
	if s.attemptsSlot(public) == inbound.Plain {
		c.Name, c.Secure = name, false
	}
	if f.Frame() { // perhaps in a page of another site, where browsers keep no other cookies
		c.Secure, c.SameSite, c.Partitioned = true, http.SameSiteNoneMode, true
	}
	return c.String()
}
