package clerkauth_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

func TestSignInRedirect(t *testing.T) {
	a := harness.NewApp(t, func(c *clerkauth.Config) {
		c.SignInURL = "https://accounts.example.com/sign-in?theme=dark&redirect_url=https://evil.test#/factor"
	})
	for path, want := range map[string]string{
		"/":                             "https://example.com/",
		"/a/b?c=d&e=f":                  "https://example.com/a/b?c=d&e=f",
		"/a%2Fb/?q=%26%3D":              "https://example.com/a%2Fb/?q=%26%3D",
		"//evil.test":                   "https://example.com//evil.test",
		"//evil.test/%2e%2e?a":          "https://example.com//evil.test/%2e%2e?a",
		"/\\evil.test":                  "https://example.com/\\evil.test",
		"/@evil.test":                   "https://example.com/@evil.test",
		"/?__clerk_handshake=x&a=b":     "https://example.com/?a=b",
		"/?a=b&__clerk_db_jwt=x&c":      "https://example.com/?a=b&c",
		"/?%5F%5Fclerk_synced=true":     "https://example.com/",
		"/?__clerk_nonce=x":             "https://example.com/?__clerk_nonce=x",
		"/?a=__clerk_help&x__clerk_y=z": "https://example.com/?a=__clerk_help&x__clerk_y=z",
		"/?redirect_url=//evil.test":    "https://example.com/",
	} {
		r := harness.Request("GET", "/", harness.Document)
		r.RequestURI = path
		w := harness.Serve(a.Require(harness.Greet), r)
		location, err := url.Parse(w.Header().Get("Location"))
		if err != nil || w.Code != http.StatusFound {
			t.Errorf("%s: got %d %q, want 302", path, w.Code, w.Header().Get("Location"))
			continue
		}
		q := location.Query()
		if got := q["redirect_url"]; len(got) != 1 || got[0] != want {
			t.Errorf("%s: redirect_url %q, want %q", path, got, want)
		}
		if location.Scheme != "https" || location.Host != "accounts.example.com" || location.Path != "/sign-in" || q.Get("theme") != "dark" || location.Fragment != "/factor" {
			t.Errorf("%s: sent to %s, want SignInURL with its own query and fragment", path, location)
		}
		if h := w.Header(); h.Get("Cache-Control") != "private, no-store" || h.Get("X-Clerk-Auth-Reason") != string(clerkauth.ReasonSessionTokenAndUATMissing) {
			t.Errorf("%s: header %v, want private, no-store and the reason", path, h)
		}
	}
}

// A handler before the middleware may strip the path. The browser returns to the original one.
func TestSignInRedirectBehindStripPrefix(t *testing.T) {
	a := harness.NewApp(t, harness.SignIn)
	server := httptest.NewServer(http.StripPrefix("/app", a.Require(harness.Greet)))
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/app/page?x=1", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	harness.Headers("Accept: text/html")(r)
	r.Host = "example.com"
	resp, err := server.Client().Transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	location, err := resp.Location()
	if err != nil || location.Query().Get("redirect_url") != "https://example.com/app/page?x=1" {
		t.Errorf("got %d to %v (%v), want to come back to /app/page", resp.StatusCode, location, err)
	}
}

