package clerkauth_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// The issuer of a proxied Frontend API is its proxy: a path on the origins of the list, and on no other.
func TestIssuersOfAProxyPath(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{Now: func() time.Time { return harness.Noon }})
	calls := 0
	base := func(c *clerkauth.Config) {
		c.ProxyURL = "/__clerk/"
		c.AuthorizedParties = []string{"https://example.com", "https://*.preview.example.com", "chrome-extension://abcdef"}
		c.AllowParty = func(context.Context, string, string) bool { calls++; return true }
	}
	explicit := func(c *clerkauth.Config) { base(c); c.Issuers = []string{"https://clerk.example.com"} }
	elsewhere := func(c *clerkauth.Config) { base(c); c.ProxyURL = "https://example.com/__clerk" }
	none := func(c *clerkauth.Config) { base(c); c.ProxyURL = "" }
	for _, tc := range []struct {
		issuer string
		change func(*clerkauth.Config)
		want   bool
	}{
		{"https://example.com/__clerk", base, true},
		{"https://a.preview.example.com/__clerk", base, true},
		{"https://clerk.example.com", base, true},
		{"https://example.com/__clerk", elsewhere, true},
		{"https://example.com/__clerk/", base, false},
		{"https://example.com", base, false},
		{"http://example.com/__clerk", base, false},
		{"https://example.com:443/__clerk", base, false},
		{"https://EXAMPLE.com/__clerk", base, false},
		{"https://example.com//__clerk", base, false},
		{"https://example.com/x/__clerk", base, false},
		{"https://a.b.preview.example.com/__clerk", base, false},
		{"https://preview.example.com/__clerk", base, false},
		{"https://allowed.test/__clerk", base, false},
		{"chrome-extension://abcdef/__clerk", base, false},
		{"/__clerk", base, false},
		{"https://a.preview.example.com/__clerk", elsewhere, false},
		{"https://example.com/__clerk", explicit, false},
		{"https://example.com/__clerk", none, false},
		{"https://example.com", none, false},
	} {
		a := harness.NewAppOf(t, clerk, tc.change)
		calls = 0
		token := clerk.Token(clerktest.Claims{Extra: map[string]any{"iss": tc.issuer}})
		_, err := a.VerifyToken(t.Context(), token)
		if (err == nil) != tc.want {
			t.Errorf("%s: got %v, want accepted %t", tc.issuer, err, tc.want)
		}
		cookies := a.AuthenticateRequest(harness.Request("GET", "https://example.com/", a.WithCookies(token)))
		if (cookies.Status == clerkauth.StatusSignedIn) != tc.want {
			t.Errorf("%s in a cookie: got %v, want accepted %t", tc.issuer, cookies.Err, tc.want)
		}
		if calls != 0 {
			t.Errorf("%s: got %d calls of AllowParty, want 0", tc.issuer, calls)
		}
	}
	// A token of the usual issuer that has expired does not make it another instance's.
	beside := harness.NewAppOf(t, clerk, base)
	proxied := clerk.Cookies(clerk.Token(clerktest.Claims{Extra: map[string]any{"iss": "https://example.com/__clerk"}}))
	expired := clerk.Cookies(clerk.Token(clerktest.Claims{IssuedAt: harness.Noon.Add(-time.Hour)}))
	r := harness.Request("GET", "https://example.com/")
	for _, c := range append([]*http.Cookie{expired[1], proxied[1]}, proxied[2:]...) {
		r.AddCookie(c)
	}
	harness.WantState(t, beside.AuthenticateRequest(r), clerkauth.StatusSignedIn, "")
	local := harness.NewAppOf(t, clerktest.New(t, clerktest.Options{Development: true, Origins: []string{"http://localhost:3000"}}), func(c *clerkauth.Config) { c.ProxyURL = "/__clerk" })
	if _, err := local.VerifyToken(t.Context(), local.Clerk.Token(clerktest.Claims{Extra: map[string]any{"iss": "http://localhost:3000/__clerk"}})); err != nil {
		t.Errorf("an issuer on this machine: %v", err)
	}
}

