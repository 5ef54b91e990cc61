package clerkauth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// browserCookies has the cookies of an honest browser, by the names that clerktest gives them.
type browserCookies struct {
	session, suffixed string // names of the session cookies
	uat, suffixedUAT  string
	token, updated    string
	subdomainToken    string // a token that was issued for a sibling subdomain
}

func newBrowserCookies(a *harness.App) browserCookies {
	j := browserCookies{token: a.Clerk.Token(clerktest.Claims{}), subdomainToken: a.Clerk.Token(clerktest.Claims{AuthorizedParty: "https://blog.example.com"})}
	for _, c := range a.Clerk.Cookies(j.token) {
		switch {
		case c.Name == "__session":
			j.session = c.Name
		case c.Name == "__client_uat":
			j.uat, j.updated = c.Name, c.Value
		case strings.HasPrefix(c.Name, "__session_"):
			j.suffixed = c.Name
		case strings.HasPrefix(c.Name, "__client_uat_"):
			j.suffixedUAT = c.Name
		}
	}
	return j
}

// both returns the Cookie header of an honest browser, with more pairs before it.
func (j browserCookies) both(before ...string) harness.Edit {
	honest := []string{j.session + "=" + j.token, j.suffixed + "=" + j.token, j.uat + "=" + j.updated, j.suffixedUAT + "=" + j.updated}
	return harness.With("Cookie", strings.Join(append(before, honest...), "; "))
}

