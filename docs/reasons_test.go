package docs_test

import (
	"errors"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// site is an app and the instance that it belongs to.
type site struct {
	clerk *clerktest.Instance
	auth  *clerkauth.Authenticator
}

// happened is what was seen of a reason: its status, and its detail for logs.
type happened struct {
	status int
	cause  string
}

// sights are what was seen, by reason.
type sights map[string]*happened

func (s sights) of(reason string) *happened {
	if s[reason] == nil {
		s[reason] = &happened{}
	}
	return s[reason]
}

// because keeps the cause of a refusal.
func (s sights) because(err error) {
	refusal, ok := errors.AsType[*clerkauth.Error](err)
	if cause := errors.Unwrap(err); ok && cause != nil {
		s.of(string(refusal.Reason)).cause = keyID.ReplaceAllString(cause.Error(), "ins_…")
	}
}

// keyID is the name of a key, which is another one every time.
var keyID = regexp.MustCompile("ins_[0-9A-Z]{20,}")

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func newSite(t *testing.T, seen sights, opts clerktest.Options, change func(*clerkauth.Config)) site {
	t.Helper()
	if opts.Now == nil {
		opts.Now = func() time.Time { return noon }
	}
	clerk := clerktest.New(t, opts)
	cfg := clerk.Config()
	cfg.Logger = slog.New(slog.DiscardHandler)
	cfg.ErrorHandler = func(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
		seen.because(err)
		clerkauth.DefaultErrorHandler(w, r, err)
	}
	if change != nil {
		change(&cfg)
	}
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return site{clerk, auth}
}

// request is one with lines of a header. A page is one with Sec-Fetch-Dest: document.
func request(method, target string, lines ...string) *http.Request {
	r := httptest.NewRequest(method, target, http.NoBody)
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	return r
}

const (
	aPage   = "Sec-Fetch-Dest: document"
	aScript = "Sec-Fetch-Dest: empty"
)

// signedIn is a request with the cookies of a browser whose session token has these claims.
func (s site) signedIn(c clerktest.Claims, method, target string, lines ...string) *http.Request {
	r := request(method, target, lines...)
	for _, cookie := range s.clerk.Cookies(s.clerk.Token(c)) {
		r.AddCookie(cookie)
	}
	return r
}

func (s site) bearer(token string) *http.Request {
	return request("GET", "https://example.com/", "Authorization: Bearer "+token)
}

// beforeSignIn is a script's request whose token is older than the sign-in that __client_uat tells of.
func (s site) beforeSignIn(target string) *http.Request {
	r := request("GET", target, aScript)
	for _, c := range s.clerk.Cookies(s.clerk.Token(clerktest.Claims{IssuedAt: noon.Add(-30 * time.Second)})) {
		if strings.HasPrefix(c.Name, "__client_uat") {
			c.Value = strconv.FormatInt(noon.Unix(), 10)
		}
		r.AddCookie(c)
	}
	return r
}

// endOfAJourney is the end of a page load when the session has ended elsewhere; in an outage, when the result of a
// handshake cannot be exchanged.
func endOfAJourney(t *testing.T, seen sights, outage bool) {
	t.Helper()
	now := noon
	s := newSite(t, seen, clerktest.Options{Now: func() time.Time { return now }}, nil)
	defer s.clerk.Close()
	browser := s.clerk.Browser(s.auth.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	session := s.clerk.SignIn(browser.Jar, clerktest.Person{})
	if outage {
		for _, endpoint := range []clerktest.Endpoint{clerktest.BackendHandshake, clerktest.BackendRefresh} {
			s.clerk.Fault(endpoint, clerktest.Down)
		}
		s.clerk.Fault(clerktest.FrontendHandshake, func(honest http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.URL.RawQuery += "&format=nonce" // whatever it is asked for
				honest.ServeHTTP(w, r)
			})
		})
	} else {
		session.SignOut()
	}
	now = now.Add(5 * time.Minute)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://example.com/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := browser.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	seen.of(resp.Header.Get("X-Clerk-Auth-Reason")).status = resp.StatusCode
}

