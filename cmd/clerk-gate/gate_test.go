package main

import (
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// gatewayHeader is the header with which a gateway asks about a request to example.com.
func gatewayHeader(kind, method, uri string) http.Header {
	if kind == "nginx" {
		return http.Header{"X-Original-Method": {method}, "X-Original-Url": {"https://example.com" + uri}}
	}
	return http.Header{"X-Forwarded-Method": {method}, "X-Forwarded-Host": {"example.com"}, "X-Forwarded-Uri": {uri}, "X-Forwarded-Proto": {"https"}}
}

// with returns h and more headers, in pairs.
func with(h http.Header, pairs ...string) http.Header {
	h = h.Clone()
	for pair := range slices.Chunk(pairs, 2) {
		h[pair[0]] = append(h[pair[0]], pair[1])
	}
	return h
}

// ask sends a request from this machine to a gate's path. It unpacks answers that are packed for nginx.
func ask(t *testing.T, g *gate, path string, header http.Header, cookies ...*http.Cookie) *httptest.ResponseRecorder {
	t.Helper()
	return askBy(t, g, http.MethodGet, "127.0.0.1:1234", path, header, cookies...)
}

func askBy(t *testing.T, g *gate, method, peer, path string, header http.Header, cookies ...*http.Cookie) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, "http://gate.internal:4180"+path, http.NoBody)
	r.RemoteAddr = peer
	maps.Copy(r.Header, header)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	value := w.Header().Get("X-Clerk-Answer")
	if value == "" {
		return w
	}
	if w.Code != http.StatusUnauthorized {
		t.Errorf("a packed answer has status %d, want %d", w.Code, http.StatusUnauthorized)
	}
	back := httptest.NewRequest(http.MethodGet, "http://gate.internal:4180/answer", http.NoBody)
	back.RemoteAddr = peer
	back.Header.Set("X-Clerk-Answer", value)
	unpacked := httptest.NewRecorder()
	g.ServeHTTP(unpacked, back)
	return unpacked
}

func TestAnswers(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	signedIn := clerk.SignIn(nil, clerktest.Person{Claims: clerktest.Claims{Subject: "user_ada"}}).Cookies()
	page := []string{"Sec-Fetch-Dest", "document", "Accept", "text/html"}
	tests := []struct {
		name    string
		method  string
		more    []string
		cookies []*http.Cookie
		want    int
		reason  clerkauth.Reason
	}{
		{"signed in", http.MethodGet, nil, signedIn, 204, ""},
		{"a write of our own page", http.MethodPost, []string{"Origin", "https://example.com", "Sec-Fetch-Site", "same-origin"}, signedIn, 204, ""},
		{"a write of another site", http.MethodPost, elsewhere, signedIn, 403, clerkauth.ReasonCrossOriginRequest},
		{"a read of another site", http.MethodGet, elsewhere, signedIn, 204, ""},
		{"an unknown method", "PROPFIND", elsewhere, signedIn, 403, clerkauth.ReasonCrossOriginRequest},
		{"no method counts as a write", "", elsewhere, signedIn, 403, clerkauth.ReasonCrossOriginRequest},
		{"signed out", http.MethodGet, nil, nil, 401, clerkauth.ReasonSessionTokenAndUATMissing},
		{"a page that needs a handshake", http.MethodGet, page, signedIn[2:], 307, clerkauth.ReasonUATWithoutSessionToken},
		{"two tokens", http.MethodGet, []string{"Authorization", "Bearer a", "Authorization", "Bearer b"}, nil, 400, clerkauth.ReasonMultipleAuthorization},
	}
	for _, kind := range gatewayNames() {
		g := newTestGate(t, kind, clerk.Config())
		for _, tt := range tests {
			for _, way := range []struct{ method, path string }{{http.MethodGet, "/auth"}, {http.MethodDelete, "/auth/a/b//c"}} {
				header := gatewayHeader(kind, tt.method, "/a?b=c")
				if tt.method == "" {
					delete(header, g.gateway.method)
				}
				resp := askBy(t, g, way.method, "127.0.0.1:1", way.path, with(header, tt.more...), tt.cookies...)
				if got := clerkauth.Reason(resp.Header().Get("X-Clerk-Auth-Reason")); resp.Code != tt.want || tt.want != http.StatusTemporaryRedirect && got != tt.reason {
					t.Errorf("%s, %s: got %d %s, want %d %s", kind, tt.name, resp.Code, got, tt.want, tt.reason)
				}
				if named := resp.Header().Get("X-Clerk-User-Id") == "user_ada"; named != (tt.want == http.StatusNoContent) {
					t.Errorf("%s, %s: got %d with the user %q, want user_ada exactly with 204", kind, tt.name, resp.Code, resp.Header()["X-Clerk-User-Id"])
				}
				back := strings.Contains(resp.Header().Get("Location"), "redirect_url=https%3A%2F%2Fexample.com%2Fa%3Fb%3Dc")
				if back != (tt.want == http.StatusTemporaryRedirect) || back && len(resp.Header()["Set-Cookie"]) == 0 {
					t.Errorf("%s, %s: redirected to %q with %d cookies, want a redirect with cookies: %t", kind, tt.name, resp.Header()["Location"], len(resp.Header()["Set-Cookie"]), tt.want == http.StatusTemporaryRedirect)
				}
			}
		}
	}
}

