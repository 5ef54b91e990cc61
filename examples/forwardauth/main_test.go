package main

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// asked is how a proxy asks about a request to example.com.
func asked(proxy, method, path string) http.Header {
	if proxy == "nginx" {
		return http.Header{"X-Original-Method": {method}, "X-Original-Url": {"https://example.com" + path}}
	}
	return http.Header{"X-Forwarded-Method": {method}, "X-Forwarded-Host": {"example.com"}, "X-Forwarded-Uri": {path}, "X-Forwarded-Proto": {"https"}}
}

// ask asks /auth with these headers and cookies. The proxy's own host is nowhere in the allowlist.
func ask(t *testing.T, clerk *clerktest.Instance, cfg clerkauth.Config, proxy string, header http.Header, cookies []*http.Cookie) *httptest.ResponseRecorder {
	t.Helper()
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h, err := endpoint(auth, proxy)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:4180/auth", http.NoBody)
	maps.Copy(r.Header, header)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// with is h and more headers, in pairs.
func with(h http.Header, pairs ...string) http.Header {
	for pair := range slices.Chunk(pairs, 2) {
		h[pair[0]] = append(h[pair[0]], pair[1])
	}
	return h
}

func TestAnswers(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	signedIn := clerk.SignIn(nil, clerktest.Person{Claims: clerktest.Claims{Subject: "user_ada"}}).Cookies()
	page := []string{"Sec-Fetch-Dest", "document", "Accept", "text/html"}
	elsewhere := []string{"Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site"}
	twoTokens := []string{"Authorization", "Bearer a", "Authorization", "Bearer b"}
	tests := []struct {
		name           string
		method         string
		more           []string
		cookies        []*http.Cookie
		nginx, traefik int
		reason         clerkauth.Reason
	}{
		{"signed in", http.MethodGet, nil, signedIn, 204, 204, ""},
		{"a write of our own page", http.MethodPost, []string{"Origin", "https://example.com", "Sec-Fetch-Site", "same-origin"}, signedIn, 204, 204, ""},
		{"a write of another site", http.MethodPost, elsewhere, signedIn, 403, 403, clerkauth.ReasonCrossOriginRequest},
		{"a read of another site", http.MethodGet, elsewhere, signedIn, 204, 204, ""},
		{"a method of nobody's", "PROPFIND", elsewhere, signedIn, 403, 403, clerkauth.ReasonCrossOriginRequest},
		{"nobody", http.MethodGet, nil, nil, 401, 401, clerkauth.ReasonSessionTokenAndUATMissing},
		{"a page, to be sent round", http.MethodGet, page, signedIn[2:], 401, 307, clerkauth.ReasonUATWithoutSessionToken},
		{"two tokens", http.MethodGet, twoTokens, nil, 403, 400, clerkauth.ReasonMultipleAuthorization},
	}
	for _, tt := range tests {
		for proxy, want := range map[string]int{"nginx": tt.nginx, "traefik": tt.traefik} {
			resp := ask(t, clerk, clerk.Config(), proxy, with(asked(proxy, tt.method, "/a?b=c"), tt.more...), tt.cookies)
			if got := clerkauth.Reason(resp.Header().Get("X-Clerk-Auth-Reason")); resp.Code != want || got != tt.reason {
				t.Errorf("%s, %s: %d %s, want %d %s", tt.name, proxy, resp.Code, got, want, tt.reason)
			}
			named := resp.Header().Get("X-Clerk-User-Id") == "user_ada" && strings.HasPrefix(resp.Header().Get("X-Clerk-Session-Id"), "sess_")
			if named != (want == http.StatusNoContent) {
				t.Errorf("%s, %s: %d names %q", tt.name, proxy, resp.Code, resp.Header()["X-Clerk-User-Id"])
			}
			round := strings.Contains(resp.Header().Get("Location"), "redirect_url=https%3A%2F%2Fexample.com%2Fa%3Fb%3Dc")
			if round != (tt.traefik == http.StatusTemporaryRedirect) {
				t.Errorf("%s, %s: sent to %q", tt.name, proxy, resp.Header()["Location"])
			}
			cookies, renamed := resp.Header()["Set-Cookie"], resp.Header()["X-Clerk-Cookie-1"]
			if proxy == "nginx" {
				cookies, renamed = renamed, cookies
			}
			if len(renamed) != 0 || round && len(cookies) == 0 {
				t.Errorf("%s, %s: header %v", tt.name, proxy, resp.Header())
			}
		}
	}
}

func TestKeysUnavailable(t *testing.T) {
	for _, proxy := range []string{"nginx", "traefik"} {
		clerk := clerktest.New(t, clerktest.Options{})
		clerk.Fault(clerktest.BackendJWKS, clerktest.Down)
		header := with(asked(proxy, http.MethodGet, "/"), "Authorization", "Bearer "+clerk.Token(clerktest.Claims{}))
		if resp := ask(t, clerk, clerk.Config(), proxy, header, nil); resp.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: %d, want 503", proxy, resp.Code)
		}
	}
}

