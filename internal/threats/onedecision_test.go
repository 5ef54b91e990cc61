package threats_test

import (
	"context"
	"crypto/tls"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// A request is decided once, whatever copies middleware makes of it. A changed one is another request.

// clones are the ways in which middleware copies a request.
var clones = map[string]func(*http.Request) *http.Request{
	"itself": func(r *http.Request) *http.Request { return r },
	"WithContext": func(r *http.Request) *http.Request {
		return r.WithContext(context.WithValue(r.Context(), harness.Noon, 1))
	},
	"Clone": func(r *http.Request) *http.Request { return r.Clone(r.Context()) },
	"a shallow copy with a new header": func(r *http.Request) *http.Request {
		c := *r
		c.Header = r.Header.Clone()
		c.Header.Set("X-Request-Id", "1")
		return &c
	},
	"as http.StripPrefix does": func(r *http.Request) *http.Request {
		c := r.Clone(r.Context())
		c.URL.Path = "/x"
		return c
	},
	"values in slices of their own": func(r *http.Request) *http.Request {
		c := r.Clone(r.Context())
		for name, values := range c.Header {
			c.Header[name] = append(make([]string, 0, 8), values...)
		}
		return c
	},
}

// through calls next with the copy that clone makes of each request.
func through(clone func(*http.Request) *http.Request, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, clone(r)) })
}