// Clerk's own guide writes a satellite's local domain with its scheme.
func TestSatelliteDomainWithScheme(t *testing.T) {
	instances := map[string]*clerktest.Instance{
		"test": clerktest.New(t, clerktest.Options{Development: true}), "live": clerktest.New(t, clerktest.Options{}),
	}
	for domain, want := range map[string]struct{ test, live bool }{
		"satellite.test":          {true, true},
		"https://satellite.test":  {true, true},
		"http://localhost:3001":   {true, false},
		"http://127.0.0.1:3001":   {true, false},
		"http://[::1]:3001":       {true, false},
		"http://app.localhost":    {true, false},
		"https://localhost:3001":  {true, true},
		"localhost:3001":          {true, true},
		"http://satellite.test":   {false, false},
		"http://192.168.1.2:3001": {false, false},
		"http://localhost.test":   {false, false},
		"http://a@localhost:3001": {false, false},
		"http://localhost:3001/":  {true, false},
		"http://localhost:3001/a": {false, false},
		"http://localhost:3001?a": {false, false},
		"http://localhost:80":     {true, false},
		"http://LOCALHOST:3001":   {true, false},
		"Satellite.test":          {true, true},
		"satellite.test/":         {true, true},
		"satellite.test//":        {false, false},
		"satellite.test/a":        {false, false},
		"*.satellite.test":        {false, false},
		"tauri://satellite.test":  {false, false},
		"http://":                 {false, false},
		"https://":                {false, false},
		"://localhost":            {false, false},
		"ftp://localhost":         {false, false},
		"https://satellite.test/": {true, true},
	} {
		for name, clerk := range instances {
			harness.Setenv(t, map[string]string{
				"CLERK_PUBLISHABLE_KEY": clerk.PublishableKey(), "CLERK_AUTHORIZED_PARTIES": "https://satellite.test",
				"CLERK_SIGN_IN_URL": "https://primary.test/sign-in", "CLERK_IS_SATELLITE": "true", "CLERK_DOMAIN": domain,
			})
			_, err := clerkauth.New(harness.ConfigFromEnv(t))
			if ok := map[string]bool{"test": want.test, "live": want.live}[name]; (err == nil) != ok {
				t.Errorf("%s keys, %q: got %v, want accepted %t", name, domain, err, ok)
			}
			if err != nil && !strings.Contains(err.Error(), "Satellite.Domain (CLERK_DOMAIN)") {
				t.Errorf("%s keys, domain %q: %v does not name the field", name, domain, err)
			}
		}
	}
	live := newSatellite(t, false, func(c *clerkauth.Config) { c.Satellite.Domain = "https://Satellite.test/" })
	if to := sentTo(t, live.AuthenticateRequest(navigating(satelliteHome))); addressOf(to) != "https://clerk.satellite.test"+handshakePath {
		t.Errorf("sent to %v, want the satellite's own Frontend API", to)
	}
}

// White space around a value, such as the line break after a mounted secret, is ignored.
func TestWhiteSpaceAroundKeys(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{Now: func() time.Time { return harness.Noon }})
	for _, around := range [][2]string{{"", "\n"}, {"", "\r\n"}, {" \t", " "}, {"\n", "\n\n"}} {
		wrap := func(s string) string { return around[0] + s + around[1] }
		cfg := clerk.Config()
		cfg.PublishableKey, cfg.SecretKey, cfg.JWTKey = wrap(clerk.PublishableKey()), wrap(clerk.SecretKey()), wrap(clerk.JWTKey())
		harness.Setenv(t, map[string]string{
			"CLERK_PUBLISHABLE_KEY": wrap(clerk.PublishableKey()), "CLERK_SECRET_KEY": wrap(clerk.SecretKey()), "CLERK_JWT_KEY": wrap(clerk.JWTKey()),
			"CLERK_API_URL": wrap("https://api.clerk.com"), "CLERK_SIGN_IN_URL": wrap("https://accounts.example.com/sign-in"),
			"CLERK_PROXY_URL": wrap("/__clerk"), "CLERK_IS_SATELLITE": wrap("false"), "CLERK_DOMAIN": wrap("satellite.test"),
			"CLERK_AUTHORIZED_PARTIES": wrap("https://example.com"),
		})
		fromEnv := harness.ConfigFromEnv(t)
		fromEnv.Now = cfg.Now
		if fromEnv.SecretKey != clerk.SecretKey() || fromEnv.PublishableKey != clerk.PublishableKey() || fromEnv.SignInURL != "https://accounts.example.com/sign-in" {
			t.Errorf("white space %q: ConfigFromEnv does not trim its values", around)
		}
		for name, c := range map[string]clerkauth.Config{"Config": cfg, "ConfigFromEnv": fromEnv} {
			auth, err := clerkauth.New(c)
			if err != nil {
				t.Errorf("white space %q, %s: %v", around, name, err)
				continue
			}
			r := harness.Request("GET", "https://example.com/")
			r.AddCookie(clerk.Cookies(clerk.Token(clerktest.Claims{}))[1]) // the name with the suffix, which is the key's
			for _, cookie := range clerk.Cookies(clerk.Token(clerktest.Claims{}))[2:] {
				r.AddCookie(cookie)
			}
			if state := auth.AuthenticateRequest(r); state.Status != clerkauth.StatusSignedIn {
				t.Errorf("white space %q, %s: got %v, want signed in", around, name, state.Err)
			}
		}
	}
	// A value of only white space is a mistake, not an empty value: somebody meant to set it.
	for _, change := range []func(*clerkauth.Config){
		func(c *clerkauth.Config) { c.PublishableKey = "\n" },
		func(c *clerkauth.Config) { c.SecretKey = " " },
		func(c *clerkauth.Config) { c.JWTKey = "\n" },
	} {
		cfg := clerk.Config()
		change(&cfg)
		if _, err := clerkauth.New(cfg); err == nil {
			t.Error("New accepts a key of only white space")
		}
	}
	harness.Setenv(t, map[string]string{"CLERK_SECRET_KEY": "\n"})
	if harness.ConfigFromEnv(t).SecretKey == "" {
		t.Error("a variable of only white space is read as not set")
	}
}

