package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// nginxConfiguration is a whole configuration file around a part of one.
func (p *proxied) nginxConfiguration(part string) string {
	user := ""
	if os.Getuid() == 0 {
		user = "user root;\n"
	}
	var places strings.Builder
	for _, name := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&places, "%s_temp_path %s/%s;\n", name, p.dir, name)
	}
	return user + "daemon off;\nmaster_process off;\npid " + p.dir + "/pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n" + places.String() + part + "}\n"
}

// Each proxy of docs/deploy.md passes everything that a browser session needs.
func TestProxies(t *testing.T) {
	for _, tc := range []struct {
		name, program string
		start         func(t *testing.T, p *proxied)
	}{
		{"nginx", "/usr/sbin/nginx", func(t *testing.T, p *proxied) {
			p.start(t, "/usr/sbin/nginx", "nginx", p.nginxConfiguration(p.configuration(t, "nginx", 0)), "-e", "stderr", "-c")
		}},
		{"nginx with a cache", "/usr/sbin/nginx", func(t *testing.T, p *proxied) {
			p.start(t, "/usr/sbin/nginx", "nginx", p.nginxConfiguration(p.configuration(t, "nginx", 1)), "-e", "stderr", "-c")
		}},
		{"caddy", "caddy", func(t *testing.T, p *proxied) {
			global := "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n"
			p.start(t, "caddy", "caddy", global+p.configuration(t, "caddy", 0), "run", "--adapter", "caddyfile", "--config")
		}},
		{"haproxy", "/usr/sbin/haproxy", func(t *testing.T, p *proxied) {
			defaults := "defaults\n    timeout connect 5s\n    timeout client 10s\n    timeout server 10s\n"
			p.start(t, "/usr/sbin/haproxy", "haproxy", defaults+p.configuration(t, "haproxy", 0), "-f")
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newProxied(t)
			tc.start(t, p)
			p.check(t)
			if tc.name == "nginx with a cache" {
				p.checkCache(t)
			} else {
				p.checkSocket(t)
			}
		})
	}
}

// check goes through the life of a session whose token is as large as a cookie can be.
func (p *proxied) check(t *testing.T) {
	t.Helper()
	claims := clerktest.Claims{Subject: "user_ada", Extra: map[string]any{"custom": strings.Repeat("x", 1500)}}
	cookies := p.clerk.SignIn(nil, clerktest.Person{Claims: claims}).Cookies()
	const page = "Sec-Fetch-Dest: document"
	if a := p.get(t, "/account", cookies, page); a.status != http.StatusOK || a.body != "The account of user_ada\n" {
		t.Errorf("signed in: got %d %s, want 200 The account of user_ada", a.status, a.body)
	}
	if a := p.get(t, "/account", nil, page); a.status != http.StatusUnauthorized {
		t.Errorf("signed out: got %d, want 401", a.status)
	}
	p.ahead += 5 * time.Minute
	a := p.get(t, "/account", cookies, page)
	if a.status != http.StatusOK || len(a.cookies) < 3 || a.header.Get("Cache-Control") != "private, no-store" {
		t.Errorf("renewed: got %d %v %s, want 200, at least three cookies, and Cache-Control private, no-store", a.status, a.header, a.body)
	}
	a = p.get(t, "/account?a=b", cookies[:4], page) // without the refresh cookie
	location, err := url.Parse(a.header.Get("Location"))
	if err != nil || a.status != http.StatusTemporaryRedirect || location.Query().Get("redirect_url") != "https://example.com/account?a=b" {
		t.Errorf("a handshake: got %d to %q, want back to https://example.com/account?a=b", a.status, location)
	}
}

// checkSocket sees whether an upgrade reaches the app.
func (p *proxied) checkSocket(t *testing.T) {
	t.Helper()
	a := p.get(t, "/socket", nil, "Authorization: Bearer "+p.clerk.Token(clerktest.Claims{}), "Upgrade: websocket", "Connection: Upgrade",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13")
	if a.body != "upgrade" {
		t.Errorf("an upgrade reaches the app as %q, want upgrade", a.body)
	}
}

// checkCache sees what comes out of the cache: assets, and never a page.
func (p *proxied) checkCache(t *testing.T) {
	t.Helper()
	cookies := p.clerk.SignIn(nil, clerktest.Person{}).Cookies()
	p.ahead += 5 * time.Minute
	p.get(t, "/assets/app.js", cookies, "Sec-Fetch-Dest: script")
	before := p.seen
	if a := p.get(t, "/assets/app.js", nil); p.seen != before || a.body != "// app" || len(a.cookies) > 0 {
		t.Errorf("an asset: got %q, from the app: %t, with cookies %v, want // app from the cache, without cookies", a.body, p.seen != before, a.cookies)
	}
	for range 2 {
		before = p.seen
		if a := p.get(t, "/account", nil); a.status != http.StatusUnauthorized || p.seen == before {
			t.Errorf("a page for one person: got %d, from the app: %t, want 401 from the app", a.status, p.seen != before)
		}
	}
}

func TestVariants(t *testing.T) {
	staff := clerktest.New(t, clerktest.Options{Domain: "staff.example.com", Origins: []string{"https://admin.example.com"}})
	customers := clerktest.New(t, clerktest.Options{Origins: []string{"https://shop.example.com"}})
	h, err := twoInstances(staff.Config(), customers.Config(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, ok := clerkauth.FromContext(r.Context())
		fmt.Fprint(w, ok)
	}))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		host, token string
		status      int
		signedIn    string
	}{
		{"admin.example.com", staff.Token(clerktest.Claims{}), 200, "true"},
		{"admin.example.com", customers.Token(clerktest.Claims{}), 401, ""},
		{"shop.example.com", customers.Token(clerktest.Claims{}), 200, "true"},
		{"shop.example.com", staff.Token(clerktest.Claims{}), 200, "false"},
	} {
		r := httptest.NewRequest(http.MethodGet, "https://"+tc.host+"/", http.NoBody)
		r.Header.Set("Authorization", "Bearer "+tc.token)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != tc.status || tc.signedIn != "" && w.Body.String() != tc.signedIn {
			t.Errorf("%s: got %d %s, want %d %s", tc.host, w.Code, w.Body, tc.status, tc.signedIn)
		}
	}

	t.Setenv("CLERK_PUBLISHABLE_KEY", customers.PublishableKey())
	t.Setenv("CLERK_JWT_KEY", customers.JWTKey())
	auth, err := offline()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := auth.VerifyToken(t.Context(), customers.Token(clerktest.Claims{AuthorizedParty: "https://example.com"})); err != nil {
		t.Errorf("offline: %v", err)
	}
}
