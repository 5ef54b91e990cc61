package threats_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// returning is Alice's browser at a production application where she was signed in before.
func returning(t *testing.T, now *time.Time, change func(*scene)) *traveller {
	t.Helper()
	w := production(now)
	if change != nil {
		change(&w)
	}
	v := newTraveller(t, w)
	v.clerk.SignIn(v.browser.Jar, alice)
	v.visit("/me")
	v.want("Alice at first", v.visit("/me"), 200, "hello user_2alice", 0)
	if v.cookie(partyPrefix(&w)) == "" {
		t.Fatal("the first visit set no party cookie, so that nothing is tested")
	}
	return v
}

func partyPrefix(w *scene) string {
	if w.Development {
		return "clerkauth_party_"
	}
	return "__Host-clerkauth_party_"
}

// thiefsNonce is the nonce of a handshake of Bob's own browser, and when he signed in.
func (v *traveller) thiefsNonce(now time.Time) (nonce, uat string) {
	v.Helper()
	thief := &traveller{T: v.T, clerk: v.clerk, browser: v.clerk.Browser(http.NotFoundHandler()), origin: v.origin}
	v.clerk.SignIn(thief.browser.Jar, bob)
	thief.once(http.MethodGet, v.clerk.URL(clerktest.FrontendHandshake)+"?format=nonce&redirect_url="+v.origin+"/me")
	if nonce = thief.cookie("__clerk_handshake_nonce"); nonce == "" {
		v.Fatal("the thief has no nonce")
	}
	return nonce, strconv.FormatInt(now.Unix(), 10)
}

// A sibling subdomain plants the nonce of its own handshake, with or without a __client_uat.
// The visitor who returns is not signed in as somebody else.
func TestPlantedNonceReplacesNoSession(t *testing.T) {
	for _, tt := range []struct {
		name    string
		uat     bool
		expired bool
		sent    int
	}{
		{"beside a good session", false, false, 0},
		{"beside a good session and a __client_uat", true, false, 2},
		{"beside an expired session", false, true, 2},
		{"beside an expired session and a __client_uat", true, true, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now := harness.Noon
			v := returning(t, &now, func(w *scene) { w.WithoutRefresh = true })
			now = now.Add(2 * time.Second)
			if tt.expired {
				now = now.Add(time.Hour)
			}
			nonce, uat := v.thiefsNonce(now)
			v.plant("example.com", "__clerk_handshake_nonce", nonce)
			if tt.uat {
				v.plant("example.com", "__client_uat", uat, v.suffixedUAT(), uat)
			}
			v.want("the page", v.visit("/me"), 200, "hello user_2alice", tt.sent)
			v.want("the next page", v.visit("/me"), 200, "hello user_2alice", 0)
		})
	}
}

// suffixedUAT is the name of this instance's own __client_uat cookie.
func (v *traveller) suffixedUAT() string {
	return strings.Replace(v.clerk.Cookies("x")[1].Name, "__session", "__client_uat", 1)
}

// The sibling subdomain shows the application in a frame whose Content-Security-Policy blocks the
// redirect to Clerk. Chromium keeps the cookies of that redirect. Then it plants a nonce and
// __client_uat, and opens the page.
func TestBlockedHopThenPlantedNonce(t *testing.T) {
	now := harness.Noon
	v := returning(t, &now, func(w *scene) { w.WithoutRefresh = true })
	now = now.Add(2 * time.Second)
	nonce, uat := v.thiefsNonce(now)
	v.plant("example.com", "__client_uat", uat, v.suffixedUAT(), uat)
	blocked := v.once(http.MethodGet, "/me", harness.With("Sec-Fetch-Dest", "iframe"), harness.With("Sec-Fetch-Site", "same-site"), harness.With("Accept", "text/html"))
	if blocked.status != http.StatusTemporaryRedirect {
		t.Fatalf("the framed page: got %d, want 307", blocked.status)
	}
	v.plant("example.com", "__clerk_handshake_nonce", nonce)
	v.want("the page", v.visit("/me"), 200, "hello user_2alice", 2)
}

