package e2e_test

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// TestRealClerkInTheQuickstart signs in on the quickstart's page with Clerk's packages.
func TestRealClerkInTheQuickstart(t *testing.T) {
	t.Parallel()
	home := quickstart(t, "-clerk-js", modules(t))
	b := openLoopback(t)
	b.visit(home + "/")
	b.press(`a[href="/clerk-js"]`)
	b.loaded()
	b.until(`document.querySelector("#server").textContent.startsWith("nobody")`)
	b.fill(identifierField, "ada+clerk_test@example.com")
	b.shot("sign-in")
	b.choose(continueButton)
	b.appears(codeField)
	b.follow(chromedp.SendKeys(chromedp.CSS(codeField), "424242"))
	b.until(`document.querySelector("#script")?.textContent === "user_ada in acme" && document.querySelector("#server").textContent === "user_ada in acme"`)
	b.appears(".cl-organizationSwitcherTrigger")
	b.picture()
}
