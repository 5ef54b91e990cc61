package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/clerktest"
)

func TestSigningInAndOut(t *testing.T) {
	forEachGateway(t, func(t *testing.T, s *site) {
		s.newBrowser()
		if r := s.send(http.MethodGet, "/page?a=1", navigation...); !strings.HasPrefix(r.at, s.clerk.URL(clerktest.SignInPage)) {
			t.Errorf("a first visit ends at %s, want the sign-in page", r.at)
		}
		r := s.send(http.MethodGet, "/data", script...)
		checkRefusal(t, "a script of nobody", r, http.StatusUnauthorized)
		if r.header.Get("Www-Authenticate") == "" || r.header.Get("Cache-Control") != "no-store" {
			t.Errorf("a script of nobody: header %v", r.header)
		}
		if n := len(s.reached()); n != 0 {
			t.Errorf("%d requests of nobody reached the app", n)
		}

		session := s.as("user_2alice")
		if r := s.send(http.MethodGet, "/page?a=1", navigation...); r.body != "GET /page?a=1 [user_2alice] " {
			t.Fatalf("signed in: %d %q, want \"GET /page?a=1 [user_2alice] \"", r.status, r.body)
		}
		want := map[string]string{
			"X-Clerk-User-Id": "user_2alice", "X-Clerk-Session-Id": session.ID, "X-Clerk-Org-Id": "org_2acme", "X-Clerk-Org-Slug": "acme",
			"X-Clerk-Org-Role": "org:admin", "X-Clerk-Auth-Status": "signed-in",
		}
		got := s.reached()[0].Header
		for name, value := range want {
			if got.Get(name) != value {
				t.Errorf("%s is %q, want %q", name, got.Get(name), value)
			}
		}
		permissions := strings.Split(got.Get("X-Clerk-Permissions"), ",")
		slices.Sort(permissions)
		if !slices.Equal(permissions, []string{"org:invoices:create", "org:invoices:read"}) {
			t.Errorf("permissions %q", permissions)
		}
	})
}

// checkRefusal wants the gate's own answer: its status, a reason, and JSON that says it too.
func checkRefusal(t *testing.T, what string, r reply, status int) {
	t.Helper()
	var body struct{ Errors []struct{ Code string } }
	err := json.Unmarshal([]byte(r.body), &body)
	if r.status != status || err != nil || len(body.Errors) != 1 || !strings.HasPrefix(r.header.Get("Content-Type"), "application/json") {
		t.Errorf("%s: got %d %q %q, want %d and an error in JSON", what, r.status, r.header.Get("Content-Type"), r.body, status)
		return
	}
	if reason := r.header.Get("X-Clerk-Auth-Reason"); reason != "" && !strings.HasPrefix(reason, body.Errors[0].Code) {
		t.Errorf("%s: reason %q and code %q", what, reason, body.Errors[0].Code)
	}
}

func TestOrigins(t *testing.T) {
	forEachGateway(t, func(t *testing.T, s *site) {
		s.as("user_2alice")
		own := append([]string{"Origin", s.base}, script...)
		siblingSubdomain := []string{"Origin", "http://sibling." + s.addr, "Sec-Fetch-Site", "same-site"}
		for name, tt := range map[string]struct {
			header []string
			status int
		}{
			"of our page":             {own, http.StatusOK},
			"of another site":         {elsewhere, http.StatusForbidden},
			"of a sibling subdomain":  {siblingSubdomain, http.StatusForbidden},
			"that claims to be a GET": {append([]string{"X-Original-Method", "GET", "X-Forwarded-Method", "GET", "X-Http-Method-Override", "GET"}, siblingSubdomain...), http.StatusForbidden},
			"at another address": {append([]string{
				"X-Original-Url", "http://sibling.example/", "X-Forwarded-Host", "sibling.example", "X-Forwarded-Uri", "/welcome",
			}, siblingSubdomain...), http.StatusForbidden},
		} {
			s.reset()
			r := s.send(http.MethodPost, "/data", tt.header...)
			if tt.status == http.StatusOK {
				if r.body != "POST /data [user_2alice] x=1" {
					t.Errorf("a write %s: %d %q, want \"POST /data [user_2alice] x=1\"", name, r.status, r.body)
				}
				continue
			}
			checkRefusal(t, "a write "+name, r, tt.status)
			if n := len(s.reached()); n != 0 {
				t.Errorf("a write %s: reached the app", name)
			}
		}
	})
}