// Another application's cookie of the same name causes no handshake, is sent nowhere and is not deleted.
func TestAnotherApplicationsSessionCookie(t *testing.T) {
	other := clerktest.New(t, clerktest.Options{Domain: "other.test", Now: func() time.Time { return harness.Noon }})
	a := harness.NewApp(t)
	_, suffix, _ := strings.Cut(a.Clerk.Cookies("x")[1].Name, "__session_")
	foreign := []string{"garbage", "a.b.c", "s%3Aabc.def", other.Token(clerktest.Claims{})}
	for _, value := range foreign {
		for _, uat := range []string{"", "; __client_uat=0", "; __client_uat=0; __client_uat_" + suffix + "=0"} {
			for _, name := range []string{"__session", "__session_" + suffix} {
				state := a.AuthenticateRequest(harness.Request("GET", "/", harness.Document, harness.Headers("Cookie: "+name+"="+value+uat)))
				harness.WantState(t, state, clerkauth.StatusSignedOut, nothingSent)
				if len(state.Header) != 0 {
					t.Errorf("%s=%.20s%s: got the header %v, want none", name, value, uat, state.Header)
				}
			}
		}
	}
	own := a.Clerk.Token(clerktest.Claims{})
	forged := a.Clerk.Forge(clerktest.Claims{})
	for name, cookie := range map[string]string{
		"a token of this instance":            "__session=" + own,
		"a forged one":                        "__session=" + forged,
		"both":                                "__session=garbage; __session_" + suffix + "=" + own,
		"somebody is signed in":               "__session=garbage; __client_uat=1",
		"somebody is signed in, the own name": "__session=garbage; __client_uat_" + suffix + "=1",
	} {
		state := a.AuthenticateRequest(harness.Request("GET", "/", harness.Document, harness.Headers("Cookie: "+cookie)))
		if got := harness.Reason(t, state); got == nothingSent || state.Status == clerkauth.StatusSignedIn {
			t.Errorf("%s: got %v %q, want a refusal of the cookie", name, state.Status, got)
		}
	}
	satellite := newSatellite(t, false)
	harness.WantState(t, satellite.AuthenticateRequest(navigating(satelliteHome, harness.Headers("Cookie: __session=garbage"))), clerkauth.StatusHandshake, needsSync)
}

// RFC 6750 section 2.1 has one or more spaces before the token.
func TestSpacesBeforeTheToken(t *testing.T) {
	a := harness.NewApp(t)
	token := a.Clerk.Token(clerktest.Claims{})
	for value, want := range map[string]clerkauth.Reason{
		"Bearer " + token:           "",
		"Bearer  " + token:          "",
		"bearer     " + token + " ": "",
		"Bearer  x":                 clerkauth.ReasonTokenInvalid,
		"Bearer\t" + token:          clerkauth.ReasonTokenInvalid,
		"Bearer \t" + token:         clerkauth.ReasonTokenInvalid,
		"Basic  " + token:           nothingSent,
		" " + token:                 "",
	} {
		if got := harness.Reason(t, a.AuthenticateRequest(harness.Request("GET", "/", harness.With("Authorization", value)))); got != want {
			t.Errorf("%.10q…: got %q, want %q", value, got, want)
		}
	}
}

