package clerktest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// journey is a person with a browser, an app behind the library, and an instance.
type journey struct {
	t      *testing.T
	clerk  *clerktest.Instance
	client *http.Client
	app    string
}

// journeyKind is one setup of an instance and an app.
type journeyKind struct {
	name    string
	live    bool
	nonce   bool // the app has a SecretKey
	refresh bool
}

func journeyKinds() []journeyKind {
	return []journeyKind{
		{"production, nonce", true, true, false},
		{"production, nonce and refresh", true, true, true},
		{"production, token", true, false, false},
		{"development, nonce", false, true, false},
		{"development, nonce and refresh", false, true, true},
		{"development, token", false, false, false},
	}
}

// eachJourney runs a test in a bubble for each kind.
func eachJourney(t *testing.T, test func(t *testing.T, k journeyKind, j journey)) {
	t.Helper()
	for _, k := range journeyKinds() {
		t.Run(k.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, k, newJourney(t, k)) })
		})
	}
}

func newJourney(t *testing.T, k journeyKind) journey {
	t.Helper()
	clerk := clerktest.New(t, clerktest.Options{Development: !k.live, TokenLifetime: 10 * time.Second, WithoutRefresh: !k.refresh})
	cfg := clerk.Config()
	cfg.SignInURL = clerk.URL(clerktest.SignInPage)
	cfg.StateKey = []byte("0123456789abcdef0123456789abcdef")
	if !k.nonce {
		cfg.SecretKey = ""
	}
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/me", auth.Require(http.HandlerFunc(me)))
	mux.Handle("/", auth.Optional(http.HandlerFunc(me)))
	return journey{t, clerk, clerk.Browser(mux), cfg.AuthorizedParties[0]}
}

// visit navigates to a path of the app. It returns the final URL, and the page there.
func (j journey) visit(path string) (at *url.URL, status int, body string) {
	j.t.Helper()
	r, err := http.NewRequestWithContext(j.t.Context(), http.MethodGet, j.app+path, http.NoBody)
	if err != nil {
		j.t.Fatal(err)
	}
	return j.send(r)
}

func (j journey) send(r *http.Request) (at *url.URL, status int, body string) {
	j.t.Helper()
	client := *j.client
	client.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		at = r.URL
		if len(via) > 8 {
			return http.ErrUseLastResponse
		}
		return nil
	}
	at = r.URL
	a := read(j.t, &client, r)
	return at, a.status, string(a.body)
}

// expect is visit where the app should answer at exactly that path.
func (j journey) expect(when, path string, wantStatus int, want string) {
	j.t.Helper()
	at, status, body := j.visit(path)
	if at.String() != j.app+path || status != wantStatus || !strings.Contains(body, want) {
		j.t.Errorf("%s: %s ends at %s with %d %q, want %d %q there", when, path, at, status, body, wantStatus, want)
	}
}

