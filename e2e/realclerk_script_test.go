package e2e_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// dora is a member of two organizations.
var dora = clerktest.Person{
	Name: "Dora", Claims: clerktest.Claims{Subject: "user_dora", Organization: clerkauth.Organization{ID: "org_acme", Slug: "acme", Role: "org:admin"}},
	Organizations: []clerkauth.Organization{{ID: "org_zeta", Slug: "zeta", Role: "org:member"}},
}

func realOptions() clerktest.Options { return clerktest.Options{People: []clerktest.Person{dora}} }

// openScript opens a page, where Clerk's script has loaded.
func (s *realSite) openScript(t *testing.T, path string) *tab {
	t.Helper()
	b := s.open(t)
	// Scripts renew tokens only in the tab that has the focus.
	if _, err := chromedp.Call(b.chromium(), emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		t.Fatal(err)
	}
	b.visit(s.home + path)
	b.loaded()
	return b
}

// loaded waits for Clerk's script.
func (b *tab) loaded() {
	b.t.Helper()
	b.until(`window.Clerk?.loaded === true`)
}

// withTicket signs a person in by a ticket, in the script, and returns the session's ID.
func (s *realSite) withTicket(b *tab, p clerktest.Person) string {
	b.t.Helper()
	return evaluate[string](b, `Clerk.client.signIn.create({strategy: "ticket", ticket: %q})
		.then(s => Clerk.setActive({session: s.createdSessionId}).then(() => s.createdSessionId))`, s.clerk.Ticket(p))
}

// signOut signs out by the script, and waits for the page to which it leads.
func (b *tab) signOut() {
	b.t.Helper()
	b.follow(chromedp.Evaluate[chromedp.Void](`void Clerk.signOut({redirectUrl: "/?out"})`))
	b.loaded()
}

// me returns the app server's answer to the page's cookies: the status, and who is signed in.
func (b *tab) me() string {
	b.t.Helper()
	return evaluate[string](b, `fetch("/me").then(async r => r.status + " " + (r.ok ? await r.text() : r.headers.get("X-Clerk-Auth-Reason")))`)
}

// scriptSays returns the user and the organization according to the script.
func (b *tab) scriptSays() string {
	b.t.Helper()
	return evaluate[string](b, `(Clerk.user?.id ?? "nobody") + " " + (Clerk.organization?.id ?? "")`)
}

// says compares both, and the page that the server renders.
func (s *realSite) says(b *tab, when, user, organization string) {
	b.t.Helper()
	if got, want := b.scriptSays(), user+" "+organization; got != want {
		b.t.Errorf("%s: the script says %q, want %q", when, got, want)
	}
	want := strings.TrimSpace("200 " + user + " " + organization)
	if user == "nobody" {
		want = "401 "
	}
	if got := b.me(); got != want && (user != "nobody" || !strings.HasPrefix(got, want)) {
		b.t.Errorf("%s: the server says %q, want %q", when, got, want)
	}
	b.follow(chromedp.Reload())
	b.loaded()
	if got := b.place().Who; got != user {
		b.t.Errorf("%s: the page is for %q, want %q", when, got, user)
	}
	if got, want := b.scriptSays(), user+" "+organization; got != want {
		b.t.Errorf("%s, loaded again: the script says %q, want %q", when, got, want)
	}
}

// clerks returns Clerk's own cookies for a page, by name. Ours are left out, and no name may be
// there twice.
func (b *tab) clerks(url string) map[string]*network.Cookie {
	b.t.Helper()
	found := map[string]*network.Cookie{}
	for _, c := range b.cookies(url) {
		if found[c.Name] != nil {
			b.t.Errorf("there are two cookies %s: for %s and %s", c.Name, found[c.Name].Domain, c.Domain)
		}
		if !strings.HasPrefix(c.Name, "__Host-") && !strings.HasPrefix(c.Name, "__clerkauth") {
			found[c.Name] = c
		}
	}
	return found
}

func (s *realSite) suffix() string {
	return strings.TrimPrefix(s.clerk.Cookies(s.clerk.Token(clerktest.Claims{}))[1].Name, "__session")
}

// looks checks a cookie's form.
func looks(t *testing.T, when, name string, c *network.Cookie, value func(string) bool, domain string, sameSite network.CookieSameSite, secure bool, lasts time.Duration) {
	t.Helper()
	if c == nil {
		t.Errorf("%s: there is no cookie %s, want one", when, name)
		return
	}
	left := time.Until(time.Unix(int64(c.Expires), 0))
	if !value(c.Value) || c.Domain != domain || c.Path != "/" || c.SameSite != sameSite || c.Secure != secure || c.HTTPOnly ||
		lasts == 0 && !c.Session || lasts > 0 && (left > lasts+48*time.Hour || left < lasts-48*time.Hour) {
		t.Errorf("%s: cookie %+v for %s; want Domain %s, SameSite %s, Secure %t, for %s", when, c, left, domain, sameSite, secure, lasts)
	}
}

const year = 365 * 24 * time.Hour

