package clerktest_test

import (
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// round sends a browser with these cookies through a handshake and returns the answer, unfollowed.
func round(t *testing.T, in *clerktest.Instance, jar http.CookieJar, query url.Values) answer {
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

// byHandshake are the parameters that the library sends, and more in turn.
func byHandshake(redirect string, more ...string) url.Values {
	q := url.Values{"redirect_url": {redirect}, "suffixed_cookies": {"false"}, "__clerk_hs_reason": {"x"}}
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
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

// carried is the value that a handshake sent back, by cookie in production and by query in development.
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
			t.Fatalf("%q: %v", d, err)
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

// directivesOf runs a handshake to its end, in either format.
func directivesOf(t *testing.T, in *clerktest.Instance, jar http.CookieJar, format string, live bool, more ...string) []*http.Cookie {
	t.Helper()
	page := in.Config().AuthorizedParties[0] + "/page?a=1"
	a := round(t, in, jar, byHandshake(page, append(more, "format", format)...))
	if format == "nonce" {
		directives, status := payload(t, in, carried(t, a, "__clerk_handshake_nonce", live))
		if status != http.StatusOK {
			t.Fatalf("payload: %d", status)
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

// TestHandshakeSignedIn looks at every directive of every kind of instance and format.
func TestHandshakeSignedIn(t *testing.T) {
	for _, tt := range handshakeKinds() {
		t.Run(tt.name, func(t *testing.T) {
			in := clerktest.New(t, clerktest.Options{Development: !tt.live, Now: atNoon, TokenLifetime: 7 * time.Second})
			jar := newJar(t)
			s := in.SignIn(devJar(jar, tt.live), clerktest.Person{Claims: clerktest.Claims{Subject: "user_2alice"}})
			var more []string
			if !tt.live {
				more = []string{"__clerk_db_jwt", devToken(t, s)}
			}
			got := directivesOf(t, in, jar, tt.format, tt.live, more...)
			names := map[string]*http.Cookie{}
			for _, c := range got {
				names[strings.SplitN(c.Name, "_"+suffixOf(t, in), 2)[0]] = c
				if c.Secure != tt.live || c.Path != "/" || c.MaxAge <= 0 {
					t.Errorf("%s: want Secure %t, Path=/ and some age", c, tt.live)
				}
			}
			if want := tt.count; len(got) != want {
				t.Errorf("%d directives, want %d: %v", len(got), want, got)
			}
			_, body, _ := parts(t, names["__session"].Value)
			var claims struct {
				Azp, Sid, Sub, Iss string
				Exp, Iat           int64
			}
			decode(t, body, &claims)
			if claims.Azp != in.Config().AuthorizedParties[0] || claims.Sid != s.ID || claims.Sub != "user_2alice" || claims.Exp-claims.Iat != 7 {
				t.Errorf("token %s, want session %s for %s, good for 7 s", body, s.ID, in.Config().AuthorizedParties[0])
			}
			if names["__session"].Domain != "" || names["__session"].HttpOnly {
				t.Errorf("__session is %+v, want it for this host and its scripts", names["__session"])
			}
			if want := map[bool]string{true: "example.com"}[tt.live]; names["__client_uat"].Value != "1772625600" || names["__client_uat"].Domain != want {
				t.Errorf("__client_uat is %s, want noon and Domain %q", names["__client_uat"], want)
			}
			if c := names["__refresh"]; !c.HttpOnly || c.Value == "" || c.Name == "__refresh" {
				t.Errorf("refresh cookie %s, want it HttpOnly and with the suffix", c)
			}
		})
	}
}

type handshakeKind struct {
	name, format string
	live         bool
	count        int // of directives when signed in: three pairs and a refresh cookie, less one pair in production
}

func handshakeKinds() []handshakeKind {
	return []handshakeKind{
		{"production, nonce", "nonce", true, 5},
		{"production, token", "", true, 5},
		{"development, nonce", "nonce", false, 7},
		{"development, token", "", false, 7},
	}
}

// devJar is no jar in development, where the token of the query alone must do.
func devJar(jar http.CookieJar, live bool) http.CookieJar {
	if !live {
		return nil
	}
	return jar
}

func devToken(t *testing.T, s *clerktest.BrowserSession) string {
	t.Helper()
	for _, c := range s.Cookies() {
		if c.Name == "__clerk_db_jwt" {
			return c.Value
		}
	}
	t.Fatal("the session has no __clerk_db_jwt")
	return ""
}

// suffixOf is read from the cookies themselves; TestCookieSuffix has what it must be.
func suffixOf(t *testing.T, in *clerktest.Instance) string {
	t.Helper()
	return strings.TrimPrefix(in.Cookies(in.Token(clerktest.Claims{}))[1].Name, "__session_")
}

func TestHandshakeSignedOut(t *testing.T) {
	for _, tt := range handshakeKinds() {
		t.Run(tt.name, func(t *testing.T) {
			in := clerktest.New(t, clerktest.Options{Development: !tt.live, Now: atNoon})
			jar := newJar(t)
			in.SignIn(jar, clerktest.Person{}).SignOut()
			zero := 0
			for _, c := range directivesOf(t, in, jar, tt.format, tt.live) {
				switch {
				case strings.HasPrefix(c.Name, "__client_uat"):
					zero++
					if c.Value != "0" || c.MaxAge <= 0 {
						t.Errorf("%s, want 0", c)
					}
				case strings.HasPrefix(c.Name, "__clerk_db_jwt"):
					if c.Value == "" || tt.live {
						t.Errorf("%s, want the browser's token, and in development only", c)
					}
				case c.Value != "" || c.MaxAge >= 0:
					t.Errorf("%s, want a deletion", c)
				}
			}
			if zero != 2 {
				t.Errorf("%d __client_uat, want both", zero)
			}
		})
	}
}

func TestNoncesAreGoodOnceAndShortly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := clerktest.New(t, clerktest.Options{})
		nonce := func() string {
			return carried(t, round(t, in, newJar(t), byHandshake("https://example.com/", "format", "nonce")), "__clerk_handshake_nonce", true)
		}
		first := nonce()
		for i, want := range []int{http.StatusOK, http.StatusNotFound} {
			if _, got := payload(t, in, first); got != want {
				t.Errorf("exchange %d: got %d, want %d", i+1, got, want)
			}
		}
		late := nonce()
		time.Sleep(time.Minute)
		if _, got := payload(t, in, late); got != http.StatusNotFound {
			t.Errorf("after a minute: got %d, want 404", got)
		}
		for _, made := range []string{"", "ABCDEFGHIJKLMNOP"} {
			if _, got := payload(t, in, made); got != http.StatusNotFound {
				t.Errorf("nonce %q: got %d, want 404", made, got)
			}
		}
	})
}

func TestBrowsersAreSentToTheOriginsOnly(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{Origins: []string{"https://example.com", "http://localhost:3000"}})
	tests := map[string]bool{
		"https://example.com": true, "https://example.com/a?b#c": true, "http://localhost:3000/": true, "https://EXAMPLE.com/": true,
		"": false, "/": false, "//example.com": false, "http://example.com/": false, "https://example.com:8443/": false,
		"https://evil.example/": false, "https://example.com.evil.example/": false, "https://x@example.com/": false,
		"https://example.com@evil.example/": false, "javascript:alert(1)": false, "https:example.com": false, "https://example.com\\@evil.example/": false,
	}
	for target, want := range tests {
		a := round(t, in, newJar(t), byHandshake(target))
		if got := a.status == http.StatusTemporaryRedirect; got != want || !got && (a.status != http.StatusBadRequest || a.header.Get("Location") != "") {
			t.Errorf("redirect_url %q: got %d to %q, want a redirect %t", target, a.status, a.header.Get("Location"), want)
		}
		if target == "" {
			continue // the portal has a default
		}
		for _, page := range []clerktest.Endpoint{clerktest.SignInPage, clerktest.SignOutPage} {
			a := exchange(t, in, newJar(t), http.MethodGet, in.URL(page)+"?redirect_url="+url.QueryEscape(target), "", nil)
			if got := a.status == http.StatusOK; got != want {
				t.Errorf("%s for %q: got %d, want a page %t", page, target, a.status, want)
			}
		}
	}
}

func TestDevelopmentKeepsTheRestOfTheAddress(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{Development: true})
	a := round(t, in, newJar(t), byHandshake("http://localhost:3000/a%2Fb?x=1&__clerk_handshake=old&y=~%20", "format", "token"))
	location, err := url.Parse(a.header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	q := location.Query()
	if location.EscapedPath() != "/a%2Fb" || q.Get("x") != "1" || q.Get("y") != "~ " || len(q["__clerk_handshake"]) != 1 || q.Get("__clerk_handshake") == "old" {
		t.Errorf("sent to %q", location)
	}
}

// TestDevelopmentKnowsBrowsersByTokenThenCookie has two browsers, of which only the first has a session.
func TestDevelopmentKnowsBrowsersByTokenThenCookie(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{Development: true})
	mine, empty := newJar(t), newJar(t)
	token := devToken(t, in.SignIn(mine, clerktest.Person{}))
	tests := []struct {
		name   string
		jar    http.CookieJar
		token  string
		signed bool
	}{
		{"token", empty, token, true},
		{"cookie", mine, "", true},
		{"cookie, and a token of nobody", mine, "dvb_2clerktest", true},
		{"nothing", newJar(t), "", false},
	}
	for _, tt := range tests {
		cookies := directivesOf(t, in, tt.jar, "nonce", false, "__clerk_db_jwt", tt.token)
		signed, handed := false, ""
		for _, c := range cookies {
			signed = signed || c.Name == "__session" && c.Value != ""
			if c.Name == "__clerk_db_jwt" {
				handed = c.Value
			}
		}
		if signed != tt.signed || (handed == token) != tt.signed || handed == "" {
			t.Errorf("%s: signed in %t with token %q, want %t", tt.name, signed, handed, tt.signed)
		}
	}
}

func TestHandshakeActivatesAnOrganization(t *testing.T) {
	acme, other := clerkauth.Organization{ID: "org_a", Slug: "acme", Role: "org:admin"}, clerkauth.Organization{ID: "org_b", Slug: "bees", Role: "org:member"}
	in := clerktest.New(t, clerktest.Options{})
	jar := newJar(t)
	in.SignIn(jar, clerktest.Person{
		Claims:        clerktest.Claims{Organization: acme, Permissions: []string{"org:teams:read"}},
		Organizations: []clerkauth.Organization{other},
	})
	for _, step := range []struct{ organization, want string }{
		{"bees", `{"id":"org_b","rol":"member","slg":"bees"}`},
		{"org_nobody", `{"id":"org_b","rol":"member","slg":"bees"}`}, // not a member: nothing changes
		{"", `null`},
		{"org_b", `{"id":"org_b","rol":"member","slg":"bees"}`},
		{"acme", `{"fpm":"1","id":"org_a","per":"read","rol":"admin","slg":"acme"}`},
	} {
		for _, c := range directivesOf(t, in, jar, "nonce", true, "organization_id", step.organization) {
			if c.Name != "__session" {
				continue
			}
			var claims struct{ O json.RawMessage }
			_, body, _ := parts(t, c.Value)
			decode(t, body, &claims)
			if got := string(claims.O); got != step.want && (got != "" || step.want != "null") {
				t.Errorf("organization_id %q: active is %s, want %s", step.organization, got, step.want)
			}
		}
	}
}

func TestSessionClaimsCanLackAzp(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{})
	jar := newJar(t)
	s := in.SignIn(jar, clerktest.Person{})
	azp := func() bool {
		for _, c := range directivesOf(t, in, jar, "nonce", true) {
			if c.Name == "__session" {
				_, body, _ := parts(t, c.Value)
				return strings.Contains(body, `"azp":"https://example.com"`)
			}
		}
		t.Fatal("no session")
		return false
	}
	if !azp() {
		t.Error("no azp at first")
	}
	s.SetClaims(clerktest.Claims{Extra: map[string]any{"azp": clerktest.Absent}})
	if azp() {
		t.Error("azp although it was taken out")
	}
}

func TestWithoutRefreshThereIsNoRefreshCookie(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{WithoutRefresh: true})
	for _, c := range in.SignIn(nil, clerktest.Person{}).Cookies() {
		if strings.HasPrefix(c.Name, "__refresh") {
			t.Errorf("got %s", c.Name)
		}
	}
}

func TestBrowserSessionsAreTheLiveOnes(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{})
	a, b := in.SignIn(nil, clerktest.Person{}), in.SignIn(nil, clerktest.Person{})
	if got := in.BrowserSessions(); len(got) != 2 || got[0] != a || got[1] != b || a.ID == b.ID {
		t.Errorf("got %v, want both, each with an ID of its own", got)
	}
	a.SignOut()
	a.SignOut()
	if got := in.BrowserSessions(); len(got) != 1 || got[0] != b {
		t.Errorf("got %v, want the second", got)
	}
	jar := newJar(t)
	in.SignIn(jar, clerktest.Person{})
	last := in.SignIn(jar, clerktest.Person{})
	if got := in.BrowserSessions(); len(got) != 2 || got[1] != last {
		t.Errorf("got %v, want one session for each browser", got)
	}
}
