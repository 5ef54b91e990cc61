package main

import (
	"encoding/base64"
	"fmt"
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

func TestRequirement(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	g := newTestGate(t, "caddy", clerk.Config())
	bob := clerk.Token(clerktest.Claims{
		FirstFactorAt: time.Now(),
		Organization:  clerkauth.Organization{ID: "org_1", Slug: "acme", Role: "org:member"},
		Permissions:   []string{"org:invoices:read"}, Features: []string{"o:reports"}, Plans: []string{"o:pro"},
	})
	for query, want := range map[string][2]int{ // for bob, and signed out
		"":                             {204, 401},
		"role=org:member":              {204, 401},
		"role=member":                  {204, 401},
		"role=org:admin":               {403, 401},
		"role=org:member&role=admin":   {403, 401},
		"permission=org:invoices:read": {204, 401},
		"permission=org:invoices:read&permission=org:invoices:create": {403, 401},
		"permission=org%3Ainvoices%3Aread&role=member":                {204, 401},
		"feature=reports":              {204, 401},
		"feature=user:reports":         {403, 401},
		"plan=org:pro":                 {204, 401},
		"plan=free":                    {403, 401},
		"reverified=strict":            {204, 401},
		"optional=1":                   {204, 204},
		"optional=0":                   {500, 500},
		"optional":                     {500, 500},
		"optional=1&optional=1":        {500, 500},
		"optional=1&role=org:admin":    {500, 500},
		"role":                         {500, 500},
		"role=":                        {500, 500},
		"role=%20admin":                {500, 500},
		"permission=org:sys_profile:r": {500, 500},
		"feature=other:x":              {500, 500},
		"reverified=sometimes":         {500, 500},
		"roles=org:admin":              {500, 500},
		"Role=org:admin":               {500, 500},
		"role=org:member;plan=x":       {500, 500},
		"role=org:member&x":            {500, 500},
		"%zz":                          {500, 500},
		"a=1":                          {500, 500},
	} {
		for i, token := range []string{"Bearer " + bob, ""} {
			header := gatewayHeader("caddy", http.MethodGet, "/")
			if token != "" {
				header.Set("Authorization", token)
			}
			if code := ask(t, g, "/auth?"+query, header).Code; code != want[i] {
				t.Errorf("%q, token %t: got %d, want %d", query, token != "", code, want[i])
			}
		}
	}
}

func TestAmbiguousPaths(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	strict, lax := newTestGate(t, "caddy", clerk.Config()), newTestGate(t, "caddy", clerk.Config())
	lax.anyPath = true
	token := "Bearer " + clerk.Token(clerktest.Claims{})
	for uri, clear := range map[string]bool{
		"/": true, "/a/b": true, "/a/b/": true, "/a?x=//&y=%2e%2e/../;": true, "/caf%C3%A9": true, "/a%20b": true, "/~x": true, "/%7ex": true,
		"/.well-known/x": true, "/a..b": true, "/...": true, "/a.": true, "/x%2Bb%3D": true, "/a:b@c,d!e": true,
		"//": false, "//a": false, "/a//b": false, "/.": false, "/..": false, "/./a": false, "/a/..": false, "/a/../b": false,
		"/..;/a": false, "/.;a": false, "/a;b": false, "/a%3Bb": false, "/%2e": false, "/%2E%2e/a": false, "/a%2fb": false, "/a%2Fb": false, "/a%5cb": false,
		`/a\b`: false, "/a%00": false, "/a%0d%0ab": false, "/a%7f": false, "/%61": false, "/%41": false, "/%30": false, "/a%2db": false, "/a%5Fb": false,
		"/%2561": false, "/a#b": false,
	} {
		header := with(gatewayHeader("caddy", http.MethodGet, uri), "Authorization", token)
		if code := ask(t, strict, "/auth", header).Code; (code == http.StatusNoContent) != clear || !clear && code != http.StatusBadRequest {
			t.Errorf("%s: got %d, want 204: %t, or else 400", uri, code, clear)
		}
		if code := ask(t, lax, "/auth", header).Code; code != http.StatusNoContent {
			t.Errorf("%s with -paths any: got %d, want 204", uri, code)
		}
	}
	for _, malformed := range []string{"/a%", "/a%2", "/a%zz"} {
		if !ambiguous(malformed) {
			t.Errorf("ambiguous(%q) = false, want true", malformed)
		}
	}
}

func TestCredentials(t *testing.T) {
	for sent, want := range map[string]string{
		"a=b": "a=b", "": "", "a=b; c=d;e=f": "a=b; c=d; e=f", "__session=x": "", "__session=x; a=b": "a=b", "a=b;\t__session_AbC=x ; c": "a=b; c",
		"__client_uat=1; __client_uat_x=1; __refresh_x=y; __clerk_db_jwt=z; __clerk_db_jwt_x=z; __clerk_handshake=1; __clerk_redirect_count=1": "",
		"__Host-clerkauth_party=x; clerkauth_tried=1; __dev_session=1; __client=c":                                                             "",
		"__Session=x; __SESSION_a=y; __secure-__session=z":                                                                                     "", "session=x; __sessions=y; my__session=z; clerk=1": "session=x; __sessions=y; my__session=z; clerk=1",
		"__session": "", " __session =x": "", "a=__session=x": "a=__session=x", ";;": "",
	} {
		answer := http.Header{}
		keepCredentials(answer, http.Header{"Cookie": {sent}})
		if got := answer.Get("Cookie"); got != want || want == "" && answer["Cookie"] != nil {
			t.Errorf("%q: %q is kept, want %q", sent, got, want)
		}
	}
	answer := http.Header{}
	keepCredentials(answer, http.Header{"Cookie": {"a=1; __session=x", "__session=y", "b=2"}})
	if got := answer["Cookie"]; !slices.Equal(got, []string{"a=1; b=2"}) {
		t.Errorf("several lines: the cookies %q are kept, want a=1 and b=2", got)
	}
	for sent, want := range map[string]string{
		"Basic dTpw": "Basic dTpw", "Bearer x": "", "bearer x": "", "BEARER  x": "", "eyJ.x.y": "", " Bearer x": "", "Digest a, b": "Digest a, b", "": "",
	} {
		answer := http.Header{}
		keepCredentials(answer, http.Header{"Authorization": {sent}})
		if got := answer.Get("Authorization"); got != want || want == "" && answer["Authorization"] != nil {
			t.Errorf("%q: %q is kept, want %q", sent, got, want)
		}
	}
}

// Every gateway allows a request on any 2xx, so only pass may answer with one.
func TestOnlyADecisionPasses(t *testing.T) {
	for name, write := range map[string]func(*answer){
		"nothing":            func(*answer) {},
		"a body":             func(a *answer) { _, _ = a.Write([]byte("hello")) },
		"200":                func(a *answer) { a.WriteHeader(http.StatusOK) },
		"204 without status": func(a *answer) { a.WriteHeader(http.StatusNoContent) },
		"100":                func(a *answer) { a.WriteHeader(http.StatusContinue) },
	} {
		for _, g := range gateways {
			a, w := newAnswer(), httptest.NewRecorder()
			write(a)
			g.reply(w, a)
			if w.Code >= 100 && w.Code < 300 {
				t.Errorf("%s, %s: got %d, want no 2xx", g.name, name, w.Code)
			}
		}
	}
}

func TestPackedAnswers(t *testing.T) {
	code := base64.RawURLEncoding.EncodeToString
	for _, value := range []string{
		"", "?", code([]byte("x")), code([]byte(`{"Status":204}`)), code([]byte(`{"Status":200}`)), code([]byte(`{"Status":0}`)), code([]byte(`{"Status":101}`)), code([]byte(`{"Status":600}`)),
	} {
		if a, err := unpack(value); err == nil {
			t.Errorf("unpack(%q) has the status %d, want an error", value, a.status)
		}
	}
	g := newTestGate(t, "nginx", clerktest.New(t, clerktest.Options{}).Config())
	for _, header := range []http.Header{{}, {"X-Clerk-Answer": {"?"}}, {"X-Clerk-Answer": {code([]byte(`{"Status":403}`)), code([]byte(`{"Status":403}`))}}} {
		if resp := ask(t, g, "/answer", header); resp.Code != http.StatusInternalServerError {
			t.Errorf("%v: got %d, want 500", header, resp.Code)
		}
	}
	for _, n := range []int{nginxCookies, nginxCookies + 1} {
		a := newAnswer()
		for i := range n {
			a.header.Add("Set-Cookie", fmt.Sprintf("c%d=x", i))
		}
		pass(a, httptest.NewRequest(http.MethodGet, "/", http.NoBody))
		w := httptest.NewRecorder()
		sendPacked(w, a)
		if (w.Code == http.StatusNoContent) != (n == nginxCookies) || w.Header()["Set-Cookie"] != nil {
			t.Errorf("%d cookies: got %d %v, want 204 exactly for %d, without Set-Cookie", n, w.Code, w.Header(), nginxCookies)
		}
	}
	// nginx/clerk-gate.conf passes on as many cookies.
	conf := shipped(t, "nginx/clerk-gate.conf", nil)
	for _, format := range []string{"$upstream_http_x_clerk_cookie_%d;", "add_header Set-Cookie $clerk_cookie_%d always;"} {
		if !strings.Contains(conf, fmt.Sprintf(format, nginxCookies)) || strings.Contains(conf, fmt.Sprintf(format, nginxCookies+1)) {
			t.Errorf("the cookies of nginx/clerk-gate.conf do not end with %s", fmt.Sprintf(format, nginxCookies))
		}
	}
}

// FuzzAmbiguous checks that a path that is not called ambiguous has one reading only: the path
// itself, unescaped.
func FuzzAmbiguous(f *testing.F) {
	for _, seed := range []string{"/", "/a/b", "/%61", "//a", "/a/../b", "/..;/a", "/caf%C3%A9?x=//", "/a%2fb", `/\a`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		if !strings.HasPrefix(uri, "/") || ambiguous(uri) {
			return
		}
		path, _, _ := strings.Cut(uri, "?")
		decoded, err := url.PathUnescape(path)
		if err != nil {
			t.Fatalf("unescaping %q: %v", uri, err)
		}
		for _, reading := range asRead(uri) {
			if again, err := url.PathUnescape(reading); err == nil {
				reading = again
			}
			if reading != strings.TrimSuffix(decoded, "/") && reading != decoded {
				t.Errorf("the path %q, which is not called ambiguous, can be read as %q", uri, reading)
			}
		}
	})
}
