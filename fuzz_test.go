package clerkauth_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// fuzzedApp is an instance with an application that has every option set that makes it read more of
// a request.
type fuzzedApp struct {
	auth    *clerkauth.Authenticator
	tokens  []string // honest: they may sign in
	words   *strings.Replacer
	origins []string // where a browser may be redirected
	cookies []string // what may be set
}

func newFuzzedApp(f *testing.F, development bool) *fuzzedApp {
	f.Helper()
	clerk := clerktest.New(f, clerktest.Options{
		Development: development, Now: harness.AtNoon,
		Origins: []string{"https://example.com", "http://localhost:3000"},
	})
	auth := harness.New(f, clerk, func(c *clerkauth.Config) {
		c.TrustForwardedHeaders = true
		c.OrganizationSync.OrganizationPatterns = []string{"/orgs/:slug/(.*)"}
	})
	h := &fuzzedApp{auth: auth, origins: []string{clerk.Issuer(), "https://example.com", "http://localhost:3000"}}
	h.tokens = []string{clerk.Token(clerktest.Claims{}), clerk.Token(clerktest.Claims{SessionID: "sess_2other"})}
	suffix := harness.Suffix(clerk)
	h.words = strings.NewReplacer(
		"$GOOD", h.tokens[0], "$OTHER", h.tokens[1], "$SUFFIX", suffix, "$FORGED", clerk.Forge(clerktest.Claims{}),
		"$OLD", clerk.Token(clerktest.Claims{IssuedAt: harness.Noon.Add(-time.Hour)}),
		"$NOAZP", clerk.Token(clerktest.Claims{Extra: map[string]any{"azp": clerktest.Absent}}),
		"$FOREIGN", clerk.Token(clerktest.Claims{AuthorizedParty: "https://evil.example.com"}),
	)
	for _, name := range []string{"__session", "__client_uat", "__refresh", "__clerk_db_jwt"} {
		h.cookies = append(h.cookies, name, name+"_"+suffix)
	}
	h.cookies = append(h.cookies, "__clerk_handshake", "__clerk_handshake_nonce", "__clerk_redirect_count")
	h.cookies = append(h.cookies, "clerkauth_tried", "__Host-clerkauth_tried", "clerkauth_handshake", "__Host-clerkauth_handshake")
	return h
}

func (h *fuzzedApp) check(t *testing.T, r *http.Request) {
	state := h.auth.AuthenticateRequest(r)
	if state.Status == clerkauth.StatusSignedIn && !slices.Contains(h.tokens, state.Token()) {
		t.Errorf("signed in with %q, which is none of the honest tokens", state.Token())
	}
	if (state.Status == clerkauth.StatusSignedIn) != (state.Session != nil) || (state.Status == clerkauth.StatusSignedIn) != (state.Err == nil) {
		t.Errorf("got status %s with session %v and error %v, want a session and no error exactly when signed in", state.Status, state.Session, state.Err)
	}
	if location := state.Header.Get("Location"); location != "" {
		u, err := url.Parse(location)
		if err != nil || u.User != nil || !slices.Contains(h.origins, u.Scheme+"://"+u.Host) {
			t.Errorf("redirected to %q, which is none of the allowed origins", location)
		}
	}
	for _, c := range state.Header["Set-Cookie"] {
		name, _, _ := strings.Cut(c, "=")
		party := strings.HasPrefix(strings.TrimPrefix(name, "__Host-"), "clerkauth_party_")
		if !party && !slices.Contains(h.cookies, name) || strings.ContainsAny(c, "\r\n") {
			t.Errorf("set the cookie %q, which is none of the allowed ones", c)
		}
	}
}

// FuzzAuthenticateRequest sends hostile requests: nobody is signed in without a verified token, no
// browser is redirected to a stranger, and only cookies of Clerk and of this package are set.
func FuzzAuthenticateRequest(f *testing.F) {
	production, development := newFuzzedApp(f, false), newFuzzedApp(f, true)
	f.Add("GET", "example.com", "/", "", "__session=$GOOD; __client_uat=1", "", "document", "", "")
	f.Add("GET", "localhost:3000", "/a?__clerk_handshake=$GOOD&__clerk_db_jwt=x", "", "__clerk_db_jwt=d; __session=$OLD; __client_uat=1", "", "document", "https://evil.example", "")
	f.Add("GET", "example.com", "//evil.example/..?__clerk_redirect_url=https://evil.example", "Bearer $OLD", "__clerk_handshake_nonce=aaaaaaaa", "", "document", "", "evil.example")
	f.Add("POST", "example.com", "/orgs/x/y", "", "__session_$SUFFIX=$GOOD; __client_uat_$SUFFIX=1; __session=$OTHER", "https://evil.example.com", "empty", "", "")
	f.Add("GET", "evil.example", "/", "Bearer $FOREIGN", "__session=$NOAZP; __client_uat=1; __Host-clerkauth_party_AAAAAAAA=v2.9.x", "null", "document", "", "a, b")
	f.Add("GET", "EXAMPLE.com:443", "/?__clerk_synced=false", "", "__session=$FORGED; __session=$GOOD; __client_uat=1; __refresh_$SUFFIX=r; __clerk_redirect_count=2", "", "iframe", "x", "example.com")
	f.Add("OPTIONS", "[::1]:80", "/%zz", "bearer", "=x; ;__session=\"$GOOD\"; __client_uat=-1", "", "", "about:blank", "")
	f.Fuzz(func(t *testing.T, method, host, target, authorization, cookie, origin, dest, referer, forwarded string) {
		for _, h := range []*fuzzedApp{production, development} {
			target := h.words.Replace(target)
			u, err := url.ParseRequestURI(target)
			if err != nil {
				return
			}
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Method, r.Host, r.URL, r.RequestURI = method, host, u, target
			for name, value := range map[string]string{
				"Authorization": authorization, "Cookie": cookie, "Origin": origin, "Sec-Fetch-Dest": dest,
				"Referer": referer, "X-Forwarded-Host": forwarded,
			} {
				if value != "" {
					r.Header.Set(name, h.words.Replace(value))
				}
			}
			h.check(t, r)
		}
	})
}
