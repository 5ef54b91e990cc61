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
	"github.com/clerkauth/clerkauth/internal/harness"
)

func TestCookieTokenWithoutAZP(t *testing.T) {
	b := harness.NewApp(t)
	token := b.WithoutAZP(clerktest.Claims{})
	post := b.Script(token)
	post.Method = http.MethodPost
	tests := []struct {
		name   string
		r      *http.Request
		status clerkauth.Status
	}{
		{"navigation starts one handshake", b.Page(token), clerkauth.StatusHandshake},
		{"navigation after a handshake", b.Page(token, harness.TriedName+"=1"), clerkauth.StatusSignedOut},
		{"fetch", b.Script(token), clerkauth.StatusSignedOut},
		{"write", post, clerkauth.StatusSignedOut},
		{"a party cookie of no session", b.Script(token, harness.PartyName+"AAAAAAAA=v2.9999999999.AAAA"), clerkauth.StatusSignedOut},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			state := b.AuthenticateRequest(tt.r)
			harness.WantState(t, state, tt.status, clerkauth.ReasonTokenMissingAZP)
			set := harness.SetCookies(state)
			if harness.SetPartyCookie(state) != nil {
				t.Error("a token without azp sets a party cookie")
			}
			tried := set[harness.TriedName]
			if (tried != nil) != (tt.status == clerkauth.StatusHandshake) {
				t.Fatalf("cookie %s: got %v, want it only with a handshake", harness.TriedName, tried)
			}
			if tried != nil && (tried.MaxAge != 60 || !tried.Secure || !tried.HttpOnly || tried.Path != "/" || tried.Domain != "") {
				t.Errorf("got cookie %v, want 60 s, Secure, HttpOnly, Path=/, no Domain", tried)
			}
		})
	}
}

func TestPartyCookie(t *testing.T) {
	b := harness.NewApp(t)
	state := b.AuthenticateRequest(b.Page(b.Clerk.Token(clerktest.Claims{})))
	harness.WantState(t, state, clerkauth.StatusSignedIn, "")
	c := harness.SetPartyCookie(state)
	if c == nil {
		t.Fatal("no party cookie was set, want one")
	}
	if c.MaxAge != 7*24*60*60 || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
		t.Errorf("got cookie %v, want 7 days, Secure, HttpOnly, SameSite=Lax, Path=/, no Domain", c)
	}
	if got := state.Header.Get("Cache-Control"); got != "private" {
		t.Errorf("Cache-Control %q, want private", got)
	}
	exp, mac, _ := strings.Cut(strings.TrimPrefix(c.Value, "v2."), ".")
	if want := strconv.FormatInt(b.Now.Add(7*24*time.Hour).Unix(), 10); exp != want {
		t.Errorf("expiry %s, want %s", exp, want)
	}
	key, err := hkdf.Key(sha256.New, []byte(b.Clerk.SecretKey()), nil, "clerkauth party v1", 32)
	if err != nil {
		t.Fatal(err)
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte("v2\x00" + b.Clerk.Issuer() + "\x00https://example.com\x00" + state.Session.ID + "\x00" + state.Session.UserID + "\x00" + exp))
	if want := base64.RawURLEncoding.EncodeToString(h.Sum(nil)); mac != want {
		t.Errorf("mac %s, want %s", mac, want)
	}
}

