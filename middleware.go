package clerkauth

import (
	"context"
	"net/http"
)

// Optional finds out who is signed in and lets everybody through: it refuses nobody. Handshakes happen here: a
// browser whose session token ran out is sent through Clerk and back, with 307, before a handler sees it.
// Handlers ask FromContext.
func (a *Authenticator) Optional(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, r, made := a.decided(r)
		if made && d.answer(w) {
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Require lets signed-in requests through and answers the others: 401, 403, 503 or a browser round, as JSON, or as a small page
// where the client prefers HTML. With Config.SignInURL, somebody signed out who asks for a page is sent there.
// Config.ErrorHandler replaces the answer.
func (a *Authenticator) Require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, r, made := a.decided(r)
		if made && d.answer(w) {
			return
		}
		if err, refused := d.Err.(*Error); refused { //nolint:errorlint // the field holds an *Error, never wrapped
			a.refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// decided returns the decision about r, r with the decision in its context, and whether it was made here. A decision is believed only
// from this Authenticator and for this request; otherwise it is made here.
func (a *Authenticator) decided(r *http.Request) (*decision, *http.Request, bool) {
	if d, ok := r.Context().Value(contextKey{}).(*decision); ok && d.by == a && d.request.of(r) {
		return d, r, false
	}
	d := a.authenticate(r)
	return d, r.WithContext(context.WithValue(r.Context(), contextKey{}, d)), true
}
