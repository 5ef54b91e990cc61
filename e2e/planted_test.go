package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

const mallory = "user_2mallory"

// A plant is what a sibling host's script puts among the app's cookies.
type plant struct {
	name  string
	token func(w *world, victim string) string // victim: the session that is to be taken over
	path  string                               // a longer one than that of the honest cookie comes first
}

func plants() []plant {
	foreign := func(w *world, _ string) string {
		return w.clerk.Token(clerktest.Claims{Subject: mallory, SessionID: "sess_2mallory", AuthorizedParty: sibling})
	}
	without := func(w *world, subject, session string) string {
		return w.clerk.Token(clerktest.Claims{
			Subject: subject, SessionID: session, Extra: map[string]any{"azp": clerktest.Absent},
		})
	}
	return []plant{
		{"minted for the sibling", foreign, "/"},
		{"minted for the sibling, at a longer path", foreign, "/private"},
		{"without azp, of another account", func(w *world, _ string) string { return without(w, mallory, "sess_2mallory") }, "/private"},
		{"without azp, of the same session", func(w *world, victim string) string { return without(w, alice, victim) }, "/private"},
		{"forged", func(w *world, _ string) string { return w.clerk.Forge(clerktest.Claims{Subject: mallory}) }, "/private"},
		{"no token at all", func(*world, string) string { return "x" }, "/private"},
	}
}

// plants puts a cookie of a name among those of the whole domain, as a script of the sibling host does.
func (b *tab) plants(name, value, path string) {
	b.t.Helper()
	b.visit(sibling + "/")
	cookie := fmt.Sprintf("%s=%s; Domain=example.test; Path=%s; Secure; Max-Age=86400", name, value, path)
	does[string](b, fmt.Sprintf("document.cookie = %q", cookie))
}

// sessionCookies are the two names under which a session token comes.
func (w *world) sessionCookies() []string {
	var names []string
	for _, c := range w.clerk.Cookies("") {
		if strings.HasPrefix(c.Name, "__session") {
			names = append(names, c.Name)
		}
	}
	return names
}

// What a sibling plants signs nobody in, and does not sign out who is.
func TestJourneyPlantedCookieIsRefused(t *testing.T) {
	t.Parallel()
	for _, p := range plants() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			w := build(t, setting{})
			b := w.open()
			b.signIn(alice)
			session := b.attribute("data-session")
			for _, name := range w.sessionCookies() {
				b.plants(name, p.token(w, session), p.path)
				if n := len(b.cookies(name)); n != 2 {
					t.Fatalf("%d cookies %s, want the honest one and the planted one", n, name)
				}
			}
			w.forget()
			for range 2 {
				b.visit(w.app + "/private")
				b.shows("/private", alice)
			}
			w.renewed("with the planted cookie", 0, 0)
			b.settle()

			w.expire()
			b.visit(w.app + "/private")
			b.shows("/private", alice)
			if got := b.attribute("data-session"); got != session {
				t.Errorf("session %s, want %s", got, session)
			}
		})
	}
}

// Where nobody is signed in, what a sibling plants signs nobody in either, but for an honest token of its own: that
// would need a cookie that a sibling cannot set.
func TestJourneyPlantedCookieSignsNobodyIn(t *testing.T) {
	t.Parallel()
	for _, p := range plants() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			w := build(t, setting{})
			b := w.open()
			for _, name := range w.sessionCookies() {
				b.plants(name, p.token(w, "sess_2victim"), p.path)
			}
			for _, c := range w.clerk.Cookies("") {
				if strings.HasPrefix(c.Name, "__client_uat") {
					b.plants(c.Name, fmt.Sprint(w.now().Add(-time.Minute).Unix()), "/")
				}
			}
			for range 2 {
				answer := b.visit(w.app + "/private")
				if portal := w.clerk.URL(clerktest.SignInPage) + "?"; !strings.HasPrefix(answer.URL, portal) {
					t.Errorf("the private page leads to %s, want the sign-in page\n%s", answer.URL, b.text())
				}
			}
		})
	}
}

// Two sessions that both are good: which one is the browser's cannot be told. The instance can be asked, and a page
// goes by there; a script cannot, and is refused.
func TestJourneyPlantedSecondSessionIsNeverTaken(t *testing.T) {
	t.Parallel()
	w := build(t, setting{})
	b := w.open()
	b.signIn(alice)
	second := w.clerk.Token(clerktest.Claims{Subject: mallory, SessionID: "sess_2mallory"})
	for _, name := range w.sessionCookies() {
		b.plants(name, second, "/private")
	}
	w.forget()
	b.visit(w.app + "/private")
	b.shows("/private", alice)
	w.renewed("with two sessions", 1, 0)
	const script = `fetch("/private").then(async a => a.status + " " + (await a.json()).errors[0].code)`
	if got, want := does[string](b, script), "401 "+string(clerkauth.ReasonSessionTokenAmbiguous); got != want {
		t.Errorf("a script gets %s, want %s", got, want)
	}
	w.forget()
	b.visit(w.app + "/")
	b.shows("/", alice)
	w.renewed("where the planted cookie does not reach", 0, 0)
}

// The browser itself keeps a sibling from planting the cookie that vouches for tokens without azp.
func TestJourneySiblingCannotPlantPartyCookie(t *testing.T) {
	t.Parallel()
	w := build(t, setting{})
	b := w.open()
	b.signIn(alice)
	b.visit(w.app + "/private")
	honest := b.cookies(partyCookie)
	if len(honest) != 1 {
		t.Fatalf("%d cookies %s, want one", len(honest), partyCookie)
	}
	b.plants(partyCookie, "v1.9999999999.AAAA", "/")
	b.plants("", partyCookie+"=v1.9999999999.AAAA", "/") // a cookie without a name
	if got := b.cookies(partyCookie); len(got) != 1 || got[0].Value != honest[0].Value {
		t.Errorf("after the sibling's script: %v, want the honest one alone", got)
	}
	b.visit(w.app + "/private")
	b.shows("/private", alice)
}
