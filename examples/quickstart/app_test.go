package main

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

func TestSignInAndOut(t *testing.T) {
	ownInstance(t)
	a := serving(t, (*app).routes)
	if len(people) != 3 {
		t.Fatalf("%d people", len(people))
	}
	for _, base := range a.origins {
		for _, p := range people {
			client := browser(t)
			resp := send(t, client, http.MethodPost, base+"/sign-in", http.Header{"Origin": {base}}, url.Values{"as": {p.ID}})
			page := resp.body
			for _, word := range []string{"signed in", p.Name, p.ID, `&#34;azp&#34;: &#34;` + base, `data-left="`, base} {
				if !strings.Contains(page, word) {
					t.Errorf("%s at %s: the page does not say %q", p.Name, base, word)
				}
			}
			var got identity
			if err := json.Unmarshal([]byte(send(t, client, http.MethodGet, base+"/me", nil, nil).body), &got); err != nil {
				t.Fatal(err)
			}
			if got.User != p.ID || got.Role != p.organization.Role || !slices.Equal(got.Permissions, p.permissions) || got.Party != base {
				t.Errorf("%s at %s is told %+v", p.Name, base, got)
			}
			if left := time.Until(got.Expires); left > lifetime {
				t.Errorf("the session token lives for another %v", left)
			}

			page = send(t, client, http.MethodPost, base+"/sign-out", http.Header{"Origin": {base}}, nil).body
			if !strings.Contains(page, "signed out") || strings.Contains(page, p.ID+"</code>") {
				t.Errorf("%s at %s: still signed in after signing out", p.Name, base)
			}
			resp = send(t, client, http.MethodGet, base+"/me", nil, nil)
			if got, want := resp.header.Get("X-Clerk-Auth-Reason"), string(clerkauth.ReasonSessionTokenAndUATMissing); got != want {
				t.Errorf("%s at %s after signing out: %d %s, want %s", p.Name, base, resp.status, got, want)
			}
		}
	}
	if i := slices.IndexFunc(people, func(p person) bool { return p.organization.Role == "org:admin" }); i < 0 {
		t.Error("nobody is an organization's admin")
	}
}

func TestSessionCookiesWorkWithoutTLS(t *testing.T) {
	ownInstance(t)
	a := serving(t, (*app).routes)
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, a.base+"/sign-in?as="+people[0].ID, http.NoBody)
	a.routes().ServeHTTP(w, r)
	cookies := w.Result().Cookies()
	if len(cookies) == 0 {
		t.Fatal("signing in sets no cookies")
	}
	for _, c := range cookies {
		if c.Secure || c.Path != "/" {
			t.Errorf("cookie %s: Secure %t, Path %q", c.Name, c.Secure, c.Path)
		}
	}
}

func TestButtonsAreForOurPagesOnly(t *testing.T) {
	ownInstance(t)
	a := serving(t, (*app).routes)
	for _, path := range []string{"/sign-in", "/sign-out", "/lab/valid"} {
		for name, header := range map[string]http.Header{
			"another site's":   {"Origin": {"https://elsewhere.example"}, "Sec-Fetch-Site": {"cross-site"}},
			"a sibling's":      {"Origin": {a.sibling}, "Sec-Fetch-Site": {"same-site"}},
			"an older browser": {"Origin": {"https://elsewhere.example"}},
		} {
			resp := send(t, http.DefaultClient, http.MethodPost, a.base+path, header, url.Values{"as": {people[0].ID}})
			if resp.status != http.StatusForbidden || resp.cookies > 0 {
				t.Errorf("%s, %s: %d with %d cookies, want 403 with none", path, name, resp.status, resp.cookies)
			}
		}
	}
	if resp := send(t, http.DefaultClient, http.MethodPost, a.base+"/sign-in", nil, url.Values{"as": {"user_eve"}}); resp.status != http.StatusBadRequest {
		t.Errorf("signing in as somebody unknown: %d, want 400", resp.status)
	}
}