func TestRequirements(t *testing.T) {
	forEachGateway(t, func(t *testing.T, s *site) {
		for _, path := range []string{"/admin", "/admin/", "/admin/users?x=1", "/ADMIN/users", "/Admin"} {
			s.as("user_2bob")
			checkRefusal(t, "a member at "+path, s.send(http.MethodGet, path, script...), http.StatusForbidden)
			if n := len(s.reached()); n != 0 {
				t.Errorf("a member at %s: reached the app", path)
			}
			s.as("user_2alice")
			if r := s.send(http.MethodGet, path, script...); r.status != http.StatusOK {
				t.Errorf("an admin at %s: %d %q", path, r.status, r.body)
			}
		}
		if r := s.send(http.MethodGet, "/.clerk-gate/anybody", script...); s.kind == "nginx" && r.status != http.StatusNotFound {
			t.Errorf("a client at nginx's own location: %d", r.status)
		}
		s.as("user_2bob")
		if r := s.send(http.MethodGet, "/administration", script...); r.status != http.StatusOK {
			t.Errorf("a member at /administration: got %d, want 200", r.status)
		}
		s.newBrowser()
		r := s.send(http.MethodGet, "/welcome/x", append([]string{"X-Clerk-User-Id", "user_evil"}, script...)...)
		if r.status != http.StatusOK || len(s.reached()) != 1 {
			t.Fatalf("nobody at /welcome: %d %q", r.status, r.body)
		}
		env := asCGI(s.reached()[0].Header)
		if got := strings.Join(env["HTTP_X_CLERK_USER_ID"], ""); got != "" || env["HTTP_X_CLERK_AUTH_STATUS"][0] != "signed-out" {
			t.Errorf("nobody at /welcome: user %q, status %q", got, env["HTTP_X_CLERK_AUTH_STATUS"])
		}
		s.as("user_2carol")
		if r := s.send(http.MethodGet, "/welcome", script...); r.body != "GET /welcome [user_2carol] " {
			t.Errorf("somebody at /welcome: %d %q, want \"GET /welcome [user_2carol] \"", r.status, r.body)
		}
	})
}

// CVE-2025-64484, CVE-2026-54763: an app behind CGI or WSGI takes X_Clerk_User_Id for X-Clerk-User-Id.
func TestSpoofedIdentity(t *testing.T) {
	var names []string
	for _, separator := range []string{"-", "_", ".", "~", "-_"} {
		name := strings.NewReplacer("-", separator).Replace("X-Clerk-User-Id")
		names = append(names, name, strings.ToLower(name), strings.ToUpper(name))
	}
	names = append(names, "X-Clerk_User-Id", "X_Clerk-User_Id", "x-CLERK-uSER-iD", "X-Clerk-Org_Role", "x_clerk_permissions", "X_CLERK_SESSION_ID")
	forEachGateway(t, func(t *testing.T, s *site) {
		for _, signedIn := range []bool{true, false} {
			for _, name := range names {
				path, want := "/data", "user_2carol"
				if s.as("user_2carol"); !signedIn {
					s.newBrowser()
					path, want = "/welcome", ""
				}
				r := s.send(http.MethodGet, path, append([]string{name, "evil", name, "org:admin"}, script...)...)
				seen := s.reached()
				if len(seen) == 0 && r.status == http.StatusBadRequest {
					continue // a gateway may refuse such a name altogether
				}
				if len(seen) != 1 {
					t.Fatalf("%s: %d %q", name, r.status, r.body)
				}
				env := asCGI(seen[0].Header)
				for key, values := range env {
					if strings.Contains(key, "CLERK") && (len(values) > 1 || strings.Contains(values[0], "evil") || strings.Contains(values[0], "admin")) {
						t.Errorf("%s: the app sees %s %q", name, key, values)
					}
				}
				if got := strings.Join(env["HTTP_X_CLERK_USER_ID"], "+"); got != want {
					t.Errorf("%s: the app sees user %q, want %q", name, got, want)
				}
			}
		}
	})
}

func TestPreflights(t *testing.T) {
	forEachGateway(t, func(t *testing.T, s *site) {
		s.newBrowser()
		preflight := append([]string{"Access-Control-Request-Method", "DELETE"}, elsewhere...)
		r := s.send(http.MethodOptions, "/admin/x", append([]string{"X-Clerk-User-Id", "user_evil"}, preflight...)...)
		if r.status != http.StatusOK || len(s.reached()) != 1 || s.reached()[0].Header.Get("X-Clerk-User-Id") != "" {
			t.Errorf("a preflight: %d %q", r.status, r.body)
		}
		s.reset()
		if r := s.send(http.MethodOptions, "/data", elsewhere...); r.status != http.StatusUnauthorized || len(s.reached()) != 0 {
			t.Errorf("OPTIONS without a question: %d", r.status)
		}
		if r := s.send(http.MethodDelete, "/data", preflight...); r.status != http.StatusUnauthorized || len(s.reached()) != 0 {
			t.Errorf("a DELETE that looks like a preflight: %d", r.status)
		}
	})
}

func TestConnectionsToTheGateAreKept(t *testing.T) {
	forEachGateway(t, func(t *testing.T, s *site) {
		s.as("user_2alice")
		const requests = 40
		before, conns := s.authRequests.Load(), s.gateConns.Load()
		for range requests {
			s.send(http.MethodGet, "/data", script...)
		}
		if n := s.authRequests.Load() - before; n != requests {
			t.Errorf("the gate was asked %d times about %d requests", n, requests)
		}
		if n := s.gateConns.Load() - conns; n > 4 {
			t.Errorf("%d requests took %d new connections to the gate", requests, n)
		}
	})
}
