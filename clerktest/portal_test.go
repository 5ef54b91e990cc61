package clerktest_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

func page(t *testing.T, in *clerktest.Instance, jar http.CookieJar, e clerktest.Endpoint, query string) string {
	t.Helper()
	a := exchange(t, in, jar, http.MethodGet, in.URL(e)+query, "", nil)
	if a.status != http.StatusOK || a.header.Get("Content-Type") != "text/html; charset=utf-8" || a.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%s: got %d %s, want an HTML page that is not stored", e, a.status, a.header)
	}
	return string(a.body)
}

func press(t *testing.T, in *clerktest.Instance, jar http.CookieJar, e clerktest.Endpoint, form url.Values, name, value string) answer {
	t.Helper()
	h := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, name: {value}}
	return exchange(t, in, jar, http.MethodPost, in.URL(e), form.Encode(), h)
}

func TestSignInPageOffersThePeople(t *testing.T) {
	names := func(in *clerktest.Instance) []string {
		var ids []string
		for _, m := range regexp.MustCompile(`name="user" value="([^"]*)"`).FindAllStringSubmatch(page(t, in, nil, clerktest.SignInPage, ""), -1) {
			ids = append(ids, m[1])
		}
		return ids
	}
	if got := names(clerktest.New(t, clerktest.Options{})); len(got) != 3 || got[0] != "user_2alice" {
		t.Errorf("by default %q, want three with Alice first", got)
	}
	people := []clerktest.Person{{Name: "<b>&\"Zo\u00eb", Claims: clerktest.Claims{Subject: `user_"><script>`}}, {}}
	in := clerktest.New(t, clerktest.Options{People: people})
	if got := names(in); len(got) != 2 || got[1] != "user_2clerktest" {
		t.Errorf("the form offers %q, want two people, user_2clerktest second", got)
	}
	html := page(t, in, nil, clerktest.SignInPage, "?redirect_url="+url.QueryEscape(`https://example.com/"><script>`))
	if strings.Contains(html, "<script") || strings.Contains(html, "<b>") {
		t.Errorf("the page does not escape names: %s", html)
	}
	if got := names(clerktest.New(t, clerktest.Options{People: []clerktest.Person{}})); len(got) != 0 {
		t.Errorf("without people the form offers %q, want none", got)
	}
}

func TestPortalPagesAreAccessible(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{})
	jar := newJar(t)
	in.SignIn(jar, clerktest.Person{Name: "Alice", Claims: clerktest.Claims{Subject: "user_2alice"}})
	for _, e := range []clerktest.Endpoint{clerktest.SignInPage, clerktest.SignOutPage} {
		html := page(t, in, jar, e, "")
		for _, want := range []string{`<html lang="en">`, "<title>Sign ", "<main>", "<h1>", `name="viewport"`, "signed in as Alice", `<form method="post"`} {
			if !strings.Contains(html, want) {
				t.Errorf("%s lacks %s", e, want)
			}
		}
	}
	if html := page(t, in, newJar(t), clerktest.SignOutPage, ""); strings.Contains(html, "<form") || !strings.Contains(html, "Nobody is signed in") {
		t.Errorf("the sign-out page, while nobody is signed in, has a form or does not say so: %s", html)
	}
}