func TestPartyCookieIsSet(t *testing.T) {
	b := harness.NewApp(t)
	honest := clerktest.Claims{}
	party, other := b.PartyCookie(honest), b.PartyCookie(clerktest.Claims{SessionID: "sess_2third"})
	name, _, _ := strings.Cut(party, "=")
	elsewhere := b.Page(b.Clerk.Token(honest))
	elsewhere.Host = "unlisted.example.com"
	fromSiblingSubdomain := b.Page(b.Clerk.Token(honest))
	fromSiblingSubdomain.Header.Set("Sec-Fetch-Site", "same-site")
	bearer := httptest.NewRequest(http.MethodGet, "https://example.com/", nil)
	bearer.Header.Set("Authorization", "Bearer "+b.Clerk.Token(honest))
	old := b.Page(b.Clerk.Token(honest))
	old.Header.Del("Sec-Fetch-Site")
	tests := []struct {
		name string
		r    *http.Request
		want bool
	}{
		{"when there is none", b.Page(b.Clerk.Token(honest)), true},
		{"in an old browser", old, true},
		{"for a same-origin fetch", b.Script(b.Clerk.Token(honest)), true},
		{"not when it is there", b.Page(b.Clerk.Token(honest), party), false},
		{"not for a fetch when it is of another session", b.Script(b.Clerk.Token(clerktest.Claims{SessionID: "sess_2other"}), party), false},
		{"not when the request has two", b.Page(b.Clerk.Token(honest), party, party), false},
		{"not when another session's is sent before it", b.Page(b.Clerk.Token(honest), other, party), false},
		{"for a fetch when the one sent is malformed", b.Script(b.Clerk.Token(honest), name+"=v2.9999999999.AAAA"), true},
		{"for a fetch when the one sent has expired", b.Script(b.Clerk.Token(honest), name+"=v2.1."+strings.Repeat("A", 43)), true},
		{"for a fetch when the one sent has another name", b.Script(b.Clerk.Token(honest), strings.Replace(other, name, harness.PartyName+"AAAAAAAA", 1)), true},
		{"not at a host that is not listed", elsewhere, false},
		{"not when a sibling subdomain sent the request", fromSiblingSubdomain, false},
		{"not for a bearer token", bearer, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, again := range []string{"first", "from memory"} {
				state := b.AuthenticateRequest(tt.r)
				harness.WantState(t, state, clerkauth.StatusSignedIn, "")
				if got := harness.SetPartyCookie(state) != nil; got != tt.want {
					t.Errorf("%s: set %t, want %t", again, got, tt.want)
				}
			}
		})
	}
}

func TestPartyCookieIsRenewedPastHalfItsLife(t *testing.T) {
	b := harness.NewApp(t)
	party := b.PartyCookie(clerktest.Claims{})
	for _, tt := range []struct {
		after time.Duration
		want  bool
	}{{84*time.Hour - time.Second, false}, {84 * time.Hour, true}, {8 * 24 * time.Hour, true}} {
		b.Now = harness.Noon.Add(tt.after)
		state := b.AuthenticateRequest(b.Page(b.Clerk.Token(clerktest.Claims{}), party))
		if got := harness.SetPartyCookie(state) != nil; got != tt.want {
			t.Errorf("after %s: renewed %t, want %t", tt.after, got, tt.want)
		}
	}
}

