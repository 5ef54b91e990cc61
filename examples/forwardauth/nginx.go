package main

import (
	"log"
	"net/http"
	"strconv"
)

// nginxCookies is how many cookies nginx.conf hands on.
const nginxCookies = 16

// forNginx says what next answers in the words of auth_request, which knows 2xx, 401 and 403 and makes a 500 of
// everything else: a redirect is a 401 with a Location. nginx can read only the first of several lines, so that
// cookies travel under names of their own.
func forNginx(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := answer{header: w.Header()}
		next.ServeHTTP(&a, r)
		cookies := a.header.Values("Set-Cookie")
		a.header.Del("Set-Cookie")
		for i, c := range cookies {
			a.header.Set("X-Clerk-Cookie-"+strconv.Itoa(i+1), c)
		}
		switch {
		case len(cookies) > nginxCookies:
			log.Printf("forwardauth: %d cookies, and nginx.conf hands on %d", len(cookies), nginxCookies)
			a.status = http.StatusInternalServerError
		case a.status == 0:
			a.status = http.StatusInternalServerError
		case a.status == http.StatusBadRequest:
			a.status = http.StatusForbidden
		case a.status/100 == 3:
			a.status = http.StatusUnauthorized
		}
		w.WriteHeader(a.status)
	})
}

// answer is a ResponseWriter that keeps the status, of the zero answer none, and has no use for a body.
type answer struct {
	header http.Header
	status int
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) Write(b []byte) (int, error) { return len(b), nil }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}
