package clerkauth

import (
	"net/http"

	"github.com/clerkauth/clerkauth/internal/private"
)

// Optional finds out who is signed in and lets everybody through: it refuses nobody. Handshakes happen here: a
// browser whose session token ran out is sent through Clerk and back, with 307, before a handler sees it.
// Handlers ask FromContext.
//
// A response that sets cookies of this package leaves as RequestState.Respond says, whatever the handler sets: with Cache-Control
// "private, no-store". The ResponseWriter is then another than the server's, with the same optional methods, and the
// request comes without If-None-Match, If-Modified-Since and If-Range. On what pages are put together from, by
// Sec-Fetch-Dest, no session is renewed, so that shared caches can keep it. What a handler shows to one person is
// the handler's to keep out of caches.
func (a *Authenticator) Optional(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.serve(w, r, next, false) })
}

// Require lets signed-in requests through and answers the others: 401, 403, 503 or a handshake redirect, as JSON, or as a small page
// where the client prefers HTML. With Config.SignInURL, somebody signed out who asks for a page is sent there, and three times
// at once at most, where a browser keeps cookies. A page, or a browser's write, at a host that is not listed is refused with
// ReasonRequestHostNotAuthorized. Config.ErrorHandler replaces the answer. A decision that Optional made for the same request is believed, and not made again;
// but an expired session, which Optional leaves alone on images and media, is refreshed here. Responses leave as from Optional.
func (a *Authenticator) Require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.serve(w, r, next, true) })
}

// serve lets next answer r, with what the decision adds. required: or refuses r.
func (a *Authenticator) serve(w http.ResponseWriter, r *http.Request, next http.Handler, required bool) {
	if a.settings.decision.Passes(r) {
		next.ServeHTTP(w, r)
		return
	}
	d, r, made := a.decided(r, required)
	if made && d.shown.Header != nil {
		var done bool
		if w, done = d.shown.Respond(w); done {
			return
		}
		if len(d.shown.Header["Set-Cookie"]) > 0 {
			defer private.Finish(w)
			r.Header = private.Unconditional(r.Header)
		}
	}
	if err, refused := d.shown.Err.(*Error); refused && required { //nolint:errorlint // the field holds an *Error, never wrapped
		a.refuse(w, r, err, d.browser)
		return
	}
	next.ServeHTTP(w, r)
}

// decided returns the decision about r, a copy of r with the decision in its context, and whether it was made here. A
// decision is believed only from this Authenticator, for this request, and by Require only if nothing was left undone
// that would have signed it in; otherwise it is made here, and r is this function's own.
func (a *Authenticator) decided(r *http.Request, required bool) (*boundState, *http.Request, bool) {
	if d, ok := decisionIn(r.Context()); ok && d.by == a && (!required || !d.left) && d.request.Of(r) {
		return d, r, false
	}
	d := a.authenticate(r, required)
	return d, d.handOn(r), true
}