func TestPageIsSelfContained(t *testing.T) {
	ownInstance(t)
	a := serving(t, (*app).routes)
	resp := get(t, a.base+"/")
	page := resp.body
	if got := resp.header.Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'") || strings.Contains(got, "unsafe") {
		t.Errorf("Content-Security-Policy: %q", got)
	}
	for _, link := range []string{"/assets/style.css", "/assets/page.js"} {
		resp := get(t, a.base+link)
		if !strings.Contains(page, `"`+link+`"`) || resp.status != http.StatusOK {
			t.Errorf("%s: %d, linked %t", link, resp.status, strings.Contains(page, link))
		}
	}
	for _, word := range append(slices.Clone(a.origins), "signed out", string(clerkauth.ReasonSessionTokenAndUATMissing), "not made by Clerk Inc.") {
		if !strings.Contains(page, word) {
			t.Errorf("the page does not say %q", word)
		}
	}
	for _, trial := range trials {
		if !strings.Contains(page, `action="/lab/`+trial.Name+`"`) {
			t.Errorf("the page has no button for %s", trial.Name)
		}
	}
	if resp := get(t, a.base+"/elsewhere"); resp.status != http.StatusNotFound {
		t.Errorf("a page that is not there: %d", resp.status)
	}
}

// With an instance of one's own nobody can sign in or mint here, and its tokens count.
func TestInstanceOfTheEnvironment(t *testing.T) {
	ownInstance(t)
	clerk := clerktest.New(t, clerktest.Options{Development: true, Origins: []string{"http://localhost:3000"}})
	t.Setenv("CLERK_PUBLISHABLE_KEY", clerk.PublishableKey())
	t.Setenv("CLERK_JWT_KEY", clerk.JWTKey())
	t.Setenv("CLERK_AUTHORIZED_PARTIES", "http://localhost:3000")
	t.Setenv("CLERK_SIGN_IN_URL", "http://localhost:3000/sign-in")
	a := serving(t, (*app).routes)

	for _, trial := range trials {
		resp := send(t, http.DefaultClient, http.MethodPost, a.base+"/lab/"+trial.Name, nil, nil)
		body := resp.body
		if trial.mint == nil {
			if resp.status != http.StatusOK {
				t.Errorf("%s: %d", trial.Name, resp.status)
			}
		} else if resp.status != http.StatusConflict || !strings.Contains(body, "needs the built-in instance") {
			t.Errorf("%s: %d %s, want 409 and why", trial.Name, resp.status, body)
		}
	}
	page := get(t, a.base+"/").body
	for _, word := range []string{"http://localhost:3000</code>", a.base + "</code>", `href="http://localhost:3000/sign-in"`, "Needs the built-in instance"} {
		if !strings.Contains(page, word) {
			t.Errorf("the page does not say %q", word)
		}
	}
	if strings.Contains(page, "/sign-in\"") && strings.Contains(page, "user_ada") {
		t.Error("the page offers to sign in as one of the built-in people")
	}
	for _, path := range []string{"/sign-in", "/sign-out"} {
		if resp := send(t, http.DefaultClient, http.MethodPost, a.base+path, nil, url.Values{"as": {"user_ada"}}); resp.status < 400 {
			t.Errorf("%s: %d", path, resp.status)
		}
	}
	resp := send(t, http.DefaultClient, http.MethodGet, a.base+"/me", http.Header{"Authorization": {"Bearer " + clerk.Token(clerktest.Claims{})}}, nil)
	if resp.status != http.StatusOK {
		t.Errorf("a token of the instance: %d", resp.status)
	}
	var out strings.Builder
	if err := a.smoke(t.Context(), &out); err != nil || !strings.Contains(out.String(), "1 of 1 as expected") {
		t.Errorf("smoke: %v\n%s", err, &out)
	}
	if !strings.Contains(a.greeting(), "$TOKEN") {
		t.Errorf("the greeting: %s", a.greeting())
	}
}

func TestOriginsOfAnAddress(t *testing.T) {
	for addr, want := range map[string][]string{
		"127.0.0.1:8080": {"http://127.0.0.1:8080", "http://localhost:8080"},
		"0.0.0.0:8080":   {"http://127.0.0.1:8080", "http://localhost:8080"},
		"[::]:80":        {"http://127.0.0.1", "http://localhost"},
		"[::1]:80":       {"http://[::1]", "http://127.0.0.1", "http://localhost"},
		"192.0.2.7:8080": {"http://192.0.2.7:8080", "http://127.0.0.1:8080", "http://localhost:8080"},
	} {
		tcp, err := net.ResolveTCPAddr("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		var a app
		if err := a.locate(tcp); err != nil || !slices.Equal(a.origins, want) || a.base != want[0] {
			t.Errorf("%s: %q at %s (%v), want %q", addr, a.origins, a.base, err, want)
		}
	}
}
