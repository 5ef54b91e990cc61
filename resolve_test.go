package clerkauth_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

const nonce = "nonce_of_this_round"

// answers makes the Backend API answer every nonce with these directives.
func (b *bound) answers(directives ...string) {
	b.clerk.Fault(clerktest.BackendHandshake, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(map[string]any{"directives": directives})
		})
	})
}

// asked is how often the Backend API was asked for an endpoint.
func (b *bound) asked(name clerktest.Endpoint) int {
	n := 0
	for _, r := range b.clerk.Requests() {
		if r.Endpoint == name {
			n++
		}
	}
	return n
}

// back is a browser that comes back from a round, carrying these cookies.
func (b *bound) back(cookies ...string) *http.Request {
	r := b.page(b.clerk.Token(clerktest.Claims{}))
	r.Header.Del("Cookie")
	for _, c := range cookies {
		r.Header.Add("Cookie", c)
	}
	return r
}

func directives(token string) []string {
	return []string{"__session=" + token + "; Path=/; Domain=example.com; SameSite=Lax", "__client_uat=1772625600; Path=/; Domain=example.com"}
}

func TestAnswerOfARound(t *testing.T) {
	b := newBound(t, nil)
	token := b.clerk.Token(clerktest.Claims{})
	b.answers(append(directives(token), "evil=1; Path=/", "__sessionx=1; Path=/", "__refresh_x=1", "__session_x=; Max-Age=0")...)
	state := b.auth.AuthenticateRequest(b.back("__clerk_handshake_nonce=" + nonce))
	wantState(t, state, clerkauth.SignedIn, "")
	if state.Token() != token {
		t.Error("signed in by another token")
	}
	name := b.clerk.Cookies(token)[1].Name
	want := []string{
		"__session=; Path=/; Domain=example.com; Max-Age=0; Secure", // Clerk sets none there
		name + "=; Path=/; Domain=example.com; Max-Age=0; Secure",
		strings.Replace(name, "__session", "__refresh", 1) + "=; Path=/; Domain=example.com; Max-Age=0; Secure",
		"__session=" + token + "; Path=/; SameSite=Lax; Secure", // host-only: no sibling of ours gets it
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
		t.Error("production redirects once more")
	}
}

// TestNonceInjection is a sibling subdomain that plants the nonce of a round of its own.
func TestNonceInjection(t *testing.T) {
	b := newBound(t, nil)
	victims := b.party(clerktest.Claims{})
	thief := clerktest.Claims{Subject: "user_2thief", SessionID: "sess_2thief"}
	without := func(c clerktest.Claims) string { return b.without(c) }
	foreign := thief
	foreign.AuthorizedParty = "https://evil.example.com"
	template := clerktest.Claims{Header: map[string]any{"cat": "cl_B7d4PD222AAA"}}
	tests := []struct {
		name       string
		directives []string
		cookies    []string
		reason     clerkauth.Reason // empty: signed in
	}{
		{"a token without azp", directives(without(thief)), nil, clerkauth.ReasonSessionTokenAndUATMissing},
		{"a token without azp beside the victim's party cookie", directives(without(thief)), []string{victims}, clerkauth.ReasonSessionTokenAndUATMissing},
		{"a token without azp and a state of the thief's own", directives(without(thief)), []string{triedName + "=1", partyName + "=v1.9999999999.x"}, clerkauth.ReasonSessionTokenAndUATMissing},
		{"a token for another origin", directives(b.clerk.Token(foreign)), nil, clerkauth.ReasonSessionTokenAndUATMissing},
		{"a token of a template", directives(b.clerk.Token(template)), nil, clerkauth.ReasonSessionTokenAndUATMissing},
		{"a forged token", directives(b.clerk.Forge(clerktest.Claims{})), nil, clerkauth.ReasonSessionTokenAndUATMissing},
		{"an expired token", directives(b.clerk.Token(clerktest.Claims{IssuedAt: b.now.Add(-time.Hour)})), nil, clerkauth.ReasonSessionTokenAndUATMissing},
		{"a good token before a bad one", append(directives(b.clerk.Token(clerktest.Claims{})), "__session="+without(thief)), nil, clerkauth.ReasonSessionTokenAndUATMissing},
		{"a line break", []string{"__session=" + b.clerk.Token(clerktest.Claims{}) + "; Path=/\r\nSet-Cookie: evil=1"}, nil, clerkauth.ReasonSessionTokenAndUATMissing},
		{"the victim's own session without azp", directives(without(clerktest.Claims{})), []string{victims}, ""},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b.answers(tt.directives...)
			state := b.auth.AuthenticateRequest(b.back(append(tt.cookies, "__clerk_handshake_nonce="+nonce+strconv.Itoa(i))...))
			if tt.reason == "" {
				wantState(t, state, clerkauth.SignedIn, "")
				return
			}
			wantState(t, state, clerkauth.SignedOut, tt.reason)
			for name, c := range setCookies(state) {
				if c.Value != "" {
					t.Errorf("cookie %s=%q is passed on", name, c.Value)
				}
			}
		})
	}
}