// A confirmation is valid for this browser, this page and ten minutes.
func TestConfirmationIsBoundToTheBrowser(t *testing.T) {
	now := harness.Noon
	v := returning(t, &now, func(w *scene) { w.WithoutRefresh = true })
	now = now.Add(2 * time.Second)
	nonce, uat := v.thiefsNonce(now)
	v.plant("example.com", "__clerk_handshake_nonce", nonce, "__client_uat", uat, v.suffixedUAT(), uat)
	first := v.once(http.MethodGet, "/me")
	back := returnOf(first.header.Get("Location"))
	if !strings.HasPrefix(back, "https://example.com/me?__clerkauth_state=") || first.header.Get("X-Clerk-Auth-Reason") != "session-changed" {
		t.Fatalf("the handshake returns to %q with headers %v, want https://example.com/me?__clerkauth_state=… and session-changed", back, first.header)
	}
	deleted := strings.Join(first.header["Set-Cookie"], "\n")
	for _, want := range []string{
		"__clerk_handshake=; Path=/; Max-Age=0; Secure", "__clerk_handshake=; Path=/; Domain=example.com; Max-Age=0; Secure",
		"__clerk_handshake_nonce=; Path=/; Max-Age=0; Secure", "__clerk_handshake_nonce=; Path=/; Domain=example.com; Max-Age=0; Secure",
	} {
		if !strings.Contains(deleted, want) {
			t.Errorf("cookies %q, want %q among them", first.header["Set-Cookie"], want)
		}
	}
	begun := now
	for name, tt := range map[string]struct {
		address string
		after   time.Duration
		edits   []harness.Edit
		want    bool
	}{
		"as it was sent":             {back, time.Minute, nil, true},
		"within the next period":     {back, 15 * time.Minute, nil, true},
		"later":                      {back, 25 * time.Minute, nil, false},
		"at another page":            {strings.Replace(back, "/me?", "/you?", 1), 0, nil, false},
		"twice":                      {back + "&__clerkauth_state=x", 0, nil, false},
		"cut":                        {back[:len(back)-1], 0, nil, false},
		"with another party cookie":  {back, 0, []harness.Edit{changeCookie("__Host-clerkauth_party_", "v2.9999999999.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")}, false},
		"with parameters rearranged": {strings.Replace(back, "?", "?b=1&", 1), 0, nil, false},
	} {
		now = begun.Add(tt.after)
		fresh, _ := v.thiefsNonce(now)
		r := v.request(tt.address, tt.edits...)
		r.Header.Set("Cookie", withoutCookie(r.Header.Get("Cookie"), "__clerk_handshake_nonce")+"; __clerk_handshake_nonce="+fresh)
		state := v.auth.AuthenticateRequest(r)
		if got := state.Status == clerkauth.StatusSignedIn; got != tt.want {
			t.Errorf("%s: got %s %v, want signed in %t", name, state.Status, state.Err, tt.want)
		}
		if tt.want && state.Header.Get("Location") != "https://example.com/me" {
			t.Errorf("%s: redirected to %q, want https://example.com/me", name, state.Header.Get("Location"))
		}
	}
}

// request is what the browser would send.
func (v *traveller) request(address string, edits ...harness.Edit) *http.Request {
	v.Helper()
	r := harness.Request(http.MethodGet, address, harness.With("Sec-Fetch-Dest", "document"), harness.With("Sec-Fetch-Site", "same-site"))
	for _, c := range v.browser.Jar.Cookies(r.URL) {
		r.AddCookie(c)
	}
	for _, e := range edits {
		e(r)
	}
	return r
}

func withoutCookie(line, name string) string {
	var kept []string
	for pair := range strings.SplitSeq(line, "; ") {
		if !strings.HasPrefix(pair, name+"=") {
			kept = append(kept, pair)
		}
	}
	return strings.Join(kept, "; ")
}

func changeCookie(prefix, value string) harness.Edit {
	return func(r *http.Request) {
		pairs := strings.Split(r.Header.Get("Cookie"), "; ")
		for i, pair := range pairs {
			if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, prefix) {
				pairs[i] = name + "=" + value
			}
		}
		r.Header.Set("Cookie", strings.Join(pairs, "; "))
	}
}
