package clerkauth_test

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

func TestResultOfAHandshake(t *testing.T) {
	b := harness.NewApp(t)
	token := b.Clerk.Token(clerktest.Claims{})
	b.AnswerNonces(append(harness.Directives(token), "evil=1; Path=/", "__sessionx=1; Path=/", "__refresh_x=1", "__session_x=; Max-Age=0")...)
	state := b.AuthenticateRequest(b.Returning("__clerk_handshake_nonce=" + harness.Nonce))
	harness.WantState(t, state, clerkauth.StatusSignedIn, "")
	if state.Token() != token {
		t.Error("signed in by another token than the handshake's")
	}
	name := b.Clerk.Cookies(token)[1].Name
	want := []string{
		"__session=; Path=/; Domain=example.com; Max-Age=0; Secure", // Clerk sets no cookie there
		name + "=; Path=/; Domain=example.com; Max-Age=0; Secure",
		strings.Replace(name, "__session", "__refresh", 1) + "=; Path=/; Domain=example.com; Max-Age=0; Secure",
		"__session=" + token + "; Path=/; SameSite=Lax; Secure", // host-only: not sent to sibling subdomains
		"__client_uat=1772625600; Path=/; Domain=example.com; Secure",
		"__clerk_handshake_nonce=; Path=/; Max-Age=0; Secure",
		"__clerk_handshake_nonce=; Path=/; Domain=example.com; Max-Age=0; Secure",
	}
	if got := state.Header["Set-Cookie"]; !slices.Equal(got, want) {
		t.Errorf("got cookies %q, want %q", got, want)
	}
	if got := state.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q, want no-store", got)
	}
	if state.Header.Get("Location") != "" {
		t.Errorf("redirected once more to %q, want no redirect with live keys", state.Header.Get("Location"))
	}
}

// TestNonceInjection: a sibling subdomain plants the nonce of its own handshake.
func TestNonceInjection(t *testing.T) {
	b := harness.NewApp(t)
	victims := b.PartyCookie(clerktest.Claims{})
	thief := clerktest.Claims{Subject: "user_2thief", SessionID: "sess_2thief"}
	without := func(c clerktest.Claims) string { return b.WithoutAZP(c) }
	foreign := thief
	foreign.AuthorizedParty = "https://evil.example.com"
	template := clerktest.Claims{Header: map[string]any{"cat": "cl_B7d4PD222AAA"}}
	tests := []struct {
		name       string
		directives []string
		cookies    []string
		reason     clerkauth.Reason // empty: signed in
	}{
		{"a token without azp", harness.Directives(without(thief)), nil, clerkauth.ReasonSessionTokenAndUATMissing},
		{"a token without azp beside the victim's party cookie", harness.Directives(without(thief)), []string{victims}, clerkauth.ReasonSessionTokenAndUATMissing},
		{"a token without azp and a state of the thief's own", harness.Directives(without(thief)), []string{harness.TriedName + "=1", harness.PartyName + "=v1.9999999999.x"}, clerkauth.ReasonSessionTokenAndUATMissing},
		{"a token for another origin", harness.Directives(b.Clerk.Token(foreign)), nil, clerkauth.ReasonSessionTokenAndUATMissing},
		{"a token of a template", harness.Directives(b.Clerk.Token(template)), nil, clerkauth.ReasonSessionTokenAndUATMissing},
		{"a forged token", harness.Directives(b.Clerk.Forge(clerktest.Claims{})), nil, clerkauth.ReasonSessionTokenAndUATMissing},
		{"an expired token", harness.Directives(b.Clerk.Token(clerktest.Claims{IssuedAt: b.Now.Add(-time.Hour)})), nil, clerkauth.ReasonSessionTokenAndUATMissing},
		{"a good token before a bad one", append(harness.Directives(b.Clerk.Token(clerktest.Claims{})), "__session="+without(thief)), nil, clerkauth.ReasonSessionTokenAndUATMissing},
		{"a line break", []string{"__session=" + b.Clerk.Token(clerktest.Claims{}) + "; Path=/\r\nSet-Cookie: evil=1"}, nil, clerkauth.ReasonSessionTokenAndUATMissing},
		{"the victim's own session without azp", harness.Directives(without(clerktest.Claims{})), []string{victims}, ""},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b.AnswerNonces(tt.directives...)
			state := b.AuthenticateRequest(b.Returning(append(tt.cookies, "__clerk_handshake_nonce="+harness.Nonce+strconv.Itoa(i))...))
			if tt.reason == "" {
				harness.WantState(t, state, clerkauth.StatusSignedIn, "")
				return
			}
			harness.WantState(t, state, clerkauth.StatusSignedOut, tt.reason)
			for name, c := range harness.SetCookies(state) {
				if c.Value != "" {
					t.Errorf("the cookie %s=%q of the handshake's result is set, want only deletions", name, c.Value)
				}
			}
		})
	}
}

