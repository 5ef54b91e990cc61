package clerkauth_test

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

const (
	partyName = "__Host-clerkauth_party"
	triedName = "__Host-clerkauth_tried"
)

// bound is an application whose users carry cookies.
type bound struct {
	*testing.T
	clerk *clerktest.Instance
	auth  *clerkauth.Authenticator
	now   time.Time
}

func newBound(t *testing.T, change func(*clerkauth.Config)) *bound {
	t.Helper()
	b := &bound{T: t, now: time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)}
	b.clerk = clerktest.New(t, clerktest.Options{
		Origins: []string{"https://example.com", "https://other.example.com"},
		Now:     func() time.Time { return b.now },
	})
	b.auth = b.authenticator(change)
	return b
}

func (b *bound) authenticator(change func(*clerkauth.Config)) *clerkauth.Authenticator {
	b.Helper()
	cfg := b.clerk.Config()
	if change != nil {
		change(&cfg)
	}
	auth, err := clerkauth.New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	return auth
}

// without is a token that does not say for whom it was minted.
func (b *bound) without(c clerktest.Claims) string {
	c.Extra = map[string]any{"azp": clerktest.Absent}
	return b.clerk.Token(c)
}

// page is a browser's navigation with a session token and more cookies.
func (b *bound) page(token string, cookies ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "https://example.com/page?x=1", nil)
	r.Header.Set("Sec-Fetch-Dest", "document")
	r.Header.Set("Sec-Fetch-Site", "none")
	for _, c := range b.clerk.Cookies(token) {
		r.AddCookie(c)
	}
	for _, c := range cookies {
		r.Header.Add("Cookie", c)
	}
	return r
}

// script is a same-origin fetch with a session token and more cookies.
func (b *bound) script(token string, cookies ...string) *http.Request {
	r := b.page(token, cookies...)
	r.Header.Set("Sec-Fetch-Dest", "empty")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

// party signs in with an honest token and returns the cookie that proves it.
func (b *bound) party(c clerktest.Claims) string {
	b.Helper()
	value, ok := setCookies(b.auth.AuthenticateRequest(b.page(b.clerk.Token(c))))[partyName]
	if !ok {
		b.Fatal("an honest sign-in sets no party cookie")
	}
	return partyName + "=" + value.Value
}

func setCookies(s *clerkauth.RequestState) map[string]*http.Cookie {
	set := map[string]*http.Cookie{}
	for _, c := range (&http.Response{Header: s.Header}).Cookies() {
		set[c.Name] = c
	}
	return set
}

func wantState(t *testing.T, s *clerkauth.RequestState, status clerkauth.Status, reason clerkauth.Reason) {
	t.Helper()
	got := clerkauth.Reason("")
	if err, ok := s.Err.(*clerkauth.Error); ok {
		got = err.Reason
	}
	if s.Status != status || got != reason {
		t.Errorf("got %s %q, want %s %q", s.Status, got, status, reason)
	}
	if (s.Session != nil) != (status == clerkauth.SignedIn) {
		t.Errorf("session %v with status %s", s.Session, s.Status)
	}
}

func TestCookieTokenWithoutAzp(t *testing.T) {
	b := newBound(t, nil)
	token := b.without(clerktest.Claims{})
	post := b.script(token)
	post.Method = http.MethodPost
	tests := []struct {
		name   string
		r      *http.Request
		status clerkauth.Status
	}{
		{"navigation goes round once", b.page(token), clerkauth.Handshake},
		{"navigation after a round", b.page(token, triedName+"=1"), clerkauth.SignedOut},
		{"fetch", b.script(token), clerkauth.SignedOut},
		{"write", post, clerkauth.SignedOut},
		{"party cookie that is nobody's", b.script(token, partyName+"=v1.9999999999.AAAA"), clerkauth.SignedOut},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			state := b.auth.AuthenticateRequest(tt.r)
			wantState(t, state, tt.status, clerkauth.ReasonTokenMissingAzp)
			set := setCookies(state)
			if _, ok := set[partyName]; ok {
				t.Error("a token without azp begets a party cookie")
			}
			tried := set[triedName]
			if (tried != nil) != (tt.status == clerkauth.Handshake) {
				t.Fatalf("cookie %s: %v", triedName, tried)
			}
			if tried != nil && (tried.MaxAge != 60 || !tried.Secure || !tried.HttpOnly || tried.Path != "/" || tried.Domain != "") {
				t.Errorf("cookie %v, want 60 s, Secure, HttpOnly, Path=/, no Domain", tried)
			}
		})
	}
}