// TestPlantedAnswerDoesNotReplaceASession is a thief who plants the answer to a round of their own, with a good token of
// their own account, where somebody else is signed in.
func TestPlantedAnswerDoesNotReplaceASession(t *testing.T) {
	b := newBound(t, nil)
	thiefs := b.clerk.Token(clerktest.Claims{Subject: "user_2thief", SessionID: "sess_2thief"})
	b.answers(directives(thiefs)...)
	own := b.clerk.Token(clerktest.Claims{})
	state := b.auth.AuthenticateRequest(b.page(own, "__clerk_handshake_nonce="+nonce))
	wantState(t, state, clerkauth.SignedIn, "")
	if state.Token() != own || setCookies(state)["__session"] != nil {
		t.Errorf("the planted session took over: %v", state.Header["Set-Cookie"])
	}
	if c := setCookies(state)["__clerk_handshake_nonce"]; c == nil || c.MaxAge >= 0 {
		t.Errorf("cookie %v, want it deleted", c)
	}
	changed := b.page(own)
	changed.Header.Set("Cookie", strings.ReplaceAll(changed.Header.Get("Cookie"), "="+strconv.FormatInt(b.now.Unix(), 10), "="+strconv.FormatInt(b.now.Unix()+1, 10)))
	changed.Header.Add("Cookie", "__clerk_handshake_nonce="+nonce+"2")
	if state = b.auth.AuthenticateRequest(changed); state.Token() != thiefs {
		t.Errorf("a real change of sessions, which moves __client_uat, got %s, %v", state, state.Err)
	}
}

// TestAzpLessAnswersDoNotLoop is an instance that mints no azp in its rounds, and a browser that it has just
// sent back.
func TestAzpLessAnswersDoNotLoop(t *testing.T) {
	b := newBound(t, nil)
	b.answers(directives(b.without(clerktest.Claims{}))...)
	expired := b.clerk.Token(clerktest.Claims{IssuedAt: b.now.Add(-time.Hour)})
	r := b.page(expired, "__clerk_handshake_nonce="+nonce)
	wantState(t, b.auth.AuthenticateRequest(r), clerkauth.SignedOut, clerkauth.ReasonTokenMissingAzp)
}

func TestCarriersThatAreNotRead(t *testing.T) {
	b := newBound(t, nil)
	b.answers(directives(b.clerk.Token(clerktest.Claims{}))...)
	post := b.back("__clerk_handshake_nonce=" + nonce)
	post.Method = http.MethodPost
	script := b.back("__clerk_handshake_nonce=" + nonce)
	script.Header.Set("Sec-Fetch-Dest", "empty")
	query := b.back()
	query.RequestURI = "/page?__clerk_handshake_nonce=" + nonce
	for name, r := range map[string]*http.Request{
		"a write": post, "a script": script, "the address, in production": query,
		"two nonces":         b.back("__clerk_handshake_nonce="+nonce, "__clerk_handshake_nonce="+nonce+"2"),
		"a short nonce":      b.back("__clerk_handshake_nonce=short"),
		"a nonce with a dot": b.back("__clerk_handshake_nonce=../../v1/users"),
		"an endless nonce":   b.back("__clerk_handshake_nonce=" + strings.Repeat("n", 129)),
	} {
		t.Run(name, func(t *testing.T) {
			wantState(t, b.auth.AuthenticateRequest(r), clerkauth.SignedOut, clerkauth.ReasonSessionTokenAndUATMissing)
		})
	}
	if n := b.asked(clerktest.BackendHandshake); n != 0 {
		t.Errorf("the Backend API was asked %d times, want 0", n)
	}
}