// TestPlantedAnswerDoesNotReplaceASession: an attacker plants the result of their own handshake,
// with a valid token of their own account, where another person is signed in.
func TestPlantedAnswerDoesNotReplaceASession(t *testing.T) {
	b := harness.NewApp(t)
	thiefs := b.Clerk.Token(clerktest.Claims{Subject: "user_2thief", SessionID: "sess_2thief"})
	b.AnswerNonces(harness.Directives(thiefs)...)
	own := b.Clerk.Token(clerktest.Claims{})
	state := b.AuthenticateRequest(b.Page(own, "__clerk_handshake_nonce="+harness.Nonce))
	harness.WantState(t, state, clerkauth.StatusSignedIn, "")
	if state.Token() != own || harness.SetCookies(state)["__session"] != nil {
		t.Errorf("the planted session replaced the visitor's: %v", state.Header["Set-Cookie"])
	}
	if c := harness.SetCookies(state)["__clerk_handshake_nonce"]; c == nil || c.MaxAge >= 0 {
		t.Errorf("cookie %v, want it deleted", c)
	}
	changed := b.Page(own)
	changed.Header.Set("Cookie", strings.ReplaceAll(changed.Header.Get("Cookie"), "="+strconv.FormatInt(b.Now.Unix(), 10), "="+strconv.FormatInt(b.Now.Unix()+1, 10)))
	changed.Header.Add("Cookie", "__clerk_handshake_nonce="+harness.Nonce+"2")
	if state = b.AuthenticateRequest(changed); state.Token() != thiefs {
		t.Errorf("a real change of sessions, which changes __client_uat: got %s and %v, want the new session", state, state.Err)
	}
}

// TestAZPLessAnswersDoNotLoop: the handshakes of an instance return no azp, and one has just
// redirected a browser back.
func TestAZPLessAnswersDoNotLoop(t *testing.T) {
	b := harness.NewApp(t)
	b.AnswerNonces(harness.Directives(b.WithoutAZP(clerktest.Claims{}))...)
	expired := b.Clerk.Token(clerktest.Claims{IssuedAt: b.Now.Add(-time.Hour)})
	r := b.Page(expired, "__clerk_handshake_nonce="+harness.Nonce)
	harness.WantState(t, b.AuthenticateRequest(r), clerkauth.StatusSignedOut, clerkauth.ReasonTokenMissingAZP)
}

func TestUnreadTokenSources(t *testing.T) {
	b := harness.NewApp(t)
	b.AnswerNonces(harness.Directives(b.Clerk.Token(clerktest.Claims{}))...)
	post := b.Returning("__clerk_handshake_nonce=" + harness.Nonce)
	post.Method = http.MethodPost
	script := b.Returning("__clerk_handshake_nonce=" + harness.Nonce)
	script.Header.Set("Sec-Fetch-Dest", "empty")
	query := b.Returning()
	query.RequestURI = "/page?__clerk_handshake_nonce=" + harness.Nonce
	for name, r := range map[string]*http.Request{
		"a write": post, "a script": script, "the address, in production": query,
		"two nonces":         b.Returning("__clerk_handshake_nonce="+harness.Nonce, "__clerk_handshake_nonce="+harness.Nonce+"2"),
		"a short nonce":      b.Returning("__clerk_handshake_nonce=short"),
		"a nonce with a dot": b.Returning("__clerk_handshake_nonce=../../v1/users"),
		"an endless nonce":   b.Returning("__clerk_handshake_nonce=" + strings.Repeat("n", 129)),
	} {
		t.Run(name, func(t *testing.T) {
			harness.WantState(t, b.AuthenticateRequest(r), clerkauth.StatusSignedOut, clerkauth.ReasonSessionTokenAndUATMissing)
		})
	}
	if n := harness.Requests(b.Clerk, clerktest.BackendHandshake); n != 0 {
		t.Errorf("the Backend API was asked %d times, want 0", n)
	}
}

