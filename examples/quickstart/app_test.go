package main

import (
	"encoding/json"
	"html"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// link is the target of the page's link with this text.
func link(t *testing.T, page, text string) *url.URL {
	t.Helper()
	match := regexp.MustCompile(`href="([^"]*)">` + text + `<`).FindStringSubmatch(page)
	if match == nil {
		t.Fatalf("the page has no link %q", text)
	}
	target, err := url.Parse(html.UnescapeString(match[1]))
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// submit sends the form of a page of the instance and returns the page that the browser comes back to.
func submit(t *testing.T, client *http.Client, form *url.URL, user string) string {
	t.Helper()
	values := form.Query()
	values.Set("user", user)
	action := *form
	action.RawQuery = ""
	return send(t, client, http.MethodPost, action.String(), nil, values).body
}

func TestSignInAndOut(t *testing.T) {
	ownInstance(t)
	a := serving(t, (*app).routes)
	if len(people) != 3 {
		t.Fatalf("got %d people, want 3", len(people))
	}
	for _, base := range a.origins {
		for _, p := range people {
			client := a.clerk.Browser(a.routes())
			page := send(t, client, http.MethodGet, base+"/", nil, nil).body
			if reason := string(clerkauth.ReasonSessionTokenAndUATMissing); !strings.Contains(page, reason) {
				t.Errorf("%s at %s: the first visit does not say %s", p.Name, base, reason)
			}
			page = submit(t, client, link(t, page, "Sign in"), p.Claims.Subject)
			for _, word := range []string{"signed in", p.Name, p.Claims.Subject, `&#34;azp&#34;: &#34;` + base, `data-left="`} {
				if !strings.Contains(page, word) {
					t.Errorf("%s at %s: the page does not say %q", p.Name, base, word)
				}
			}
			var got identity
			if err := json.Unmarshal([]byte(send(t, client, http.MethodGet, base+"/me", nil, nil).body), &got); err != nil {
				t.Fatal(err)
			}
			if got.User != p.Claims.Subject || got.Role != p.Claims.Organization.Role || !slices.Equal(got.Permissions, p.Claims.Permissions) || got.Party != base {
				t.Errorf("%s at %s: got %+v, want the user, role and permissions of %+v at this origin", p.Name, base, got, p.Claims)
			}

			page = submit(t, client, link(t, page, "Sign out"), "")
			if !strings.Contains(page, "signed out") || strings.Contains(page, p.Claims.Subject) {
				t.Errorf("%s at %s: still signed in after signing out", p.Name, base)
			}
			page = send(t, client, http.MethodGet, base+"/me", nil, nil).body
			if !strings.Contains(page, p.Claims.Subject) || !strings.Contains(page, "<form") {
				t.Errorf("%s at %s: the protected route does not lead to the sign-in page after signing out", p.Name, base)
			}
		}
	}
	if !slices.ContainsFunc(people, func(p clerktest.Person) bool { return p.Claims.Organization.Role == "org:admin" }) {
		t.Error("nobody is an organization's admin")
	}
}

func TestButtonsAreForOurPagesOnly(t *testing.T) {
	ownInstance(t)
	a := serving(t, (*app).routes)
	for name, header := range map[string]http.Header{
		"another site's":        {"Origin": {"https://elsewhere.example"}, "Sec-Fetch-Site": {"cross-site"}},
		"a sibling subdomain's": {"Origin": {a.subdomainOrigin}, "Sec-Fetch-Site": {"same-site"}},
		"an older browser":      {"Origin": {"https://elsewhere.example"}},
	} {
		if resp := send(t, http.DefaultClient, http.MethodPost, a.base+"/lab/valid", header, nil); resp.status != http.StatusForbidden {
			t.Errorf("%s: got %d, want 403", name, resp.status)
		}
	}
}

func TestPageIsSelfContained(t *testing.T) {
	ownInstance(t)
	a := serving(t, (*app).routes)
	resp := get(t, a.base+"/")
	page := resp.body
	if got := resp.header.Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'") || strings.Contains(got, "unsafe") {
		t.Errorf("got Content-Security-Policy %q, want it to begin with default-src 'none' and to have nothing unsafe", got)
	}
	for _, link := range []string{"/assets/style.css", "/assets/page.js"} {
		resp := get(t, a.base+link)
		if !strings.Contains(page, `"`+link+`"`) || resp.status != http.StatusOK {
			t.Errorf("%s: got %d, linked %t, want 200 and linked", link, resp.status, strings.Contains(page, `"`+link+`"`))
		}
	}
	for _, word := range append(slices.Clone(a.origins), "signed out", string(clerkauth.ReasonDevBrowserMissing), "not made by Clerk Inc.") {
		if !strings.Contains(page, word) {
			t.Errorf("the page does not say %q", word)
		}
	}
	for _, trial := range a.trials {
		if !strings.Contains(page, `action="/lab/`+trial.Name+`"`) {
			t.Errorf("the page has no button for %s", trial.Name)
		}
	}
	if resp := get(t, a.base+"/elsewhere"); resp.status != http.StatusNotFound {
		t.Errorf("a page that is not there: got %d, want 404", resp.status)
	}
}

// With an external instance nobody can sign in or mint here, and its tokens count.
func TestInstanceOfTheEnvironment(t *testing.T) {
	ownInstance(t)
	clerk := clerktest.New(t, clerktest.Options{Development: true, Origins: []string{"http://localhost:3000"}})
	t.Setenv("CLERK_PUBLISHABLE_KEY", clerk.PublishableKey())
	t.Setenv("CLERK_JWT_KEY", clerk.JWTKey())
	t.Setenv("CLERK_AUTHORIZED_PARTIES", "http://localhost:3000")
	t.Setenv("CLERK_SIGN_IN_URL", "http://localhost:3000/sign-in")
	a := serving(t, (*app).routes)

	for _, trial := range a.trials {
		resp := send(t, http.DefaultClient, http.MethodPost, a.base+"/lab/"+trial.Name, nil, nil)
		body := resp.body
		if trial.mint == nil {
			if resp.status != http.StatusOK {
				t.Errorf("%s: got %d, want 200", trial.Name, resp.status)
			}
		} else if resp.status != http.StatusConflict || !strings.Contains(body, "needs the built-in instance") {
			t.Errorf("%s: got %d %s, want 409 and why", trial.Name, resp.status, body)
		}
	}
	if resp := get(t, a.base+"/lab/valid/token"); resp.status != http.StatusNotFound {
		t.Errorf("a token to try: got %d, want 404", resp.status)
	}
	page := get(t, a.base+"/").body
	for _, word := range []string{"http://localhost:3000</code>", a.base + "</code>", `href="http://localhost:3000/sign-in"`, "Needs the built-in instance"} {
		if !strings.Contains(page, word) {
			t.Errorf("the page does not say %q", word)
		}
	}
	resp := send(t, http.DefaultClient, http.MethodGet, a.base+"/me", http.Header{"Authorization": {"Bearer " + clerk.Token(clerktest.Claims{})}}, nil)
	if resp.status != http.StatusOK {
		t.Errorf("a token of the instance: got %d, want 200", resp.status)
	}
	var out strings.Builder
	if err := a.smoke(t.Context(), &out); err != nil || !strings.Contains(out.String(), "1 of 1 as expected") {
		t.Errorf("smoke: got %v, want no error and 1 of 1 as expected\n%s", err, &out)
	}
	if !strings.Contains(a.greeting(), "$TOKEN") {
		t.Errorf("the greeting does not name $TOKEN: %s", a.greeting())
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
			t.Errorf("%s: got %q at %s (%v), want %q", addr, a.origins, a.base, err, want)
		}
	}
}
