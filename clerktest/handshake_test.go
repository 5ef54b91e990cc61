package clerktest_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
)

// TestHandshakeSignedIn checks every directive for every kind of instance and format.
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
			names, gone := map[string]*http.Cookie{}, []string{}
			for _, c := range got {
				if c.MaxAge < 0 {
					gone = append(gone, c.Name+" "+c.Domain)
					continue
				}
				names[strings.SplitN(c.Name, "_"+suffixOf(t, in), 2)[0]] = c
				if c.Secure != tt.live || c.Path != "/" || c.MaxAge <= 0 {
					t.Errorf("got %s, want Secure %t, Path=/ and an age", c, tt.live)
				}
			}
			if want := tt.count; len(got)-len(gone) != want {
				t.Errorf("%d directives, want %d: %v", len(got)-len(gone), want, got)
			}
			if want := deletionsOf(suffixOf(t, in), tt.live); !slices.Equal(gone, want) {
				t.Errorf("it deletes %q, want %q", gone, want)
			}
			_, body, _ := parts(t, names["__session"].Value)
			var claims struct {
				AZP, Sid, Sub, Iss string
				Exp, Iat           int64
			}
			decode(t, body, &claims)
			if claims.AZP != in.Config().AuthorizedParties[0] || claims.Sid != s.ID || claims.Sub != "user_2alice" || claims.Exp-claims.Iat != 7 {
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
	count        int // cookies it sets when signed in: three pairs and a refresh cookie, one pair less in production
}

// deletionsOf returns the names and domains of the cookies that a sign-in deletes: in production
// the host's own client_uat, since there would be two, and the result itself. On localhost there is
// no wider domain.
func deletionsOf(suffix string, live bool) []string {
	if !live {
		return []string{}
	}
	return []string{"__client_uat ", "__client_uat_" + suffix + " ", "__clerk_handshake example.com", "__clerk_handshake_nonce example.com"}
}

func handshakeKinds() []handshakeKind {
	return []handshakeKind{
		{"production, nonce", "nonce", true, 5},
		{"production, token", "", true, 5},
		{"development, nonce", "nonce", false, 7},
		{"development, token", "", false, 7},
	}
}

// devJar returns nil in development, where the token in the query must be enough.
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

// suffixOf reads the suffix from the cookies themselves; TestCookieSuffix tests its value.
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
				case strings.HasPrefix(c.Name, "__client_uat") && c.MaxAge < 0 && c.Domain == "":
				case strings.HasPrefix(c.Name, "__client_uat"):
					zero++
					if c.Value != "0" || c.MaxAge <= 0 {
						t.Errorf("got %s, want 0", c)
					}
				case strings.HasPrefix(c.Name, "__clerk_db_jwt"):
					if c.Value == "" || tt.live {
						t.Errorf("got %s, want the browser's token, and in development only", c)
					}
				case c.Value != "" || c.MaxAge >= 0:
					t.Errorf("got %s, want a deletion", c)
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
			return carried(t, unfollowed(t, in, newJar(t), byHandshake("https://example.com/", "format", "nonce")), "__clerk_handshake_nonce", true)
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
		a := unfollowed(t, in, newJar(t), byHandshake(target))
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
	a := unfollowed(t, in, newJar(t), byHandshake("http://localhost:3000/a%2Fb?x=1&__clerk_handshake=old&y=~%20", "format", "token"))
	location, err := url.Parse(a.header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	q := location.Query()
	if location.EscapedPath() != "/a%2Fb" || q.Get("x") != "1" || q.Get("y") != "~ " || len(q["__clerk_handshake"]) != 1 || q.Get("__clerk_handshake") == "old" {
		t.Errorf("redirected to %q, want /a%%2Fb with x=1, y=~ and one new __clerk_handshake", location)
	}
}