func TestFailedNonceIsRemembered(t *testing.T) {
	b := newBound(t, nil)
	b.clerk.Fault(clerktest.BackendHandshake, clerktest.Status(http.StatusNotFound, nil))
	for _, tt := range []struct {
		after time.Duration
		asked int
	}{{0, 1}, {time.Second, 1}, {58 * time.Second, 1}, {time.Second, 2}} {
		b.now = b.now.Add(tt.after)
		state := b.auth.AuthenticateRequest(b.page(b.clerk.Token(clerktest.Claims{}), "__clerk_handshake_nonce="+nonce))
		wantState(t, state, clerkauth.SignedIn, "")
		if c := setCookies(state)["__clerk_handshake_nonce"]; c == nil || c.MaxAge >= 0 {
			t.Errorf("cookie %v, want it deleted", c)
		}
		if n := b.asked(clerktest.BackendHandshake); n != tt.asked {
			t.Errorf("after %s: asked %d times, want %d", tt.after, n, tt.asked)
		}
	}
}

// TestHandshakeTokens has what is taken for the answer of a round without a nonce.
func TestHandshakeTokens(t *testing.T) {
	b := newBound(t, nil)
	list := directives(b.clerk.Token(clerktest.Claims{}))
	mint := func(extra map[string]any, header map[string]any) string {
		claims := map[string]any{"handshake": list}
		for _, name := range []string{"sub", "sid", "azp", "exp", "iat", "nbf", "iss", "sts", "fva", "v"} {
			claims[name] = clerktest.Absent
		}
		maps.Copy(claims, extra)
		return b.clerk.Token(clerktest.Claims{Extra: claims, Header: header})
	}
	long := mint(map[string]any{"handshake": append(slices.Clone(list), "__refresh_x="+strings.Repeat("x", 9<<10))}, nil)
	endless := mint(map[string]any{"handshake": append(slices.Clone(list), "__refresh_x="+strings.Repeat("x", 17<<10))}, nil)
	now := b.now.Unix()
	tests := []struct {
		name, token string
		want        bool
	}{
		{"as Clerk mints it", mint(nil, nil), true},
		{"with times and issuer", mint(map[string]any{"exp": now + 60, "nbf": now, "iss": b.clerk.Issuer()}, nil), true},
		{"longer than a session token", long, true},
		{"too long", endless, false},
		{"a session whose claims have a handshake", b.clerk.Token(clerktest.Claims{Extra: map[string]any{"handshake": list}}), false},
		{"expired", mint(map[string]any{"exp": now - 6}, nil), false},
		{"not active yet", mint(map[string]any{"nbf": now + 6}, nil), false},
		{"of another issuer", mint(map[string]any{"iss": "https://clerk.evil.example"}, nil), false},
		{"with a date that is none", mint(map[string]any{"exp": "soon"}, nil), false},
		{"of a template", mint(nil, map[string]any{"cat": "cl_B7d4PD222AAA"}), false},
		{"of a machine", mint(nil, map[string]any{"typ": "at+jwt"}), false},
		{"with a list that is none", mint(map[string]any{"handshake": "x"}, nil), false},
		{"with an entry that is none", mint(map[string]any{"handshake": []any{1}}, nil), false},
		{"forged", b.clerk.Forge(clerktest.Claims{Extra: map[string]any{"handshake": list, "sid": clerktest.Absent}}), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			state := b.auth.AuthenticateRequest(b.back("__clerk_handshake=" + tt.token))
			if got := state.Status == clerkauth.SignedIn; got != tt.want {
				t.Errorf("got %s, %v; want signed in: %t", state.Status, state.Err, tt.want)
			}
			if c := setCookies(state)["__clerk_handshake"]; c == nil || c.MaxAge >= 0 {
				t.Errorf("cookie %v, want it deleted", c)
			}
		})
	}
}

func TestAnswerThatSignsOut(t *testing.T) {
	b := newBound(t, nil)
	b.answers("__session=; Path=/; Domain=example.com; Max-Age=0", "__client_uat=0; Path=/; Domain=example.com", "__client_uat_x=0", "__refresh=evil; Path=/", "__client_uat=5; Path=/")
	state := b.auth.AuthenticateRequest(b.page(b.clerk.Token(clerktest.Claims{}), "__clerk_handshake_nonce="+nonce))
	wantState(t, state, clerkauth.SignedOut, clerkauth.ReasonSessionTokenMissing)
	want := []string{"__session=; Path=/; Domain=example.com; Max-Age=0; Secure", "__client_uat=0; Path=/; Domain=example.com; Secure"}
	if got := state.Header["Set-Cookie"]; len(got) < 2 || !slices.Equal(got[:2], want) || slices.ContainsFunc(got[2:], func(c string) bool {
		return !strings.HasPrefix(c, "__clerk_handshake_nonce=;")
	}) {
		t.Errorf("got cookies %q, want %q and the nonce's deletion", got, want)
	}
}