func TestIdentityIsAlwaysSet(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	g := newTestGate(t, "caddy", clerk.Config())
	names := []string{"User-Id", "Session-Id", "Org-Id", "Org-Slug", "Org-Role", "Permissions"}
	resp := ask(t, g, "/auth?optional=1", gatewayHeader("caddy", http.MethodGet, "/"))
	for _, name := range names {
		if got, ok := resp.Header()["X-Clerk-"+name]; !ok || len(got) != 1 || got[0] != "" {
			t.Errorf("signed out: X-Clerk-%s is %q, want one empty value", name, got)
		}
	}
	bob := clerktest.Claims{
		Subject: "user_bob", SessionID: "sess_bob", Permissions: []string{"org:invoices:read", "org:invoices:create"},
		Organization: clerkauth.Organization{ID: "org_1", Slug: "acme", Role: "org:member"},
	}
	resp = ask(t, g, "/auth", with(gatewayHeader("caddy", http.MethodGet, "/"), "Authorization", "Bearer "+clerk.Token(bob)))
	for i, want := range []string{"user_bob", "sess_bob", "org_1", "acme", "org:member"} {
		if got := resp.Header().Get("X-Clerk-" + names[i]); got != want {
			t.Errorf("%s is %q, want %q", names[i], got, want)
		}
	}
	if got := resp.Header().Get("X-Clerk-Permissions"); got != "org:invoices:read,org:invoices:create" && got != "org:invoices:create,org:invoices:read" {
		t.Errorf("the permissions are %q, want org:invoices:read and org:invoices:create", got)
	}
}

