package clerkauth

import (
	"net/http"

	"github.com/clerkauth/clerkauth/internal/private"
)

// Optional finds out who is signed in and lets everybody through. When the session token of a browser has expired, it is
// renewed here: by a refresh, or by a redirect to Clerk and back, with 307, before a handler sees the request. Handlers
// call FromContext.
//
// A response that sets cookies of this package is sent as RequestState.Respond says, with Cache-Control "private, no-store"
// whatever the handler sets. The handler's ResponseWriter then wraps the server's, and can do what that can: flush, hijack,
// push and the like. Its request lacks If-None-Match, If-Modified-Since and If-Range. Requests for parts of a page, by
// Sec-Fetch-Dest, renew no session, so that shared caches can store the parts. A handler must keep what it shows to one
// person out of caches itself.
func (a *Authenticator) Optional(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.serve(w, r, next, false) })
}

// Require lets signed-in requests through. It answers others with 400, 401, 403, 503 or the redirect of a handshake, as
// JSON, or as a small page if the client prefers HTML. With Config.SignInURL, a person who asks for a page and is not signed
// in is redirected there, at most three times in quick succession if the browser keeps cookies. At a host that is not in the
// allowlist, people who are not signed in get ReasonRequestHostNotAuthorized for pages and for the writes of their browser.
// Config.ErrorHandler replaces the response.
//
// A decision that Optional made for the same request is used again, except that Optional does not refresh expired sessions
// for images and media, and Require does. Responses that set cookies are sent as by Optional.
func (a *Authenticator) Require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.serve(w, r, next, true) })
}

// serve calls next with what the decision adds. required: unless the request is refused.
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

// decided returns the decision about r, a copy of r with the decision in its context, and whether the decision was made
// here. An earlier decision is used only if this Authenticator made it for this request and, if required, if nothing was
// skipped that could have signed the request in. It need not be the last: Authenticators of several instances may be nested.
// Otherwise the decision is made here, and the copy is the caller's own.
func (a *Authenticator) decided(r *http.Request, required bool) (*boundState, *http.Request, bool) {
	last, ok := r.Context().Value(contextKey{}).(*requestContext)
	for c := last; ok; c, ok = c.Context.Value(contextKey{}).(*requestContext) {
		d := *c.decision
		if d.by != a || required && d.left || !d.request.Of(r) {
			continue
		}
		if c != last {
			r = r.WithContext(&requestContext{r.Context(), c.decision})
		}
		return d, r, false
	}
	d := a.authenticate(r, required)
	return d, d.handOn(r), true
}
