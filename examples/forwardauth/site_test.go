package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// site is an app behind nginx, with a browser before it and an instance beside it.
type site struct {
	t       *testing.T
	clerk   *clerktest.Instance
	ahead   atomic.Int64 // of the clock
	base    string
	reached atomic.Int64 // requests that came through to the app
	client  *http.Client
}

func newSite(t *testing.T) *site {
	t.Helper()
	program, addr := nginx(t), freePort(t)
	s := &site{t: t, base: "http://" + addr}
	var err error
	s.clerk, err = clerktest.Start(clerktest.Options{
		Development: true, Origins: []string{s.base},
		Now: func() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.clerk.Close)
	cfg := s.clerk.Config()
	cfg.SignInURL = s.clerk.URL(clerktest.SignInPage)
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	forwardauth, err := endpoint(auth, "nginx")
	if err != nil {
		t.Fatal(err)
	}
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.reached.Add(1)
		body, _ := io.ReadAll(r.Body)
		if of := s.clerk.BrowserSessions()[0].ID; r.Header.Get("X-Clerk-Session-Id") != of {
			t.Errorf("the app is told of session %q, want %q", r.Header["X-Clerk-Session-Id"], of)
		}
		fmt.Fprintf(w, "%s %s %s %s", r.Method, r.URL, r.Header["X-Clerk-User-Id"], body) //nolint:gosec // no browser shows it
	})
	runNginx(t, program, addr, serve(t, forwardauth), serve(t, app))
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s.client = &http.Client{Jar: jar, Timeout: 20 * time.Second}
	return s
}

// expire lets the session token run out, and what lives shorter.
func (s *site) expire() {
	s.ahead.Add(int64(70 * time.Second))
	s.drop("__clerk_redirect_count")
}

func (s *site) app() *url.URL {
	u, err := url.Parse(s.base)
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

func (s *site) drop(prefix string) {
	for name := range s.cookies(prefix) {
		s.client.Jar.SetCookies(s.app(), []*http.Cookie{{Name: name, Path: "/", MaxAge: -1}}) //nolint:gosec // it sets none
	}
}

// cookies are those of the browser, by name.
func (s *site) cookies(prefix string) map[string]string {
	found := map[string]string{}
	for _, c := range s.client.Jar.Cookies(s.app()) {
		if strings.HasPrefix(c.Name, prefix) {
			found[c.Name] = c.Value
		}
	}
	return found
}

var (
	navigation = []string{"Sec-Fetch-Dest", "document", "Accept", "text/html", "Sec-Fetch-Site", "none"}
	script     = []string{"Sec-Fetch-Dest", "empty", "Sec-Fetch-Site", "same-origin"}
)

// reply is where a request of a browser ended, and what was there.
type reply struct {
	at     string
	status int
	header http.Header
	body   string
}

func (s *site) send(method, target, body string, header ...string) reply {
	s.t.Helper()
	r, err := http.NewRequestWithContext(context.WithoutCancel(s.t.Context()), method, target, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header = with(http.Header{}, header...)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return reply{resp.Request.URL.String(), resp.StatusCode, resp.Header, string(text)}
}

func (s *site) signIn() {
	s.t.Helper()
	page, portal := s.base+"/page?a=1", s.clerk.URL(clerktest.SignInPage)
	form := url.Values{"redirect_url": {page}}
	if first := s.send(http.MethodGet, page, "", navigation...); first.at != portal+"?"+form.Encode() || s.reached.Load() != 0 {
		s.t.Fatalf("a first visit ends at %s, want the sign-in page; the app saw %d requests", first.at, s.reached.Load())
	}
	form.Set("user", "user_2alice")
	if back := s.send(http.MethodPost, portal, form.Encode(), navigation...); back.at != page || back.body != "GET /page?a=1 [user_2alice] " {
		s.t.Fatalf("signing in ends at %s with %d %q", back.at, back.status, back.body)
	}
}