func TestPartyCookie(t *testing.T) {
	b := newBound(t, nil)
	state := b.auth.AuthenticateRequest(b.page(b.clerk.Token(clerktest.Claims{})))
	wantState(t, state, clerkauth.SignedIn, "")
	c := setCookies(state)[partyName]
	if c == nil {
		t.Fatal("no party cookie")
	}
	if c.MaxAge != 7*24*60*60 || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
		t.Errorf("cookie %v, want 7 days, Secure, HttpOnly, SameSite=Lax, Path=/, no Domain", c)
	}
	if got := state.Header.Get("Cache-Control"); got != "private" {
		t.Errorf("Cache-Control %q, want private", got)
	}
	exp, mac, _ := strings.Cut(strings.TrimPrefix(c.Value, "v1."), ".")
	if want := strconv.FormatInt(b.now.Add(7*24*time.Hour).Unix(), 10); exp != want {
		t.Errorf("expiry %s, want %s", exp, want)
	}
	key, err := hkdf.Key(sha256.New, []byte(b.clerk.SecretKey()), nil, "clerkauth party v1", 32)
	if err != nil {
		t.Fatal(err)
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte("v1\x00" + b.clerk.Issuer() + "\x00https://example.com\x00" + state.Session.ID + "\x00" + state.Session.UserID + "\x00" + exp))
	if want := base64.RawURLEncoding.EncodeToString(h.Sum(nil)); mac != want {
		t.Errorf("mac %s, want %s", mac, want)
	}
}

func TestPartyCookieIsSet(t *testing.T) {
	b := newBound(t, nil)
	honest := clerktest.Claims{}
	party := b.party(honest)
	elsewhere := b.page(b.clerk.Token(honest))
	elsewhere.Host = "unlisted.example.com"
	sibling := b.page(b.clerk.Token(honest))
	sibling.Header.Set("Sec-Fetch-Site", "same-site")
	bearer := httptest.NewRequest(http.MethodGet, "https://example.com/", nil)
	bearer.Header.Set("Authorization", "Bearer "+b.clerk.Token(honest))
	old := b.page(b.clerk.Token(honest))
	old.Header.Del("Sec-Fetch-Site")
	tests := []struct {
		name string
		r    *http.Request
		want bool
	}{
		{"when there is none", b.page(b.clerk.Token(honest)), true},
		{"in an old browser", old, true},
		{"for a same-origin fetch", b.script(b.clerk.Token(honest)), true},
		{"not when it is there", b.page(b.clerk.Token(honest), party), false},
		{"when it is of another session", b.page(b.clerk.Token(clerktest.Claims{SessionID: "sess_2other"}), party), true},
		{"when it came twice", b.page(b.clerk.Token(honest), party, party), true},
		{"not at a host that is not listed", elsewhere, false},
		{"not when a sibling had a hand in it", sibling, false},
		{"not for a bearer token", bearer, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, again := range []string{"first", "from memory"} {
				state := b.auth.AuthenticateRequest(tt.r)
				wantState(t, state, clerkauth.SignedIn, "")
				if _, got := setCookies(state)[partyName]; got != tt.want {
					t.Errorf("%s: set %t, want %t", again, got, tt.want)
				}
			}
		})
	}
}