func TestSignInAndOutOnThePages(t *testing.T) {
	for _, live := range []bool{true, false} {
		in := clerktest.New(t, clerktest.Options{Development: !live, Now: atNoon})
		back := in.Config().AuthorizedParties[0] + "/page?a=1"
		jar := newJar(t)
		form := url.Values{"redirect_url": {back}, "user": {"user_2bob"}}
		for _, step := range []struct {
			e        clerktest.Endpoint
			sessions int
			uat      string
		}{{clerktest.SignInPage, 1, "1772625600"}, {clerktest.SignOutPage, 0, "0"}} {
			a := press(t, in, jar, step.e, form, "Origin", "")
			location, err := url.Parse(a.header.Get("Location"))
			if err != nil || a.status != http.StatusSeeOther {
				t.Fatalf("%s: got %d %s, want 303", step.e, a.status, a.header)
			}
			token := location.Query().Get("__clerk_db_jwt")
			if (token != "") == live || !strings.HasPrefix(location.String(), back) {
				t.Errorf("%s redirects to %s, want %s, with the browser's token only in development", step.e, location, back)
			}
			if n := len(in.BrowserSessions()); n != step.sessions {
				t.Errorf("%s leaves %d sessions, want %d", step.e, n, step.sessions)
			}
			uats := 0
			for _, c := range cookiesOf(t, a.header["Set-Cookie"]) {
				if strings.HasPrefix(c.Name, "__client_uat") {
					uats++
					if c.Value != step.uat || c.Domain != "example.com" {
						t.Errorf("%s sets %s, want %s for example.com", step.e, c, step.uat)
					}
				}
			}
			if want := map[bool]int{true: 2}[live]; uats != want {
				t.Errorf("%s sets %d client_uat, want %d", step.e, uats, want)
			}
		}
	}
}

func TestPortalRefuses(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{})
	good := url.Values{"user": {"user_2alice"}}
	tests := []struct {
		name   string
		form   url.Values
		header [2]string
		status int
	}{
		{"nobody it knows", url.Values{"user": {"user_2mallory"}}, [2]string{"Origin"}, http.StatusUnprocessableEntity},
		{"nobody", url.Values{}, [2]string{"Origin"}, http.StatusUnprocessableEntity},
		{"a foreign target", url.Values{"user": {"user_2alice"}, "redirect_url": {"https://evil.example"}}, [2]string{"Origin"}, http.StatusBadRequest},
		{"another site's form", good, [2]string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		{"another site's form, in an old browser", good, [2]string{"Origin", "https://evil.example"}, http.StatusForbidden},
	}
	for _, tt := range tests {
		jar := newJar(t)
		if a := press(t, in, jar, clerktest.SignInPage, tt.form, tt.header[0], tt.header[1]); a.status != tt.status || len(in.BrowserSessions()) > 0 {
			t.Errorf("%s: got %d and %d sessions, want %d", tt.name, a.status, len(in.BrowserSessions()), tt.status)
		}
	}
	jar := newJar(t)
	in.SignIn(jar, clerktest.Person{})
	if a := press(t, in, jar, clerktest.SignOutPage, good, "Sec-Fetch-Site", "cross-site"); a.status != http.StatusForbidden || len(in.BrowserSessions()) != 1 {
		t.Errorf("a sign-out by another site: got %d and %d sessions, want 403 and 1", a.status, len(in.BrowserSessions()))
	}
	if a := press(t, in, newJar(t), clerktest.SignInPage, good, "Sec-Fetch-Site", "same-origin"); a.status != http.StatusSeeOther {
		t.Errorf("its own form: got %d, want %d", a.status, http.StatusSeeOther)
	}
}

func TestDefaultPeopleMakeGoodSessions(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{})
	want := map[string]clerkauth.Organization{
		"user_2alice": {ID: "org_2acme", Slug: "acme", Role: "org:admin"},
		"user_2bob":   {ID: "org_2acme", Slug: "acme", Role: "org:member"},
		"user_2carol": {},
	}
	auth, err := clerkauth.New(in.Config())
	if err != nil {
		t.Fatal(err)
	}
	for id, organization := range want {
		jar := newJar(t)
		press(t, in, jar, clerktest.SignInPage, url.Values{"user": {id}}, "Origin", "")
		sessions := in.BrowserSessions()
		session, err := auth.VerifyToken(t.Context(), sessions[len(sessions)-1].Cookies()[0].Value)
		if err != nil || session.UserID != id || session.Organization != organization {
			t.Errorf("%s: got %+v and %v, want this user in %q", id, session, err, organization)
		}
	}
}
