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
			t.Errorf("a signed-out script: got the header %v, want WWW-Authenticate and no-store", r.header)
		}
		if n := len(s.reached()); n != 0 {
			t.Errorf("%d signed-out requests reached the app, want none", n)
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
			t.Errorf("got the permissions %q, want org:invoices:create and org:invoices:read", permissions)
		}
	})
}

// checkRefusal checks that an answer is the gate's own: its status, a reason, and JSON with the
// same reason.
func checkRefusal(t *testing.T, what string, r reply, status int) {
	t.Helper()
	var body struct{ Errors []struct{ Code string } }
	err := json.Unmarshal([]byte(r.body), &body)
	if r.status != status || err != nil || len(body.Errors) != 1 || !strings.HasPrefix(r.header.Get("Content-Type"), "application/json") {
		t.Errorf("%s: got %d %q %q, want %d and an error in JSON", what, r.status, r.header.Get("Content-Type"), r.body, status)
		return
	}
	if reason := r.header.Get("X-Clerk-Auth-Reason"); reason != "" && !strings.HasPrefix(reason, body.Errors[0].Code) {
		t.Errorf("%s: got the reason %q and the code %q, want the same", what, reason, body.Errors[0].Code)
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
				t.Errorf("a write %s reached the app, want it refused", name)
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
				t.Errorf("a member's request for %s reached the app, want it refused", path)
			}
			s.as("user_2alice")
			if r := s.send(http.MethodGet, path, script...); r.status != http.StatusOK {
				t.Errorf("an admin's request for %s: got %d %q, want 200", path, r.status, r.body)
			}
		}
		if r := s.send(http.MethodGet, "/.clerk-gate/anybody", script...); s.kind == "nginx" && r.status != http.StatusNotFound {
			t.Errorf("a client at nginx's internal location: got %d, want 404", r.status)
		}
		s.as("user_2bob")
		if r := s.send(http.MethodGet, "/administration", script...); r.status != http.StatusOK {
			t.Errorf("a member at /administration: got %d, want 200", r.status)
		}
		s.newBrowser()
		r := s.send(http.MethodGet, "/welcome/x", append([]string{"X-Clerk-User-Id", "user_evil"}, script...)...)
		if r.status != http.StatusOK || len(s.reached()) != 1 {
			t.Fatalf("signed out at /welcome: got %d %q, want 200 from the app", r.status, r.body)
		}
		env := asCGI(s.reached()[0].Header)
		if got := strings.Join(env["HTTP_X_CLERK_USER_ID"], ""); got != "" || env["HTTP_X_CLERK_AUTH_STATUS"][0] != "signed-out" {
			t.Errorf("signed out at /welcome: got the user %q and the status %q, want no user and signed-out", got, env["HTTP_X_CLERK_AUTH_STATUS"])
		}
		s.as("user_2carol")
		if r := s.send(http.MethodGet, "/welcome", script...); r.body != "GET /welcome [user_2carol] " {
			t.Errorf("somebody at /welcome: %d %q, want \"GET /welcome [user_2carol] \"", r.status, r.body)
		}
	})
}

// CVE-2025-64484, CVE-2026-54763: an app behind CGI or WSGI reads X_Clerk_User_Id as X-Clerk-User-Id.
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
					t.Fatalf("%s: got %d %q, want one request at the app", name, r.status, r.body)
				}
				env := asCGI(seen[0].Header)
				for key, values := range env {
					if strings.Contains(key, "CLERK") && (len(values) > 1 || strings.Contains(values[0], "evil") || strings.Contains(values[0], "admin")) {
						t.Errorf("%s: the app got %s %q, want no value of the client", name, key, values)
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
			t.Errorf("a preflight: got %d %q, want 200 from the app without a user", r.status, r.body)
		}
		s.reset()
		if r := s.send(http.MethodOptions, "/data", elsewhere...); r.status != http.StatusUnauthorized || len(s.reached()) != 0 {
			t.Errorf("OPTIONS without the headers of a preflight: got %d, want 401", r.status)
		}
		if r := s.send(http.MethodDelete, "/data", preflight...); r.status != http.StatusUnauthorized || len(s.reached()) != 0 {
			t.Errorf("DELETE with the headers of a preflight: got %d, want 401", r.status)
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
			t.Errorf("the gate got %d requests about %d, want as many", n, requests)
		}
		if n := s.gateConns.Load() - conns; n > 4 {
			t.Errorf("%d requests needed %d new connections to the gate, want 4 at most", requests, n)
		}
	})
}
