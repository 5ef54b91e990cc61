package clerkauth

import (
	"html"
	"net/http"
	"strings"

	"github.com/clerkauth/clerkauth/internal/decision"
)

// reasonsPage explains every reason under an anchor of its name.
const reasonsPage = "https://github.com/clerkauth/clerkauth/blob/main/docs/reasons.md"

// The page of a refusal: for the person at the browser, with the reason in small print for whoever they ask for help. It runs
// no script and loads nothing.
const (
	pageBegin = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>`
	pageStyle = `</title>
<style>
body{font:1rem/1.6 system-ui,sans-serif;max-width:34rem;margin:18vh auto 2rem;padding:0 1.5rem;color:#1c1c28;background:#fff}
h1{font-size:1.5rem;line-height:1.3;margin:0 0 .5rem}
p{margin:0 0 1.25rem}
a{color:#4338ca}
.go{display:inline-block;padding:.5rem 1.1rem;border-radius:.4rem;color:#fff;background:#4338ca;text-decoration:none}
.go:hover{background:#312e81}
a:focus-visible{outline:3px solid #818cf8;outline-offset:2px}
small{font-size:.875rem;color:#55556b}
code{font-size:1em;overflow-wrap:anywhere}
@media (prefers-color-scheme:dark){body{color:#ececf4;background:#16161f}a{color:#a5b4fc}.go{color:#16161f;background:#a5b4fc}.go:hover{background:#c7d2fe}small{color:#adadc2}}
</style>
</head>
<body>
<main>
<h1>`
	pageEnd = `</small></p>
</main>
</body>
</html>
`
)

// pageSize is roughly the size of a page in bytes, without the link and the part for developers.
const pageSize = len(pageBegin) + len(pageStyle) + len(pageEnd) + 512

// pagePolicy lets the page load nothing and send nothing, and no other page show it.
const pagePolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func refusalPage(r *http.Request, status int, err *Error, shown hint) string {
	d, _ := decisionIn(r.Context())
	title, sentence := personal(status, err)
	again, signIn, developers := "", "", ""
	if status == http.StatusServiceUnavailable && r.Method != http.MethodGet && r.Method != http.MethodHead {
		again = " What you sent was not saved: go back one page in a moment, and send it once more."
	}
	if d != nil && d.by != nil && status == http.StatusUnauthorized && (err.stuck == decision.NotStuck || err.stuck == decision.SignInReturns) {
		signIn = d.by.howToSignIn(r, err)
	}
	if by := deciderIn(r.Context()); by != nil && !by.settings.decision.Live {
		developers = forDevelopers(err, shown)
	}
	var page strings.Builder
	page.Grow(pageSize + len(signIn) + len(developers))
	for _, part := range [...]string{
		pageBegin, html.EscapeString(strings.TrimSuffix(title, ".")), pageStyle, html.EscapeString(title), "</h1>\n<p>", html.EscapeString(sentence), again, "</p>\n",
		signIn, "<p><small>Reason: <code>", html.EscapeString(string(err.Reason)), "</code>", developers, pageEnd,
	} {
		page.WriteString(part)
	}
	return page.String()
}

// forDevelopers explains a refusal; empty: its reason is not one of this package's.
func forDevelopers(err *Error, shown hint) string {
	if _, listed := table[err.Reason]; !listed {
		return ""
	}
	text := "<br>For developers, with test keys only: " + html.EscapeString(err.message())
	if shown.Detail != "" {
		text += " Details: " + html.EscapeString(shown.Detail)
		if !strings.HasSuffix(shown.Detail, "?") {
			text += "."
		}
	}
	if shown.Field != "" {
		text += " See <code>Config." + html.EscapeString(shown.Field) + "</code>."
	}
	return text + ` <a href="` + reasonsPage + "#" + string(err.Reason) + `">What happened, and what to do</a>`
}

// howToSignIn links to where somebody can sign in. A form that was refused is kept by the browser behind its back button,
// and can be sent once more.
func (a *Authenticator) howToSignIn(r *http.Request, err *Error) string {
	if address, ok := a.decider.SignInAgain(r, err.Reason == ReasonSessionPending); ok {
		link := "Sign in in another tab"
		if address != "" {
			link = `<a href="` + html.EscapeString(address) + `" target="_blank" rel="noopener">` + link + "</a>"
		}
		return "<p>What you sent was not saved. " + link + ", then come back to this one, go back one page and send it once more.</p>\n"
	}
	if link := a.decider.SignInLink(r, err.Reason == ReasonSessionPending); link != "" {
		return `<p><a class="go" href="` + html.EscapeString(link) + `">Sign in</a></p>` + "\n"
	}
	return ""
}

// personal is what the person at the browser is told.
func personal(status int, err *Error) (title, sentence string) {
	_, again := err.Check.again()
	switch {
	case err.stuck != decision.NotStuck:
		return "You could not be signed in.", err.message()
	case again:
		return "Please sign in again.", "This needs a recent sign-in."
	case err.Reason == ReasonCheckFailed:
		return "You do not have access.", "You are signed in, but not allowed to do this. Somebody who manages this site can change that."
	case err.Reason == ReasonCredentialMissing, err.Reason == ReasonInsufficientScope:
		return "You do not have access.", err.message()
	case err.Reason == ReasonCrossOriginRequest:
		return "This request was stopped.", "It was sent by another site. Open this site itself and try again."
	case err.Reason == ReasonRequestHostNotAuthorized:
		return "You cannot be signed in here.", "This site does not know the address that you opened. Open the site at its usual address."
	case err.Reason == ReasonSessionPending:
		return "Your sign-in is not finished.", "One step is left. Go to the sign-in page and finish it."
	case err.Reason == ReasonTokenExpired && status == http.StatusUnauthorized:
		return "You are not signed in.", "Your session has ended. Sign in to go on."
	case err.ofConfig():
		return "You could not be signed in here.", "What this browser sent is not accepted. Sign in again; if that does not help, somebody who manages this site can find out why."
	case status == http.StatusServiceUnavailable:
		return "Please try again in a moment.", "This site cannot check right now whether you are signed in. You have not been signed out."
	case status == http.StatusBadRequest:
		return "This request was not understood.", err.message()
	}
	return "You are not signed in.", "Sign in to go on."
}