// machinesAreRefused sends what is refused of machines alone.
func machinesAreRefused(t *testing.T, seen sights) {
	t.Helper()
	s := newSite(t, seen, clerktest.Options{}, nil)
	defer s.clerk.Close()
	accept := s.auth.Accept(clerkauth.APIKeys("read"))(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	see := func(r *http.Request) {
		w := httptest.NewRecorder()
		accept.ServeHTTP(w, r)
		seen.of(w.Header().Get("X-Clerk-Auth-Reason")).status = w.Code
	}
	see(request("GET", "https://example.com/"))
	see(s.bearer(s.clerk.APIKey(clerktest.MachineClaims{Scopes: []string{"write"}})))
	for _, fault := range []clerktest.Fault{clerktest.Down, clerktest.Status(http.StatusUnauthorized, nil)} {
		s.clerk.Fault(clerktest.BackendVerifyAPIKey, fault)
		see(s.bearer(s.clerk.APIKey(clerktest.MachineClaims{})))
	}
}

// The page of reasons describes real refusals: each reason is caused here, with its status, or with a handshake.
func TestEveryReasonHappens(t *testing.T) {
	seen := sights{}
	p := newSite(t, seen, clerktest.Options{}, nil)
	d := newSite(t, seen, clerktest.Options{Development: true, Origins: []string{"https://example.com"}}, nil)
	see := func(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		reason, _, _ := strings.Cut(w.Header().Get("X-Clerk-Auth-Reason"), "-refresh-")
		seen.of(reason).status = w.Code
		return w
	}
	done := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	require := func(s site, r *http.Request) *httptest.ResponseRecorder {
		seen.because(s.auth.AuthenticateRequest(r).Err) // a handshake is no refusal, and has a cause as well
		return see(s.auth.Require(done), r)
	}

	const home = "https://example.com/"
	require(p, request("GET", home))
	require(p, request("GET", home, aScript, "Cookie: __client_uat="+strconv.FormatInt(noon.Add(-time.Hour).Unix(), 10)))
	require(p, request("GET", home, aScript, "Cookie: __session="+p.clerk.Token(clerktest.Claims{})))
	require(p, p.beforeSignIn(home))
	require(p, p.bearer(p.clerk.Token(clerktest.Claims{Pending: true})))
	require(p, p.bearer("undefined"))
	require(p, p.bearer("mt_0123456789"))
	require(p, p.bearer(p.clerk.Token(clerktest.Claims{Header: map[string]any{"kid": "ins_other"}})))
	require(p, p.bearer(p.clerk.Token(clerktest.Claims{Header: map[string]any{"alg": "HS256"}})))
	require(p, p.bearer(p.clerk.Forge(clerktest.Claims{})))
	require(p, p.bearer(p.clerk.Token(clerktest.Claims{Extra: map[string]any{"exp": clerktest.Absent}})))
	require(p, p.bearer(p.clerk.Token(clerktest.Claims{AuthorizedParty: "https://www.example.com"})))
	require(p, p.bearer(p.clerk.Token(clerktest.Claims{Issuer: "https://clerk.other.example"})))
	require(p, p.bearer(p.clerk.Token(clerktest.Claims{ExpiresAt: noon.Add(-time.Hour)})))
	require(p, p.bearer(p.clerk.Token(clerktest.Claims{NotBefore: noon.Add(time.Hour)})))
	require(p, p.bearer(p.clerk.Token(clerktest.Claims{IssuedAt: noon.Add(time.Hour), NotBefore: noon})))
	require(p, p.signedIn(clerktest.Claims{Extra: map[string]any{"azp": clerktest.Absent}}, "GET", home, aScript))
	require(p, p.signedIn(clerktest.Claims{}, "POST", home, "Origin: https://evil.example"))
	require(p, request("GET", home, "Authorization: Bearer a", "Authorization: Bearer b"))
	require(p, p.signedIn(clerktest.Claims{ExpiresAt: noon.Add(-time.Hour)}, "GET", "https://10.0.0.7/", aPage))
	several := p.signedIn(clerktest.Claims{SessionID: "sess_one"}, "GET", home, aScript)
	several.AddCookie(p.clerk.Cookies(p.clerk.Token(clerktest.Claims{SessionID: "sess_two"}))[0])
	require(p, several)
	see(p.auth.Authorize(clerkauth.Role("admin"))(done), p.bearer(p.clerk.Token(clerktest.Claims{})))
	down := newSite(t, seen, clerktest.Options{}, nil)
	down.clerk.Fault(clerktest.BackendJWKS, clerktest.Down)
	require(down, down.bearer(down.clerk.Token(clerktest.Claims{})))
	down.clerk.Close()

	require(d, request("GET", home, aPage))
	require(d, request("GET", home+"?__clerk_db_jwt=dvb_x", aPage))
	require(d, d.signedIn(clerktest.Claims{}, "GET", home+"?__clerk_redirect_url=https%3A%2F%2Fexample.com%2Fx", aPage))
	require(p, p.signedIn(clerktest.Claims{}, "GET", home, aPage, "Referer: https://satellite.example/"))
	satellite := newSite(t, seen, clerktest.Options{}, func(c *clerkauth.Config) {
		c.Satellite, c.SignInURL = &clerkauth.Satellite{Domain: "example.com", AutoSync: true}, "https://accounts.primary.example/sign-in"
	})
	require(satellite, request("GET", home, aPage))
	synced := newSite(t, seen, clerktest.Options{}, func(c *clerkauth.Config) { c.OrganizationSync.OrganizationPatterns = []string{"/orgs/:slug"} })
	require(synced, synced.signedIn(clerktest.Claims{}, "GET", home+"orgs/acme", aPage))
	first := require(p, p.signedIn(clerktest.Claims{SessionID: "sess_one"}, "GET", home, aPage))
	changed := p.signedIn(clerktest.Claims{SessionID: "sess_two", Subject: "user_two"}, "GET", home, aPage)
	for _, c := range first.Result().Cookies() {
		changed.AddCookie(c)
	}
	require(p, changed)
	endOfAJourney(t, seen, false)
	endOfAJourney(t, seen, true)
	machinesAreRefused(t, seen)

	page := read(t, "docs/reasons.md")
	sections := reasonHead.FindAllStringSubmatch(page, -1)
	for _, m := range sections {
		h := seen[m[1]]
		if h == nil {
			t.Errorf("%s was not seen", m[1])
		} else if h.status != http.StatusTemporaryRedirect && m[2] != strconv.Itoa(h.status) {
			t.Errorf("%s: got %d, and the page says %s", m[1], h.status, m[2])
		}
	}
	if len(sections) < 20 {
		t.Errorf("the page has %d reasons, want at least 20", len(sections))
	}
	want := reasonHead.ReplaceAllStringFunc(page, func(head string) string {
		m := reasonHead.FindStringSubmatch(head)
		if h := seen[m[1]]; h != nil && h.cause != "" {
			return m[0][:len(m[0])-len(m[3])] + "**In the log.** `" + h.cause + "`\n\n"
		}
		return m[0][:len(m[0])-len(m[3])]
	})
	if *update {
		if err := os.WriteFile("reasons.md", []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	} else if want != page {
		t.Error("the page does not show the causes as they are logged; go test -run TestEveryReasonHappens ./docs -update writes them")
	}
}

var update = flag.Bool("update", false, "write what the pages have from programs")

// reasonHead is the beginning of a section: the reason, its status, and the cause in the log.
var reasonHead = regexp.MustCompile("(?m)^### ([a-z0-9-]+)\n\n(\\d{3}) · .*\n\n((?:\\*\\*In the log\\.\\*\\* .*\n\n)?)")