// If the host is not on the list, nobody can be redirected to sign in: the response says so, and
// the detail says why.
func TestHostThatIsNotListed(t *testing.T) {
	const refused = clerkauth.ReasonRequestHostNotAuthorized
	for _, tc := range []struct {
		name    string
		change  func(*clerkauth.Config)
		edits   harness.Edit
		want    clerkauth.Reason
		details []string
	}{
		{"a page", harness.SignIn, harness.All(harness.Document, harness.Host("127.0.0.1:3000")), refused, []string{`"127.0.0.1:3000"`, "AuthorizedParties"}},
		{"a page without SignInURL", func(*clerkauth.Config) {}, harness.All(harness.Document, harness.Host("www.example.com")), refused, []string{`"www.example.com"`, "AuthorizedParties"}},
		{"a long host", harness.SignIn, harness.All(harness.Document, harness.Host(strings.Repeat("a.", 100)+"test")), refused, []string{`"` + strings.Repeat("a.", 32) + `"`}},
		{"an inner port", harness.SignIn, harness.All(harness.Document, harness.Host("example.com:8080")), refused, []string{`"example.com:8080"`, "behind a proxy"}},
		{"two forwarded hosts", trusting, harness.All(harness.Document, harness.Headers("X-Forwarded-Host: example.com", "X-Forwarded-Host: example.com")), refused, []string{`X-Forwarded-Host is "example.com, example.com"`}},
		{"a list of forwarded hosts", trusting, harness.All(harness.Document, harness.Headers("X-Forwarded-Host: example.com, inner.test")), refused, []string{`X-Forwarded-Host is "example.com, inner.test"`}},
		{"a forwarded host that is not listed", trusting, harness.All(harness.Document, harness.Headers("X-Forwarded-Host: inner.test")), refused, []string{`"inner.test"`, "AuthorizedParties"}},
		{"two forwarded hosts that are not trusted", func(*clerkauth.Config) {}, harness.All(harness.Document, harness.Headers("X-Forwarded-Host: a", "X-Forwarded-Host: b")), nothingSent, nil},
		{"an expired session", harness.SignIn, harness.All(harness.Document, harness.Host("other.test"), harness.Headers("Cookie: __client_uat=1")), refused, []string{`"other.test"`}},
		{"a script", harness.SignIn, harness.Host("other.test"), nothingSent, nil},
		{"a form", harness.SignIn, harness.All(harness.Document, harness.Host("other.test"), func(r *http.Request) { r.Method = "POST" }), refused, []string{`"other.test"`, "AuthorizedParties"}},
		{"a bearer token", harness.SignIn, harness.All(harness.Document, harness.Host("other.test"), harness.WithBearer("x.y.z")), clerkauth.ReasonTokenInvalid, nil},
		{"a listed host", func(*clerkauth.Config) {}, harness.Document, nothingSent, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got *clerkauth.Error
			a := harness.NewApp(t, tc.change, func(c *clerkauth.Config) {
				c.ErrorHandler = func(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
					got = err
					clerkauth.DefaultErrorHandler(w, r, err)
				}
			})
			for name, h := range map[string]http.Handler{"Require": a.Require(harness.Greet), "Require in Optional": a.Optional(a.Require(harness.Greet)), "Authorize": a.Authorize(clerkauth.Role("org:admin"))(harness.Greet)} {
				w := harness.Serve(h, harness.Request("GET", "/p", tc.edits))
				if got == nil || got.Reason != tc.want || (w.Code == http.StatusForbidden) != (tc.want == refused) || w.Header().Get("Location") != "" {
					t.Errorf("%s: got %v with %d, want %q without a redirect", name, got, w.Code, tc.want)
					continue
				}
				for _, want := range tc.details {
					if err := got.Unwrap(); err == nil || !strings.Contains(err.Error(), want) {
						t.Errorf("got the detail %v, want %s in it", err, want)
					}
				}
			}
		})
	}
	a := harness.NewApp(t, harness.SignIn)
	harness.WantState(t, a.AuthenticateRequest(harness.Request("GET", "/", harness.Document, harness.Host("other.test"))), clerkauth.StatusSignedOut, nothingSent)
	if w := harness.Serve(a.Optional(harness.Greet), harness.Request("GET", "/", harness.Document, harness.Host("other.test"))); w.Code != http.StatusOK {
		t.Errorf("Optional: got %d, want 200", w.Code)
	}
}

func trusting(c *clerkauth.Config) { c.TrustForwardedHeaders = true }
