package main

import (
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// answer is a status, the address at the end, and the page.
type answer struct {
	status   int
	at, page string
}

func do(t *testing.T, browser *http.Client, method, path string, form url.Values, header http.Header) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "https://example.com"+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	maps.Copy(r.Header, header)
	resp, err := browser.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Request.URL.String(), string(body)}
}

// site is what a browser says of where a form is from.
func site(origin, site string) http.Header {
	return http.Header{"Origin": {origin}, "Sec-Fetch-Site": {site}, "Sec-Fetch-Dest": {"document"}, "Sec-Fetch-Mode": {"navigate"}, "Accept": {"text/html"}}
}

func TestFormsAreTheirOwnUsersAndKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clerk := clerktest.New(t, clerktest.Options{})
		cfg := clerk.Config()
		cfg.SignInURL = clerk.URL(clerktest.SignInPage)
		auth, err := clerkauth.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		app := new(notes).routes(auth)
		ada, grace := clerk.Browser(app), clerk.Browser(app)
		if got := do(t, ada, http.MethodGet, "/", nil, nil); !strings.HasPrefix(got.at, cfg.SignInURL) {
			t.Errorf("nobody is at %s, want the sign-in page", got.at)
		}
		clerk.SignIn(ada.Jar, clerktest.Person{Claims: clerktest.Claims{Subject: "user_ada"}})
		clerk.SignIn(grace.Jar, clerktest.Person{Claims: clerktest.Claims{Subject: "user_grace"}})
		do(t, ada, http.MethodGet, "/", nil, nil)
		do(t, grace, http.MethodGet, "/", nil, nil)

		own := site("https://example.com", "same-origin")
		got := do(t, ada, http.MethodPost, "/notes", url.Values{"note": {"<b>first"}}, own)
		if got.status != http.StatusOK || got.at != "https://example.com/" || !strings.Contains(got.page, "<li>&lt;b&gt;first</li>") {
			t.Errorf("a note leads to %+v, want 200 at https://example.com/ with <li>&lt;b&gt;first</li>", got)
		}
		time.Sleep(time.Hour) // of the bubble: the form is filled in slowly
		if got = do(t, ada, http.MethodPost, "/notes", url.Values{"note": {"second"}}, own); !strings.Contains(got.page, "<li>second</li>") {
			t.Errorf("a note of an hour leads to %+v, want <li>second</li> in the page", got)
		}
		for name, header := range map[string]http.Header{
			"another site": site("https://evil.test", "cross-site"), "a sibling subdomain": site("https://blog.example.com", "same-site"),
		} {
			if got = do(t, ada, http.MethodPost, "/notes", url.Values{"note": {"planted"}}, header); got.status != http.StatusForbidden {
				t.Errorf("a form of %s: got %+v, want 403", name, got)
			}
		}
		if got = do(t, ada, http.MethodGet, "/", nil, nil); strings.Count(got.page, "<li>") != 2 {
			t.Errorf("in the end: got %s, want two notes", got.page)
		}
		if got = do(t, grace, http.MethodGet, "/", nil, nil); !strings.Contains(got.page, "user_grace") || strings.Contains(got.page, "<li>") {
			t.Errorf("somebody else sees %s, want user_grace and no note", got.page)
		}
		if got = do(t, grace, http.MethodPost, "/notes", url.Values{"note": {strings.Repeat("x", maxNote)}}, own); got.status != http.StatusBadRequest {
			t.Errorf("a note that is too long: got %d, want 400", got.status)
		}
	})
}