func isSeconds(s string) bool {
	n, err := strconv.ParseInt(s, 10, 64)
	return err == nil && n > 1e9 && n <= time.Now().Unix()+1
}

func isTime(zero bool) func(string) bool {
	return func(s string) bool { return zero && s == "0" || !zero && isSeconds(s) }
}

func isToken(s string) bool   { return strings.Count(s, ".") == 2 && strings.HasPrefix(s, "ey") }
func isBrowser(s string) bool { return strings.HasPrefix(s, "dvb_") }

func TestRealClerkInDevelopment(t *testing.T) {
	t.Parallel()
	s := realDevelopment(t, realOptions())
	b := s.openScript(t, "/")
	s.says(b, "a first visit", "nobody", "")
	for _, suffix := range []string{"", s.suffix()} {
		jar := b.clerks(s.home)
		looks(t, "signed out", "__client_uat"+suffix, jar["__client_uat"+suffix], isTime(true), "localhost", network.CookieSameSiteStrict, false, year)
		looks(t, "signed out", "__clerk_db_jwt"+suffix, jar["__clerk_db_jwt"+suffix], isBrowser, "localhost", network.CookieSameSiteLax, false, year)
		if c := jar["__session"+suffix]; c != nil {
			t.Errorf("signed out: there is a session cookie %+v", c)
		}
	}

	id := s.withTicket(b, dora)
	for _, suffix := range []string{"", s.suffix()} {
		jar := b.clerks(s.home)
		looks(t, "signed in", "__client_uat"+suffix, jar["__client_uat"+suffix], isTime(false), "localhost", network.CookieSameSiteStrict, false, year)
		looks(t, "signed in", "__session"+suffix, jar["__session"+suffix], isToken, "localhost", network.CookieSameSiteLax, false, year)
		looks(t, "signed in", "__clerk_db_jwt"+suffix, jar["__clerk_db_jwt"+suffix], isBrowser, "localhost", network.CookieSameSiteLax, false, year)
	}
	s.says(b, "signed in", "user_dora", "org_acme")
	b.until(`document.cookie.includes("clerk_active_context=")`)
	looks(t, "signed in", "clerk_active_context", b.clerks(s.home)["clerk_active_context"],
		func(s string) bool { return s == id+":org_acme" }, "localhost", "", true, 0)

	for _, organization := range []string{"org_zeta", "", "org_acme"} {
		evaluate[bool](b, `Clerk.setActive({organization: %q || null}).then(() => true)`, organization)
		s.says(b, "with organization "+organization, "user_dora", organization)
	}

	const bearer = `Clerk.session.getToken().then(token => fetch(%q + "/me", {headers: {Authorization: "Bearer " + token}}))
		.then(async r => r.status + " " + await r.text())`
	if got := evaluate[string](b, bearer, s.app.api); got != "200 user_dora org_acme" {
		t.Errorf("another origin, with a bearer token: got %s, want \"200 user_dora org_acme\"", got)
	}
	b.picture()

	b.signOut()
	s.says(b, "signed out again", "nobody", "")
	jar := b.clerks(s.home)
	for _, suffix := range []string{"", s.suffix()} {
		looks(t, "signed out again", "__client_uat"+suffix, jar["__client_uat"+suffix], isTime(true), "localhost", network.CookieSameSiteStrict, false, year)
		if c := jar["__session"+suffix]; c != nil {
			t.Errorf("signed out again: there is a session cookie %+v", c)
		}
		if jar["__clerk_db_jwt"+suffix] == nil {
			t.Error("signed out again: the browser's token was deleted")
		}
	}
	if n := len(s.clerk.BrowserSessions()); n != 0 {
		t.Errorf("%d sessions are still active, want none", n)
	}
}

// TestRealClerkBelowADomain: the script sets client_uat for app.localhost, and so do handshakes.
// With two cookies of one name every page would be redirected to the Frontend API and back.
func TestRealClerkBelowADomain(t *testing.T) {
	t.Parallel()
	s := realDevelopmentAt(t, "sub.app.localhost", realOptions())
	b := s.openScript(t, "/")
	s.withTicket(b, dora)
	for _, when := range []string{"signed in by the script", "loaded again"} {
		b.visit(s.home + "/private")
		b.expect(when, place{URL: s.home + "/private", Who: "user_dora"})
		b.loaded()
		if c := b.clerks(s.home)["__client_uat"]; c == nil || c.Domain != ".app.localhost" {
			t.Errorf("%s: client_uat is %+v, want one for app.localhost", when, c)
		}
	}
	s.clerk.ResetRequests()
	b.visit(s.home + "/private")
	b.expect("once more", place{URL: s.home + "/private", Who: "user_dora"})
	for _, r := range s.clerk.Requests() {
		if r.Endpoint == clerktest.FrontendHandshake {
			t.Error("a page of a signed-in person is redirected to the Frontend API")
		}
	}
	if cookie := evaluate[string](b, `(document.cookie = "__session=; Max-Age=0", document.cookie = "__session%s=; Max-Age=0")`, s.suffix()); cookie == "" {
		t.Fatal("the script that deletes the cookies did not run")
	}
	b.visit(s.home + "/me") // by a handshake, without the script, which would delete cookies
	if got := b.text(); got != "user_dora org_acme" {
		t.Errorf("without a token the page says %q, want \"user_dora org_acme\"", got)
	}
	if c := b.clerks(s.home)["__client_uat"]; c == nil || c.Domain != ".app.localhost" {
		t.Errorf("after a handshake client_uat is %+v, want one for app.localhost", c)
	}
}