func TestPartyCookieIsRenewedPastHalfItsLife(t *testing.T) {
	b := newBound(t, nil)
	party := b.party(clerktest.Claims{})
	for _, tt := range []struct {
		after time.Duration
		want  bool
	}{{84*time.Hour - time.Second, false}, {84 * time.Hour, true}, {8 * 24 * time.Hour, true}} {
		b.now = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC).Add(tt.after)
		state := b.auth.AuthenticateRequest(b.page(b.clerk.Token(clerktest.Claims{}), party))
		if _, got := setCookies(state)[partyName]; got != tt.want {
			t.Errorf("after %s: renewed %t, want %t", tt.after, got, tt.want)
		}
	}
}

// TestContinuity has what a party cookie lets in, and above all what it does not.
func TestContinuity(t *testing.T) {
	b := newBound(t, nil)
	party := b.party(clerktest.Claims{})
	flipped := party[:len(party)-1] + map[bool]string{true: "B", false: "A"}[strings.HasSuffix(party, "A")]
	longer := strings.Replace(party, "v1.1", "v1.9", 1)
	elsewhere := b.script(b.without(clerktest.Claims{}), party)
	elsewhere.Host = "other.example.com"
	tests := []struct {
		name string
		auth *clerkauth.Authenticator
		r    *http.Request
		want bool
	}{
		{"the same session at the same origin", b.auth, b.script(b.without(clerktest.Claims{}), party), true},
		{"a second tab", b.auth, b.page(b.without(clerktest.Claims{}), party), true},
		{"another session", b.auth, b.script(b.without(clerktest.Claims{SessionID: "sess_2victim"}), party), false},
		{"another user", b.auth, b.script(b.without(clerktest.Claims{Subject: "user_2victim"}), party), false},
		{"another origin of the list", b.auth, elsewhere, false},
		{"a cookie changed by a bit", b.auth, b.script(b.without(clerktest.Claims{}), flipped), false},
		{"a life prolonged by hand", b.auth, b.script(b.without(clerktest.Claims{}), longer), false},
		{"two cookies", b.auth, b.script(b.without(clerktest.Claims{}), party, party), false},
		{"the name without its prefix", b.auth, b.script(b.without(clerktest.Claims{}), strings.TrimPrefix(party, "__Host-")), false},
		{"an expired token", b.auth, b.script(b.without(clerktest.Claims{IssuedAt: b.now.Add(-time.Hour)}), party), false},
		{"a forged token", b.auth, b.script(b.clerk.Forge(clerktest.Claims{Extra: map[string]any{"azp": clerktest.Absent}}), party), false},
		{"an azp that is null", b.auth, b.script(b.clerk.Token(clerktest.Claims{Extra: map[string]any{"azp": nil}}), party), false},
		{"a key of another application", b.authenticator(func(c *clerkauth.Config) {
			c.StateKey = []byte(strings.Repeat("k", 32))
		}), b.script(b.without(clerktest.Claims{}), party), false},
		{"no key", b.authenticator(func(c *clerkauth.Config) {
			c.SecretKey = ""
		}), b.script(b.without(clerktest.Claims{}), party), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			state := tt.auth.AuthenticateRequest(tt.r)
			if got := state.Status == clerkauth.SignedIn; got != tt.want {
				t.Errorf("got %s, %v; want signed in: %t", state.Status, state.Err, tt.want)
			}
			if _, ok := setCookies(state)[partyName]; ok {
				t.Error("a token without azp prolongs its party cookie")
			}
		})
	}
	b.now = b.now.Add(7 * 24 * time.Hour)
	wantState(t, b.auth.AuthenticateRequest(b.script(b.without(clerktest.Claims{}), party)), clerkauth.SignedOut, clerkauth.ReasonTokenMissingAzp)
}

