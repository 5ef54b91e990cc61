package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/clerkauth/clerkauth/clerktest"
)

const (
	identifierField = `input[name="identifier"]`
	continueButton  = `.cl-formButtonPrimary`
	codeField       = `input[autocomplete="one-time-code"]`
	switcherButton  = `.cl-organizationSwitcherTrigger`
)

// saysScript waits until the page's own script says who is signed in.
func (b *tab) saysScript(want string) {
	b.t.Helper()
	b.until(`document.querySelector("#script")?.textContent.trim() === "` + want + `"`)
}

func TestRealReactSignsInByTheComponent(t *testing.T) {
	t.Parallel()
	s := realDevelopment(t, realOptions())
	b := s.openScript(t, "/react")
	b.saysScript("nobody")
	b.fill(identifierField, "dora+clerk_test@example.com")
	b.shot("sign-in")
	b.choose(continueButton)
	b.appears(codeField)
	b.shot("code")
	b.follow(chromedp.SendKeys(chromedp.CSS(codeField), "424242")) // the last of the six digits submits them
	b.saysScript("user_dora org_acme")
	if got := b.me(); got != "200 user_dora org_acme" {
		t.Errorf("the server says %q, want \"200 user_dora org_acme\"", got)
	}

	b.choose("#call")
	b.until(`document.querySelector("#answer").textContent === "called 200 user_dora org_acme"`)

	b.choose(switcherButton)
	b.appears(".cl-organizationSwitcherPopoverCard")
	b.until(`document.body.innerText.includes("zeta")`)
	b.shot("organizations")
	evaluate[chromedp.Void](b, `void [...document.querySelectorAll(".cl-organizationSwitcherPopoverCard button")].find(e => e.innerText.includes("zeta")).click()`)
	b.saysScript("user_dora org_zeta")
	if got := b.me(); got != "200 user_dora org_zeta" {
		t.Errorf("with the other organization the server says %q, want \"200 user_dora org_zeta\"", got)
	}
	b.follow(chromedp.Reload())
	b.expect("loaded again", place{URL: b.place().URL, Who: "user_dora"})
	b.saysScript("user_dora org_zeta")
	b.picture()
}

func TestRealReactVerifiesAgainWhereTheServerWantsIt(t *testing.T) {
	t.Parallel()
	s := realDevelopment(t, realOptions())
	b := s.openScript(t, "/react")
	b.saysScript("nobody")
	s.withTicket(b, clerktest.Person{Name: "Dora", Claims: clerktest.Claims{Subject: "user_dora", FirstFactorAt: time.Now().Add(-time.Hour)}})
	b.saysScript("user_dora no organization")
	b.choose("#change")
	b.appears(".cl-userVerification-root")
	if n := s.app.changes.Load(); n != 0 {
		t.Fatalf("%d changes before the code, want none", n)
	}
	b.appears(codeField)
	b.shot("verify")
	b.fill(codeField, "424242")
	b.until(`document.querySelector("#answer").textContent === "changed: true"`)
	if n := s.app.changes.Load(); n != 1 {
		t.Errorf("%d changes, want the retry's", n)
	}
	refused := s.app.answers("/sensitive")
	if len(refused) != 2 || refused[0].status != 403 || refused[1].status != 200 {
		t.Errorf("the server answered %+v, want 403 and then 200", refused)
	}
	b.picture()
}

func TestRealReactSignsOut(t *testing.T) {
	t.Parallel()
	s := realDevelopment(t, realOptions())
	b := s.openScript(t, "/react")
	b.saysScript("nobody")
	s.withTicket(b, dora)
	b.saysScript("user_dora org_acme")
	b.choose(".cl-userButtonTrigger")
	b.appears(".cl-userButtonPopoverActionButton__signOut")
	b.shot("user")
	b.follow(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(clicked, ".cl-userButtonPopoverActionButton__signOut")))
	b.loaded()
	if got := b.me(); !strings.HasPrefix(got, "401 ") {
		t.Errorf("after signing out the server says %q, want 401", got)
	}
}

// shot saves a screenshot of an intermediate step.
func (b *tab) shot(step string) {
	b.t.Helper()
	named := *b
	b.t.Run(step, func(t *testing.T) { named.t = t; named.picture() })
}