// A proxy that does not say what it asks about, or lets a client say it too, lets nobody in.
func TestProxyThatIsNotSetUp(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	token := "Bearer " + clerk.Token(clerktest.Claims{})
	for _, proxy := range []string{"nginx", "traefik"} {
		other := map[string]string{"nginx": "traefik", "traefik": "nginx"}[proxy]
		headers := map[string]http.Header{
			"nothing":          {},
			"the other's":      asked(other, http.MethodGet, "/"),
			"a malformed path": asked(proxy, http.MethodGet, "/%zz"),
		}
		for name := range asked(proxy, http.MethodGet, "/") {
			if name == "X-Forwarded-Proto" {
				continue
			}
			doubled, missing, empty := asked(proxy, http.MethodGet, "/"), asked(proxy, http.MethodGet, "/"), asked(proxy, http.MethodGet, "/")
			doubled.Add(name, doubled.Get(name))
			missing.Del(name)
			empty.Set(name, "")
			headers["two of "+name], headers["no "+name], headers["an empty "+name] = doubled, missing, empty
		}
		for name, header := range headers {
			if resp := ask(t, clerk, clerk.Config(), proxy, with(header, "Authorization", token), nil); resp.Code != http.StatusInternalServerError {
				t.Errorf("%s: %s: %d, want 500", proxy, name, resp.Code)
			}
		}
		// What clients say under the other proxy's names is nothing to go by.
		header := with(asked(proxy, http.MethodPost, "/"), "Sec-Fetch-Site", "cross-site", "Origin", "https://elsewhere.example")
		maps.Copy(header, asked(other, http.MethodGet, "/"))
		if resp := ask(t, clerk, clerk.Config(), proxy, header, clerk.Cookies(clerk.Token(clerktest.Claims{}))); resp.Code != http.StatusForbidden {
			t.Errorf("%s: a POST that %s's headers call a GET: %d, want 403", proxy, other, resp.Code)
		}
	}
}

func TestOriginalThatIsNoRequest(t *testing.T) {
	for _, uri := range []string{"https://evil.example/", "*", "evil"} {
		r := &http.Request{Header: http.Header{"X-Forwarded-Method": {"GET"}, "X-Forwarded-Host": {"example.com"}, "X-Forwarded-Uri": {uri}}}
		if asked, err := fromTraefik(r); err == nil {
			t.Errorf("%q: taken for %s", uri, asked.URL)
		}
	}
	for _, address := range []string{"https://", "https:///path", "/path", "example.com"} {
		r := &http.Request{Header: http.Header{"X-Original-Method": {"GET"}, "X-Original-Url": {address}}}
		if asked, err := fromNginx(r); err == nil {
			t.Errorf("%q: taken for %s at %s", address, asked.URL, asked.Host)
		}
	}
}

// What nginx could not pass on, or what was never said, lets nobody in.
func TestForNginxDenies(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"nothing said": func(http.ResponseWriter, *http.Request) {},
		"no status":    func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) },
		"too many cookies": func(w http.ResponseWriter, _ *http.Request) {
			for range nginxCookies + 1 {
				w.Header().Add("Set-Cookie", "a=b")
			}
			w.WriteHeader(http.StatusNoContent)
		},
	} {
		w := httptest.NewRecorder()
		forNginx(h).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/auth", http.NoBody))
		if w.Code != http.StatusInternalServerError {
			t.Errorf("%s: %d, want 500", name, w.Code)
		}
	}
}

func TestRunRefusesMistakes(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	t.Setenv("CLERK_PUBLISHABLE_KEY", clerk.PublishableKey())
	t.Setenv("CLERK_AUTHORIZED_PARTIES", "https://example.com")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, args := range [][]string{{}, {"-proxy", "squid"}, {"-proxy", "nginx", "-addr", "nowhere"}} {
		if err := run(ctx, args); err == nil && len(args) < 3 {
			t.Errorf("%q: no error", args)
		}
	}
	if err := run(ctx, []string{"-proxy", "nginx", "-addr", "127.0.0.1:0"}); err != nil {
		t.Errorf("ended at once: %v", err)
	}
	t.Setenv("CLERK_AUTHORIZED_PARTIES", "")
	if err := run(ctx, []string{"-proxy", "nginx", "-addr", "127.0.0.1:0"}); err == nil {
		t.Error("no allowlist: no error")
	}
}
