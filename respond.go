package clerkauth

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/clerkauth/clerkauth/internal/decision"
	"github.com/clerkauth/clerkauth/internal/private"
)

// retryAfter is how long a 503 tells clients to wait, in seconds: by then the keys are usually fetched again.
const retryAfter = "2"

// Respond adds to the response what the decision adds, and returns the writer to go on with. done reports that this
// was the whole response, as the browser is sent elsewhere. It refuses nobody: see Err. Called again, it adds nothing twice.
//
// Where the decision sets cookies, next is not w. Whatever is written to it is sent with the cookies, with Cache-Control
// "private, no-store" and without the fields that tell caches otherwise; informational responses and upgrades are sent
// without the cookies. A caller whose handler may return without having written calls next.Write(nil) after it. The caller
// should also remove If-None-Match, If-Modified-Since and If-Range from the request, as proxies drop the cookies of a 304.
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

// refuse answers a request that may not pass. browser: see decision.Outcome.Browser.
func (a *Authenticator) refuse(w http.ResponseWriter, r *http.Request, err *Error, browser bool) {
	signIn := a.settings.decision.SignIn != nil
	if (browser || signIn) && err.StatusCode() == http.StatusUnauthorized {
		if browser && err.stuck == decision.NotStuck {
			if why := a.decider.HostObstacle(r); why != nil { // nobody could be sent to sign in, or come back
				err, signIn = &Error{Reason: ReasonRequestHostNotAuthorized, detail: why}, false
			}
		}
		if signIn {
			err = a.withoutSignIn(r, err)
		}
	}
	a.settings.errorHandler(w, r, err)
}

// withoutSignIn adds to a refusal why somebody who asks for a page is not sent to sign in, where a loop or a mistake is the
// cause.
func (a *Authenticator) withoutSignIn(r *http.Request, err *Error) *Error {
	refusal := *err
	if err.Redirect(r) != "" {
		why := a.decider.SignInObstacle(r, a.settings.now())
		if why == nil {
			return err
		}
		refusal.stuck, refusal.detail = decision.SignInReturns, decision.Joined(why, err.detail)
		return &refusal
	}
	if err.stuck != decision.NotStuck || err.ofConfig() {
		return err
	}
	why := a.decider.SignInMistake(r, err.Reason == ReasonSessionPending)
	if why == nil {
		return err
	}
	refusal.detail = decision.Joined(why, err.detail)
	return &refusal
}

// DefaultErrorHandler answers as documented at Require. An ErrorHandler can fall back to it: it finds the
// decision, and Config.SignInURL, in the request's context. With test keys the answer also has the error's detail and the
// field of Config that it speaks of, for developers; with live keys the client gets the reason and a fixed sentence only.
func DefaultErrorHandler(w http.ResponseWriter, r *http.Request, err *Error) {
	h := fields{w.Header(), make([]string, 0, maxFields)}
	h.set("Cache-Control", "no-store")
	who := StatusSignedOut
	if err.Reason == ReasonCheckFailed || err.Reason == ReasonInsufficientScope {
		who = StatusSignedIn
	}
	h.set("X-Clerk-Auth-Status", who.String())
	h.set("X-Clerk-Auth-Reason", err.clerkReason())
	if target := err.Redirect(r); target != "" {
		h.set("Location", target)
		if cookie := countSignIn(r); cookie != "" {
			h.header.Add("Set-Cookie", cookie)
			h.set("Cache-Control", "private, no-store")
		}
		w.WriteHeader(http.StatusFound)
		return
	}
	h.set("X-Content-Type-Options", "nosniff")
	shown := hintFor(r, err)
	answer, status := answerTo(err, shown), err.StatusCode()
	switch status {
	case http.StatusUnauthorized:
		h.set("Www-Authenticate", answer.challenge)
	case http.StatusForbidden:
		if err.Reason == ReasonInsufficientScope {
			h.set("Www-Authenticate", scopeChallenge(err))
		}
	case http.StatusServiceUnavailable:
		h.set("Retry-After", retryAfter)
	}
	body := answer.body
	if prefersHTML(r.Header["Accept"]) {
		h.set("Content-Type", "text/html; charset=utf-8")
		h.set("Content-Security-Policy", pagePolicy)
		body = refusalPage(r, status, err, shown)
	} else {
		h.set("Content-Type", "application/json; charset=utf-8")
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // the client is gone: nothing to do
}

// fields sets fields of a header, whose values share one allocation.
type fields struct {
	header http.Header
	values []string
}

// maxFields is how many fields the answer to a refusal has at most.
const maxFields = 7

// set sets a field. name is in the form of http.CanonicalHeaderKey.
func (f *fields) set(name, value string) {
	f.values = append(f.values, value)
	last := len(f.values)
	f.header[name] = f.values[last-1 : last : last] // appending to it overwrites none of the others
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
	if !ok || d.by == nil || d.by.settings.decision.SignIn == nil || e.StatusCode() != http.StatusUnauthorized || e.stuck != decision.NotStuck || e.ofConfig() {
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

// challenge is the WWW-Authenticate value (RFC 6750 section 3): no error code when no token was sent.
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

// newAnswer makes an answer that is not prepared.
func newAnswer(err *Error, shown hint) answer {
	var body any = apiErrors{[]apiError{{string(err.Reason), err.message(), err.Check.String(), shown}}}
	if check, ok := err.Check.again(); ok {
		body = newReverificationError(check)
	}
	text, _ := json.Marshal(body) // strings in structs: it cannot fail
	return answer{challenge(err), string(text) + "\n"}
}

// message is the fixed sentence for people; never a detail of the token.
func (e *Error) message() string {
	if text := e.ownMessage(); text != "" {
		return text
	}
	if entry, ok := table[e.Reason]; ok {
		return entry.message
	}
	return "This request was refused."
}

// ownMessage is a message that says more than the reason's; empty: there is none.
func (e *Error) ownMessage() string {
	if e.stuck != decision.NotStuck && (e.stuck != decision.InCircles || !e.ofConfig()) && stuckMessage[e.stuck] != "" {
		return stuckMessage[e.stuck]
	}
	return decision.Sentence(e.detail)
}

// maxAccept is how many entries of an Accept header are read.
const maxAccept = 32

// prefersHTML reports whether HTML is named in Accept, and not with less weight than JSON (RFC 9110 section
// 12.5.1). Wildcards do not name it: a script that takes anything gets JSON.
func prefersHTML(accept []string) bool {
	if !slices.ContainsFunc(accept, hasH) {
		return false // as most programs: this takes less time than splitting
	}
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

// hasH reports whether a text may have the word HTML in it.
func hasH(text string) bool {
	return strings.IndexByte(text, 'h') >= 0 || strings.IndexByte(text, 'H') >= 0
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
