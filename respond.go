package clerkauth

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/clerkauth/clerkauth/internal/decision"
	"github.com/clerkauth/clerkauth/internal/private"
)

// retryAfter is what a 503 tells clients to wait, in seconds: keys are asked for again about as soon.
const retryAfter = "2"

// Respond adds to the response what the decision adds, and returns the writer to go on with. done reports that this
// was the whole response, as the browser is sent elsewhere. It refuses nobody: see Err. Called again, it adds nothing twice.
//
// Where the decision sets cookies, next is not w. Whatever is written to it leaves with the cookies, with Cache-Control
// "private, no-store" and without the fields that tell caches otherwise; informational answers and upgrades leave
// without the cookies. A caller whose handler may return without having written calls next.Write(nil) after it. It should also
// take If-None-Match, If-Modified-Since and If-Range off the request, as proxies drop the cookies of a 304.
// Optional, Require and Authorize do all this themselves.
func (s *RequestState) Respond(w http.ResponseWriter) (next http.ResponseWriter, done bool) {
	cookies, away := s.Header["Set-Cookie"], s.Header.Get("Location") != ""
	for name, values := range s.Header {
		if name != "Set-Cookie" {
			w.Header()[name] = slices.Clone(values)
		}
	}
	if len(cookies) > 0 {
		w = private.Writer(w, cookies)
	}
	if away {
		w.WriteHeader(http.StatusTemporaryRedirect)
	}
	return w, away
}

// refuse answers a request that may not pass.
func (a *Authenticator) refuse(w http.ResponseWriter, r *http.Request, err *Error) {
	if err.StatusCode() == http.StatusUnauthorized && err.stuck == decision.NotStuck {
		if why := a.decider.HostObstacle(r); why != nil { // nobody could be sent to sign in, or come back
			err = &Error{Reason: ReasonRequestHostNotAuthorized, detail: why}
		}
	}
	if a.settings.decision.SignIn != nil && err.Redirect(r) != "" {
		if why := a.decider.SignInObstacle(r, a.settings.now()); why != nil {
			stopped := *err
			stopped.stuck, stopped.detail = decision.SignInReturns, decision.Joined(why, err.detail)
			err = &stopped
		}
	}
	a.settings.errorHandler(w, r, err)
}

// DefaultErrorHandler answers as documented at Require. An ErrorHandler can fall back to it: it finds the
// decision, and Config.SignInURL, in the request's context. With test keys the answer also has the error's detail and the
// field of Config that it speaks of, for developers; with live keys the client gets the reason and a fixed sentence only.
func DefaultErrorHandler(w http.ResponseWriter, r *http.Request, err *Error) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	who := StatusSignedOut
	if err.Reason == ReasonCheckFailed || err.Reason == ReasonInsufficientScope {
		who = StatusSignedIn
	}
	h.Set("X-Clerk-Auth-Status", who.String())
	h.Set("X-Clerk-Auth-Reason", err.clerkReason())
	if target := err.Redirect(r); target != "" {
		h.Set("Location", target)
		if cookie := countSignIn(r); cookie != "" {
			h.Add("Set-Cookie", cookie)
		}
		w.WriteHeader(http.StatusFound)
		return
	}
	h.Set("X-Content-Type-Options", "nosniff")
	status := err.StatusCode()
	switch status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", challenge(err))
	case http.StatusForbidden:
		if err.Reason == ReasonInsufficientScope {
			h.Set("WWW-Authenticate", scopeChallenge(err))
		}
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", retryAfter)
	}
	if prefersHTML(r.Header["Accept"]) {
		writePage(w, r, status, err, hintFor(r, err))
		return
	}
	writeJSON(w, status, err, hintFor(r, err))
}

// hint is what a developer is shown, with test keys only.
type hint struct {
	Detail string `json:"detail,omitempty"`
	Field  string `json:"config_field,omitempty"` // of Config, to look at
}

// hintFor is the zero hint unless this request was decided with test keys: nothing else says that it may be shown.
func hintFor(r *http.Request, err *Error) hint {
	by := deciderIn(r.Context())
	if by == nil || by.settings.decision.Live || err.detail == nil {
		return hint{}
	}
	return hint{err.detail.Error(), by.settings.field(decision.Field(err.detail))}
}