func TestPeers(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	token := clerk.Token(clerktest.Claims{})
	for trusted, peers := range map[string]map[string]bool{
		"":                    {"127.0.0.1:1": true, "127.8.9.1:1": true, "[::1]:1": true, "[::ffff:127.0.0.1]:1": true, "10.0.0.1:1": false, "[fe80::1%eth0]:1": false, "@": false, "": false},
		"10.0.0.0/24":         {"127.0.0.1:1": false, "10.0.0.255:1": true, "10.0.1.0:1": false},
		"10.0.0.7, fd00::/64": {"10.0.0.7:1": true, "10.0.0.8:1": false, "[fd00::5]:1": true, "[fd00:0:0:1::5]:1": false},
	} {
		args := []string{"-gateway", "nginx"}
		if trusted != "" {
			args = append(args, "-trusted", trusted)
		}
		o, err := parseOptions(args, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		o.clerk = clerk.Config()
		g, err := newGate(o, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		for peer, believed := range peers {
			resp := askBy(t, g, http.MethodGet, peer, "/auth", with(gatewayHeader("nginx", http.MethodGet, "/"), "Authorization", "Bearer "+token))
			if (resp.Code == http.StatusNoContent) != believed || !believed && resp.Code != http.StatusForbidden {
				t.Errorf("-trusted %q: %s gets %d, want it trusted: %t", trusted, peer, resp.Code, believed)
			}
			back := httptest.NewRequest(http.MethodGet, "/answer", http.NoBody)
			back.RemoteAddr = peer
			w := httptest.NewRecorder()
			g.ServeHTTP(w, back)
			if (w.Code == http.StatusForbidden) == believed {
				t.Errorf("-trusted %q: %s gets %d from /answer, want it trusted: %t", trusted, peer, w.Code, believed)
			}
		}
	}
}

func TestPreflight(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	g := newTestGate(t, "caddy", clerk.Config())
	header := with(gatewayHeader("caddy", http.MethodOptions, "/admin"), append([]string{"Access-Control-Request-Method", "PUT"}, elsewhere...)...)
	without := func(name string) http.Header {
		h := header.Clone()
		h.Del(name)
		return h
	}
	for name, tt := range map[string]struct {
		header http.Header
		pass   bool
	}{
		"a preflight":         {header, true},
		"no origin":           {without("Origin"), false},
		"no question":         {without("Access-Control-Request-Method"), false},
		"two origins":         {with(header, "Origin", "https://other.example"), false},
		"cookies":             {with(header, "Cookie", "a=b"), false},
		"credentials":         {with(header, "Authorization", "Basic dTpw"), false},
		"another method":      {with(header, "X-Http-Method-Override", "DELETE"), false},
		"another method, too": {with(header, "X-Method-Override", "DELETE"), false},
		"and another":         {with(header, "X-Http-Method", "DELETE"), false},
		"a GET":               {with(without("X-Forwarded-Method"), "X-Forwarded-Method", "GET"), false},
		"no method":           {without("X-Forwarded-Method"), false},
	} {
		for _, judged := range []bool{false, true} {
			g.preflights = !judged
			resp := ask(t, g, "/auth?role=org:admin", tt.header)
			if pass := resp.Code == http.StatusNoContent; pass != (tt.pass && !judged) {
				t.Errorf("%s, judged %t: got %d, want 204: %t", name, judged, resp.Code, tt.pass && !judged)
			}
		}
	}
}

func TestHealth(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	clerk.Fault(clerktest.BackendJWKS, clerktest.Down)
	g := newTestGate(t, "haproxy", clerk.Config())
	status := func(path string) int { return askBy(t, g, http.MethodGet, "10.0.0.9:1", path, nil).Code }
	if a, b := status("/healthz"), status("/readyz"); a != 200 || b != 503 {
		t.Errorf("no keys: healthz %d, readyz %d, want 200 503", a, b)
	}
	clerk.Fault(clerktest.BackendJWKS, nil)
	g = newTestGate(t, "haproxy", clerk.Config())
	if a, b := status("/healthz"), status("/readyz"); a != 200 || b != 200 {
		t.Errorf("all is well: healthz %d, readyz %d, want 200 200", a, b)
	}
	for _, path := range []string{"/", "/authx", "//auth", "/x/../auth", "/answer"} {
		if code := ask(t, g, path, gatewayHeader("haproxy", http.MethodGet, "/")).Code; code != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", path, code)
		}
	}
}

// If Clerk cannot be reached the answer is 503, before the gateway's own timeout.
func TestClerkThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clerk := clerktest.New(t, clerktest.Options{})
		g := newTestGate(t, "caddy", clerk.Config())
		session := clerk.SignIn(nil, clerktest.Person{})
		begin := time.Now()
		clerk.Fault(clerktest.BackendJWKS, clerktest.Hang)
		resp := ask(t, g, "/auth", with(gatewayHeader("caddy", http.MethodGet, "/"), "Authorization", "Bearer "+clerk.Token(clerktest.Claims{})))
		if resp.Code != http.StatusServiceUnavailable || time.Since(begin) > decisionTime {
			t.Errorf("no keys: got %d after %s, want 503 within %s", resp.Code, time.Since(begin), decisionTime)
		}
		clerk.Fault(clerktest.BackendJWKS, nil)
		time.Sleep(time.Minute) // of the bubble: the keys are fetched again, and the session's token has expired
		cookies := session.Cookies()
		time.Sleep(70 * time.Second)
		clerk.Fault(clerktest.BackendRefresh, clerktest.Hang)
		begin = time.Now()
		resp = ask(t, g, "/auth", with(gatewayHeader("caddy", http.MethodGet, "/"), script...), cookies...)
		if resp.Code == http.StatusNoContent || time.Since(begin) > decisionTime {
			t.Errorf("no refresh: got %d after %s, want a refusal within %s", resp.Code, time.Since(begin), decisionTime)
		}
	})
}