func TestFailedNonceIsRemembered(t *testing.T) {
	b := harness.NewApp(t)
	b.Clerk.Fault(clerktest.BackendHandshake, clerktest.Status(http.StatusNotFound, nil))
	for _, tt := range []struct {
		after     time.Duration
		exchanges int
	}{{0, 1}, {time.Second, 1}, {58 * time.Second, 1}, {time.Second, 2}} {
		b.Now = b.Now.Add(tt.after)
		state := b.AuthenticateRequest(b.Page(b.Clerk.Token(clerktest.Claims{}), "__clerk_handshake_nonce="+harness.Nonce))
		harness.WantState(t, state, clerkauth.StatusSignedIn, "")
		if c := harness.SetCookies(state)["__clerk_handshake_nonce"]; c == nil || c.MaxAge >= 0 {
			t.Errorf("cookie %v, want it deleted", c)
		}
		if n := harness.Requests(b.Clerk, clerktest.BackendHandshake); n != tt.exchanges {
			t.Errorf("after %s: asked %d times, want %d", tt.after, n, tt.exchanges)
		}
	}
}

// TestHandshakeTokens tests what is accepted as the result of a handshake without a nonce.
func TestHandshakeTokens(t *testing.T) {
	b := harness.NewApp(t)
	list := harness.Directives(b.Clerk.Token(clerktest.Claims{}))
	mint := func(extra map[string]any, header map[string]any) string {
		claims := map[string]any{"handshake": list}
		for _, name := range []string{"sub", "sid", "azp", "exp", "iat", "nbf", "iss", "sts", "fva", "v"} {
			claims[name] = clerktest.Absent
		}
		maps.Copy(claims, extra)
		return b.Clerk.Token(clerktest.Claims{Extra: claims, Header: header})
	}
	long := mint(map[string]any{"handshake": append(slices.Clone(list), "__refresh_x="+strings.Repeat("x", 9<<10))}, nil)
	endless := mint(map[string]any{"handshake": append(slices.Clone(list), "__refresh_x="+strings.Repeat("x", 17<<10))}, nil)
	now := b.Now.Unix()
	tests := []struct {
		name, token string
		want        bool
	}{
		{"as Clerk mints it", mint(nil, nil), true},
		{"with times and issuer", mint(map[string]any{"exp": now + 60, "nbf": now, "iss": b.Clerk.Issuer()}, nil), true},
		{"longer than a session token", long, true},
		{"too long", endless, false},
		{"a session whose claims have a handshake", b.Clerk.Token(clerktest.Claims{Extra: map[string]any{"handshake": list}}), false},
		{"expired", mint(map[string]any{"exp": now - 6}, nil), false},
		{"not active yet", mint(map[string]any{"nbf": now + 6}, nil), false},
		{"of another issuer", mint(map[string]any{"iss": "https://clerk.evil.example"}, nil), false},
		{"with a date that is none", mint(map[string]any{"exp": "soon"}, nil), false},
		{"of a template", mint(nil, map[string]any{"cat": "cl_B7d4PD222AAA"}), false},
		{"of a machine", mint(nil, map[string]any{"typ": "at+jwt"}), false},
		{"with a list that is none", mint(map[string]any{"handshake": "x"}, nil), false},
		{"with an entry that is none", mint(map[string]any{"handshake": []any{1}}, nil), false},
		{"forged", b.Clerk.Forge(clerktest.Claims{Extra: map[string]any{"handshake": list, "sid": clerktest.Absent}}), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			state := b.AuthenticateRequest(b.Returning("__clerk_handshake=" + tt.token))
			if got := state.Status == clerkauth.StatusSignedIn; got != tt.want {
				t.Errorf("got %s, %v; want signed in: %t", state.Status, state.Err, tt.want)
			}
			if c := harness.SetCookies(state)["__clerk_handshake"]; c == nil || c.MaxAge >= 0 {
				t.Errorf("cookie %v, want it deleted", c)
			}
		})
	}
}

func TestAnswerThatSignsOut(t *testing.T) {
	b := harness.NewApp(t)
	b.AnswerNonces("__session=; Path=/; Domain=example.com; Max-Age=0", "__client_uat=0; Path=/; Domain=example.com", "__client_uat_x=0", "__refresh=evil; Path=/", "__client_uat=5; Path=/")
	state := b.AuthenticateRequest(b.Page(b.Clerk.Token(clerktest.Claims{}), "__clerk_handshake_nonce="+harness.Nonce))
	harness.WantState(t, state, clerkauth.StatusSignedOut, clerkauth.ReasonSessionTokenMissing)
	want := []string{"__session=; Path=/; Domain=example.com; Max-Age=0; Secure", "__client_uat=0; Path=/; Domain=example.com; Secure"}
	if got := state.Header["Set-Cookie"]; len(got) < 2 || !slices.Equal(got[:2], want) || slices.ContainsFunc(got[2:], func(c string) bool {
		return !strings.HasPrefix(c, "__clerk_handshake_nonce=;")
	}) {
		t.Errorf("got cookies %q, want %q and the nonce's deletion", got, want)
	}
}
