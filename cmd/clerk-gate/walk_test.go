package main

import (
	"maps"
	"net"
	"net/http"
	"net/http/fcgi"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// This runs the first five minutes of README.md: python/app.py behind nginx.
func TestPythonApp(t *testing.T) {
	s := newSite(t, "nginx", func(t *testing.T, s *site) {
		t.Helper()
		_, port, _ := net.SplitHostPort(freePort(t))
		addr := "127.0.0.1:" + port
		start(t, addr, nil, program(t, "python3", "python3"), "python/app.py", port)
		s.app.URL = "http://" + addr
		startNginx(t, s)
	})
	s.newBrowser()
	if r := s.send(http.MethodGet, "/reports", navigation...); !strings.HasPrefix(r.at, s.clerk.Config().FrontendAPIURL) {
		t.Errorf("a first visit ends at %s, want the sign-in page", r.at)
	}
	s.as("user_2alice")
	spoofed := append([]string{"X_Clerk_User_Id", "user_evil", "X-Clerk_user-ID", "user_evil", "X-Clerk-User-Id", "user_evil"}, script...)
	if r := s.send(http.MethodGet, "/reports", spoofed...); r.body != "Hello, user_2alice (org:admin), at /reports\n" {
		t.Errorf("signed in: got %d %q, want the greeting of user_2alice", r.status, r.body)
	}
	s.newBrowser()
	if r := s.send(http.MethodGet, "/welcome", spoofed...); r.body != "Hello, whoever you are\n" {
		t.Errorf("signed out at /welcome: got %d %q, want the greeting without a name", r.status, r.body)
	}
}

// With FastCGI an app sees every header as HTTP_…, so the lines of clerk-fastcgi.conf replace
// proxy_set_header.
func TestFastCGI(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	s := newSite(t, "nginx", func(t *testing.T, s *site) {
		t.Helper()
		params, err := filepath.Abs("nginx/clerk-fastcgi.conf")
		if err != nil {
			t.Fatal(err)
		}
		s.edit = map[string]string{
			"        proxy_pass http://$clerk_passed_to;\n\n": "        include /etc/nginx/fastcgi_params;\n include " + params + ";\n fastcgi_pass " + listener.Addr().String() + ";\n",
		}
		startNginx(t, s)
	})
	go func() { _ = fcgi.Serve(listener, http.HandlerFunc(s.serveApp)) }() // until the listener is closed
	for _, user := range []string{"user_2bob", ""} {
		if s.as("user_2bob"); user == "" {
			s.newBrowser()
		}
		header := append([]string{"Authorization", "Basic dTpw"}, script...)
		for _, name := range identityHeaders(t) {
			for _, spelled := range []string{name, strings.ToLower(name), strings.ReplaceAll(name, "-", "_"), strings.Replace(name, "-", ".", 1)} {
				header = append(header, spelled, "evil")
			}
		}
		r := s.send(http.MethodGet, "/data", header...)
		if user == "" {
			checkRefusal(t, "nobody", r, http.StatusUnauthorized)
			continue
		}
		if len(s.reached()) != 1 {
			t.Fatalf("got %d %q, want one request at the app", r.status, r.body)
		}
		env := asCGI(s.reached()[0].Header)
		for key, values := range env {
			if strings.Contains(strings.Join(values, " "), "evil") || len(values) != 1 {
				t.Errorf("the app got %s %q, want no value of the client", key, values)
			}
		}
		if env["HTTP_X_CLERK_USER_ID"][0] != user || env["HTTP_X_CLERK_ORG_ROLE"][0] != "org:member" || strings.Contains(strings.Join(env["HTTP_COOKIE"], ""), "__session") {
			t.Errorf("the app got %v, want %s as org:member, without the session cookie", env, user)
		}
	}
}

// identityHeaders returns the names that pass sets.
func identityHeaders(t *testing.T) []string {
	t.Helper()
	a := newAnswer()
	pass(a, httptest.NewRequest(http.MethodGet, "/", http.NoBody))
	return slices.Collect(maps.Keys(a.header))
}