// press submits a form of the portal, from the page that the browser is at.
func (j journey) press(e clerktest.Endpoint, back, user string) (at *url.URL, status int, body string) {
	j.t.Helper()
	form := url.Values{"redirect_url": {back}, "user": {user}}
	r, err := http.NewRequestWithContext(j.t.Context(), http.MethodPost, j.clerk.URL(e), strings.NewReader(form.Encode()))
	if err != nil {
		j.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return j.send(r)
}

// signIn signs in completely: the app's page, the portal, and back.
func (j journey) signIn() {
	j.t.Helper()
	at, status, _ := j.visit("/me?a=1")
	portal := j.clerk.URL(clerktest.SignInPage) + "?"
	if status != http.StatusOK || !strings.HasPrefix(at.String(), portal) {
		j.t.Fatalf("the first visit ends at %s with %d, want the sign-in page", at, status)
	}
	back := at.Query().Get("redirect_url")
	if back != j.app+"/me?a=1" {
		j.t.Errorf("the sign-in page returns to %q, want %s/me?a=1", back, j.app)
	}
	at, status, body := j.press(clerktest.SignInPage, back, "user_2alice")
	if status != http.StatusOK || body != "hello user_2alice" || at.String() != back {
		j.t.Fatalf("after signing in: %s with %d %q, want the page that was asked for", at, status, body)
	}
}

// counts returns how many handshakes and refreshes there were since the last call.
func (j journey) counts() (handshakes, refreshes int) {
	for _, r := range j.clerk.Requests() {
		switch r.Endpoint {
		case clerktest.FrontendHandshake:
			handshakes++
		case clerktest.BackendRefresh:
			refreshes++
		}
	}
	j.clerk.ResetRequests()
	return handshakes, refreshes
}

const expired = 16 * time.Second // the lifetime of a token and the library's leeway, plus a little

func TestJourney(t *testing.T) {
	eachJourney(t, func(t *testing.T, k journeyKind, j journey) {
		j.expect("nobody", "/", http.StatusUnauthorized, "nobody")
		j.signIn()
		j.counts()
		j.expect("at once", "/me", http.StatusOK, "hello user_2alice")
		if handshakes, refreshes := j.counts(); handshakes+refreshes != 0 {
			t.Errorf("a good token caused %d handshakes and %d refreshes, want none", handshakes, refreshes)
		}
		for i := range 3 {
			time.Sleep(expired)
			j.expect(fmt.Sprintf("after lifetime %d", i+1), "/me", http.StatusOK, "hello user_2alice")
			handshakes, refreshes := j.counts()
			if byRefresh := handshakes == 0 && refreshes == 1; byRefresh != k.refresh || !byRefresh && (handshakes != 1 || refreshes != 0) {
				t.Errorf("renewed by %d handshakes and %d refreshes, want one refresh: %t, else one handshake", handshakes, refreshes, k.refresh)
			}
		}
		j.clerk.BrowserSessions()[0].SignOut()
		j.expect("signed out elsewhere, the token still good", "/me", http.StatusOK, "hello user_2alice")
		time.Sleep(expired)
		j.expect("signed out elsewhere", "/", http.StatusUnauthorized, "nobody")
		if at, _, _ := j.visit("/me"); at.Path != "/sign-in" {
			t.Errorf("signed out elsewhere: /me ends at %s, want the sign-in page", at)
		}
		for _, r := range j.clerk.Requests() {
			if r.SecretKey && !strings.HasPrefix(string(r.Endpoint), "backend-") {
				t.Errorf("the secret key was sent to %s", r.Host)
			}
		}
	})
}

func TestJourneySignOutPage(t *testing.T) {
	eachJourney(t, func(t *testing.T, _ journeyKind, j journey) {
		j.signIn()
		at, status, body := j.press(clerktest.SignOutPage, j.app+"/", "")
		if at.String() != j.app+"/" || status != http.StatusUnauthorized || body != "nobody\n" {
			t.Errorf("signing out ends at %s with %d %q, want nobody at the app", at, status, body)
		}
	})
}

// TestJourneyWhenTheFrontendIsDown keeps a browser with a valid token signed in, and redirects no
// other browser.
func TestJourneyWhenTheFrontendIsDown(t *testing.T) {
	eachJourney(t, func(t *testing.T, k journeyKind, j journey) {
		j.signIn()
		j.clerk.Fault(clerktest.FrontendHandshake, clerktest.Status(http.StatusBadGateway, nil))
		j.expect("a good token", "/me", http.StatusOK, "hello user_2alice")
		time.Sleep(expired)
		if at, status, _ := j.visit("/me"); !k.refresh && (status != http.StatusBadGateway || at.Path != "/v1/client/handshake") {
			t.Errorf("without refresh: got %s with %d, want the handshake's 502", at, status)
		} else if k.refresh && (status != http.StatusOK || at.Path != "/me") {
			t.Errorf("with refresh: got %s with %d, want the app", at, status)
		}
		j.clerk.Fault(clerktest.FrontendHandshake, nil)
		j.expect("up again", "/me", http.StatusOK, "hello user_2alice")
	})
}

// TestJourneyWithoutAZP has tokens without azp. They sign nobody in by themselves, without a loop
// of redirects. With the party cookie of an earlier visit they keep a person signed in.
func TestJourneyWithoutAZP(t *testing.T) {
	const maxHandshakes = 2 // one that shows what is wrong; in development one before it creates the browser
	without := clerktest.Claims{Subject: "user_2alice", Extra: map[string]any{"azp": clerktest.Absent}}
	eachJourney(t, func(t *testing.T, _ journeyKind, j journey) {
		s := j.clerk.SignIn(j.client.Jar, clerktest.Person{Claims: without})
		for range 3 {
			j.counts()
			if at, status, body := j.visit("/"); at.Path != "/" || status != http.StatusUnauthorized || body != "nobody\n" {
				t.Errorf("no azp from the first: ends at %s with %d %q, want nobody", at.Path, status, body)
			}
			if handshakes, _ := j.counts(); handshakes > maxHandshakes {
				t.Errorf("%d handshakes in one visit, want %d at most", handshakes, maxHandshakes)
			}
		}
		time.Sleep(2 * time.Minute)
		s.SetClaims(clerktest.Claims{Subject: "user_2alice"})
		j.expect("with azp", "/me", http.StatusOK, "hello user_2alice")
		j.expect("with azp, by cookie", "/me", http.StatusOK, "hello user_2alice")
		s.SetClaims(without)
		for range 3 {
			time.Sleep(expired)
			j.expect("without azp again", "/me", http.StatusOK, "hello user_2alice")
		}
	})
}