func TestReadingCookies(t *testing.T) {
	a := harness.NewApp(t)
	j := newBrowserCookies(a)
	t1, uat := "__session="+j.token, "__client_uat="+j.updated
	const (
		missing = clerkauth.ReasonSessionTokenAndUATMissing
		noToken = clerkauth.ReasonUATWithoutSessionToken
		noUAT   = clerkauth.ReasonSessionTokenWithoutUAT
		invalid = clerkauth.ReasonTokenInvalid
	)
	encoded := strings.ReplaceAll(j.token, ".", "%2E")
	for _, tc := range []struct {
		name   string
		cookie []string // header lines
		want   clerkauth.Reason
	}{
		{"plain", []string{t1 + "; " + uat}, ""},
		{"in the other order", []string{uat + "; " + t1}, ""},
		{"without spaces", []string{t1 + ";" + uat}, ""},
		{"with spaces around", []string{" __session = " + j.token + " ;\t" + uat + " "}, ""},
		{"in two lines", []string{t1, uat}, ""},
		{"among others", []string{"a=b; " + t1 + "; c; =d; e==f; " + uat + "; g="}, ""},
		{"suffixed", []string{j.suffixed + "=" + j.token + "; " + j.suffixedUAT + "=" + j.updated}, ""},
		{"both", []string{t1 + "; " + uat + "; " + j.suffixed + "=" + j.token + "; " + j.suffixedUAT + "=" + j.updated}, ""},
		{"percent-encoded", []string{"__session=" + encoded + "; " + uat}, ""},
		{"percent-encoded lower case", []string{"__session=" + strings.ReplaceAll(j.token, ".", "%2e") + "; " + uat}, ""},
		{"half percent-encoded", []string{"__session=" + j.token + "%2; " + uat}, invalid},

		{"none", nil, missing},
		{"empty line", []string{""}, missing},
		{"only separators", []string{";;; ; =; =="}, missing},
		{"empty session", []string{"__session=; " + uat}, noToken},
		{"no session", []string{uat}, noToken},
		{"no uat", []string{t1}, noUAT},
		{"empty uat", []string{t1 + "; __client_uat="}, noUAT},
		{"uat that says signed out", []string{t1 + "; __client_uat=0"}, noUAT},
		{"uat of letters", []string{t1 + "; __client_uat=never"}, noUAT},
		{"uat before the token", []string{t1 + "; __client_uat=1"}, ""},
		{"uat after the token", []string{t1 + "; __client_uat=" + strconv.FormatInt(harness.Noon.Unix()+1, 10)}, clerkauth.ReasonTokenBeforeUAT},
		{"uat after the token, hexadecimal", []string{t1 + "; __client_uat=" + fmt.Sprintf("%#X", harness.Noon.Unix()|0xff)}, clerkauth.ReasonTokenBeforeUAT},
		{"uat after the token, hexadecimal in lower case", []string{t1 + "; __client_uat=" + fmt.Sprintf("%#x", harness.Noon.Unix()|0xff)}, clerkauth.ReasonTokenBeforeUAT},
		{"uat of the other name", []string{t1 + "; " + j.suffixedUAT + "=" + j.updated}, noUAT},

		{"an empty duplicate first", []string{"__session=; " + t1 + "; " + uat}, ""},
		{"many empty duplicates first", []string{strings.Repeat("__session=; ", 20) + t1 + "; " + uat}, ""},
		{"an empty duplicate last", []string{t1 + "; __session=; " + uat}, ""},
		{"quoted", []string{`__session="` + j.token + `"; ` + uat}, invalid},
		{"a separator in quotes", []string{`x="; ` + t1 + `; ` + uat + `"`}, ""},
		{"a pair in a percent-encoded value", []string{"x=1%3B%20__session%3D" + j.token + "%3B%20__client_uat=" + j.updated}, missing},
		{"another case", []string{"__SESSION=" + j.token + "; " + uat}, noToken},
		{"a longer name", []string{"__session_=" + j.token + "; " + uat}, noToken},
		{"a suffix of another instance", []string{"__session_AAAAAAAA=" + j.token + "; " + uat}, noToken},
		{"a percent-encoded name", []string{"%5F_session=" + j.token + "; " + uat}, noToken},
		{"a nameless cookie", []string{"=__session=" + j.token + "; " + uat}, noToken},
		{"a no-break space before the name", []string{"\u00a0__session=" + j.token + "; " + uat}, noToken},
		{"an ideographic space before the name", []string{"\u3000__session=" + j.token + "; " + uat}, noToken},
		{"a line separator before the name", []string{"\u2028__session=" + j.token + "; " + uat}, noToken},
		{"a vertical tab before the name", []string{"\v__session=" + j.token + "; " + uat}, noToken},
		{"a prefix", []string{"__Host-__session=" + j.token + "; " + uat}, noToken},
		{"no value", []string{"__session; " + uat}, noToken},
		{"commas", []string{t1 + ", " + uat}, missing},
	} {
		r := harness.Request("POST", "/", harness.With("Cookie", tc.cookie...))
		if got := harness.Reason(t, a.AuthenticateRequest(r)); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

// A sibling subdomain can plant cookies of the same name before or after an honest one. The honest
// user stays signed in.
func TestPlantedCookies(t *testing.T) {
	a := harness.NewApp(t)
	other := harness.NewApp(t)
	j := newBrowserCookies(a)
	later := func(c clerktest.Claims) clerktest.Claims {
		c.IssuedAt, c.ExpiresAt = harness.Noon.Add(4*time.Second), harness.Noon.Add(time.Minute)
		return c
	}
	for name, planted := range map[string]string{
		"garbage":                       "garbage",
		"dots":                          "..",
		"huge":                          strings.Repeat("a", 9000),
		"a machine token":               "mt_0123456789",
		"forged":                        a.Clerk.Forge(clerktest.Claims{}),
		"forged and newer":              a.Clerk.Forge(later(clerktest.Claims{})),
		"of a sibling subdomain":        j.subdomainToken,
		"newer, of a sibling subdomain": a.Clerk.Token(later(clerktest.Claims{AuthorizedParty: "https://blog.example.com"})),
		"of another instance":           other.Clerk.Token(clerktest.Claims{Issuer: "https://clerk.other.example"}),
		"of another key":                other.Clerk.Token(later(clerktest.Claims{})),
		"without azp":                   a.Clerk.Token(later(clerktest.Claims{Extra: map[string]any{"azp": clerktest.Absent}})),
		"expired":                       a.Clerk.Token(clerktest.Claims{ExpiresAt: harness.Noon.Add(-time.Hour), SessionID: "sess_planted", Subject: "user_planted"}),
		"from the future":               a.Clerk.Token(clerktest.Claims{IssuedAt: harness.Noon.Add(time.Hour), SessionID: "sess_planted", Subject: "user_planted"}),
		"with no algorithm":             a.Clerk.Token(clerktest.Claims{Header: map[string]any{"alg": "none"}}),
	} {
		for _, slot := range []string{j.session, j.suffixed} {
			before, after := j.both(slot+"="+planted), harness.Request("POST", "/", j.both()).Header.Get("Cookie")+"; "+slot+"="+planted
			for where, carry := range map[string]harness.Edit{"before": before, "after": harness.With("Cookie", after)} {
				state := a.AuthenticateRequest(harness.Request("POST", "/", carry))
				if got := harness.Reason(t, state); got != "" || state.Session.UserID != "user_2clerktest" {
					t.Errorf("%s as %.9s %s: got %q, want the honest user", name, slot, where, got)
				}
			}
		}
	}
}

// If a planted cookie replaces the honest one of one name, the honest one of the other name remains.
func TestPlantedInOneOfTwoNames(t *testing.T) {
	a := harness.NewApp(t)
	j := newBrowserCookies(a)
	for name, planted := range map[string]string{"garbage": "garbage", "forged": a.Clerk.Forge(clerktest.Claims{}), "of a sibling subdomain": j.subdomainToken} {
		for _, cookie := range []string{
			j.session + "=" + planted + "; " + j.suffixed + "=" + j.token,
			j.session + "=" + j.token + "; " + j.suffixed + "=" + planted,
		} {
			r := harness.Request("POST", "/", harness.With("Cookie", cookie+"; "+j.uat+"="+j.updated+"; "+j.suffixedUAT+"="+j.updated))
			if got := harness.Reason(t, a.AuthenticateRequest(r)); got != "" {
				t.Errorf("%s in %.20q…: got %q, want signed in", name, cookie, got)
			}
		}
	}
}

// If two sessions are valid, it is unclear which one counts, so neither does.
func TestSeveralValidSessionsAreAmbiguous(t *testing.T) {
	a := harness.NewApp(t)
	j := newBrowserCookies(a)
	second := a.Clerk.Token(clerktest.Claims{SessionID: "sess_other", Subject: "user_other"})
	renewed := a.Clerk.Token(clerktest.Claims{IssuedAt: harness.Noon.Add(2 * time.Second)})
	for name, tc := range map[string]struct {
		cookie string
		want   clerkauth.Reason
	}{
		"another session, plain":          {j.session + "=" + second, clerkauth.ReasonSessionTokenAmbiguous},
		"another session, suffixed":       {j.suffixed + "=" + second, clerkauth.ReasonSessionTokenAmbiguous},
		"the same session, renewed":       {j.session + "=" + renewed, ""},
		"the same token again":            {j.session + "=" + j.token, ""},
		"the same token, percent-spelled": {j.session + "=" + strings.ReplaceAll(j.token, ".", "%2e"), ""},
	} {
		a.Authenticator = harness.NewAppOf(t, a.Clerk).Authenticator
		for _, keys := range []string{"not there yet", "there"} {
			if got := harness.Reason(t, a.AuthenticateRequest(harness.Request("POST", "/", j.both(tc.cookie)))); got != tc.want {
				t.Errorf("%s, the keys %s: got %q, want %q", name, keys, got, tc.want)
			}
		}
	}
}

// However many cookies are sent, only few are read and fewer verified: the cost of a request is bounded.
func TestManyCookiesAreBoundedWork(t *testing.T) {
	var calls int
	a := harness.NewApp(t, func(c *clerkauth.Config) {
		c.AuthorizedParties = nil
		c.TokenCacheSize = -1
		c.AllowParty = func(_ context.Context, origin, _ string) bool { calls++; return origin == "https://example.com" }
	})
	j := newBrowserCookies(a)
	var planted []string
	for i := range 20 {
		planted = append(planted, "__session="+a.Clerk.Token(clerktest.Claims{AuthorizedParty: "https://a" + strconv.Itoa(i) + ".example.com"}))
	}
	calls = 0
	state := a.AuthenticateRequest(harness.Request("POST", "/", harness.With("Cookie", strings.Join(planted, "; ")+"; __client_uat="+j.updated)))
	if got := harness.Reason(t, state); got == "" {
		t.Error("signed in by a token of a sibling subdomain")
	}
	// AllowParty is called once for each token with a valid signature.
	if calls > 4 {
		t.Errorf("got %d of 20 planted cookies verified, want at most 4", calls)
	}
	// Values that cannot be a token do not count towards the limit, however many there are.
	garbage := "__session=" + strings.Repeat("garbage; __session=", 1000)
	if got := harness.Reason(t, a.AuthenticateRequest(harness.Request("POST", "/", harness.With("Cookie", garbage+j.token+"; __client_uat="+j.updated)))); got != "" {
		t.Errorf("an honest cookie behind many malformed ones: got %q, want signed in", got)
	}
	// At most 64 tokens are read.
	for n, want := range map[int]clerkauth.Reason{63: "", 64: clerkauth.ReasonSessionTokenAmbiguous} {
		old := "__session=" + a.Clerk.Token(clerktest.Claims{IssuedAt: harness.Noon.Add(-time.Hour)})
		cookies := strings.Repeat(old+"; ", n) + "__session=" + j.token + "; __client_uat=" + j.updated
		if got := harness.Reason(t, a.AuthenticateRequest(harness.Request("POST", "/", harness.With("Cookie", cookies)))); got != want {
			t.Errorf("an honest cookie behind %d others: got %q, want %q", n, got, want)
		}
	}
}

// Which of the two pairs of cookies counts if both are valid, or neither is.
func TestPlainAndSuffixed(t *testing.T) {
	a := harness.NewApp(t)
	j := newBrowserCookies(a)
	older := a.Clerk.Token(clerktest.Claims{IssuedAt: harness.Noon.Add(-20 * time.Second)})
	for name, tc := range map[string]struct {
		cookies []string
		want    string // sid or reason
	}{
		"suffixed alone":                    {[]string{j.suffixed + "=" + j.token, j.suffixedUAT + "=" + j.updated}, ""},
		"suffixed token beside a plain uat": {[]string{j.suffixed + "=" + j.token, j.uat + "=" + j.updated}, string(clerkauth.ReasonUATWithoutSessionToken)},
		"signed out by suffix, in by plain": {[]string{j.session + "=" + j.token, j.uat + "=" + j.updated, j.suffixedUAT + "=0"}, ""},
		"signed out by both":                {[]string{j.session + "=" + j.token, j.suffixed + "=" + j.token, j.uat + "=0", j.suffixedUAT + "=0"}, string(clerkauth.ReasonSessionTokenWithoutUAT)},
		"plain is newer":                    {[]string{j.session + "=" + j.token, j.uat + "=" + j.updated, j.suffixed + "=" + older, j.suffixedUAT + "=1"}, ""},
		"suffixed is newer":                 {[]string{j.session + "=" + older, j.uat + "=1", j.suffixed + "=" + j.token, j.suffixedUAT + "=" + j.updated}, ""},
	} {
		if got := harness.Reason(t, a.AuthenticateRequest(harness.Request("POST", "/", harness.With("Cookie", strings.Join(tc.cookies, "; "))))); string(got) != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
	state := a.AuthenticateRequest(harness.Request("POST", "/", harness.With("Cookie", j.session+"="+older+"; "+j.uat+"=1; "+j.suffixed+"="+j.token+"; "+j.suffixedUAT+"=1")))
	if got := state.Token(); got != j.token {
		t.Error("the older of two tokens of one session counts, want the newer")
	}
}

// Without a publishable key there is no suffix, and what looks like one is ignored.
func TestSuffixedCookiesNeedAPublishableKey(t *testing.T) {
	a := harness.NewApp(t)
	j := newBrowserCookies(a)
	without := harness.NewAppOf(t, a.Clerk, func(c *clerkauth.Config) { c.PublishableKey, c.Issuers = "", []string{a.Clerk.Issuer()} })
	if got := harness.Reason(t, without.AuthenticateRequest(harness.Request("POST", "/", harness.With("Cookie", j.suffixed+"="+j.token+"; "+j.suffixedUAT+"="+j.updated)))); got != clerkauth.ReasonSessionTokenAndUATMissing {
		t.Errorf("suffixed: got %q, want %q", got, clerkauth.ReasonSessionTokenAndUATMissing)
	}
	if got := harness.Reason(t, without.AuthenticateRequest(harness.Request("POST", "/", j.both("=x", "_=x")))); got != "" {
		t.Errorf("plain: got %q, want signed in", got)
	}
}

// The same, with a cookie jar and a real server.
func TestCookiesThroughAServer(t *testing.T) {
	a := harness.NewApp(t)
	server := httptest.NewTLSServer(a.Require(harness.Greet))
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := server.Client()
	if client.Jar, err = cookiejar.New(nil); err != nil {
		t.Fatal(err)
	}
	client.Jar.SetCookies(u, a.Clerk.Cookies(a.Clerk.Token(clerktest.Claims{})))
	client.Jar.SetCookies(u, []*http.Cookie{{Name: "theme", Value: "dark", Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}})
	r, err := http.NewRequestWithContext(t.Context(), "POST", server.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("got %d %s, want 200", resp.StatusCode, resp.Header.Get("X-Clerk-Auth-Reason"))
	}
}