// Redirect is where DefaultErrorHandler sends the browser, with status 302 instead of StatusCode, as Config.SignInURL
// says; empty: nowhere. r is the request that the ErrorHandler was called with.
func (e *Error) Redirect(r *http.Request) string {
	d, ok := decisionIn(r.Context())
	if !ok || d.by == nil || e.StatusCode() != http.StatusUnauthorized || e.stuck != decision.NotStuck || e.ofConfig() {
		return ""
	}
	return d.by.decider.SignInTarget(r, e.Reason == ReasonSessionPending)
}

// countSignIn is the Set-Cookie value that ends a series of redirects to sign in, of a request that Redirect sends there.
func countSignIn(r *http.Request) string {
	d, ok := decisionIn(r.Context())
	if !ok || d.by == nil {
		return ""
	}
	return d.by.decider.CountSignIn(r, d.by.settings.now())
}

// challenge is the WWW-Authenticate value (RFC 6750 section 3): no error code when no token came.
func challenge(err *Error) string {
	entry, ok := table[err.Reason]
	if !ok || entry.nothing {
		return `Bearer realm="clerk"`
	}
	return `Bearer realm="clerk", error="invalid_token", error_description="` + err.message() + `"`
}

// apiErrors is the shape of Clerk's own error answers.
type apiErrors struct {
	Errors []apiError `json:"errors"`
}

type apiError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Check   string `json:"check,omitempty"` // what was demanded; never what the session has
	hint
}

// reverificationError is the answer to which Clerk's scripts react with a dialog.
type reverificationError struct {
	ClerkError struct {
		Type     string `json:"type"`
		Reason   string `json:"reason"`
		Metadata struct {
			Reverification string `json:"reverification"`
		} `json:"metadata"`
	} `json:"clerk_error"`
}

func writeJSON(w http.ResponseWriter, status int, err *Error, shown hint) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	var body any = apiErrors{[]apiError{{string(err.Reason), err.message(), err.Check.String(), shown}}}
	if err.Check.kind == kindReverification {
		var again reverificationError
		again.ClerkError.Type, again.ClerkError.Reason = "forbidden", "reverification-error"
		again.ClerkError.Metadata.Reverification = err.Check.value
		body = again
	}
	_ = json.NewEncoder(w).Encode(body) // the client is gone: nothing to do
}

// message is the fixed sentence for people; never a detail of the token.
func (e *Error) message() string {
	if text := stuckMessage[e.stuck]; text != "" && (e.stuck != decision.InCircles || !e.ofConfig()) {
		return text
	}
	if text := decision.Sentence(e.detail); text != "" {
		return text
	}
	if entry, ok := table[e.Reason]; ok {
		return entry.message
	}
	return "This request was refused."
}

// maxAccept is how many entries of an Accept header are read.
const maxAccept = 32

// prefersHTML reports whether HTML is named in Accept, and not with less weight than JSON (RFC 9110 section
// 12.5.1). Wildcards do not name it: a script that takes anything gets JSON.
func prefersHTML(accept []string) bool {
	var html, jsonWeight float64
	seen := 0
	for _, line := range accept {
		for entry := range strings.SplitSeq(line, ",") {
			if seen++; seen > maxAccept {
				return html > 0 && html >= jsonWeight
			}
			media, parameters, _ := strings.Cut(entry, ";")
			switch strings.ToLower(strings.TrimSpace(media)) {
			case "text/html", "application/xhtml+xml":
				html = max(html, weight(parameters))
			case "application/json":
				jsonWeight = max(jsonWeight, weight(parameters))
			}
		}
	}
	return html > 0 && html >= jsonWeight
}

func weight(parameters string) float64 {
	for p := range strings.SplitSeq(parameters, ";") {
		if q, ok := strings.CutPrefix(strings.TrimSpace(p), "q="); ok {
			w, err := strconv.ParseFloat(q, 64)
			if err != nil || w < 0 || w > 1 {
				return 0
			}
			return w
		}
	}
	return 1
}
