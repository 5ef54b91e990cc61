package clerktest_test

import (
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// TestBrowserSpeaksAsBrowsersDo checks the headers that an app receives.
func TestBrowserSpeaksAsBrowsersDo(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{Origins: []string{"https://example.com", "https://other.example"}})
	var seen *http.Request
	client := in.Browser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r
		if to := r.URL.Query().Get("to"); to != "" {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusSeeOther)
		}
	}))
	const html = "text/html,application/xhtml+xml,*/*;q=0.8"
	tests := []struct {
		name, method, target string
		header               http.Header
		dest, accept, site   string
	}{
		{"a navigation", "GET", "https://example.com/a?b", nil, "document", html, "none"},
		{"a navigation with a redirect", "GET", "https://example.com/?to=https://other.example/", nil, "document", html, "none"},
		{"a frame", "GET", "https://example.com/", http.Header{"Sec-Fetch-Dest": {"iframe"}}, "iframe", "", "none"},
		{"a script", "GET", "https://example.com/", http.Header{"Sec-Fetch-Dest": {"empty"}, "Sec-Fetch-Site": {"same-site"}}, "empty", "", "same-site"},
		{"a form", "POST", "https://example.com/", nil, "", "", "same-origin"},
		{"a form that ends elsewhere", "POST", "https://example.com/?to=https://other.example/", nil, "document", html, "cross-site"},
		{"a form that ends here", "POST", "https://example.com/?to=/b", nil, "document", html, "same-origin"},
		{"a link", "GET", "https://example.com/?to=/b", http.Header{"Referer": {"https://search.example/"}}, "document", html, "none"},
	}
	for _, tt := range tests {
		r, err := http.NewRequestWithContext(t.Context(), tt.method, tt.target, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(r.Header, tt.header)
		read(t, client, r)
		got := [...]string{seen.Header.Get("Sec-Fetch-Dest"), seen.Header.Get("Accept"), seen.Header.Get("Sec-Fetch-Site"), seen.Referer()}
		if want := [...]string{tt.dest, tt.accept, tt.site, tt.header.Get("Referer")}; got != want {
			t.Errorf("%s: dest, accept, site, referrer %q, want %q", tt.name, got, want)
		}
		if seen.URL.Host != "" || seen.URL.Scheme != "" || seen.RequestURI != seen.URL.RequestURI() || seen.TLS == nil {
			t.Errorf("%s: the app sees %+v, want it as a server does", tt.name, seen.URL)
		}
	}
}

func TestBrowserReachesNobodyElse(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{})
	client := in.Browser(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	for _, target := range []string{"https://evil.example/", "http://example.com/", "https://example.com/"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if a, err := tryRead(client, r); err == nil {
			t.Errorf("%s: got %d, want no answer", target, a.status)
		}
	}
}

// TestDevelopmentOverTheNetwork signs in to a development instance over real servers, as a browser
// on this machine does.
func TestDevelopmentOverTheNetwork(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var ahead atomic.Int64 // how far the clock is ahead
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	app := &httptest.Server{Listener: l, Config: &http.Server{ReadHeaderTimeout: time.Second}}
	origin := "http://" + l.Addr().String()
	in := start(t, clerktest.Options{Development: true, Origins: []string{origin}, Now: now, WithoutRefresh: true})
	cfg := in.Config()
	cfg.SignInURL = in.URL(clerktest.SignInPage)
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	app.Config.Handler = auth.Require(http.HandlerFunc(me))
	app.Start()
	t.Cleanup(app.Close)

	j := journey{t, in, &http.Client{Jar: newJar(t), Transport: asDocument{}}, origin}
	j.signIn()
	ahead.Store(int64(2 * time.Minute))
	j.counts()
	j.expect("after two minutes", "/me", http.StatusOK, "hello user_2alice")
	if handshakes, _ := j.counts(); handshakes != 1 {
		t.Errorf("%d handshakes, want 1", handshakes)
	}
}

// asDocument makes page loads of requests.
type asDocument struct{}

func (asDocument) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Accept", "text/html")
	r.Header.Del("Referer")
	return http.DefaultTransport.RoundTrip(r)
}

// TestSignInIsWhatThePageDoes compares the two ways to sign a browser in.
func TestSignInIsWhatThePageDoes(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{})
	page, direct := newJar(t), newJar(t)
	press(t, in, page, clerktest.SignInPage, url.Values{"user": {"user_2alice"}}, "Origin", "")
	in.SignIn(direct, clerktest.Person{})
	for _, at := range []string{"https://example.com", "https://clerk.example.com", "https://blog.example.com"} {
		u, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		names := func(jar http.CookieJar) string {
			var all []string
			for _, c := range jar.Cookies(u) {
				all = append(all, c.Name)
			}
			return strings.Join(all, " ")
		}
		if got, want := names(direct), names(page); got != want || got == "" {
			t.Errorf("%s: got the cookies %q, want those of the page, %q", at, got, want)
		}
	}
}
