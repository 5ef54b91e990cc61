package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

const (
	post = `fetch(%q, {method: "POST", mode: "no-cors", credentials: "include"}).then(a => a.type)`
	live = `new Promise(done => {
		const socket = new WebSocket(%q);
		socket.onmessage = event => done(event.data);
		socket.onerror = () => done("refused");
	})`
)

// A form that is sent after the token ran out cannot go by another place and come back: the browser would lose what
// was typed. It is told why instead, and the next page is as if nothing had been.
func TestJourneyPostAfterExpirySaysSo(t *testing.T) {
	t.Parallel()
	w := build(t, setting{})
	b := w.open()
	b.signIn(alice)
	w.expire()
	w.forget()

	script := `fetch("/notes", {method: "POST", headers: {Accept: "application/json"}}).then(async a =>
		[a.status, a.redirected, a.headers.get("X-Clerk-Auth-Reason"), (await a.json()).errors[0].code].join(" "))`
	if got, want := does[string](b, script), "401 false session-token-expired-refresh-non-eligible-non-get session-token-expired"; got != want {
		t.Errorf("a script's POST: %s, want %s", got, want)
	}
	answer := b.submits("form button")
	b.refused(http.StatusUnauthorized, answer, string(clerkauth.ReasonTokenExpired))
	if answer.URL != w.app+"/notes" {
		t.Errorf("the form ends at %s", answer.URL)
	}
	w.renewed("by POST", 0, 0)
	b.screenshot("-refused")

	b.visit(w.app + "/private")
	b.shows("/private", alice)
	if answer := b.submits("form button"); answer.Status != http.StatusOK {
		t.Errorf("the form, once more: %d", answer.Status)
	}
	b.shows("/notes", alice)
}

// A sibling host is the same site for the browser, which sends our cookies along with whatever the sibling sends.
func TestJourneySiblingCannotWrite(t *testing.T) {
	t.Parallel()
	w := build(t, setting{})
	b := w.open()
	b.signIn(alice)
	socket := "wss" + strings.TrimPrefix(w.app, "https") + "/live"
	refused := visit{http.MethodPost, "/notes", http.StatusForbidden, string(clerkauth.ReasonCrossOriginRequest)}

	b.visit(sibling + "/")
	w.forget()
	if got := does[string](b, quoted(post, w.app+"/notes")); got != "opaque" {
		t.Errorf("the sibling reads an answer of type %s", got)
	}
	w.answered(refused)
	if got := does[string](b, quoted(live, socket)); got != "refused" {
		t.Errorf("the sibling's WebSocket gets %q", got)
	}
	w.answered(visit{http.MethodGet, "/live", http.StatusForbidden, string(clerkauth.ReasonCrossOriginRequest)})
	b.refused(http.StatusForbidden, b.submits("form button"), string(clerkauth.ReasonCrossOriginRequest))
	w.answered(refused)
	b.screenshot("-refused")

	b.visit(w.app + "/private")
	b.shows("/private", alice)
	w.forget()
	if got := does[string](b, quoted(post, w.app+"/notes")); got != "basic" {
		t.Errorf("the app's own script reads an answer of type %s", got)
	}
	w.answered(visit{http.MethodPost, "/notes", http.StatusOK, ""})
	if got := does[string](b, quoted(live, socket)); got != "hello "+alice {
		t.Errorf("the app's own WebSocket gets %q", got)
	}
	if answer := b.submits("form button"); answer.Status != http.StatusOK {
		t.Errorf("the app's own form: %d", answer.Status)
	}
	b.shows("/notes", alice)
	if n := w.asked(clerktest.FrontendHandshake); n != 0 {
		t.Errorf("%d browser rounds", n)
	}
}
