package decision

import (
	"net/http"
	"strings"
	"testing"
)

func TestAccountPortal(t *testing.T) {
	for name, tc := range map[string]struct {
		frontend string
		live     bool
		want     string
	}{
		"live":                     {"clerk.example.com", true, "accounts.example.com"},
		"live, under another name": {"auth.clerk.example.com", true, ""},
		"development":              {"able-owl-7.clerk.accounts.dev", false, "able-owl-7.accounts.dev"},
	} {
		if got := AccountPortal(tc.frontend, tc.live); got != tc.want {
			t.Errorf("%s: AccountPortal(%s) = %q, want %q", name, tc.frontend, got, tc.want)
		}
	}
}

// A development satellite asks the primary domain's sign-in page; where none is set, the Frontend API.
func TestWhomADevelopmentSatelliteAsks(t *testing.T) {
	const back = "__clerk_redirect_url=https%3A%2F%2Fapp.example.com%2Fpage"
	for signIn, want := range map[string]string{
		"https://primary.test/sign-in":            "https://primary.test/sign-in?" + back,
		"https://primary.test/sign-in?theme=dark": "https://primary.test/sign-in?theme=dark&" + back,
		"": issuer + "/v1/client/handshake?",
	} {
		d := signInAt(t, signIn, testKeys, func(s *Settings) { s.Satellite, s.AutoSync = true, true })
		var e Evidence
		o := d.outcome(request(http.MethodGet, appOrigin+"/page", "Sec-Fetch-Dest: document"), &e, noon)
		got := o.Header.Get("Location")
		if got != want && (signIn != "" || !strings.HasPrefix(got, want)) {
			t.Errorf("with the sign-in page %q: asks %q, want %q", signIn, got, want)
		}
	}
}
