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

// refresh is the target of a response's refresh.
func refresh(t *testing.T, w *httptest.ResponseRecorder) *url.URL {
	t.Helper()
	_, to, _ := strings.Cut(w.Body.String(), `<meta http-equiv="refresh" content="0;url=`)
	to, _, _ = strings.Cut(to, `"`)
	target, err := url.Parse(html.UnescapeString(to))
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// A session that a page would renew by a handshake: a script cannot be redirected, whatever its headers say.
func TestScriptIsNeverSentAwayByRedirect(t *testing.T) {
	_, app := app(t)
	for _, tt := range []struct {
		headers []string
		back    string
	}{
		{[]string{"X-Turbo-Request-Id", "1"}, origin + "/me?a=1"},
		{[]string{"Turbo-Frame", "f"}, origin + "/page"},
	} {
		for _, dest := range [][]string{nil, {"Sec-Fetch-Dest", "empty"}, {"Sec-Fetch-Dest", "document"}, {"Sec-Fetch-Dest", "empty", "Sec-Fetch-Mode", "navigate"}} {
			header := sent(origin+"/page", slices.Concat(tt.headers, dest, []string{"Cookie", "__client_uat=1"})...)
			w := ask(t, app, http.MethodGet, header)
			if to := refresh(t, w); w.Code != http.StatusUnauthorized || to.Query().Get("redirect_url") != tt.back || w.Header().Get("Location") != "" {
				t.Errorf("%q with %q: got %d, to %s, %v, want 401, back to %s and no Location", tt.headers, dest, w.Code, to, w.Header(), tt.back)
			}
		}
	}
	if w := ask(t, app, http.MethodGet, sent(origin+"/page", "Cookie", "__client_uat=1")); w.Code != http.StatusTemporaryRedirect {
		t.Errorf("a page: got %d, want a handshake", w.Code)
	}
}

// The return URL is the requested one, even if a router in front has stripped its path.
func TestWayBackOfAMountedApp(t *testing.T) {
	_, app := app(t)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/mounted/me?a=1", http.NoBody)
	r.Header = sent("", "X-Turbo-Request-Id", "1")
	w := httptest.NewRecorder()
	http.StripPrefix("/mounted", app).ServeHTTP(w, r)
	if got := refresh(t, w).Query().Get("redirect_url"); got != origin+"/mounted/me?a=1" {
		t.Errorf("back to %q, want %s/mounted/me?a=1", got, origin)
	}
}

// Anybody can send any request line. None leads to another host.
func TestWayBackIsToTheOrigin(t *testing.T) {
	refuse := turbo.ErrorHandler(origin, "/sign-in")
	for target, back := range map[string]string{
		"/me?a=%2f":                        "/me?a=%2f",
		"//evil.test/me":                   "//evil.test/me",
		"https://evil.test/mounted/me?a=1": "/mounted/me?a=1",
		"https://evil.test":                "/",
		"https:@evil.test/me":              "/",
		"*":                                "/",
		"@evil.test/me":                    "/",
		".evil.test/me":                    "/",
		":80/me":                           "/",
		"":                                 "/",
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/me", http.NoBody)
		r.RequestURI, r.Header = target, sent("", "X-Turbo-Request-Id", "1")
		w := httptest.NewRecorder()
		refuse(w, r, &clerkauth.Error{Reason: clerkauth.ReasonTokenExpired})
		got := refresh(t, w).Query().Get("redirect_url")
		if u, err := url.Parse(got); err != nil || u.Host != "example.com" || got != origin+back {
			t.Errorf("asked for %q: back to %q (%v), want %q", target, got, err, origin+back)
		}
	}
}

// The headers of a write tell clerkauth which page has sent it, and it refuses those of others.
func TestWritesOfOthersAreRefused(t *testing.T) {
	clerk, app := app(t)
	for name, more := range map[string][]string{
		"another site's":                      {"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"},
		"passed on by a service worker":       {"Origin", "null", "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "same-origin", "Sec-Fetch-Dest", "empty"},
		"another origin's, in older browsers": {"Origin", "https://evil.test"},
	} {
		for _, turbo := range [][]string{nil, {"X-Turbo-Request-Id", "1", "Turbo-Frame", "f"}} {
			header := sent("", slices.Concat(more, turbo)...)
			header.Del("Referer")
			for _, c := range clerk.Cookies(clerk.Token(clerktest.Claims{})) {
				header.Add("Cookie", c.String())
			}
			if w := ask(t, app, http.MethodPost, header); w.Code != http.StatusForbidden {
				t.Errorf("%s, %q: got %d, want 403", name, turbo, w.Code)
			}
		}
	}
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
		target := refresh(t, w)
		if w.Code != http.StatusUnauthorized || !strings.HasPrefix(target.String(), clerk.URL(clerktest.SignInPage)+"?") ||
			target.Query().Get("redirect_url") != tt.back || target.Query().Get("theme") != "dark" {
			t.Errorf("%s: %d, to %s, want 401 and back to %s", tt.name, w.Code, target, tt.back)
		}
		control := strings.Contains(w.Body.String(), `<meta name="turbo-visit-control" content="reload">`)
		if control != (tt.header["Turbo-Frame"] != nil) || w.Header().Get("Location") != "" ||
			w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: got %v %s, want no Location, no-store, HTML in UTF-8, and a turbo-visit-control: %t", tt.name, w.Header(), w.Body, tt.header["Turbo-Frame"] != nil)
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
			t.Errorf("%s: got %d with %q, want %d", name, w.Code, w.Body, tt.status)
		}
	}
}
