package threats_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/internal/harness"
)

// A confirmation does not stay in the address. A sibling subdomain plants a second nonce under the
// page's path, where we cannot delete it, so that neither counts and the page is shown as its
// cookies say. Then it deletes that nonce, plants another one and goes back in the history of the
// window that it opened.
func TestConfirmationIsNotLeftInTheAddress(t *testing.T) {
	for _, path := range []string{"/me", "/public/me"} {
		now := harness.Noon
		v := returning(t, &now, func(w *scene) { w.WithoutRefresh = true })
		now = now.Add(2 * time.Second)
		alices := v.cookie("__client_uat")
		nonce, uat := v.thiefsNonce(now)
		v.plant("example.com", "__clerk_handshake_nonce", nonce, "__client_uat", uat, v.suffixedUAT(), uat)
		back := returnOf(v.once(http.MethodGet, path).header.Get("Location"))
		if !strings.Contains(back, "__clerkauth_state=") {
			t.Fatalf("the redirect to %q has no __clerkauth_state, so that nothing is tested", back)
		}
		v.plant("example.com", "__client_uat", alices, v.suffixedUAT(), alices)
		second := harness.With("Cookie", "__clerk_handshake_nonce=planted_1; __clerk_handshake_nonce=planted_2")
		shown := v.visit(back, second)
		if shown.body != "hello user_2alice" || strings.Contains(shown.at, "__clerkauth") {
			t.Errorf("%s: shown is %q at %s, want Alice's page at an address without parameters", path, shown.body, shown.at)
		}
		nonce, uat = v.thiefsNonce(now)
		v.plant("example.com", "__clerk_handshake_nonce", nonce, "__client_uat", uat, v.suffixedUAT(), uat)
		if got := v.visit(shown.at); got.body != "hello user_2alice" {
			t.Errorf("%s: back at %s it is %q, want \"hello user_2alice\"", path, shown.at, got.body)
		}
	}
}