func TestCopiesAreTheSameRequest(t *testing.T) {
	a := harness.NewApp(t)
	good := a.Clerk.Token(clerktest.Claims{})
	a.AnswerRefreshes(0, "__session="+good+"; Path=/")
	nonce := "nonce_0123456789"
	a.Clerk.Fault(clerktest.BackendHandshake, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"directives":["__session=` + good + `; Path=/","__client_uat=1; Path=/"]}`))
		})
	})
	for name, clone := range clones {
		for source, tt := range map[string]struct {
			r         *http.Request
			requested clerktest.Endpoint
		}{
			"bearer":           {harness.Request("GET", "/", harness.WithBearer(good)), ""},
			"cookies":          {a.Page(good), ""},
			"two cookie lines": {harness.Request("GET", "https://example.com/", a.SignedIn(), func(r *http.Request) { r.Header.Add("Cookie", "theme=dark") }), ""},
			"refresh":          {a.Script(a.Expired(clerktest.Claims{}), a.NewRefreshCookie()), clerktest.BackendRefresh},
			"handshake":        {a.Page("", "__clerk_handshake_nonce="+nonce), clerktest.BackendHandshake},
			"conditional":      {all2(a.Script(a.Expired(clerktest.Claims{}), a.NewRefreshCookie()), harness.Headers(`If-None-Match: "1"`)), clerktest.BackendRefresh},
			"nothing":          {harness.Request("GET", "/"), ""},
		} {
			h := a.Optional(through(clone, a.Optional(through(clone, a.Require(through(clone, harness.Greet))))))
			a.Clerk.ResetRequests()
			a.Events()
			w := harness.Serve(h, tt.r)
			if source != "nothing" && (w.Code != http.StatusOK || w.Body.String() != harness.Welcome) {
				t.Errorf("%s, %s: got %d %q, want 200 %q", name, source, w.Code, w.Body, harness.Welcome)
			}
			if got := len(a.Events()); got != 1 {
				t.Errorf("%s, %s: %d decisions, want 1", name, source, got)
			}
			if tt.requested != "" && harness.Requests(a.Clerk, tt.requested) != 1 {
				t.Errorf("%s, %s: Clerk was asked %d times, want once", name, source, harness.Requests(a.Clerk, tt.requested))
			}
			set := w.Result().Header["Set-Cookie"]
			if unique := slices.Compact(slices.Sorted(slices.Values(set))); len(unique) != len(set) {
				t.Errorf("%s, %s: cookies are set twice: %q", name, source, set)
			}
		}
	}
}

// all2 returns r after an edit.
func all2(r *http.Request, e harness.Edit) *http.Request {
	e(r)
	return r
}

// A changed value that a decision by cookie reads makes another request, also where a handler
// writes into the header's slice. A changed value that it does not read makes none: the decision
// would be the same.
func TestChangedValuesAreAnotherRequest(t *testing.T) {
	trusting := harness.NewApp(t, func(c *clerkauth.Config) { c.TrustForwardedHeaders = true })
	token := trusting.Clerk.Token(clerktest.Claims{})
	always := []string{"Authorization", "Cookie", "X-Forwarded-Host", "X-Forwarded-Proto", "Sec-Fetch-Dest", "Sec-Fetch-Site"}
	for kind, sent := range map[string]struct {
		method string
		edit   harness.Edit
		reads  []string // besides always
	}{
		"script": {http.MethodGet, harness.Headers("Sec-Fetch-Dest: empty", "Sec-Fetch-Site: same-origin"), []string{"Sec-Fetch-Mode", "Upgrade", "Sec-Websocket-Key"}},
		"page": {http.MethodGet, harness.All(harness.Headers("Sec-Fetch-Dest: document", "Referer: https://example.com/"), func(r *http.Request) {
			r.Header.Add("Cookie", "__Host-clerkauth_handshake=of_another_p.1."+strconv.FormatInt(harness.Noon.Unix(), 10))
		}), []string{"Referer", "Sec-Purpose", "Upgrade", "Sec-Websocket-Key"}},
		"page of an older browser": {http.MethodGet, harness.Headers("Accept: text/html"), []string{"Accept", "Upgrade", "Sec-Websocket-Key"}},
		"write":                    {http.MethodPost, harness.Headers("Origin: https://example.com", "Sec-Fetch-Site: same-origin"), []string{"Origin", "Referer"}},
	} {
		changes := map[string]func(*http.Request){}
		maps.Copy(changes, otherRequests)
		for _, name := range headerLines {
			maps.Copy(changes, changesOf(name))
		}
		for name, change := range changes {
			for which, guard := range map[string]func(http.Handler) http.Handler{"Optional": trusting.Optional, "Require": trusting.Require} {
				r := httptest.NewRequest(sent.method, "/page?x=1", http.NoBody)
				trusting.WithCookies(token)(r)
				sent.edit(r)
				h := trusting.Optional(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					change(r)
					guard(harness.Greet).ServeHTTP(w, r)
				}))
				trusting.Events()
				harness.Serve(h, r)
				want, line := 2, strings.Fields(name)[0]
				if slices.Contains(headerLines, line) && !slices.Contains(append(sent.reads, always...), line) {
					want = 1
				}
				if got := len(trusting.Events()); got != want {
					t.Errorf("%s, %s, %s: %d decisions, want %d", kind, name, which, got, want)
				}
			}
		}
	}
}

// headerLines are all header fields that any decision reads.
var headerLines = []string{
	"Authorization", "Cookie", "Origin", "Referer", "Accept", "Upgrade", "Sec-Websocket-Key", "Sec-Fetch-Site", "Sec-Fetch-Mode",
	"Sec-Fetch-Dest", "Sec-Purpose", "X-Forwarded-Host", "X-Forwarded-Proto",
}

// otherRequests make another request of one, whatever the decision has read.
var otherRequests = map[string]func(*http.Request){
	"method":   func(r *http.Request) { r.Method = http.MethodHead },
	"host":     func(r *http.Request) { r.Host = "other.example.com" },
	"path":     func(r *http.Request) { r.RequestURI = "/elsewhere?x=1" },
	"query":    func(r *http.Request) { r.RequestURI = "/page?x=2" },
	"absolute": func(r *http.Request) { r.RequestURI = "https://example.com/page?x=2" },
	"no path": func(r *http.Request) {
		r.RequestURI, r.URL = "https://example.com?x=/page", &url.URL{RawQuery: "x=/page"}
	},
	"URL":        func(r *http.Request) { r.RequestURI, r.URL = "", &url.URL{Path: "/page", RawQuery: "x=2"} },
	"TLS":        func(r *http.Request) { r.TLS = &tls.ConnectionState{} },
	"no header":  func(r *http.Request) { r.Header = nil },
	"two values": func(r *http.Request) { r.Header["Cookie"] = append(r.Header["Cookie"], "a=1") },
	"split values": func(r *http.Request) {
		r.Header["Cookie"] = []string{`a", "b`, r.Header["Cookie"][0]}
	},
}

// changesOf returns the changes of one header field.
func changesOf(line string) map[string]func(*http.Request) {
	return map[string]func(*http.Request){
		line + " is set":            func(r *http.Request) { r.Header[line] = []string{"changed"} },
		line + " is set to nothing": func(r *http.Request) { r.Header[line] = []string{""} },
		line + " is emptied":        func(r *http.Request) { r.Header[line] = []string{} },
		line + " is written over": func(r *http.Request) {
			if values := r.Header[line]; len(values) > 0 {
				values[0] += " "
				return
			}
			r.Header[line] = []string{"changed"}
		},
	}
}

// A bearer token decides alone: only another host makes another request of it. Where it does not
// sign in, so do the fields that tell whether a page is requested.
func TestBearerDecidesAlone(t *testing.T) {
	a := harness.NewApp(t)
	trusting := harness.NewAppOf(t, a.Clerk, func(c *clerkauth.Config) { c.TrustForwardedHeaders = true })
	good := a.Clerk.Token(clerktest.Claims{})
	for name, tt := range map[string]struct {
		app           *harness.App
		token, header string
		want          int
	}{
		"good":                         {a, good, "Referer: https://example.com/", 1},
		"bad":                          {a, "x", "Referer: https://example.com/", 1},
		"bad, and then of a page":      {a, "x", "Sec-Fetch-Dest: document", 2},
		"bad, and of an older browser": {a, "x", "Accept: text/html", 2},
		"forwarded, not trusted":       {a, good, "X-Forwarded-Host: other.example.com", 1},
		"forwarded host":               {trusting, good, "X-Forwarded-Host: other.example.com", 2},
		"forwarded scheme":             {trusting, good, "X-Forwarded-Proto: http", 2},
		"good, with trusted headers":   {trusting, good, "Referer: https://example.com/", 1},
		"good, and then another one":   {a, good, "Authorization: Bearer " + a.Clerk.Token(clerktest.Claims{Subject: "user_2"}), 2},
		"bad, with a forwarded header": {a, "x", "X-Forwarded-Host: other.example.com", 1},
	} {
		harness.Serve(tt.app.Optional(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			harness.Headers(tt.header)(r)
			tt.app.Require(harness.Greet).ServeHTTP(w, r)
		})), harness.Request("GET", "/", harness.WithBearer(tt.token)))
		if got := len(tt.app.Events()); got != tt.want {
			t.Errorf("%s: %d decisions, want %d", name, got, tt.want)
		}
	}
}

// Several lines are several values, wherever a space or a quote stands.
func TestLinesAreNotJoined(t *testing.T) {
	a := harness.NewApp(t)
	for _, lines := range [][2][]string{{{"a=1 b", "c"}, {"a=1", "b c"}}, {{`a" "b`, "c"}, {"a", `b" "c`}}, {{"a", ""}, {"", "a"}}} {
		r := harness.Request("GET", "/")
		r.Header["Cookie"] = lines[0]
		harness.Serve(a.Optional(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header["Cookie"] = lines[1]
			a.Optional(harness.Greet).ServeHTTP(w, r)
		})), r)
		if got := len(a.Events()); got != 2 {
			t.Errorf("%q and %q: %d decisions, want 2", lines[0], lines[1], got)
		}
	}
}

// A request that a handler makes itself, with the context of the one it serves, is another request.
func TestRequestsOfHandlersAreTheirOwn(t *testing.T) {
	a := harness.NewApp(t)
	h := a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inner, err := http.NewRequestWithContext(r.Context(), http.MethodGet, "https://example.com/", nil)
		if err != nil {
			t.Fatal(err)
		}
		a.Require(harness.Greet).ServeHTTP(w, inner)
	}))
	if w := harness.Serve(h, harness.Request("GET", "/", a.SignedIn())); w.Code != http.StatusUnauthorized {
		t.Errorf("got %d, want 401", w.Code)
	}
}
