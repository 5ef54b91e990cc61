package clerktest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The part of the Frontend API for Clerk's scripts in pages. Request bodies are forms, answers are {"response": …,
// "client": …}, times are in milliseconds.

// forScripts lets scripts at the Origins read the answers (https://fetch.spec.whatwg.org/#http-cors-protocol), and refuses
// scripts of other sites. Pages and keys are not for scripts.
func (in *Instance) forScripts(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		if origin == "" || !strings.HasPrefix(r.URL.Path, "/v1/") {
			next.ServeHTTP(w, r)
			return
		}
		h := w.Header()
		h.Set("Vary", "Origin")
		if !slices.Contains(in.origins, origin) {
			refuse(w, http.StatusBadRequest, "origin_invalid", "The origin "+origin+" is not one of the instance's origins.")
			return
		}
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Access-Control-Expose-Headers", "Authorization, Clerk-Db-Jwt, Retry-After")
		if r.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
			h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// forBrowser answers a script of a browser, and forUser a script of a person who is signed in.
type (
	forBrowser func(in *Instance, w http.ResponseWriter, r *http.Request, b *browser)
	forUser    func(in *Instance, w http.ResponseWriter, r *http.Request, s *BrowserSession)
)

// forClient finds the browser. In development a browser that the instance does not know is refused: its script then
// discards its token and requests another. In production it becomes a new browser.
func forClient(next forBrowser) handler {
	return func(in *Instance, w http.ResponseWriter, r *http.Request) {
		b := in.browserOf(r)
		if token := r.URL.Query().Get(devBrowser); !in.live() && token != "" {
			b = in.browsers.find(token) // a cookie of the same request may be another browser's
		}
		switch {
		case b == nil && !in.live():
			refuse(w, http.StatusUnauthorized, "dev_browser_unauthenticated", "The browser's token is missing or unknown.")
			return
		case b == nil:
			b = in.browsers.open()
		}
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		w.Header().Set("Cache-Control", "no-store")
		next(in, w, r, b)
	}
}

// forSession finds the browser's session by the ID in the path.
func forSession(next forUser) handler {
	return forClient(func(in *Instance, w http.ResponseWriter, r *http.Request, b *browser) {
		s := in.browsers.session(b)
		if s == nil || s.ID != r.PathValue("id") {
			refuse(w, http.StatusNotFound, "resource_not_found", "The browser has no session with this ID.")
			return
		}
		next(in, w, r, s)
	})
}

// forMe finds the session of the user that the query names.
func forMe(next forUser) handler {
	return forClient(func(in *Instance, w http.ResponseWriter, r *http.Request, b *browser) {
		s := in.browsers.session(b)
		if s == nil || s.ID != r.URL.Query().Get("_clerk_session_id") {
			refuseSignedOut(w)
			return
		}
		next(in, w, r, s)
	})
}

func refuseSignedOut(w http.ResponseWriter) {
	refuse(w, http.StatusUnauthorized, "authentication_invalid", "You're signed out.")
}

// respond answers a script. In production it also sets the cookies that tell the app's hosts of a change.
func (in *Instance) respond(w http.ResponseWriter, r *http.Request, b *browser, response any) {
	if in.live() {
		http.SetCookie(w, in.newClientCookie(b))
		for _, c := range in.signInCookies(b, r) {
			http.SetCookie(w, c)
		}
	}
	answerJSON(w, object{"response": response, "client": in.describeClient(b, r)})
}

func (in *Instance) serveDevBrowser(w http.ResponseWriter, _ *http.Request) {
	if in.live() {
		refuse(w, http.StatusBadRequest, "production_instance", "Only development instances know browsers by a token.")
		return
	}
	answerJSON(w, object{"id": in.browsers.open().token})
}

func (in *Instance) serveClient(w http.ResponseWriter, r *http.Request, b *browser) {
	in.respond(w, r, b, in.describeClient(b, r))
}

func (in *Instance) endClient(w http.ResponseWriter, r *http.Request, b *browser) {
	if s := in.browsers.session(b); s != nil {
		s.SignOut()
	}
	in.respond(w, r, b, in.describeClient(b, r))
}

// serveToken mints a token for the script's origin, with another organization active if the request names one.
func (in *Instance) serveToken(w http.ResponseWriter, r *http.Request, b *browser) {
	s := in.browsers.session(b)
	if s == nil || s.ID != r.PathValue("id") {
		refuseSignedOut(w)
		return
	}
	claims, ok := s.current(), true
	if f := form(r); f.Has("organization_id") {
		claims, ok = s.person.in(claims, f.Get("organization_id"))
	}
	if !ok {
		refuseMembership(w)
		return
	}
	answerJSON(w, object{"object": "token", "jwt": s.mintFor(r, claims)})
}

// form is the form in the body. A malformed one ends where the mistake is.
func form(r *http.Request) url.Values {
	_ = r.ParseForm()
	return r.PostForm
}

func refuseMembership(w http.ResponseWriter) {
	refuse(w, http.StatusForbidden, "not_a_member_in_organization", "The user is not a member of this organization.")
}

func (in *Instance) serveSession(w http.ResponseWriter, r *http.Request, s *BrowserSession) {
	in.respond(w, r, s.browser, in.describeSession(s, r))
}

// touch makes a session the browser's last active one, and an organization the session's active one.
func (in *Instance) touch(w http.ResponseWriter, r *http.Request, s *BrowserSession) {
	if f := form(r); f.Has("active_organization_id") && !s.activate(f.Get("active_organization_id")) {
		refuseMembership(w)
		return
	}
	in.serveSession(w, r, s)
}

func endSession(status string) forUser {
	return func(in *Instance, w http.ResponseWriter, r *http.Request, s *BrowserSession) {
		s.SignOut()
		session := in.describeSession(s, r)
		session["status"], session["last_active_token"] = status, nil
		in.respond(w, r, s.browser, session)
	}
}

func (in *Instance) serveMe(w http.ResponseWriter, r *http.Request, s *BrowserSession) {
	in.respond(w, r, s.browser, in.describeUser(s.person))
}

func (in *Instance) serveMemberships(w http.ResponseWriter, r *http.Request, s *BrowserSession) {
	in.respond(w, r, s.browser, page(r, in.describeMemberships(s.person)))
}

func (in *Instance) serveNone(w http.ResponseWriter, r *http.Request, s *BrowserSession) {
	in.respond(w, r, s.browser, page(r, nil))
}

// page is the part of a list given by limit and offset; without a limit, ten entries.
func page(r *http.Request, all []object) object {
	number := func(name string, unset int) int {
		n, err := strconv.Atoi(r.URL.Query().Get(name))
		if err != nil || n < 0 {
			return unset
		}
		return n
	}
	from := min(number("offset", 0), len(all))
	to := min(from+min(number("limit", 10), 500), len(all))
	return object{"data": append([]object{}, all[from:to]...), "total_count": len(all)}
}