// TestContinuity tests which requests a party cookie lets in, and which not.
func TestContinuity(t *testing.T) {
	b := harness.NewApp(t, harness.Parties("https://example.com", "https://other.example.com"))
	party := b.PartyCookie(clerktest.Claims{})
	flipped := party[:len(party)-1] + map[bool]string{true: "B", false: "A"}[strings.HasSuffix(party, "A")]
	longer := strings.Replace(party, "v2.1", "v2.9", 1)
	name, value, _ := strings.Cut(party, "=")
	others := b.PartyCookie(clerktest.Claims{SessionID: "sess_2other"})
	elsewhere := b.Script(b.WithoutAZP(clerktest.Claims{}), party)
	elsewhere.Host = "other.example.com"
	tests := []struct {
		name string
		auth *clerkauth.Authenticator
		r    *http.Request
		want bool
	}{
		{"the same session at the same origin", b.Authenticator, b.Script(b.WithoutAZP(clerktest.Claims{}), party), true},
		{"a second tab", b.Authenticator, b.Page(b.WithoutAZP(clerktest.Claims{}), party), true},
		{"another session", b.Authenticator, b.Script(b.WithoutAZP(clerktest.Claims{SessionID: "sess_2victim"}), party), false},
		{"another user", b.Authenticator, b.Script(b.WithoutAZP(clerktest.Claims{Subject: "user_2victim"}), party), false},
		{"another origin of the list", b.Authenticator, elsewhere, false},
		{"a cookie changed by a bit", b.Authenticator, b.Script(b.WithoutAZP(clerktest.Claims{}), flipped), false},
		{"a life prolonged by hand", b.Authenticator, b.Script(b.WithoutAZP(clerktest.Claims{}), longer), false},
		{"behind a planted one", b.Authenticator, b.Script(b.WithoutAZP(clerktest.Claims{}), others, party), true},
		{"before a planted one", b.Authenticator, b.Script(b.WithoutAZP(clerktest.Claims{}), party, others), true},
		{"behind many that cannot be one", b.Authenticator, b.Script(b.WithoutAZP(clerktest.Claims{}), strings.Repeat(name+"=x; ", 50)+name+"=v2."+strings.Repeat("x", 70)+"; "+party), true},
		{"behind eight of the same name", b.Authenticator, b.Script(b.WithoutAZP(clerktest.Claims{}), strings.Repeat(flipped+"; ", 8)+party), false},
		{"two that are not valid", b.Authenticator, b.Script(b.WithoutAZP(clerktest.Claims{}), others, flipped), false},
		{"another tag", b.Authenticator, b.Script(b.WithoutAZP(clerktest.Claims{}), harness.PartyName+"AAAAAAAA="+value), false},
		{"no tag", b.Authenticator, b.Script(b.WithoutAZP(clerktest.Claims{}), strings.TrimSuffix(harness.PartyName, "_")+"="+value), false},
		{"the name without its prefix", b.Authenticator, b.Script(b.WithoutAZP(clerktest.Claims{}), strings.TrimPrefix(party, "__Host-")), false},
		{"an expired token", b.Authenticator, b.Script(b.WithoutAZP(clerktest.Claims{IssuedAt: b.Now.Add(-time.Hour)}), party), false},
		{"a forged token", b.Authenticator, b.Script(b.Clerk.Forge(clerktest.Claims{Extra: map[string]any{"azp": clerktest.Absent}}), party), false},
		{"an azp that is null", b.Authenticator, b.Script(b.Clerk.Token(clerktest.Claims{Extra: map[string]any{"azp": nil}}), party), false},
		{"a key of another application", b.Replica(func(c *clerkauth.Config) {
			c.StateKey = []byte(strings.Repeat("k", 32))
		}), b.Script(b.WithoutAZP(clerktest.Claims{}), party), false},
		{"no key", b.Replica(func(c *clerkauth.Config) {
			c.SecretKey = ""
		}), b.Script(b.WithoutAZP(clerktest.Claims{}), party), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			state := tt.auth.AuthenticateRequest(tt.r)
			if got := state.Status == clerkauth.StatusSignedIn; got != tt.want {
				t.Errorf("got %s, %v; want signed in: %t", state.Status, state.Err, tt.want)
			}
			if harness.SetPartyCookie(state) != nil {
				t.Error("a token without azp prolongs its party cookie")
			}
		})
	}
	b.Now = b.Now.Add(7 * 24 * time.Hour)
	harness.WantState(t, b.AuthenticateRequest(b.Script(b.WithoutAZP(clerktest.Claims{}), party)), clerkauth.StatusSignedOut, clerkauth.ReasonTokenMissingAZP)
}

// Malformed cookies that a sibling subdomain planted do not prevent a handshake.
func TestPlantedGarbageBesideATokenWithoutAZP(t *testing.T) {
	b := harness.NewApp(t)
	suffix := harness.Suffix(b.Clerk)
	r := b.Page("x")
	r.Header.Set("Cookie", "__session=garbage; __client_uat=1; __session_"+suffix+"="+b.WithoutAZP(clerktest.Claims{})+"; __client_uat_"+suffix+"=1")
	harness.WantState(t, b.AuthenticateRequest(r), clerkauth.StatusHandshake, clerkauth.ReasonTokenMissingAZP)
}

// A party cookie's lifetime is not extended by requests that it lets in.
func TestPartyCookieDoesNotProlongItself(t *testing.T) {
	b := harness.NewApp(t)
	party := b.PartyCookie(clerktest.Claims{})
	b.Now = b.Now.Add(6 * 24 * time.Hour)
	state := b.AuthenticateRequest(b.Script(b.WithoutAZP(clerktest.Claims{}), party))
	harness.WantState(t, state, clerkauth.StatusSignedIn, "")
	if c := harness.SetPartyCookie(state); c != nil {
		t.Errorf("got the cookie %v, want it not renewed", c)
	}
}