func TestRealClerkInProduction(t *testing.T) {
	t.Parallel()
	s := realProduction(t, realOptions())
	b := s.openScript(t, "/")
	s.says(b, "a first visit", "nobody", "")
	s.withTicket(b, dora)
	s.says(b, "signed in", "user_dora", "org_acme")
	jar := b.clerks(s.home)
	for _, suffix := range []string{"", s.suffix()} {
		looks(t, "signed in", "__client_uat"+suffix, jar["__client_uat"+suffix], isTime(false), "."+domain, network.CookieSameSiteLax, true, year)
		looks(t, "signed in", "__session"+suffix, jar["__session"+suffix], isToken, "app."+domain, network.CookieSameSiteLax, true, year)
		if c := jar["__clerk_db_jwt"+suffix]; c != nil {
			t.Errorf("production has a development cookie %+v", c)
		}
	}
	b.picture()
	b.signOut()
	s.says(b, "signed out", "nobody", "")
}

// lifetimeForScripts is short and still longer than clerk-js's margin: it renews a token 15 s
// before its end (BACKGROUND_REFRESH_THRESHOLD_IN_SECONDS in its tokenCache.ts) and begins 2 s
// earlier (refreshLeadTime).
const lifetimeForScripts = 20 * time.Second

func TestRealClerkRenewsTokensBeforeTheyExpire(t *testing.T) {
	t.Parallel()
	opts := realOptions()
	opts.TokenLifetime = lifetimeForScripts
	s := realDevelopment(t, opts)
	b := s.openScript(t, "/")
	s.withTicket(b, dora)
	before := len(s.app.answers("/me"))
	const ask = `(async () => {
		const until = Date.now() + %d, seen = new Set();
		while (Date.now() < until) {
			await fetch("/me");
			seen.add(document.cookie.split("; ").find(c => c.startsWith("__session=")));
			await new Promise(later => setTimeout(later, 500));
		}
		return seen.size;
	})()`
	tokens := evaluate[int](b, ask, (3 * lifetimeForScripts).Milliseconds())
	if tokens < 4 {
		t.Errorf("%d tokens in three lifetimes, want at least 4", tokens)
	}
	answers := s.app.answers("/me")[before:]
	if len(answers) < 60 {
		t.Errorf("the page sent only %d requests, want 60 at least", len(answers))
	}
	for _, x := range answers {
		if x.status != http.StatusOK {
			t.Errorf("one of %d requests: got %d %s, want 200", len(answers), x.status, x.reason)
		}
	}
}

func TestRealClerkNoticesASessionEndedElsewhere(t *testing.T) {
	t.Parallel()
	s := realDevelopment(t, realOptions())
	b := s.openScript(t, "/")
	s.withTicket(b, dora)
	s.clerk.BrowserSessions()[0].SignOut()
	if got := b.me(); got != "200 user_dora org_acme" {
		t.Errorf("the token of before: got %s, want it still good", got)
	}
	evaluate[chromedp.Void](b, `void Clerk.session.getToken({skipCache: true}).catch(() => {})`)
	b.until(`!window.Clerk?.user`)
	b.until(`document.readyState === "complete" && window.Clerk?.loaded === true && !document.cookie.includes("__session")`)
	s.says(b, "after the next token", "nobody", "")
}

func TestRealClerkInTwoTabs(t *testing.T) {
	t.Parallel()
	s := realDevelopment(t, realOptions())
	first := s.openScript(t, "/")
	s.withTicket(first, dora)
	second := first.another()
	second.visit(s.home + "/private")
	second.loaded()
	s.says(second, "the second tab", "user_dora", "org_acme")
	s.says(first, "the first tab", "user_dora", "org_acme")
	first.signOut()
	second.until(`!window.Clerk?.user`)
	if got := second.me(); !strings.HasPrefix(got, "401 ") {
		t.Errorf("the second tab, after the first has signed out: got %s, want 401", got)
	}
}

func TestRealClerkAfterARestartOfTheInstance(t *testing.T) {
	t.Parallel()
	s := realDevelopment(t, realOptions())
	b := s.openScript(t, "/")
	s.withTicket(b, dora)
	s.says(b, "before", "user_dora", "org_acme")
	token := b.clerks(s.home)["__clerk_db_jwt"].Value
	s.restart(t)
	b.visit(s.home + "/")
	b.loaded()
	s.says(b, "after", "nobody", "")
	if got := b.clerks(s.home)["__clerk_db_jwt"].Value; got == token {
		t.Error("the browser still has a token that the instance does not know")
	}
	s.withTicket(b, dora)
	s.says(b, "signed in once more", "user_dora", "org_acme")
}
