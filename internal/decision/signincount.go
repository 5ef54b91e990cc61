package decision

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/internal/inbound"
)

// A server in front may change the address of the sign-in page and drop its query, so that nothing in it says that the
// browser was sent there. Or a sign-in page may send somebody whose session still has a task to do straight back. So
// redirects to sign in are counted too, for each page, in a cookie of their own.

const (
	maxSignIns       = 30 // redirects of all pages, each at once after the one before: more than most people have tabs
	signInEntries    = 10
	signInsLifetime  = time.Minute
	maxSignInsCookie = 512 // bytes; one of our own has about 300
)

// everyPage is the address of the entry for all pages together. Pages in frames are counted apart from others, so that a
// page with many frames does not stop anybody from signing in.
const (
	everyPage = ""
	inFrame   = "frame "
)

var (
	errSignInReturns = &fixedError{text: "the browser was sent to sign in several times within a short time, and returned without a session each time", field: "SignInURL"}
	errIsSignIn      = &fixedError{text: "this is the page of SignInURL, and it requires a session itself; let it do without", field: "SignInURL"}
	errSentToSignIn  = &fixedError{text: "redirect_url says that the browser was sent to sign in, but this page requires a session itself; let it do without", field: "SignInURL"}
)

// SignInObstacle says why a page is not sent to sign in any more; nil: it may be.
func (d *Decider) SignInObstacle(r *http.Request, now time.Time) error {
	c, ok := d.signInCount(r, now)
	if ok && (c.page.usedUp(false, now) || c.all.atOnce(now) && (c.all.n >= maxSignIns || c.all.n >= maxAttempts && c.page.n >= maxAttempts-1)) {
		return errSignInReturns // the first of three may be of the page that led to this one
	}
	return nil
}

// CountSignIn is a Set-Cookie value that counts one more redirect to sign in; empty: it does not count.
func (d *Decider) CountSignIn(r *http.Request, now time.Time) string {
	c, ok := d.signInCount(r, now)
	if !ok || c.f.Head || c.f.Prefetch() {
		return ""
	}
	if !c.all.atOnce(now) {
		c.all.n = 0
	}
	entries := without(without(c.entries, c.all.address, len(c.entries)), c.page.address, signInEntries)
	return d.countCookie(inbound.CookieSignIns, &c.f, c.public, append(entries, c.page.again(now), c.all.again(now)), signInsLifetime)
}

// signIns are the redirects to sign in that a browser has made.
type signIns struct {
	f         inbound.Request
	public    string
	entries   []attempt
	page, all attempt
}

// signInCount returns false where the request's host is not one of the application's own.
func (d *Decider) signInCount(r *http.Request, now time.Time) (*signIns, bool) {
	c := &signIns{}
	if c.f.Read(r, &d.Settings.Settings) != "" {
		return nil, false
	}
	var ok bool
	if c.public, ok = publicOrigin(r.Context(), &c.f, &d.Policy); !ok {
		return nil, false
	}
	name := inbound.CookieSignIns
	if d.attemptsSlot(c.public) == inbound.Suffixed {
		name = inbound.PrefixHost + name
	}
	for _, sent := range r.CookiesNamed(name) {
		if len(sent.Value) <= maxSignInsCookie {
			c.entries = parseAttempts(sent.Value, now) // the last counts: browsers send our own, which is for every path, last
		}
	}
	kind := ""
	if c.f.Frame() {
		kind = inFrame
	}
	c.page, _ = attemptOf(c.entries, kind+c.public+c.f.Page.Path+sortedQuery(withoutAddresses(c.f.Page.Query)), now)
	c.all, _ = attemptOf(c.entries, kind+everyPage, now)
	return c, true
}

// withoutAddresses is a query without the parameters that may be the way back under another name, which grows with each
// redirect, and without repetitions: an address that was put into a query unescaped leaves its own parameters there each time.
// Of a query that is too long to come back to it has the beginning: nobody is sent away from such a page.
func withoutAddresses(query string) string {
	var kept []string
	for pair := range strings.SplitSeq(query[:min(len(query), maxAddress)], "&") {
		if _, value, _ := strings.Cut(pair, "="); pair != "" && !mayBeAddress(value) {
			kept = append(kept, pair)
		}
	}
	slices.Sort(kept)
	return strings.Join(slices.Compact(kept), "&")
}

// mayBeAddress reports whether a value is an address or a path, however often it was escaped.
func mayBeAddress(value string) bool {
	for range 4 {
		if strings.HasPrefix(value, "/") || strings.Contains(value, "://") {
			return true
		}
		decoded := inbound.FormUnescape(value)
		if decoded == value {
			break
		}
		value = decoded
	}
	return false
}