// Replicas accept each other's party cookies, and do not replace them.
func TestReplicasShareStateKey(t *testing.T) {
	b := harness.NewApp(t, func(c *clerkauth.Config) { c.StateKey = []byte(strings.Repeat("s", 32)) })
	party := b.PartyCookie(clerktest.Claims{})
	replica := b.Replica(func(c *clerkauth.Config) {
		c.StateKey, c.SecretKey = []byte(strings.Repeat("s", 32)), ""
	})
	harness.WantState(t, replica.AuthenticateRequest(b.Script(b.WithoutAZP(clerktest.Claims{}), party)), clerkauth.StatusSignedIn, "")
	b.Now = b.Now.Add(time.Second)
	token := b.Clerk.Token(clerktest.Claims{})
	harness.WantState(t, replica.AuthenticateRequest(b.Page(token)), clerkauth.StatusSignedIn, "") // it uses a party cookie of its own now
	for range 2 {
		if c := harness.SetPartyCookie(replica.AuthenticateRequest(b.Page(token, party))); c != nil {
			t.Errorf("a replica replaces a valid party cookie: %v", c)
		}
	}
}

func TestCookiesWithoutPrefixInDevelopmentOnly(t *testing.T) {
	tests := []struct {
		name        string
		development bool
		url         string
		want        string
	}{
		{"development on this machine", true, "http://localhost:3000/", "clerkauth_party_"},
		{"development with TLS", true, "https://localhost:3000/", harness.PartyName},
		{"development elsewhere", true, "http://example.com/", harness.PartyName},
		{"live keys on this machine", false, "http://localhost:3000/", harness.PartyName},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			clerk := clerktest.New(t, clerktest.Options{Development: tt.development, Now: harness.AtNoon})
			auth := harness.New(t, clerk, func(c *clerkauth.Config) {
				c.AuthorizedParties = append(c.AuthorizedParties, "http://localhost:3000", "https://localhost:3000")
			})
			r := httptest.NewRequest(http.MethodGet, tt.url, nil)
			for _, c := range clerk.Cookies(clerk.Token(clerktest.Claims{})) {
				r.AddCookie(c)
			}
			state := auth.AuthenticateRequest(r)
			harness.WantState(t, state, clerkauth.StatusSignedIn, "")
			set := harness.SetPartyCookie(state)
			if len(harness.SetCookies(state)) != 1 || set == nil || !strings.HasPrefix(set.Name, tt.want) || set.Secure != strings.HasPrefix(tt.want, "__Host-") {
				t.Fatalf("got cookies %v, want one: %s", state.Header, tt.want)
			}
			// It is read under that name only.
			other := strings.TrimPrefix(set.Name, "__Host-")
			if tt.want != harness.PartyName {
				other = "__Host-" + set.Name
			}
			for name, want := range map[string]clerkauth.Status{set.Name: clerkauth.StatusSignedIn, other: clerkauth.StatusSignedOut} {
				r := httptest.NewRequest(http.MethodGet, tt.url, nil)
				for _, c := range clerk.Cookies(clerk.Token(clerktest.Claims{Extra: map[string]any{"azp": clerktest.Absent}})) {
					r.AddCookie(c)
				}
				r.Header.Add("Cookie", name+"="+set.Value)
				if state := auth.AuthenticateRequest(r); state.Status != want {
					t.Errorf("a token without azp beside %s: got %v, %v; want %v", name, state, state.Err, want)
				}
			}
		})
	}
}

func TestInsecureAllowCookieWithoutParty(t *testing.T) {
	b := harness.NewApp(t, func(c *clerkauth.Config) { c.InsecureAllowCookieWithoutParty = true })
	state := b.AuthenticateRequest(b.Script(b.WithoutAZP(clerktest.Claims{})))
	harness.WantState(t, state, clerkauth.StatusSignedIn, "")
	if len(harness.SetCookies(state)) != 0 {
		t.Errorf("got cookies %v, want none: nothing reads them", state.Header)
	}
}
