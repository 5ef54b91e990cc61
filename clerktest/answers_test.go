package clerktest_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/clerktest"
)

// unfollowed sends a browser with these cookies to a handshake and returns the redirect, without
// following it.
func unfollowed(t *testing.T, in *clerktest.Instance, jar http.CookieJar, query url.Values) answer {
	t.Helper()
	target := in.URL(clerktest.FrontendHandshake) + "?" + query.Encode()
	return exchange(t, in, jar, http.MethodGet, target, "", nil)
}

// exchange sends one request and follows no redirect.
func exchange(t *testing.T, in *clerktest.Instance, jar http.CookieJar, method, target, body string, header http.Header) answer {
	t.Helper()
	client := http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if c := in.Config().HTTPClient; c != nil {
		client.Transport = c.Transport
	}
	r, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		r.Header = header
	}
	return read(t, &client, r)
}

// byHandshake returns the parameters that the library sends, followed by more.
func byHandshake(redirect string, more ...string) url.Values {
	q := url.Values{"redirect_url": {redirect}, "suffixed_cookies": {"false"}, "__clerk_hs_reason": {"x"}}
	for pair := range slices.Chunk(more, 2) {
		q.Set(pair[0], pair[1])
	}
	return q
}

func newJar(t *testing.T) http.CookieJar {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return jar
}

// carried returns the value of a handshake's result: of a cookie in production, of the query in
// development.
func carried(t *testing.T, a answer, name string, live bool) string {
	t.Helper()
	if a.status != http.StatusTemporaryRedirect || a.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("got %d %s %s, want 307 and no-store", a.status, a.header, a.body)
	}
	location, err := url.Parse(a.header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	byQuery := location.Query().Get(name)
	i := slices.IndexFunc(cookiesOf(t, a.header["Set-Cookie"]), func(c *http.Cookie) bool { return c.Name == name })
	if !live {
		if i >= 0 || byQuery == "" {
			t.Fatalf("%s by cookie %t, by query %q; want it in the query alone", name, i >= 0, byQuery)
		}
		return byQuery
	}
	if i < 0 || byQuery != "" {
		t.Fatalf("%s by cookie %t, by query %q; want it in a cookie alone", name, i >= 0, byQuery)
	}
	c := cookiesOf(t, a.header["Set-Cookie"])[i]
	if c.Domain != "example.com" || !c.Secure || !c.HttpOnly || c.Path != "/" || c.MaxAge <= 0 {
		t.Errorf("cookie %s, want one of all of example.com for a while", c)
	}
	return c.Value
}

func cookiesOf(t *testing.T, directives []string) []*http.Cookie {
	t.Helper()
	var cookies []*http.Cookie
	for _, d := range directives {
		c, err := http.ParseSetCookie(d)
		if err != nil {
			t.Fatalf("Set-Cookie %q: %v", d, err)
		}
		cookies = append(cookies, c)
	}
	return cookies
}

// payload exchanges a nonce, as the library does.
func payload(t *testing.T, in *clerktest.Instance, nonce string) (directives []string, status int) {
	t.Helper()
	target := in.URL(clerktest.BackendHandshake) + "?nonce=" + url.QueryEscape(nonce)
	a := exchange(t, in, nil, http.MethodGet, target, "", http.Header{"Authorization": {"Bearer " + in.SecretKey()}})
	var body struct {
		Directives []string `json:"directives"`
	}
	if a.status == http.StatusOK {
		decode(t, string(a.body), &body)
	}
	return body.Directives, a.status
}

// directivesOf completes a handshake, in either format.
func directivesOf(t *testing.T, in *clerktest.Instance, jar http.CookieJar, format string, live bool, more ...string) []*http.Cookie {
	t.Helper()
	page := in.Config().AuthorizedParties[0] + "/page?a=1"
	a := unfollowed(t, in, jar, byHandshake(page, append(more, "format", format)...))
	if format == "nonce" {
		directives, status := payload(t, in, carried(t, a, "__clerk_handshake_nonce", live))
		if status != http.StatusOK {
			t.Fatalf("payload: got %d, want 200", status)
		}
		return cookiesOf(t, directives)
	}
	token := carried(t, a, "__clerk_handshake", live)
	if !verifies(t, token, published(t, mustAsk(t, in, clerktest.FrontendJWKS))) {
		t.Error("the handshake token does not verify")
	}
	header, body, _ := parts(t, token)
	if !strings.Contains(header, `"cat":"cl_B7d4PD111AAA"`) {
		t.Errorf("header %s, want the session category", header)
	}
	var claims struct {
		Handshake []string `json:"handshake"`
	}
	decode(t, body, &claims)
	return cookiesOf(t, claims.Handshake)
}