// TestThiefSpeaksHTTPDirectly is somebody who obtained a victim's token without azp and sends whatever they like.
func TestThiefSpeaksHTTPDirectly(t *testing.T) {
	b := newBound(t, nil)
	stolen := b.without(clerktest.Claims{Subject: "user_2victim", SessionID: "sess_2victim"})
	own := b.party(clerktest.Claims{Subject: "user_2thief", SessionID: "sess_2thief"})
	until := strconv.FormatInt(b.now.Add(time.Hour).Unix(), 10)
	message := "v1\x00" + b.clerk.Issuer() + "\x00https://example.com\x00sess_2victim\x00user_2victim\x00" + until
	hash := sha256.Sum256([]byte(message))
	guessed := hmac.New(sha256.New, []byte(b.clerk.PublishableKey()))
	guessed.Write([]byte(message))
	for name, cookie := range map[string]string{
		"nothing":                    "",
		"their own cookie":           own,
		"a hash, which needs no key": partyName + "=v1." + until + "." + base64.RawURLEncoding.EncodeToString(hash[:]),
		"a MAC with what is public":  partyName + "=v1." + until + "." + base64.RawURLEncoding.EncodeToString(guessed.Sum(nil)),
		"an empty MAC":               partyName + "=v1." + until + ".",
		"a state of their own":       triedName + "=1; __clerk_redirect_count=3",
	} {
		t.Run(name, func(t *testing.T) {
			for _, r := range []*http.Request{b.page(stolen, cookie), b.script(stolen, cookie)} {
				if state := b.auth.AuthenticateRequest(r); state.Status == clerkauth.SignedIn {
					t.Error("signed in")
				}
			}
		})
	}
}

func TestReplicasShareStateKey(t *testing.T) {
	b := newBound(t, func(c *clerkauth.Config) { c.StateKey = []byte(strings.Repeat("s", 32)) })
	party := b.party(clerktest.Claims{})
	replica := b.authenticator(func(c *clerkauth.Config) {
		c.StateKey, c.SecretKey = []byte(strings.Repeat("s", 32)), ""
	})
	wantState(t, replica.AuthenticateRequest(b.script(b.without(clerktest.Claims{}), party)), clerkauth.SignedIn, "")
}

func TestCookiesWithoutPrefixInDevelopmentOnly(t *testing.T) {
	now := func() time.Time { return time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC) }
	tests := []struct {
		name        string
		development bool
		url         string
		want        string
	}{
		{"development on this machine", true, "http://localhost:3000/", "clerkauth_party"},
		{"development with TLS", true, "https://localhost:3000/", partyName},
		{"development elsewhere", true, "http://example.com/", partyName},
		{"live keys on this machine", false, "http://localhost:3000/", partyName},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			clerk := clerktest.New(t, clerktest.Options{Development: tt.development, Now: now})
			cfg := clerk.Config()
			cfg.AuthorizedParties = append(cfg.AuthorizedParties, "http://localhost:3000", "https://localhost:3000")
			auth, err := clerkauth.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(http.MethodGet, tt.url, nil)
			for _, c := range clerk.Cookies(clerk.Token(clerktest.Claims{})) {
				r.AddCookie(c)
			}
			state := auth.AuthenticateRequest(r)
			wantState(t, state, clerkauth.SignedIn, "")
			for name, c := range setCookies(state) {
				if name != tt.want || c.Secure != strings.HasPrefix(name, "__Host-") {
					t.Errorf("cookie %v, want %s", c, tt.want)
				}
			}
			if len(setCookies(state)) != 1 {
				t.Errorf("cookies %v, want one", state.Header)
			}
		})
	}
}

func TestInsecureAllowCookieWithoutParty(t *testing.T) {
	b := newBound(t, func(c *clerkauth.Config) { c.InsecureAllowCookieWithoutParty = true })
	state := b.auth.AuthenticateRequest(b.script(b.without(clerktest.Claims{})))
	wantState(t, state, clerkauth.SignedIn, "")
	if len(setCookies(state)) != 0 {
		t.Errorf("cookies %v, want none: nothing reads them", state.Header)
	}
}
