package turbo_test

import (
	"html"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/examples/turbo"
)

const origin = "https://example.com"

func app(t *testing.T) (*clerktest.Instance, http.Handler) {
	t.Helper()
	clerk := clerktest.New(t, clerktest.Options{})
	cfg := clerk.Config()
	cfg.SignInURL = clerk.URL(clerktest.SignInPage)
	cfg.ErrorHandler = turbo.ErrorHandler(origin, cfg.SignInURL+"?theme=dark")
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return clerk, turbo.Routes(auth)
}

func ask(t *testing.T, app http.Handler, method string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "/me?a=1", http.NoBody)
	maps.Copy(r.Header, header)
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	return w
}

// sent is what Turbo sends from a page, without Sec-Fetch-Dest, as older browsers do: pairs of a name and a value.
func sent(from string, more ...string) http.Header {
	h := http.Header{"Accept": {"text/html, application/xhtml+xml"}, "Referer": {from}}
	for pair := range slices.Chunk(more, 2) {
		h.Add(pair[0], pair[1])
	}
	return h
}

func TestRefusalLeadsToSignInAndBack(t *testing.T) {
	clerk, app := app(t)
	const id = "X-Turbo-Request-Id"
	for _, tt := range []struct {
		name, method string
		header       http.Header
		back         string
	}{
		{"a visit", http.MethodGet, sent(origin+"/page", id, "1"), origin + "/me?a=1"},
		{"a frame", http.MethodGet, sent(origin+"/page", id, "1", "Turbo-Frame", "f"), origin + "/page"},
		{"a frame of an older Turbo", http.MethodGet, sent(origin+"/page", "Turbo-Frame", "f"), origin + "/page"},
		{"a form", http.MethodPost, sent(origin+"/page", id, "1"), origin + "/page"},
		{"a form in a frame", http.MethodPost, sent(origin+"/page", id, "1", "Turbo-Frame", "f"), origin + "/page"},
		{"a form without a Referer", http.MethodPost, sent("", id, "1"), origin + "/"},
		{"from elsewhere", http.MethodGet, sent("https://evil.test/page", id, "1", "Turbo-Frame", "f"), origin + "/"},
		{"from another scheme", http.MethodGet, sent("http://example.com/page", id, "1", "Turbo-Frame", "f"), origin + "/"},
		{"from a user", http.MethodGet, sent("https://me@example.com/page", id, "1", "Turbo-Frame", "f"), origin + "/"},
		{"with quotes", http.MethodGet, sent(origin+`/"><script>`, id, "1", "Turbo-Frame", "f"), origin + "/%22%3E%3Cscript%3E"},
	} {
		w := ask(t, app, tt.method, tt.header)
		_, refresh, _ := strings.Cut(w.Body.String(), `<meta http-equiv="refresh" content="0;url=`)
		refresh, _, _ = strings.Cut(refresh, `"`)
		target, err := url.Parse(html.UnescapeString(refresh))
		if err != nil {
			t.Fatal(err)
		}
		if w.Code != http.StatusUnauthorized || !strings.HasPrefix(target.String(), clerk.URL(clerktest.SignInPage)+"?") ||
			target.Query().Get("redirect_url") != tt.back || target.Query().Get("theme") != "dark" {
			t.Errorf("%s: %d, to %s, want 401 and back to %s", tt.name, w.Code, target, tt.back)
		}
		control := strings.Contains(w.Body.String(), `<meta name="turbo-visit-control" content="reload">`)
		if control != (tt.header["Turbo-Frame"] != nil) || w.Header().Get("Location") != "" ||
			w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: %v %s", tt.name, w.Header(), w.Body)
		}
	}
}

func TestOtherAnswersAreTheUsualOnes(t *testing.T) {
	clerk, app := app(t)
	token := "Bearer " + clerk.Token(clerktest.Claims{Subject: "user_ada"})
	for name, tt := range map[string]struct {
		method string
		header http.Header
		status int
	}{
		"a page":              {http.MethodGet, sent(""), http.StatusFound},
		"a script":            {http.MethodGet, http.Header{}, http.StatusUnauthorized},
		"no sign-in helps":    {http.MethodGet, sent("", "X-Turbo-Request-Id", "1", "Authorization", token, "Authorization", token), http.StatusBadRequest},
		"a frame of somebody": {http.MethodGet, sent("", "Turbo-Frame", "frame", "Authorization", token), http.StatusOK},
		"a form of somebody":  {http.MethodPost, sent("", "X-Turbo-Request-Id", "1", "Authorization", token), http.StatusSeeOther},
	} {
		if w := ask(t, app, tt.method, tt.header); w.Code != tt.status || strings.Contains(w.Body.String(), "http-equiv") {
			t.Errorf("%s: %d with %q, want %d", name, w.Code, w.Body, tt.status)
		}
	}
}