// Only page loads are redirected, and only where signing in may help.
func TestSignInRedirectIsForDocuments(t *testing.T) {
	a := harness.NewApp(t, harness.SignIn)
	for name, tc := range map[string]struct {
		method string
		edits  harness.Edit
		want   int
	}{
		"document":                             {"GET", harness.Document, 302},
		"document of an old browser":           {"GET", harness.All(harness.Document, harness.With("Sec-Fetch-Dest")), 302},
		"frame":                                {"GET", harness.All(harness.Document, harness.With("Sec-Fetch-Dest", "iframe")), 302},
		"fetch":                                {"GET", harness.All(harness.Document, harness.With("Sec-Fetch-Dest", "empty")), 401},
		"image":                                {"GET", harness.All(harness.Document, harness.With("Sec-Fetch-Dest", "image")), 401},
		"fetch of an old browser":              {"GET", harness.All(harness.Document, harness.With("Sec-Fetch-Dest"), harness.With("Accept", "*/*")), 401},
		"form post":                            {"POST", harness.Document, 401},
		"HEAD":                                 {"HEAD", harness.Document, 302},
		"bad token":                            {"GET", harness.All(harness.Document, harness.WithBearer("x")), 302},
		"two headers":                          {"GET", harness.All(harness.Document, harness.With("Authorization", "Bearer x", "Bearer x")), 400},
		"host that is not listed":              {"GET", harness.All(harness.Document, harness.Host("evil.test")), 403},
		"sibling subdomain that is not listed": {"GET", harness.All(harness.Document, harness.Host("blog.example.com")), 403},
		"host that is none":                    {"GET", harness.All(harness.Document, harness.Host("a b")), 403},
		"somebody signed in":                   {"GET", harness.All(harness.Document, a.SignedIn()), 200},
		"cross-origin, but not there":          {"POST", harness.All(harness.Document, a.SignedIn(), harness.Headers("Origin: null")), 403},
	} {
		w := harness.Serve(a.Require(harness.Greet), harness.Request(tc.method, "/p", tc.edits))
		if location := w.Header().Get("Location"); w.Code != tc.want || (location != "") != (tc.want == 302) {
			t.Errorf("%s: %d with Location %q, want %d", name, w.Code, location, tc.want)
		}
	}
	a.Clerk.Fault(clerktest.BackendJWKS, clerktest.Down)
	cold := harness.NewAppOf(t, a.Clerk, harness.SignIn)
	if w := harness.Serve(cold.Require(harness.Greet), harness.Request("GET", "/p", harness.Document, a.SignedIn())); w.Code != 503 {
		t.Errorf("no keys: got %d, want 503: signing in again would not help", w.Code)
	}
}

// A sign-in page that is itself behind Require would cause endless redirects.
func TestSignInRedirectNotFromSignIn(t *testing.T) {
	a := harness.NewApp(t, func(c *clerkauth.Config) { c.SignInURL = "https://EXAMPLE.com:443/sign-in?a=b" })
	for target, want := range map[string]int{
		"/sign-in": 401, "/sign-in?redirect_url=x": 401, "/sign-in/": 401, "/": 302, "/other": 302, "/sign%2Din": 401, "/sign-in/next": 302,
		"/SIGN-IN": 401, "//sign-in//": 401, "/./sign-in": 401, "/x/../sign-in": 401, "/%5Csign-in": 401, "/sign-in%2F": 401, "/x/sign-in": 302,
	} {
		r := harness.Request("GET", target, harness.Document)
		if w := harness.Serve(a.Require(harness.Greet), r); w.Code != want {
			t.Errorf("%s: got %d, want %d", target, w.Code, want)
		}
	}
	root := harness.NewApp(t, func(c *clerkauth.Config) { c.SignInURL = "https://example.com?a=b" })
	if w := harness.Serve(root.Require(harness.Greet), harness.Request("GET", "/?x", harness.Document)); w.Code != 401 {
		t.Errorf("a sign-in page at the root, written without a slash: got %d, want 401", w.Code)
	}
	path := harness.NewApp(t, func(c *clerkauth.Config) { c.SignInURL = "/sign-in?a=b" })
	if w := harness.Serve(path.Require(harness.Greet), harness.Request("GET", "/sign-in", harness.Document)); w.Code != 401 {
		t.Errorf("a path as sign-in page: %d at itself, want 401", w.Code)
	}
	if got, want := harness.Serve(path.Require(harness.Greet), harness.Request("GET", "//evil.example/x", harness.Document)).Header().Get("Location"),
		"https://example.com/sign-in?a=b&redirect_url=https%3A%2F%2Fexample.com%2F%2Fevil.example%2Fx"; got != want {
		t.Errorf("a path as sign-in page: sent to %q, want %q", got, want)
	}
	elsewhere := harness.NewApp(t, harness.SignIn)
	if w := harness.Serve(elsewhere.Require(harness.Greet), harness.Request("GET", "/sign-in", harness.Document)); w.Code != 302 {
		t.Errorf("the same path on another host: got %d, want 302", w.Code)
	}
}

// The URL in Config is used for every request: parameters added for one must not be there for the next.
func TestSignInRedirectKeepsItsTarget(t *testing.T) {
	a := harness.NewApp(t, harness.SignIn)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			path := "/" + strconv.Itoa(i)
			w := harness.Serve(a.Require(harness.Greet), harness.Request("GET", path, harness.Document))
			if got := w.Header().Get("Location"); !strings.HasSuffix(got, "?redirect_url=https%3A%2F%2Fexample.com%2F"+strconv.Itoa(i)) {
				t.Errorf("%s is redirected to %q, want its own address as redirect_url", path, got)
			}
		})
	}
	wg.Wait()
}
