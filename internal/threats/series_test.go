package threats_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// stamped adds a new parameter to the address of every page, as some proxies do.
func stamped(next http.Handler) http.Handler {
	n := 0
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		separator := "?"
		if strings.Contains(r.RequestURI+r.URL.RawQuery, "?") || r.URL.RawQuery != "" {
			separator = "&"
		}
		r.RequestURI = r.URL.RequestURI() + separator + "ts=" + strconv.Itoa(n)
		next.ServeHTTP(w, r)
	})
}

// Pages whose address changes with each request get no more handshakes than others.
func TestLoopsOfChangingAddressesEnd(t *testing.T) {
	for _, tt := range []struct {
		name     string
		live     bool
		signedIn bool
		front    func(http.Handler) http.Handler
		fault    bool // the results of handshakes are not valid
		path     string
		status   int
		body     string
	}{
		{name: "development, without cookies", front: onlyCookies(), path: "/me", status: 401, body: "keeps no cookies"},
		{name: "development, __client_uat is withheld", signedIn: true, front: withoutSetting("__client_uat"), path: "/me", status: 401, body: "in a loop of redirects"},
		{name: "development, __client_uat is withheld, a public page", signedIn: true, front: withoutSetting("__client_uat"), path: "/public/", status: 200, body: harness.Stranger},
		{name: "development, __clerk_db_jwt is withheld", signedIn: true, front: withoutSetting("__clerk_db_jwt"), path: "/me", status: 401, body: "in a loop of redirects"},
		{name: "development, results that are not valid", signedIn: true, fault: true, path: "/me", status: 401, body: "in a loop of redirects"},
		{name: "production, results that are not valid", live: true, signedIn: true, fault: true, path: "/me", status: 401, body: "in a loop of redirects"},
		{name: "production, a proxy that passes __session", live: true, signedIn: true, front: onlyCookies("__session"), path: "/me", status: 401, body: "do not come back"},
		{name: "production, a proxy that passes __client_uat", live: true, signedIn: true, front: onlyCookies("__client_uat"), path: "/me", status: 401, body: "do not come back"},
		{name: "production, a proxy that passes __client_uat, a public page", live: true, signedIn: true, front: onlyCookies("__client_uat"), path: "/public/", status: 200, body: harness.Stranger},
	} {
		now := harness.Noon
		w := development(&now)
		if tt.live {
			w = production(&now)
		}
		w.WithoutRefresh = true
		w.front = func(next http.Handler) http.Handler {
			if tt.front != nil {
				next = tt.front(next)
			}
			return stamped(next)
		}
		v := newTraveller(t, w)
		if tt.signedIn {
			v.clerk.SignIn(v.browser.Jar, alice)
		}
		if tt.fault {
			v.clerk.Fault(clerktest.BackendHandshake, clerktest.Status(http.StatusNotFound, nil))
		}
		if tt.live {
			v.plant("", "__session", v.clerk.Token(clerktest.Claims{IssuedAt: now.Add(-time.Hour)}))
		}
		got := v.visit(tt.path)
		if got.status != tt.status || !strings.Contains(got.body, tt.body) || len(v.sent) > 3 {
			t.Errorf("%s: got %d %q after %q, want %d %q after three redirects at most", tt.name, got.status, got.body, v.sent, tt.status, tt.body)
		}
		v.clerk.Close()
	}
}

// Such pages are signed in like others.
func TestChangingAddressesAreServed(t *testing.T) {
	for _, live := range []bool{true, false} {
		now := harness.Noon
		w := development(&now)
		if live {
			w = production(&now)
		}
		w.front = stamped
		v := newTraveller(t, w)
		v.clerk.SignIn(v.browser.Jar, alice)
		for i := range 4 {
			if got := v.visit("/me"); got.status != http.StatusOK || got.body != "hello user_2alice" || len(v.sent) > 3 {
				t.Errorf("live %t, visit %d: got %d %q after %q, want 200 \"hello user_2alice\" after 3 at most", live, i, got.status, got.body, v.sent)
			}
			now = now.Add(time.Hour)
		}
	}
}

// A person who reloads a page many times, because Clerk is slow, is signed in when Clerk answers.
func TestReloadsStopNobody(t *testing.T) {
	for _, live := range []bool{true, false} {
		now := harness.Noon
		w := development(&now)
		if live {
			w = production(&now)
		}
		v := newTraveller(t, w)
		v.clerk.SignIn(v.browser.Jar, alice)
		for i := range 7 {
			if got := v.once(http.MethodGet, "/me"); got.status != http.StatusTemporaryRedirect {
				t.Errorf("live %t: reload %d got %d %q, want 307", live, i+1, got.status, got.body)
			}
			now = now.Add(4 * time.Second)
		}
		v.want("at last", v.visit("/me"), 200, "hello user_2alice", 2)
	}
}
