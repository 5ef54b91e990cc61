package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/clerktest"
)

func TestCredentialsStayAtTheGateway(t *testing.T) {
	forEachGateway(t, func(t *testing.T, s *site) {
		s.as("user_2alice")
		s.client.Jar.SetCookies(s.url(), []*http.Cookie{{Name: "theme", Value: "dark"}}) //nolint:gosec // a cookie of the app
		s.send(http.MethodGet, "/", append([]string{"Authorization", "Basic dTpw"}, script...)...)
		s.newBrowser()
		before := len(s.reached())
		s.send(http.MethodGet, "/", "Authorization", "Bearer "+s.clerk.Token(clerktest.Claims{Subject: "user_2native"}))
		if before != 0 || len(s.reached()) != 1 {
			t.Fatalf("%d and then %d requests reached the app, want none and then one", before, len(s.reached()))
		}
		if h := s.reached()[0].Header; h.Get("X-Clerk-User-Id") != "user_2native" || h["Authorization"] != nil || h["Cookie"] != nil {
			t.Errorf("a bearer token: the app got the header %v, want user_2native without the credentials", h)
		}
		s.as("user_2alice")
		s.client.Jar.SetCookies(s.url(), []*http.Cookie{{Name: "theme", Value: "dark"}}) //nolint:gosec // a cookie of the app
		s.send(http.MethodGet, "/", append([]string{"Authorization", "Basic dTpw"}, script...)...)
		if h := s.reached()[0].Header; h.Get("Cookie") != "theme=dark" || h.Get("Authorization") != "Basic dTpw" {
			t.Errorf("cookies: the app got the header %v, want only its own cookie and Authorization", h)
		}
		s.as("user_2alice")
		s.send(http.MethodGet, "/", script...)
		if h := s.reached()[0].Header; h["Cookie"] != nil {
			t.Errorf("only Clerk's cookies: the app got the header %v, want no cookie", h)
		}
	})
}

func TestRenewal(t *testing.T) {
	forEachGateway(t, func(t *testing.T, s *site) {
		s.as("user_2alice")
		s.send(http.MethodGet, "/", navigation...)
		s.expire()
		before, refreshed := s.cookie("__session"), refreshes(s)
		r := s.send(http.MethodGet, "/data", script...)
		if r.body != "GET /data [user_2alice] " {
			t.Errorf("a script after expiry: got %d %q, want it refreshed", r.status, r.body)
		}
		if s.cookie("__session") == before || s.cookie("app") != "1" {
			t.Error("after a refresh the browser does not have both the new session cookie and the app's cookie")
		}
		names := map[string]int{}
		for _, line := range r.header["Set-Cookie"] {
			name, _, _ := strings.Cut(line, "=")
			names[name]++
		}
		for name, n := range names {
			if n != 1 {
				t.Errorf("%d cookies %s, want 1", n, name)
			}
		}
		if cc := strings.Join(r.header["Cache-Control"], ", "); !strings.Contains(cc, "no-store") && !strings.Contains(cc, "private") {
			t.Errorf("an answer with cookies may be cached: Cache-Control %q", cc)
		}
		for range 3 {
			r = s.send(http.MethodGet, "/data", script...)
		}
		if n := refreshes(s) - refreshed; n != 1 {
			t.Errorf("%d refreshes for one expiry, want 1", n)
		}
		if cc := r.header["Cache-Control"]; s.kind != "traefik" && (len(cc) != 1 || cc[0] != "public, max-age=60") {
			t.Errorf("without new cookies Cache-Control is %q, want the app's", cc)
		}
		s.expire()
		s.drop("__refresh")
		s.drop("__clerk_redirect_count")
		if r := s.send(http.MethodGet, "/page", navigation...); r.at != s.base+"/page" || r.body != "GET /page [user_2alice] " {
			t.Errorf("a page after expiry ends at %s with %d %q, want a handshake and the page", r.at, r.status, r.body)
		}
	})
}

// All cookies that the gate sets reach the browser, with a request that is allowed and with a
// redirect, however many there are.
func TestEveryCookieReachesTheBrowser(t *testing.T) {
	forEachGateway(t, func(t *testing.T, s *site) {
		names := []string{
			"__session", "__client_uat", "__clerk_db_jwt", "__clerk_handshake", "__clerk_handshake_nonce", "__clerk_redirect_count",
			"__Host-clerkauth_party", "__Host-clerkauth_tried", "__Host-clerkauth_handshake", "clerkauth_party", "clerkauth_tried", "clerkauth_handshake",
		}
		for _, name := range []string{"__session", "__client_uat", "__refresh", "__clerk_db_jwt"} {
			names = append(names, name+"_"+cookieSuffix(s.clerk.PublishableKey()))
		}
		if len(names) != nginxCookies {
			t.Errorf("%d names, want %d", len(names), nginxCookies)
		}
		gateway, err := gatewayNamed(s.kind)
		if err != nil {
			t.Fatal(err)
		}
		status := http.StatusNoContent
		s.fault.Store(handler(func(w http.ResponseWriter, r *http.Request) {
			if value := r.Header.Get("X-Clerk-Answer"); value != "" {
				if a, err := unpack(value); err == nil {
					sendPlain(w, a)
				}
				return
			}
			a := newAnswer()
			for _, name := range names {
				a.header.Add("Set-Cookie", name+"="+strings.Repeat("x", 1500)+"; Path=/; Secure")
			}
			if status == http.StatusNoContent {
				pass(a, r)
			} else {
				http.Redirect(a, r, "https://clerk.example.com/", status)
			}
			gateway.send(w, a)
		}))
		s.newBrowser()
		s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		for _, status = range []int{http.StatusNoContent, http.StatusTemporaryRedirect} {
			r := s.send(http.MethodGet, "/data", script...)
			var got []string
			for _, line := range r.header["Set-Cookie"] {
				if name, value, _ := strings.Cut(line, "="); strings.Count(value, "x") >= 1500 {
					got = append(got, name)
				}
			}
			slices.Sort(got)
			if want := slices.Sorted(slices.Values(names)); !slices.Equal(got, want) {
				t.Errorf("beside %d: %d cookies %q, want %q", status, len(got), got, want)
			}
		}
	})
}

func refreshes(s *site) int {
	n := 0
	for _, r := range s.clerk.Requests() {
		if r.Endpoint == clerktest.BackendRefresh {
			n++
		}
	}
	return n
}

func TestLargeCookies(t *testing.T) {
	forEachGateway(t, func(t *testing.T, s *site) {
		s.as("user_2alice")
		for i := range 7 {
			s.client.Jar.SetCookies(s.url(), []*http.Cookie{{Name: fmt.Sprintf("large%d", i), Value: strings.Repeat("x", 1024)}}) //nolint:gosec // of the app
		}
		if r := s.send(http.MethodGet, "/data", script...); r.body != "GET /data [user_2alice] " {
			t.Fatalf("%d %q, want \"GET /data [user_2alice] \"", r.status, r.body)
		}
		if n := len(s.reached()[0].Header.Get("Cookie")); n < 7*1024 || n > 7*1024+100 {
			t.Errorf("%d bytes of cookies reach the app, want its own", n)
		}
		s.expire()
		if r := s.send(http.MethodGet, "/data", script...); r.body != "GET /data [user_2alice] " {
			t.Fatalf("after expiry: %d %q, want \"GET /data [user_2alice] \"", r.status, r.body)
		}
	})
}
