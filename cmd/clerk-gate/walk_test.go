package main

import (
	"net"
	"net/http"
	"strings"
	"testing"
)

// README.md's first five minutes: python/app.py behind nginx.
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
		t.Errorf("signed in: %d %q", r.status, r.body)
	}
	s.newBrowser()
	if r := s.send(http.MethodGet, "/welcome", spoofed...); r.body != "Hello, whoever you are\n" {
		t.Errorf("signed out at /welcome: %d %q", r.status, r.body)
	}
}
