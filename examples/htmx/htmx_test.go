package htmx_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/examples/htmx"
)

const origin = "https://example.com"

func app(t *testing.T) (*clerktest.Instance, http.Handler) {
	t.Helper()
	clerk := clerktest.New(t, clerktest.Options{})
	cfg := clerk.Config()
	cfg.SignInURL = clerk.URL(clerktest.SignInPage)
	cfg.ErrorHandler = htmx.ErrorHandler(origin, cfg.SignInURL+"?theme=dark")
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return clerk, htmx.Routes(auth)
}

func get(t *testing.T, app http.Handler, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/me", http.NoBody)
	maps.Copy(r.Header, header)
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	return w
}

// fragment is the header that htmx sends; without Sec-Fetch-Dest, as older browsers do.
func fragment(current string) http.Header {
	return http.Header{"Hx-Request": {"true"}, "Accept": {"text/html"}, "Hx-Current-Url": {current}}
}

func TestFragmentOfNobodyLeadsToSignInAndBack(t *testing.T) {
	clerk, app := app(t)
	for current, back := range map[string]string{
		origin + "/page?a=1#x":           origin + "/page?a=1#x",
		"https://evil.example/page":      origin + "/",
		"https://example.com@evil.test/": origin + "/",
		"https://me@example.com/":        origin + "/",
		"http://example.com/":            origin + "/",
		"https://example.com.evil.test/": origin + "/",
		"//evil.test/":                   origin + "/",
		"javascript:alert(1)":            origin + "/",
		":":                              origin + "/",
		"":                               origin + "/",
	} {
		w := get(t, app, fragment(current))
		target, err := url.Parse(w.Header().Get("HX-Redirect"))
		if err != nil {
			t.Fatal(err)
		}
		if w.Code != http.StatusUnauthorized || !strings.HasPrefix(target.String(), clerk.URL(clerktest.SignInPage)+"?") ||
			target.Query().Get("redirect_url") != back || target.Query().Get("theme") != "dark" {
			t.Errorf("from %q: %d, to %s, want 401 and back to %s", current, w.Code, target, back)
		}
		if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Location") != "" {
			t.Errorf("from %q: %v", current, w.Header())
		}
	}
}

func TestOtherAnswersAreTheUsualOnes(t *testing.T) {
	clerk, app := app(t)
	signedIn := fragment(origin + "/")
	signedIn.Set("Authorization", "Bearer "+clerk.Token(clerktest.Claims{Subject: "user_ada"}))
	forged := http.Header{"Authorization": {"Bearer " + clerk.Forge(clerktest.Claims{})}}
	twice := fragment(origin + "/")
	twice["Authorization"] = []string{"Bearer a", "Bearer b"}
	for name, tt := range map[string]struct {
		header http.Header
		status int
	}{
		"a fragment":         {signedIn, http.StatusOK},
		"a page of nobody":   {http.Header{"Accept": {"text/html"}}, http.StatusFound},
		"a script's request": {forged, http.StatusUnauthorized},
		"no sign-in helps":   {twice, http.StatusBadRequest},
	} {
		if w := get(t, app, tt.header); w.Code != tt.status || w.Header().Get("HX-Redirect") != "" {
			t.Errorf("%s: %d with HX-Redirect %q, want %d", name, w.Code, w.Header().Get("HX-Redirect"), tt.status)
		}
	}
}
