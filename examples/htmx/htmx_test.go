package htmx_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
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
	return ask(t, app, "/me", header)
}

func ask(t *testing.T, app http.Handler, path string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
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
			t.Errorf("from %q: got %v, want Cache-Control no-store and no Location", current, w.Header())
		}
	}
}

// A boosted link is a visit: it leads back to its target, also below a router that strips a part of the path.
func TestBoostedLinkLeadsBackToItsPage(t *testing.T) {
	refuse := htmx.ErrorHandler(origin, "/sign-in")
	for _, tt := range []struct{ method, target, boosted, back string }{
		{http.MethodGet, "/mounted/me?a=1", "true", "/mounted/me?a=1"},
		{http.MethodGet, "/mounted/me?a=1", "", "/page"},
		{http.MethodPost, "/mounted/me", "true", "/page"},
		{http.MethodGet, "//evil.test/me", "true", "//evil.test/me"},
		{http.MethodGet, "https://evil.test/mounted/me", "true", "/mounted/me"},
		{http.MethodGet, "@evil.test/me", "true", "/"},
		{http.MethodGet, "", "true", "/"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), tt.method, "/me?a=1", http.NoBody)
		r.RequestURI, r.Header = tt.target, fragment(origin+"/page")
		r.Header.Set("HX-Boosted", tt.boosted)
		w := httptest.NewRecorder()
		refuse(w, r, &clerkauth.Error{Reason: clerkauth.ReasonTokenExpired})
		target, err := url.Parse(w.Header().Get("HX-Redirect"))
		if err != nil {
			t.Fatal(err)
		}
		if got := target.Query().Get("redirect_url"); got != origin+tt.back {
			t.Errorf("%s %q: back to %s, want %s", tt.method, tt.target, got, tt.back)
		}
	}
}

// A session that a page would renew by a handshake: a fragment cannot be redirected, whatever its headers say.
func TestFragmentIsNeverSentAwayByRedirect(t *testing.T) {
	clerk, app := app(t)
	mounted := http.StripPrefix("/mounted", app)
	for _, dest := range []string{"", "empty", "document", "iframe"} {
		for _, mode := range []string{"", "cors", "navigate"} {
			header := fragment(origin + "/mounted/page")
			header.Set("Cookie", "__client_uat=1")
			for name, value := range map[string]string{"Sec-Fetch-Dest": dest, "Sec-Fetch-Mode": mode} {
				if value != "" {
					header.Set(name, value)
				}
			}
			for path, handler := range map[string]http.Handler{"/me": app, "/mounted/me": mounted} {
				w := ask(t, handler, path, header)
				to := w.Header().Get("HX-Redirect")
				if w.Code != http.StatusUnauthorized || !strings.HasPrefix(to, clerk.URL(clerktest.SignInPage)+"?") || w.Header().Get("Location") != "" ||
					!strings.Contains(to, url.QueryEscape(origin+"/mounted/page")) {
					t.Errorf("%s of %q, %q: got %d %v, want 401, no Location, and an HX-Redirect to sign in and back to %s/mounted/page", path, dest, mode, w.Code, w.Header(), origin)
				}
				header.Del("HX-Request")
				if w = ask(t, handler, path, header); w.Code == http.StatusUnauthorized && dest != "empty" {
					t.Errorf("%s of %q, %q without htmx: got %d, want a handshake", path, dest, mode, w.Code)
				}
				header.Set("HX-Request", "true")
			}
			if header.Get("Sec-Fetch-Dest") != dest || header.Get("Sec-Fetch-Mode") != mode {
				t.Error("the caller's header has changed")
			}
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

// The headers of a write tell clerkauth which page has sent it.
func TestWritesAreLeftAsTheyAre(t *testing.T) {
	var got http.Header
	h := htmx.Fragments(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/me", http.NoBody)
	r.Header = http.Header{"Hx-Request": {"true"}, "Sec-Fetch-Dest": {"document"}, "Sec-Fetch-Mode": {"navigate"}}
	want := r.Header.Clone()
	if h.ServeHTTP(httptest.NewRecorder(), r); !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %v, want %v", got, want)
	}
	r.Method = http.MethodGet
	if h.ServeHTTP(httptest.NewRecorder(), r); got.Get("Sec-Fetch-Dest") != "empty" || !maps.EqualFunc(r.Header, want, slices.Equal) {
		t.Errorf("got %v of %v, want Sec-Fetch-Dest empty, and the caller's header still %v", got, r.Header, want)
	}
}
